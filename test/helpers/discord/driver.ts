/** What people do in Discord: run a command, complete an option, press a button, send a form. */
import {
  type APIApplicationCommand,
  type APIApplicationCommandBasicOption,
  type APIApplicationCommandOption,
  ApplicationCommandType,
  ApplicationIntegrationType,
  ComponentType,
  InteractionContextType,
  InteractionType,
  ApplicationCommandOptionType as OptionType,
} from 'discord-api-types/v10'
import type { HostedFile } from './cdn.js'
import { Interaction, type Sent } from './interaction.js'
import { allComponents, type Component } from './limits.js'
import { isEphemeral, type Message } from './messages.js'
import { assertSendable } from './modals.js'
import {
  type Asker,
  channelPayload,
  channelsOf,
  guildOf,
  interactionPayload,
  memberPayload,
  rolesPayload,
  userPayload,
} from './payloads.js'
import type { Guild, TestUser, World } from './world.js'
import { writtenMessage } from './written.js'

/** Attachments come from `double.attach()`; a user is given whole, a role or channel by id. */
export type OptionValue = string | number | boolean | TestUser | HostedFile

export interface SlashRequest extends Asker {
  /** As a person reads it: `container start`, a leading slash allowed. */
  command: string
  options?: Record<string, OptionValue>
}
export interface AutocompleteRequest extends SlashRequest {
  /** The option being typed; its text so far is in `options`. */
  focused: string
}
/** Where is not said: it happens where the message is. */
export interface ClickRequest extends Omit<Asker, 'guildId'> {
  /** The message with the component, or the interaction whose answer it is. */
  message: Message | Interaction
  /** Either of the two. */
  customId?: string
  label?: string
  /** For a select: what was chosen. */
  values?: string[]
}
export interface SubmitRequest extends Omit<Asker, 'guildId'> {
  /** The interaction that opened the form. */
  form: Interaction
  /** By custom_id. */
  fields: Record<string, string>
}

export interface MenuRequest extends Omit<Asker, 'guildId'> {
  /** The name of a command on messages, in English. */
  command: string
  /** It happens where this is. */
  message: Message
}
export interface SayRequest extends Asker {
  text: string
  /** Files that come with it. */
  attachments?: { filename: string; content: string }[]
  /** What it answers; its author is called unless `pings` is false. */
  replyTo?: Message
  pings?: boolean
  /** Whoever says it is a program, or speaks through a webhook. */
  isBot?: boolean
}

export interface Driver {
  /** Writes a message, which the bot hears of as far as its intents go. */
  say(request: SayRequest): Message
  /** The same, and calls the bot with it. */
  mention(request: SayRequest): Message
  /** A command from a message's menu. */
  menu(request: MenuRequest): Interaction
  slash(request: SlashRequest): Interaction
  autocomplete(request: AutocompleteRequest): Interaction
  click(request: ClickRequest): Interaction
  submit(request: SubmitRequest): Interaction
}

interface Leaf {
  command: APIApplicationCommand
  /** Outermost first. */
  path: { type: number; name: string }[]
  options: APIApplicationCommandBasicOption[]
}

const SUB = [OptionType.Subcommand, OptionType.SubcommandGroup]

/** As Discord offers it there: deployed, and where it says that it is. */
function findDeployed(world: World, guild: Guild | null, name: string, type: number): APIApplicationCommand {
  const deployed = [...(world.commands.get(guild?.id ?? '') ?? []), ...(world.commands.get('global') ?? [])]
  const command = deployed.find((one) => one.name === name && one.type === type)
  if (!command) throw new Error(`/${name} is not deployed; deployed: ${deployed.map((one) => one.name).join(', ')}`)
  const { contexts, integration_types: types } = command
  const context = guild ? InteractionContextType.Guild : InteractionContextType.BotDM
  if (contexts && !contexts.includes(context)) throw new Error(`/${name} is not there in context ${context}`)
  if (guild?.installed === false && types && !types.includes(ApplicationIntegrationType.UserInstall))
    throw new Error(`/${name} is there only where the app was added to the guild`)
  return command
}

function findCommand(world: World, guild: Guild | null, text: string): Leaf {
  const [root = '', ...rest] = text.replace(/^\//, '').trim().split(/\s+/)
  const command = findDeployed(world, guild, root, ApplicationCommandType.ChatInput)
  let options: APIApplicationCommandOption[] = command.options ?? []
  const path = rest.map((name) => {
    const sub = options.find((option) => option.name === name && SUB.includes(option.type))
    if (!sub) throw new Error(`/${text}: no subcommand ${name}`)
    options = ('options' in sub ? sub.options : undefined) ?? []
    return { type: sub.type, name }
  })
  if (options.some(({ type }) => SUB.includes(type))) throw new Error(`/${text}: a subcommand must be named`)
  return { command, path, options: options as APIApplicationCommandBasicOption[] }
}

type Resolved = Record<'users' | 'members' | 'roles' | 'channels' | 'attachments', Record<string, unknown>>

/** @returns what the option carries; its object goes into `resolved` */
function optionValue(type: OptionType, value: OptionValue, guild: Guild | null, resolved: Resolved): unknown {
  if (typeof value === 'object' && 'username' in value) {
    resolved.users[value.id] = userPayload(value)
    if (guild) {
      const { user: _user, deaf: _deaf, mute: _mute, ...member } = memberPayload(userPayload(value), [], 0n)
      resolved.members[value.id] = member
    }
    return value.id
  }
  if (typeof value === 'object') {
    resolved.attachments[value.id] = { ...value, ephemeral: true }
    return value.id
  }
  const role = guild && rolesPayload(guild).find(({ id }) => id === value)
  if (type === OptionType.Role || type === OptionType.Mentionable) {
    if (!role) throw new Error(`no role ${value} in this guild`)
    resolved.roles[role.id] = role
  }
  if (type === OptionType.Channel) {
    const channel = guild && channelsOf(guild).find(({ id }) => id === value)
    if (!channel) throw new Error(`no channel ${value} in this guild`)
    resolved.channels[channel.id] = { ...channelPayload(guild, channel), permissions: '0' }
  }
  return value
}

const KINDS: Partial<Record<OptionType, (value: OptionValue) => boolean>> = {
  [OptionType.String]: (value) => typeof value === 'string',
  [OptionType.Integer]: (value) => Number.isInteger(value),
  [OptionType.Number]: (value) => typeof value === 'number',
  [OptionType.Boolean]: (value) => typeof value === 'boolean',
  [OptionType.User]: (value) => typeof value === 'object' && 'username' in value,
  [OptionType.Attachment]: (value) => typeof value === 'object' && 'url' in value,
}

type Bounds = Partial<Record<'min_value' | 'max_value' | 'min_length' | 'max_length', number>>

/** Discord's own app lets nobody send what the command's definition rules out, so neither does a test. */
function assertAllowed(option: APIApplicationCommandBasicOption, value: OptionValue, text: string): void {
  const no = (why: string) => new Error(`/${text} ${option.name}: ${JSON.stringify(value)} ${why}`)
  if (KINDS[option.type]?.(value) === false) throw no(`is no ${OptionType[option.type]}`)
  if ('choices' in option && option.choices?.length && !option.choices.some((choice) => choice.value === value))
    throw no('is none of the choices')
  const { min_value, max_value, min_length, max_length } = option as Bounds
  if (typeof value === 'number' && (value < (min_value ?? value) || value > (max_value ?? value)))
    throw no('is out of range')
  if (typeof value === 'string' && (value.length < (min_length ?? 0) || value.length > (max_length ?? 6000)))
    throw no('has a bad length')
}

function commandData(world: World, request: SlashRequest, focused?: string): unknown {
  const guild = guildOf(world, request.guildId)
  const { command, path, options } = findCommand(world, guild, request.command)
  const given = { ...request.options }
  const resolved: Resolved = { users: {}, members: {}, roles: {}, channels: {}, attachments: {} }
  const unknown = Object.keys(given).filter((name) => !options.some((option) => option.name === name))
  if (unknown.length > 0) throw new Error(`/${request.command} has no option ${unknown.join(', ')}`)
  const typed = options.find(({ name }) => name === focused)
  if (focused && !(typed && 'autocomplete' in typed && typed.autocomplete))
    throw new Error(`/${request.command} has no option ${focused} with autocompletion`)

  const values = options.flatMap((option) => {
    const isFocused = option.name === focused
    const value = isFocused ? (given[option.name] ?? '') : given[option.name]
    if (value === undefined) {
      if (option.required && !focused) throw new Error(`/${request.command} needs the option ${option.name}`)
      return []
    }
    if (!focused) assertAllowed(option, value, request.command)
    const sent = optionValue(option.type, value, guild, resolved)
    return [{ name: option.name, type: option.type, value: sent, ...(isFocused ? { focused: true } : {}) }]
  })
  const filled = Object.entries(resolved).filter(([, objects]) => Object.keys(objects).length > 0)
  return {
    id: command.id,
    name: command.name,
    type: command.type,
    options: path.reduceRight<object[]>((inner, sub) => [{ ...sub, options: inner }], values),
    ...(filled.length > 0 ? { resolved: Object.fromEntries(filled) } : {}),
    ...(command.guild_id ? { guild_id: command.guild_id } : {}),
  }
}

const SELECTS = [3, 5, 6, 7, 8]

function pressed(message: Message, { user, customId, label, values }: ClickRequest): Component {
  const owner = message.interaction_metadata?.user.id
  if (isEphemeral(message) && owner !== user.id) throw new Error(`${user.username} does not see this ephemeral message`)
  const components = allComponents((message.components ?? []) as Component[]).filter((one) => one.custom_id || one.url)
  const found = components.find((one) => (customId ? one.custom_id === customId : one.label === label))
  const shown = components.map((one) => `${one.label ?? ''} [${one.custom_id ?? one.url}]`).join(', ')
  if (!found) throw new Error(`no component ${customId ?? label} on the message; there: ${shown || 'none'}`)
  if (found.disabled) throw new Error(`${customId ?? label} is disabled`)
  if (!found.custom_id) throw new Error(`${customId ?? label} is a link: it tells the bot nothing`)
  if (SELECTS.includes(found.type) !== (values !== undefined))
    throw new Error('values belong to a select, and only there')
  return found
}

/** A form comes back as it was laid out, each field with what was typed. */
function filled(components: Component[], fields: Record<string, string>): unknown[] {
  return components.map((one) => {
    const { type, id } = one
    if (one.components) return { type, id, components: filled(one.components, fields) }
    if (one.component) return { type, id, component: filled([one.component], fields)[0] }
    const value = fields[one.custom_id ?? ''] ?? ''
    const isSelect = type === ComponentType.StringSelect
    return { type, id, custom_id: one.custom_id, ...(isSelect ? { values: value ? [value] : [] } : { value }) }
  })
}

/** What happened, or what a session of these intents is told of it: undefined for nothing. */
type Told = unknown | ((intents: number) => unknown)

/** @param deliver brings an interaction to the bot @param dispatch tells it of anything else */
export function createDriver(
  world: World,
  deliver: (payload: unknown) => void,
  dispatch: (t: string, told: Told) => void,
): Driver {
  function send(asker: Asker, type: InteractionType, label: string, more: object, from: Interaction['from'] = {}) {
    const payload = { ...interactionPayload(world, type, asker), ...more } as Sent
    const interaction = new Interaction(payload, world, label, from)
    world.interactions.set(interaction.token, interaction)
    deliver(payload)
    return interaction
  }

  const guildIn = (channelId: string) =>
    world.guilds.find((guild) => channelsOf(guild).some(({ id }) => id === channelId)) ?? null

  function say(request: SayRequest): Message {
    const guild = guildOf(world, request.guildId)
    const { message, told } = writtenMessage(world, guild, request)
    dispatch('MESSAGE_CREATE', told)
    return message
  }

  return {
    say,
    mention: (request) => say({ ...request, text: `<@${world.bot.id}> ${request.text}` }),

    menu({ command: name, message, ...asker }) {
      const guild = guildIn(message.channel_id)
      const { id, type, guild_id } = findDeployed(world, guild, name, ApplicationCommandType.Message)
      const resolved = { messages: { [message.id]: message } }
      const data = { id, name, type, target_id: message.id, resolved, ...(guild_id ? { guild_id } : {}) }
      const where = { ...asker, guildId: guild?.id ?? null }
      return send(where, InteractionType.ApplicationCommand, name, { data })
    },

    slash: (request) =>
      send(request, InteractionType.ApplicationCommand, `/${request.command}`, { data: commandData(world, request) }),

    autocomplete(request) {
      const data = commandData(world, request, request.focused)
      const label = `/${request.command} ${request.focused}…`
      return send(request, InteractionType.ApplicationCommandAutocomplete, label, { data })
    },

    click(request) {
      const { message: target, values } = request
      const id = target instanceof Interaction ? target.originalId : target.id
      // As it is now: what a test holds may be an older state.
      const message = world.messages.find(id)
      if (!message) throw new Error('there is no such message to click on')
      const { type, id: componentId, custom_id, label } = pressed(message, request)
      const data = { component_type: type, id: componentId, custom_id, ...(values ? { values } : {}) }
      const what = `click on ${label ?? custom_id}`
      const asker = { ...request, guildId: guildIn(message.channel_id)?.id ?? null, channelId: message.channel_id }
      return send(asker, InteractionType.MessageComponent, what, { data, message }, { messageId: message.id })
    },

    submit(request) {
      const { form, fields } = request
      if (!form.modal) throw new Error(`${form.label} opened no form`)
      const { custom_id, components } = form.modal
      const known = allComponents(components).map((one) => one.custom_id)
      const unknown = Object.keys(fields).find((name) => !known.includes(name))
      assertSendable(form.modal, fields)
      if (unknown) throw new Error(`the form has no field ${unknown}`)
      const numbered = structuredClone(components)
      for (const [i, one] of allComponents(numbered).entries()) one.id = i + 1
      const data = { custom_id, components: filled(numbered, fields) }
      const message = world.messages.find(form.sourceId)
      const more = { data, ...(message ? { message } : {}) }
      const asker = { ...request, guildId: form.payload.guild_id ?? null }
      const from = { messageId: message?.id ?? null, opener: form }
      return send(asker, InteractionType.ModalSubmit, `form ${custom_id}`, more, from)
    },
  }
}
