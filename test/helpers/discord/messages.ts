/** Messages: what a request makes of them, how they are stored, and every state they went through. */
import {
  type APIAttachment,
  type APIEmbed,
  type APIMessage,
  type APIMessageTopLevelComponent,
  ComponentType,
  MessageFlags,
} from 'discord-api-types/v10'
import type { Cdn } from './cdn.js'
import {
  allComponents,
  type Component,
  embedLength,
  type MessageBody,
  messageProblems,
  uploadProblems,
} from './limits.js'
import { isoTime, withoutNulls } from './payloads.js'
import { Refusal } from './refusal.js'

export interface Upload {
  /** The n of `files[n]`, which the body's attachments name as their id. */
  index: number
  filename: string
  contentType: string
  bytes: Buffer
}

/** `bytes` is not enumerable: the object is what Discord sends. */
export type Attachment = APIAttachment & { readonly bytes: Buffer }
export type Message = Omit<APIMessage, 'attachments'> & { attachments: Attachment[] }
export interface Version {
  /** Epoch ms on the double's clock. */
  at: number
  message: Message
}

export interface Draft {
  body: MessageBody
  uploads: Upload[]
  fileLimitBytes: number
}

export type Seed = Pick<APIMessage, 'channel_id' | 'author' | 'type'> & Partial<APIMessage>

export interface Messages {
  /** @throws Refusal for an empty message or a broken limit */
  create(seed: Seed, draft: Draft, flags: number): Message
  /** The « thinking… » that a deferred answer shows. */
  defer(seed: Seed, flags: number): Message
  edit(id: string, draft: Draft): Message
  remove(id: string): void
  /** @throws Refusal 10008 */
  get(id: string): Message
  find(id: string | null): Message | null
  history(id: string | null): readonly Version[]
  /** What everyone in a channel sees, oldest first. */
  inChannel(channelId: string): Message[]
}

export const isEphemeral = (message: Message) => ((message.flags ?? 0) & MessageFlags.Ephemeral) !== 0
export const isLoading = (message: Message) => ((message.flags ?? 0) & MessageFlags.Loading) !== 0

const EDITABLE = MessageFlags.SuppressEmbeds | MessageFlags.IsComponentsV2
const CREATABLE = EDITABLE | MessageFlags.Ephemeral | MessageFlags.SuppressNotifications

const SELECT = { min_values: 1, max_values: 1 }
// What Discord fills in where a request says nothing. Components that show media are not modelled: the bot has none.
const DEFAULTS: Record<number, object> = {
  ...{ 3: SELECT, 5: SELECT, 6: SELECT, 7: SELECT, 8: SELECT },
  [ComponentType.Separator]: { spacing: 1, divider: true },
  [ComponentType.Container]: { accent_color: null, spoiler: false },
}

function settleComponents(components: Component[]): APIMessageTopLevelComponent[] {
  const settled = withoutNulls(components)
  for (const [i, one] of allComponents(settled).entries())
    Object.assign(one, { ...DEFAULTS[one.type], id: i + 1, ...one })
  return settled as APIMessageTopLevelComponent[]
}

function settleEmbed(embed: APIEmbed, urlAt: (url: string) => string): APIEmbed {
  const { timestamp, fields, image, thumbnail, author, footer, ...rest } = withoutNulls(embed)
  return {
    type: 'rich' as APIEmbed['type'] & string,
    ...rest,
    ...(timestamp ? { timestamp: isoTime(Date.parse(timestamp)) } : {}),
    ...(fields ? { fields: fields.map((field) => ({ inline: false, ...field })) } : {}),
    ...(image ? { image: { ...image, url: urlAt(image.url) } } : {}),
    ...(thumbnail ? { thumbnail: { ...thumbnail, url: urlAt(thumbnail.url) } } : {}),
    ...(author ? { author: { ...author, ...(author.icon_url ? { icon_url: urlAt(author.icon_url) } : {}) } } : {}),
    ...(footer ? { footer: { ...footer, ...(footer.icon_url ? { icon_url: urlAt(footer.icon_url) } : {}) } } : {}),
  } as APIEmbed
}

const isEmpty = ({ content, embeds, components, attachments, poll }: Message) =>
  !content.trim() &&
  !embeds.some((embed) => embedLength(embed) > 0 || embed.image || embed.thumbnail) &&
  !components?.length &&
  attachments.length === 0 &&
  !poll

export function createMessages(cdn: Cdn, now: () => number, snowflake: () => string): Messages {
  const versions = new Map<string, Version[]>()
  const removed = new Set<string>()

  function attachments(base: Message, { body, uploads }: Draft): Attachment[] {
    const said = body.attachments ?? null
    const kept = said
      ? base.attachments.filter(({ id }) => said.some((one) => String(one.id) === id))
      : base.attachments
    const stray = said?.find(
      ({ id }) => !kept.some((one) => one.id === String(id)) && !uploads.some(({ index }) => index === Number(id)),
    )
    if (stray) throw new Refusal(50035, [{ rule: 'attachments', message: `attachment ${stray.id} has no file` }])
    const added = uploads.map((upload): Attachment => {
      const entry = said?.find(({ id }) => String(id) === String(upload.index))
      const filename = entry?.filename ?? upload.filename
      const file = { filename, content: upload.bytes, contentType: upload.contentType }
      const hosted = cdn.host(`attachments/${base.channel_id}`, file)
      const shown = { ...hosted, ...(entry?.description ? { description: entry.description } : {}) }
      return Object.defineProperty(shown, 'bytes', { value: upload.bytes }) as Attachment
    })
    return [...kept, ...added]
  }

  function write(base: Message, draft: Draft, flags: number): Message {
    const { body, uploads, fileLimitBytes } = draft
    const oversize = uploadProblems(
      uploads.map(({ bytes }) => bytes.length),
      fileLimitBytes,
    )
    if (oversize.length > 0) throw new Refusal(oversize.some(({ rule }) => rule === 'files') ? 50035 : 40005, oversize)
    const problems = messageProblems(body, flags)
    if (problems.length > 0) throw new Refusal(50035, problems)
    const files = 'attachments' in body || uploads.length > 0 ? attachments(base, draft) : base.attachments
    const urlAt = (url: string) => files.find(({ filename }) => url === `attachment://${filename}`)?.url ?? url
    const message: Message = {
      ...base,
      flags,
      content: body.content === undefined ? base.content : (body.content ?? ''),
      embeds: body.embeds === undefined ? base.embeds : (body.embeds ?? []).map((embed) => settleEmbed(embed, urlAt)),
      components: body.components === undefined ? (base.components ?? []) : settleComponents(body.components ?? []),
      attachments: files,
    }
    if (isEmpty(message))
      throw new Refusal(50006, [{ rule: 'empty', message: 'a message without content, embeds, components or files' }])
    return store(message)
  }

  function store(message: Message): Message {
    const states = versions.get(message.id) ?? []
    versions.set(message.id, [...states, { at: now(), message }])
    return message
  }

  const blank = (seed: Seed, flags: number): Message => ({
    id: snowflake(),
    content: '',
    embeds: [],
    components: [],
    mentions: [],
    mention_roles: [],
    mention_everyone: false,
    timestamp: isoTime(now()),
    edited_timestamp: null,
    pinned: false,
    tts: false,
    flags,
    ...(seed as Omit<Seed, 'attachments'>),
    attachments: [],
  })

  const messages: Messages = {
    create(seed, draft, flags) {
      const allowed = flags & CREATABLE
      return write(blank(seed, allowed), draft, allowed)
    },
    defer: (seed, flags) => store(blank(seed, (flags & MessageFlags.Ephemeral) | MessageFlags.Loading)),
    edit(id, draft) {
      const base = messages.get(id)
      // The first edit of a deferred answer is its creation: it does not count as an edit.
      const edited_timestamp = isLoading(base) ? null : isoTime(now())
      const flags = ((base.flags ?? 0) & ~MessageFlags.Loading) | ((draft.body.flags ?? 0) & EDITABLE)
      return write({ ...base, edited_timestamp }, draft, flags)
    },
    remove(id) {
      messages.get(id)
      removed.add(id)
    },
    get(id) {
      const message = messages.find(id)
      if (!message) throw new Refusal(10008)
      return message
    },
    find: (id) => (id === null || removed.has(id) ? null : (versions.get(id)?.at(-1)?.message ?? null)),
    history: (id) => (id === null ? [] : (versions.get(id) ?? [])),
    inChannel: (channelId) =>
      [...versions.keys()]
        .map((id) => messages.find(id))
        .filter((message) => message !== null)
        .filter((message) => message.channel_id === channelId && !isEphemeral(message)),
  }
  return messages
}
