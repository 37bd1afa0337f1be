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
  InteractionContextType,
  type RESTPostAPIChatInputApplicationCommandsJSONBody,
} from 'discord-api-types/v10'
import {
  type Bilingual,
  type FieldDescription,
  fill,
  type RegisteredAction,
  type Registry,
} from '../../actions/index.js'
import { WORDS } from './words.js'

export type CommandBody = RESTPostAPIChatInputApplicationCommandsJSONBody

/** Where a call's file stands among the options; the registry keeps fields from taking this name. */
const FILE_OPTION = 'file'

/** Discord, "Application Command Option Structure". */
const LONGEST_STRING = 6_000
const LONGEST_DESCRIPTION = 100

const described = ({ en, zh }: Bilingual) => ({
  description: en.slice(0, LONGEST_DESCRIPTION),
  description_localizations: {
    'zh-CN': zh.slice(0, LONGEST_DESCRIPTION),
    'zh-TW': zh.slice(0, LONGEST_DESCRIPTION),
  },
})

const within = (value: number | undefined, least: number): number | undefined =>
  value === undefined ? undefined : Math.min(Math.max(value, least), LONGEST_STRING)

function optionOf(field: FieldDescription): APIApplicationCommandBasicOption {
  const common = { name: field.name, ...described(field.description), ...(field.required ? { required: true } : {}) }
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
      if (field.choices) {
        const choices = field.choices.map((choice) => ({ name: choice, value: choice }))
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
function optionsOf(action: RegisteredAction): APIApplicationCommandBasicOption[] {
  const file: APIApplicationCommandBasicOption = {
    type: ApplicationCommandOptionType.Attachment,
    name: FILE_OPTION,
    ...described(WORDS.file),
  }
  return [
    ...action.fields.filter((field) => field.required).map(optionOf),
    ...(action.acceptsFile ? [file] : []),
    ...action.fields.filter((field) => !field.required).map(optionOf),
  ]
}

function commandBody(
  name: string,
  description: Bilingual,
  options: APIApplicationCommandOption[],
  contexts: InteractionContextType[],
): CommandBody {
  return {
    type: ApplicationCommandType.ChatInput,
    name,
    ...described(description),
    options,
    contexts,
    integration_types: [ApplicationIntegrationType.GuildInstall],
  }
}

/** One command per group with a subcommand per verb; a verb without a group is a command of its own. */
export function commandsOf(registry: Registry): CommandBody[] {
  const groups = new Map<string, RegisteredAction[]>()
  const alone: CommandBody[] = []
  for (const action of registry.actions) {
    if (action.group === undefined) {
      // Hosts belong to a guild; a verb that needs none of them also makes sense in a direct message.
      const anywhere = action.target === 'none' ? [InteractionContextType.BotDM] : []
      const contexts = [InteractionContextType.Guild, ...anywhere]
      alone.push(commandBody(action.verb, action.summary, optionsOf(action), contexts))
    } else {
      groups.set(action.group, [...(groups.get(action.group) ?? []), action])
    }
  }
  const grouped = [...groups].map(([group, actions]) => {
    const verbs = actions.map((action) => action.verb).join(', ')
    const subcommands = actions.map(
      (action): APIApplicationCommandOption => ({
        type: ApplicationCommandOptionType.Subcommand,
        name: action.verb,
        ...described(action.summary),
        options: optionsOf(action),
      }),
    )
    return commandBody(group, fill(WORDS.group, { verbs }), subcommands, [InteractionContextType.Guild])
  })
  return [...alone, ...grouped]
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
