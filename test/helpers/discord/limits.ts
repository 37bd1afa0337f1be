/** The limits that Discord documents and enforces but its API description leaves out. */
import {
  type APIApplicationCommand,
  type APIEmbed,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ComponentType,
  Locale,
  MessageFlags,
} from 'discord-api-types/v10'

/** `rule` names the broken limit, for tests to match on. */
export interface Problem {
  rule: string
  message: string
}

/** The parts of a message component that limits look at; the description has checked the rest. */
export interface Component {
  type: number
  id?: number
  custom_id?: string | null
  style?: number
  label?: string | null
  emoji?: unknown
  url?: string | null
  disabled?: boolean
  components?: Component[]
  accessory?: Component
  component?: Component
}

export interface MessageBody {
  content?: string | null
  embeds?: APIEmbed[] | null
  components?: Component[] | null
  attachments?: { id: string | number; filename?: string | null; description?: string | null }[] | null
  allowed_mentions?: { parse?: unknown[] | null; replied_user?: boolean | null } | null
  message_reference?: { message_id: string; fail_if_not_exists?: boolean | null } | null
  flags?: number | null
}

// Code points, as the description's own lengths are counted.
const length = (text: string | null | undefined) => [...(text ?? '')].length
const sum = (numbers: number[]) => numbers.reduce((total, n) => total + n, 0)

export const embedLength = ({ title, description, fields, footer, author }: APIEmbed) =>
  sum([title, description, footer?.text, author?.name].map(length)) +
  sum((fields ?? []).map((field) => length(field.name) + length(field.value)))

/** Every component of a tree, parents first. */
export function allComponents(components: readonly Component[]): Component[] {
  return components.flatMap((one) => {
    const nested = [...(one.components ?? []), ...[one.accessory, one.component].filter((child) => child !== undefined)]
    return [one, ...allComponents(nested)]
  })
}

function buttonProblem({ style, custom_id, url, label, emoji }: Component): string | null {
  if (style === 6) return null
  if (style === 5) return url && !custom_id ? null : 'a link button has a url and no custom_id'
  if (!custom_id || url) return 'a button has a custom_id and no url'
  return label || emoji ? null : 'a button has a label or an emoji'
}

function componentProblems(components: Component[], isV2: boolean): Problem[] {
  const found: Problem[] = []
  const all = allComponents(components)
  const ids = all.map((one) => one.custom_id).filter((id) => typeof id === 'string')
  const add = (rule: string, message: string) => found.push({ rule, message })
  if (new Set(ids).size < ids.length) add('custom_id', `duplicate custom_id in ${JSON.stringify(ids)}`)
  for (const one of all) {
    const button = one.type === ComponentType.Button && buttonProblem(one)
    if (button) add('button', button)
    const row = one.type === ComponentType.ActionRow && (one.components ?? [])
    if (row && row.length > 1 && row.some((child) => child.type !== ComponentType.Button))
      add('row', 'a row holds up to 5 buttons or one select')
    if (row && row.length > 5) add('row', 'a row holds at most 5 buttons')
  }
  if (isV2 && all.length > 40) add('components', `${all.length} components; at most 40, nested ones counted`)
  if (!isV2 && components.length > 5) add('rows', `${components.length} action rows; at most 5`)
  if (!isV2 && components.some((one) => one.type !== ComponentType.ActionRow))
    add('v2', 'components beyond action rows need the IS_COMPONENTS_V2 flag')
  return found
}

/** @param flags those the message will have: an edit may not say that it is Components V2 */
export function messageProblems(body: MessageBody, flags: number): Problem[] {
  const isV2 = (flags & MessageFlags.IsComponentsV2) !== 0
  const embeds = body.embeds ?? []
  const found = componentProblems(body.components ?? [], isV2)
  const add = (rule: string, message: string) => found.push({ rule, message })
  const total = sum(embeds.map(embedLength))
  if (total > 6000) add('embeds_total', `${total} characters over all embeds; at most 6000`)
  // The description allows 4,000 in a channel message: that is for paying people, not for bots.
  if (length(body.content) > 2000) add('content', `content of ${length(body.content)} characters; at most 2000`)
  if (embeds.flatMap((embed) => embed.fields ?? []).some((field) => !field.name.trim() || !field.value.trim()))
    add('embed_field', 'an embed field has a name and a value')
  if (isV2 && (body.content || embeds.length > 0)) add('v2', 'content and embeds are refused beside Components V2')
  return found
}

export function uploadProblems(sizes: number[], limitBytes: number): Problem[] {
  const found: Problem[] = []
  if (sizes.length > 10) found.push({ rule: 'files', message: `${sizes.length} files; at most 10` })
  const large = sizes.filter((size) => size > limitBytes)
  if (large.length > 0) found.push({ rule: 'file_size', message: `a file of ${large[0]} bytes; at most ${limitBytes}` })
  return found
}

/** Not Discord's rule but ours: whatever a message quotes, it must not ping anyone. */
export const mentionsProblem = ({ allowed_mentions }: MessageBody): Problem | null =>
  allowed_mentions?.parse?.length === 0
    ? null
    : { rule: 'allowed_mentions', message: 'a message is created without allowed_mentions: { parse: [] }' }

const COMMAND_NAME = /^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u
const LOCALES: ReadonlySet<string> = new Set(Object.values(Locale))
const MOST_OF_TYPE: Record<number, number> = { 1: 100, 2: 15, 3: 15 }

/** A command, an option or a choice: all that names, sizes and order are checked on. */
interface Named {
  name: string
  name_localizations?: Record<string, string | null> | null
  description?: string | null
  description_localizations?: Record<string, string | null> | null
  value?: string | number
}
interface Option extends Named {
  type: number
  required?: boolean
  autocomplete?: boolean
  choices?: Named[]
  options?: Option[]
}
export type CommandBody = Option &
  Pick<Partial<APIApplicationCommand>, 'default_member_permissions' | 'nsfw' | 'contexts' | 'integration_types'>

const longest = (text?: string | null, localizations?: Record<string, string | null> | null) =>
  Math.max(length(text), ...Object.values(localizations ?? {}).map(length))
const namedLength = (one: Named) =>
  longest(one.name, one.name_localizations) +
  longest(one.description, one.description_localizations) +
  length(one.value === undefined ? '' : String(one.value))
const optionLength = (one: Option): number =>
  namedLength(one) + sum((one.choices ?? []).map(namedLength)) + sum((one.options ?? []).map(optionLength))

/** What neighbours are called, in every language that any of them has a name in: two of the same name collide. */
function twins(named: readonly Named[]): string[] {
  const locales = new Set(named.flatMap((one) => Object.keys(one.name_localizations ?? {})))
  return [undefined, ...locales].flatMap((locale) => {
    const names = named.map((one) => (locale === undefined ? undefined : one.name_localizations?.[locale]) ?? one.name)
    return names.filter((name, i) => names.indexOf(name) < i).map((name) => `two called ${name} in ${locale ?? 'any'}`)
  })
}

/** The translations of something that may have some. */
const translations = (localizations: Named['name_localizations']) =>
  Object.values(localizations ?? {}).filter((text) => text !== null)

function choicesProblems(choices: Named[]): string[] {
  const texts = choices.flatMap((one) => [one.name, ...translations(one.name_localizations)])
  return [
    ...(choices.length > 25 ? ['at most 25 choices'] : []),
    ...(texts.some((text) => length(text) < 1 || length(text) > 100) ? ['a choice has 1 to 100 characters'] : []),
    ...twins(choices),
  ]
}

function namedProblems(one: Option, path: string): Problem[] {
  const found: Problem[] = []
  const add = (rule: string, message: string) => found.push({ rule, message: `${path}: ${message}` })
  for (const name of [one.name, ...Object.values(one.name_localizations ?? {})]) {
    if (name !== null && (!COMMAND_NAME.test(name) || name !== name.toLowerCase())) add('name', `bad name ${name}`)
  }
  const locales = Object.keys({ ...one.name_localizations, ...one.description_localizations })
  for (const locale of locales) if (!LOCALES.has(locale)) add('locale', `unknown locale ${locale}`)
  for (const text of [one.description, ...translations(one.description_localizations)])
    if (!text || length(text) > 100) add('description', 'a description has 1 to 100 characters')
  for (const problem of choicesProblems(one.choices ?? [])) add('choices', problem)
  if (one.autocomplete && one.choices && one.choices.length > 0) add('autocomplete', 'choices beside autocomplete')
  return [...found, ...optionsProblems(one.options ?? [], path)]
}

function optionsProblems(options: Option[], path: string): Problem[] {
  const found: Problem[] = []
  const add = (rule: string, message: string) => found.push({ rule, message: `${path}: ${message}` })
  const isSub = ({ type }: Option) => type <= ApplicationCommandOptionType.SubcommandGroup
  if (options.length > 25) add('options', `${options.length} options; at most 25`)
  if (options.some(isSub) && !options.every(isSub)) add('options', 'subcommands beside other options')
  for (const problem of twins(options)) add('duplicate', problem)
  if (options.some((option, i) => option.required && i > 0 && !isSub(option) && !options[i - 1]?.required))
    add('option_order', 'a required option stands after an optional one')
  return [...found, ...options.flatMap((option) => namedProblems(option, `${path} ${option.name}`))]
}

/** Of a command on users or messages: a name that may have blanks and capitals, and nothing else. */
function menuProblems({ name, name_localizations, description, options }: CommandBody): Problem[] {
  const names = [name, ...translations(name_localizations)]
  const isNamed = names.every((one) => length(one) >= 1 && length(one) <= 32)
  return [
    ...(isNamed ? [] : [{ rule: 'name', message: `${name}: a name has 1 to 32 characters` }]),
    ...(description || options?.length
      ? [{ rule: 'menu', message: `${name}: neither a description nor options belong to it` }]
      : []),
  ]
}

/** @param isOfGuild whether they are deployed to one guild alone */
export function commandProblems(commands: CommandBody[], isOfGuild = false): Problem[] {
  const found: Problem[] = []
  const typeOf = (command: CommandBody) => command.type ?? ApplicationCommandType.ChatInput
  for (const [type, most] of Object.entries(MOST_OF_TYPE)) {
    const count = commands.filter((command) => typeOf(command) === Number(type)).length
    if (count > most) found.push({ rule: 'commands', message: `${count} commands of type ${type}; at most ${most}` })
  }
  for (const type of Object.keys(MOST_OF_TYPE)) {
    const alike = commands.filter((command) => typeOf(command) === Number(type))
    found.push(...twins(alike).map((message) => ({ rule: 'duplicate', message })))
  }
  if (isOfGuild && commands.some(({ contexts, integration_types: types }) => contexts || types))
    found.push({ rule: 'contexts', message: 'contexts and integration_types belong to global commands' })
  for (const command of commands.filter((one) => typeOf(one) !== ApplicationCommandType.ChatInput))
    found.push(...menuProblems(command))
  for (const command of commands.filter((one) => typeOf(one) === ApplicationCommandType.ChatInput)) {
    found.push(...namedProblems(command, `/${command.name}`))
    const size = optionLength(command)
    if (size > 8000) found.push({ rule: 'command_size', message: `/${command.name}: ${size} characters; at most 8000` })
  }
  return found
}
