/** The part of Discord's REST API that the bot uses: for each route what it takes, what it answers, and what it does. */
import type { Callback } from './interaction.js'
import { type CommandBody, commandProblems, type MessageBody, mentionsProblem, type Problem } from './limits.js'
import { type Draft, isEphemeral, type Message, type Seed, type Upload } from './messages.js'
import {
  applicationPayload,
  channelPayload,
  channelsOf,
  commandPayload,
  DEFAULT_FILE_LIMIT_BYTES,
  directPayload,
  userPayload,
} from './payloads.js'
import { Refusal } from './refusal.js'
import { answer, callbackResponse, editReply, findByToken, followUp, ownMessage } from './replies.js'
import type { World } from './world.js'

export interface Call {
  params: { id: string; token: string; app: string; channel: string; guild?: string }
  query: { with_response?: string }
  host: string
  body: unknown
  uploads: Upload[]
  /** Records what Discord would let pass. */
  note(problem: Problem): void
}

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  url: string
  /** The description's name for what is sent; `[]` after it: an array of them. */
  body?: string | ((body: unknown) => string | undefined)
  /** And for what is answered; without one, 204. */
  answer?: string
  /** @returns the answer's body; undefined for a 204 */
  handle(call: Call): unknown
}

export const CALLBACK_BODIES: Record<number, string> = {
  1: 'PongInteractionCallbackRequest',
  4: 'CreateMessageInteractionCallbackRequest',
  5: 'CreateMessageInteractionCallbackRequest',
  6: 'UpdateMessageInteractionCallbackRequest',
  7: 'UpdateMessageInteractionCallbackRequest',
  8: 'ApplicationCommandAutocompleteCallbackRequest',
  9: 'ModalInteractionCallbackRequest',
  12: 'LaunchActivityInteractionCallbackRequest',
}

function draftOf({ body, uploads }: Call, fileLimitBytes = DEFAULT_FILE_LIMIT_BYTES): Draft {
  return { body: (body ?? {}) as MessageBody, uploads, fileLimitBytes }
}

function applicationRoutes(world: World): Route[] {
  function scopeOf({ app, guild = 'global' }: Call['params']): string {
    if (app !== world.applicationId) throw new Refusal(0)
    if (guild !== 'global' && !world.guilds.some(({ id }) => id === guild)) throw new Refusal(10004)
    return guild
  }

  function deploy({ params, body }: Call): unknown {
    const scope = scopeOf(params)
    const bodies = (body ?? []) as CommandBody[]
    const problems = commandProblems(bodies, params.guild !== undefined)
    if (problems.length > 0) throw new Refusal(50035, problems)
    const before = world.commands.get(scope) ?? []
    const commands = bodies.map((command) => {
      const same = before.find(({ name, type }) => name === command.name && type === (command.type ?? 1))
      return commandPayload(world, command, same?.id ?? world.snowflake(), params.guild)
    })
    world.commands.set(scope, commands)
    return commands
  }

  const list = ({ params }: Call) => world.commands.get(scopeOf(params)) ?? []
  const body = 'ApplicationCommandUpdateRequest[]'
  const commands = 'ApplicationCommandResponse[]'
  const limits = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 }
  const gateway = ({ host }: Call) => ({ url: `ws://${host}`, shards: 1, session_start_limit: limits })
  const me = () => ({ ...world.bot, mfa_enabled: true, locale: 'en-US' })
  const application = () => applicationPayload(world)
  const urls = ['/applications/:app/commands', '/applications/:app/guilds/:guild/commands']

  return [
    { method: 'GET', url: '/gateway/bot', answer: 'GatewayBotResponse', handle: gateway },
    { method: 'GET', url: '/users/@me', answer: 'UserPIIResponse', handle: me },
    { method: 'GET', url: '/applications/@me', answer: 'PrivateApplicationResponse', handle: application },
    ...urls.map((url): Route => ({ method: 'GET', url, answer: commands, handle: list })),
    ...urls.map((url): Route => ({ method: 'PUT', url, body, answer: commands, handle: deploy })),
  ]
}

/** An interaction's own routes: the token in the path is the authorization. */
function interactionRoutes(world: World): Route[] {
  function callback(call: Call): unknown {
    const { id, token } = call.params
    const sent = call.body as Callback
    const fileLimitBytes = world.interactions.get(token)?.payload.attachment_size_limit
    const draft = draftOf({ ...call, body: sent.data }, fileLimitBytes)
    const interaction = answer(world, id, token, sent, draft, call.note)
    return call.query.with_response === 'true' ? callbackResponse(interaction) : undefined
  }

  function opened(call: Call) {
    const { app, token } = call.params
    if (app !== world.applicationId) throw new Refusal(10015)
    const interaction = findByToken(world, token)
    if (world.closed.gone.has(interaction.payload.channel_id)) throw new Refusal(10003)
    return { interaction, draft: draftOf(call, interaction.payload.attachment_size_limit) }
  }
  const own = (call: Call) => ownMessage(world, opened(call).interaction, call.params.id)
  const remove = (call: Call) => world.messages.remove(own(call).id)
  const edit = (call: Call) => {
    const { interaction, draft } = opened(call)
    return editReply(world, interaction, call.params.id, draft, call.note)
  }
  const follow = (call: Call) => {
    const { interaction, draft } = opened(call)
    return followUp(world, interaction, draft, call.note)
  }
  const callbackUrl = '/interactions/:id/:token/callback'
  const callbackBody = (body: unknown) => CALLBACK_BODIES[(body as Callback | null)?.type ?? 0]
  const callbackAnswer = 'InteractionCallbackResponse'
  const webhook = '/webhooks/:app/:token'
  const url = `${webhook}/messages/:id`
  const message = 'MessageResponse'

  return [
    { method: 'POST', url: callbackUrl, body: callbackBody, answer: callbackAnswer, handle: callback },
    { method: 'POST', url: webhook, body: 'IncomingWebhookRequestPartial', answer: message, handle: follow },
    { method: 'PATCH', url, body: 'IncomingWebhookUpdateRequestPartial', answer: message, handle: edit },
    { method: 'GET', url, answer: message, handle: own },
    { method: 'DELETE', url, handle: remove },
  ]
}

function channelRoutes(world: World): Route[] {
  const { gone, forbidden, refusing } = world.closed
  const places = () =>
    world.guilds
      .filter(({ installed }) => installed)
      .flatMap((guild) => channelsOf(guild).map((channel) => channelPayload(guild, channel)))
  const directWith = (user: string): object => directPayload(user, userPayload({ id: user, username: `user-${user}` }))

  function show({ params: { channel } }: Call): object {
    const place = places().find(({ id }) => id === channel)
    if (gone.has(channel) || (!place && !world.directs.has(channel))) throw new Refusal(10003)
    if (forbidden.has(channel)) throw new Refusal(50001)
    return place ?? directWith(channel)
  }

  function channelOf(call: Call): string {
    show(call)
    return call.params.channel
  }

  /** Discord opens the channel for anybody, and refuses what is then sent there. */
  function openDirect({ body }: Call): object {
    const { recipient_id } = body as { recipient_id: string }
    world.directs.add(recipient_id)
    return directWith(recipient_id)
  }

  function find(call: Call): Message {
    const message = world.messages.get(call.params.id)
    // Ephemeral messages exist only behind their interaction's token.
    if (message.channel_id !== channelOf(call) || isEphemeral(message)) throw new Refusal(10008)
    return message
  }

  /** @throws Refusal where what is answered is not there, and that matters */
  function answering(
    { params }: Call,
    { message_reference: to }: MessageBody,
  ): Pick<Seed, 'type' | 'message_reference'> {
    if (!to) return { type: 0 }
    const found = world.messages.find(to.message_id)
    if (found?.channel_id === params.channel) {
      const reference = { type: 0, channel_id: found.channel_id, message_id: found.id } as const
      return { type: 19, message_reference: reference }
    }
    if (to.fail_if_not_exists === false) return { type: 0 }
    throw new Refusal(50035, [{ rule: 'message_reference', message: `there is no message ${to.message_id} here` }])
  }

  function create(call: Call): Message {
    const draft = draftOf(call)
    const seed = { channel_id: channelOf(call), author: world.bot, ...answering(call, draft.body) }
    if (refusing.has(seed.channel_id)) throw new Refusal(50007)
    const problem = mentionsProblem(draft.body)
    if (problem) call.note(problem)
    return world.messages.create(seed, draft, draft.body.flags ?? 0)
  }

  const edit = (call: Call) => world.messages.edit(find(call).id, draftOf(call))
  const remove = (call: Call) => world.messages.remove(find(call).id)
  const direct = 'PrivateChannelResponse'
  const place = 'GuildChannelResponse'
  const all = '/channels/:channel/messages'
  const url = `${all}/:id`
  const message = 'MessageResponse'

  return [
    {
      method: 'POST',
      url: '/users/@me/channels',
      body: 'CreatePrivateChannelRequest',
      answer: direct,
      handle: openDirect,
    },
    { method: 'GET', url: '/channels/:channel', answer: place, handle: show },
    { method: 'POST', url: all, body: 'MessageCreateRequest', answer: message, handle: create },
    { method: 'PATCH', url, body: 'MessageEditRequestPartial', answer: message, handle: edit },
    { method: 'GET', url, answer: message, handle: find },
    { method: 'DELETE', url, handle: remove },
  ]
}

export const createRoutes = (world: World): Route[] => [
  ...applicationRoutes(world),
  ...interactionRoutes(world),
  ...channelRoutes(world),
]
