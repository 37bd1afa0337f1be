// Messages as the Discord double holds them, as HTML for the web components of @skyra/discord-components-core.
import type { APIEmbed, APIMessageTopLevelComponent } from 'discord-api-types/v10'
import type { Message } from '../test/helpers/discord/messages.js'

/** Somebody or something with a name and a picture. */
export interface Face {
  readonly name: string
  readonly avatar: string
}

/** A reply, and who asked for it by which command; without one, a message of the bot's own. */
export interface Shown {
  readonly message: Message
  readonly asked?: { readonly by: Face; readonly command: string }
}

const html = (text: string): string =>
  text.replaceAll(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char] ?? char)

const attributes = (values: Readonly<Record<string, string | boolean | undefined>>): string =>
  Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) => (value === true ? ` ${name}` : ` ${name}="${html(String(value))}"`))
    .join('')

/** What stands inside a line, first match first: Discord, "Markdown Text 101". */
const INLINE: readonly [RegExp, (match: RegExpExecArray, reader: Reader) => string][] = [
  [/^\\([^A-Za-z0-9\s])/, ([, char = '']) => html(char)],
  [
    /^(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/,
    ([, , code = '']) => `<discord-code embed>${html(code.trim())}</discord-code>`,
  ],
  [/^\*\*([\s\S]+?)\*\*(?!\*)/, ([, text = ''], reader) => `<strong>${inline(text, reader)}</strong>`],
  [/^\*(?=\S)((?:\\.|[^*\\])+?)\*(?!\*)/, ([, text = ''], reader) => `<em>${inline(text, reader)}</em>`],
  [/^\[([^\]]+)\]\((https?:[^\s)]+)\)/, ([, text = '', url = ''], reader) => link(inline(text, reader), url)],
  [/^https?:\/\/[^\s<]+[^\s<.,:;"')\]]/, ([url]) => link(html(url), url)],
  [/^<@(\d+)>/, ([, id = ''], { names }) => `<discord-mention>${html(names.get(id) ?? id)}</discord-mention>`],
  [/^<t:(\d+):f>/, ([, at = ''], reader) => `<span class="moment">${html(moment(at, reader))}</span>`],
]

/** Who reads. */
export interface Reader {
  readonly lang: 'en' | 'zh'
  /** Of people, by their ids. */
  readonly names: ReadonlyMap<string, string>
}

const LOCALES = { en: 'en-GB', zh: 'zh-CN' } as const

const moment = (seconds: string, { lang }: Reader): string =>
  new Date(Number(seconds) * 1000).toLocaleString(LOCALES[lang], {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  })

const link = (text: string, url: string): string => `<discord-link href="${html(url)}">${text}</discord-link>`

function inline(text: string, reader: Reader): string {
  let made = ''
  for (let rest = text; rest !== ''; ) {
    const [match, write] = INLINE.map(([pattern, write]) => [pattern.exec(rest), write] as const).find(
      ([found]) => found !== null,
    ) ?? [null]
    made += match && write ? write(match, reader) : html(rest.charAt(0))
    rest = rest.slice(match ? match[0].length : 1)
  }
  return made
}

function line(text: string, reader: Reader): string {
  const [, level = '', heading = ''] = /^(#{1,3}) (.*)$/.exec(text) ?? []
  if (level !== '') return `<div class="heading">${inline(heading, reader)}</div>`
  const [, indent = '', mark = '', item = ''] = /^( *)([-*]|\d+\.) (.*)$/.exec(text) ?? []
  if (mark !== '') {
    const sign = /\d/.test(mark) ? mark : '•'
    return `<div class="item" style="margin-left: ${indent.length * 8}px"><b>${sign}</b>${inline(item, reader)}</div>`
  }
  return text === '' ? '<div class="blank"></div>' : `<div>${inline(text, reader)}</div>`
}

/** The subset that the bot writes: emphasis, code, links, mentions, lists, headings, escapes. */
export function markdown(text: string, reader: Reader): string {
  return text
    .split(/(```[\s\S]*?```\n?)/)
    .map((part) => {
      const [, code] = /^```(?:[a-z0-9+#-]*\n)?([\s\S]*?)\n?```\n?$/i.exec(part) ?? []
      if (code !== undefined) return `<discord-code multiline embed>${html(code)}</discord-code>`
      const lines = part.replace(/^\n|\n$/g, '')
      return lines === ''
        ? ''
        : lines
            .split('\n')
            .map((one) => line(one, reader))
            .join('')
    })
    .join('')
}

function embed(
  { color = 0, author, title, description, image, footer }: APIEmbed,
  reader: Reader,
  images: ReadonlyMap<string, string>,
): string {
  const values = {
    slot: 'embeds',
    color: `#${color.toString(16).padStart(6, '0')}`,
    image: image && images.get(image.url),
    'author-name': author?.name,
  }
  return [
    `<discord-embed${attributes(values)}>`,
    `<discord-embed-description slot="description">`,
    ...(title === undefined ? [] : [`<div class="title">${inline(title, reader)}</div>`]),
    ...(description === undefined ? [] : [markdown(description, reader)]),
    '</discord-embed-description>',
    ...(footer ? [`<discord-embed-footer slot="footer">${html(footer.text)}</discord-embed-footer>`] : []),
    '</discord-embed>',
  ].join('')
}

const BUTTONS: Readonly<Record<number, string>> = { 1: 'primary', 2: 'secondary', 3: 'success', 4: 'destructive' }

interface ButtonPart {
  readonly style: number
  readonly label?: string
  readonly url?: string
}

function row(component: APIMessageTopLevelComponent): string {
  const buttons = ((component as { components?: ButtonPart[] }).components ?? []).map(
    ({ style, label = '', url }) =>
      `<discord-button${attributes({ type: BUTTONS[style] ?? 'secondary', url })}>${html(label)}</discord-button>`,
  )
  return `<discord-action-row>${buttons.join('')}</discord-action-row>`
}

const png = (bytes: Buffer): string => `data:image/png;base64,${bytes.toString('base64')}`

export function messageHtml({ message, asked }: Shown, bot: Face, reader: Reader): string {
  const { content, embeds, components = [], attachments, flags = 0 } = message
  const shownInside = new Set(embeds.map(({ image }) => image?.url))
  const images = new Map(attachments.map(({ url, bytes }) => [url, png(bytes)]))
  const files = attachments
    .filter(({ url }) => !shownInside.has(url))
    .map(({ filename, size }) => {
      const values = { name: filename, bytes: (size / 1024).toFixed(1), 'bytes-unit': 'KB', slot: 'attachments' }
      return `<discord-file-attachment${attributes(values)}></discord-file-attachment>`
    })
  const command = asked && {
    slot: 'reply',
    author: asked.by.name,
    avatar: asked.by.avatar,
    command: `/${asked.command}`,
  }
  const values = { author: bot.name, avatar: bot.avatar, bot: true, ephemeral: (flags & 64) !== 0, 'twenty-four': true }
  return [
    `<discord-message${attributes({ ...values, timestamp: message.timestamp.slice(11, 16) })}>`,
    ...(command ? [`<discord-command${attributes(command)}></discord-command>`] : []),
    markdown(content, reader),
    ...embeds.map((one) => embed(one, reader, images)),
    ...(files.length > 0 ? [`<discord-attachments slot="attachments">${files.join('')}</discord-attachments>`] : []),
    ...(components.length > 0
      ? [`<discord-attachments slot="components">${components.map(row).join('')}</discord-attachments>`]
      : []),
    '</discord-message>',
  ].join('')
}
