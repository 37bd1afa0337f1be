// The registry as Discord's slash commands, and a slash command back as the call it stands for.
import {
  type APIApplicationCommandBasicOption,
  type APIApplicationCommandOption,
  type APIAttachment,
  type APIAutocompleteApplicationCommandInteractionData,
  type APIChatInputApplicationCommandInteractionData,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ApplicationIntegrationType,
  ChannelType,
  InteractionContextType,
  PermissionFlagsBits,
  type RESTPostAPIChatInputApplicationCommandsJSONBody,
  type RESTPostAPIContextMenuApplicationCommandsJSONBody,
} from 'discord-api-types/v10'
import { type FieldDescription, type RegisteredAction, type Registry, say, zhName } from '../../actions/index.js'
import { type Localizer, localizer, type Traditional } from './localize.js'
import { WORDS } from './words.js'

type SlashBody = RESTPostAPIChatInputApplicationCommandsJSONBody
type MessageBody = RESTPostAPIContextMenuApplicationCommandsJSONBody
export type CommandBody = SlashBody | MessageBody

/** Where a call's file stands among the options; the registry keeps fields from taking this name. */
const FILE_OPTION = 'file'

/** Discord, "Application Command Option Structure". */
const LONGEST_STRING = 6_000

/** Those that the bot can post in. */
const CHANNELS = [ChannelType.GuildText, ChannelType.GuildAnnouncement] satisfies ChannelType[]

const within = (value: number | undefined, least: number): number | undefined =>
  value === undefined ? undefined : Math.min(Math.max(value, least), LONGEST_STRING)

function optionOf(action: string, field: FieldDescription, to: Localizer): APIApplicationCommandBasicOption {
  const common = {
    ...to.named(field.name, zhName.field(action, field.name)),
    ...to.described(field.description),
    ...(field.required ? { required: true } : {}),
  }
  switch (field.type) {
    case 'boolean':
      return { ...common, type: ApplicationCommandOptionType.Boolean }
    case 'integer':
      return {
        ...common,
        type: ApplicationCommandOptionType.Integer,
        ...(field.minimum === undefined ? {} : { min_value: field.minimum }),
        ...(field.maximum === undefined ? {} : { max_value: field.maximum }),
      }
    case 'string': {
      if (field.refers === 'role') return { ...common, type: ApplicationCommandOptionType.Role }
      if (field.refers === 'channel') {
        return { ...common, type: ApplicationCommandOptionType.Channel, channel_types: CHANNELS }
      }
      if (field.choices) {
        const choices = field.choices.map((value) => ({ ...to.named(value, zhName.choice(value)), value }))
        return { ...common, type: ApplicationCommandOptionType.String, choices }
      }
      const min = within(field.minLength, 0)
      const max = within(field.maxLength, 1)
      return {
        ...common,
        type: ApplicationCommandOptionType.String,
        ...(min === undefined ? {} : { min_length: min }),
        ...(max === undefined ? {} : { max_length: max }),
        ...(field.complete ? { autocomplete: true } : {}),
      }
    }
  }
}

/** Required ones first, as Discord demands; then the file, which is what a command that takes one is about. */
function optionsOf({ name, fields, acceptsFile }: RegisteredAction, to: Localizer): APIApplicationCommandBasicOption[] {
  const file: APIApplicationCommandBasicOption = {
    type: ApplicationCommandOptionType.Attachment,
    ...to.named(FILE_OPTION, zhName.field(name, FILE_OPTION)),
    ...to.described(WORDS.file),
  }
  return [
    ...fields.filter((field) => field.required).map((field) => optionOf(name, field, to)),
    ...(acceptsFile ? [file] : []),
    ...fields.filter((field) => !field.required).map((field) => optionOf(name, field, to)),
  ]
}

type Offer = Pick<SlashBody, 'contexts' | 'integration_types' | 'default_member_permissions'>

/**
 * Where a command is there, and who sees it until a guild's administrators say otherwise. Neither is a right: policy decides
 * on each call.
 */
function offerOf(actions: readonly RegisteredAction[]): Offer {
  const isPersonal = actions.some(({ personal }) => personal)
  const { GuildInstall, UserInstall } = ApplicationIntegrationType
  const { Guild, BotDM, PrivateChannel } = InteractionContextType
  return {
    contexts: isPersonal ? [Guild, BotDM, PrivateChannel] : [Guild],
    integration_types: isPersonal ? [GuildInstall, UserInstall] : [GuildInstall],
    ...(actions.every(({ administrative }) => administrative)
      ? { default_member_permissions: String(PermissionFlagsBits.ManageGuild) }
      : {}),
  }
}
/**
 * One command per group with a subcommand per verb; a verb without a group is a command of its own. Besides, a command on
 * messages for each verb that is offered there.
 */
export function commandsOf(registry: Registry, traditional: Traditional = (simplified) => simplified): CommandBody[] {
  const to = localizer(traditional)
  const type = ApplicationCommandType.ChatInput
  const groups = new Map<string, RegisteredAction[]>()
  const alone: CommandBody[] = []
  const onMessages: CommandBody[] = []
  for (const action of registry.actions) {
    const { group, verb, name, summary, message } = action
    if (group === undefined) {
      const said = { ...to.named(verb, zhName.verb(name)), ...to.described(summary) }
      alone.push({ type, ...said, options: optionsOf(action, to), ...offerOf([action]) })
    } else {
      groups.set(group, [...(groups.get(group) ?? []), action])
    }
    if (message) {
      const said = to.named(message.name.en, message.name.zh)
      onMessages.push({ type: ApplicationCommandType.Message, ...said, ...offerOf([action]) })
    }
  }
  const grouped = [...groups].map(([group, actions]): CommandBody => {
    const verbs = actions.map(({ verb }) => verb).join(', ')
    const subcommands = actions.map(
      (action): APIApplicationCommandOption => ({
        type: ApplicationCommandOptionType.Subcommand,
        ...to.named(action.verb, zhName.verb(action.name)),
        ...to.described(action.summary),
        options: optionsOf(action, to),
      }),
    )
    const zh = actions.map(({ name, verb }) => zhName.verb(name) ?? verb).join('、')
    const said = { en: say('en', WORDS.group, { verbs }), zh: say('zh', WORDS.group, { verbs: zh }) }
    return {
      type,
      ...to.named(group, zhName.group(group)),
      ...to.described(said),
      options: subcommands,
      ...offerOf(actions),
    }
  })
  return [...alone, ...grouped, ...onMessages]
}

/** A slash command as it was typed, or as far as it has been typed. */
export interface TypedCommand {
  readonly action: string
  readonly input: Readonly<Record<string, unknown>>
  readonly attachment?: APIAttachment
  /** The option being typed, while completions are asked for. */
  readonly focused?: string
}

export function readCommand(
  data: APIChatInputApplicationCommandInteractionData | APIAutocompleteApplicationCommandInteractionData,
): TypedCommand {
  const [first] = data.options ?? []
  const verb = first?.type === ApplicationCommandOptionType.Subcommand ? first : undefined
  const input: Record<string, unknown> = {}
  let attachment: APIAttachment | undefined
  let focused: string | undefined
  for (const option of (verb ? verb.options : data.options) ?? []) {
    if (!('value' in option)) continue
    if (option.type === ApplicationCommandOptionType.Attachment) attachment = data.resolved?.attachments?.[option.value]
    else input[option.name] = option.value
    if ('focused' in option && option.focused === true) focused = option.name
  }
  return {
    action: verb ? `${data.name}.${verb.name}` : data.name,
    input,
    ...(attachment ? { attachment } : {}),
    ...(focused === undefined ? {} : { focused }),
  }
}
