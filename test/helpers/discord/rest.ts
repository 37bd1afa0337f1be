/** Discord's REST API, as far as the bot uses it: one table of routes, each request and answer checked. */
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { type createFaults, type FaultAnswer, rateLimited } from './faults.js'
import type { Callback } from './interaction.js'
import { type CommandBody, commandProblems, type MessageBody, mentionsProblem, type Problem } from './limits.js'
import { type Draft, isEphemeral, type Upload } from './messages.js'
import { applicationPayload, channelPayload, commandPayload, DEFAULT_FILE_LIMIT_BYTES } from './payloads.js'
import { Refusal } from './refusal.js'
import { answer, callbackResponse, editReply, findByToken, followUp, ownMessage } from './replies.js'
import { createSpec, type Spec } from './spec.js'
import type { World } from './world.js'

interface Call {
  params: Record<string, string>
  query: Record<string, string>
  host: string
  body: unknown
  uploads: Upload[]
  note(problem: Problem): void
}

interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  url: string
  /** Interactions authorize by the token in their path. */
  auth: 'bot' | 'token'
  /** The description's name of what is sent. `[]` after a name: an array of them. */
  body?: string | ((body: unknown) => string | undefined)
  /** And of what is answered; without one, 204. */
  answer?: string
  /** @returns the answer's body; undefined for a 204 */
  handle(call: Call): unknown
}

const CALLBACK_BODIES: Record<number, string> = {
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

function routes(world: World): Route[] {
  const gatewayBot = ({ host }: Call) => ({
    url: `ws://${host}`,
    shards: 1,
    session_start_limit: { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 },
  })

  function scopeOf({ params }: Call): string {
    if (params.app !== world.applicationId) throw new Refusal(0)
    const guildId = params.guild
    if (guildId && !world.guilds.some(({ id }) => id === guildId)) throw new Refusal(10004)
    return guildId ?? 'global'
  }

  function deploy(call: Call): unknown {
    const scope = scopeOf(call)
    const bodies = (call.body ?? []) as CommandBody[]
    const problems = commandProblems(bodies)
    if (problems.length > 0) throw new Refusal(50035, problems)
    const before = world.commands.get(scope) ?? []
    const commands = bodies.map((body) => {
      const same = before.find(({ name, type }) => name === body.name && type === (body.type ?? 1))
      return commandPayload(world, body, same?.id ?? world.snowflake(), call.params.guild)
    })
    world.commands.set(scope, commands)
    return commands
  }

  // The webhook routes of an interaction: the token says which.
  function opened({ params }: Call) {
    if (params.app !== world.applicationId) throw new Refusal(10015)
    return findByToken(world, params.token ?? '')
  }
  const opensDraft = (call: Call) => {
    const interaction = opened(call)
    return { interaction, draft: draftOf(call, interaction.payload.attachment_size_limit) }
  }

  function callback(call: Call): unknown {
    const { id = '', token = '' } = call.params
    const body = call.body as Callback
    const limit = world.interactions.get(token)?.payload.attachment_size_limit
    const draft = draftOf({ ...call, body: body.data }, limit)
    const interaction = answer(world, id, token, body, draft, call.note)
    return call.query.with_response === 'true' ? callbackResponse(interaction) : undefined
  }

  function channelMessage({ params }: Call) {
    const guild = world.guilds.find(({ channelId }) => channelId === params.channel)
    if (!guild) throw new Refusal(10003)
    const message = params.id ? world.messages.get(params.id) : null
    // Ephemeral messages exist only behind their interaction's token.
    if (message && isEphemeral(message)) throw new Refusal(10008)
    return { guild, id: message?.id ?? '', message }
  }

  function createInChannel(call: Call): unknown {
    const { guild } = channelMessage(call)
    const draft = draftOf(call)
    const problem = mentionsProblem(draft.body)
    if (problem) call.note(problem)
    const seed = { channel_id: channelPayload(guild).id, author: world.bot, type: 0 }
    return world.messages.create(seed, draft, draft.body.flags ?? 0)
  }

  const commandsUrl = '/applications/:app/commands'
  const guildCommandsUrl = '/applications/:app/guilds/:guild/commands'
  const webhook = '/webhooks/:app/:token'
  const reply = `${webhook}/messages/:id`
  const channel = '/channels/:channel/messages'
  const sent = 'ApplicationCommandUpdateRequest[]'
  const commands = 'ApplicationCommandResponse[]'
  const listed = (call: Call) => world.commands.get(scopeOf(call)) ?? []
  const me = () => ({ ...world.bot, mfa_enabled: true, locale: 'en-US' })
  const callbackBody = (body: unknown) => CALLBACK_BODIES[(body as Callback | null)?.type ?? 0]
  const edit = 'IncomingWebhookUpdateRequestPartial'
  const message = 'MessageResponse'

  return [
    { method: 'GET', url: '/gateway/bot', auth: 'bot', answer: 'GatewayBotResponse', handle: gatewayBot },
    { method: 'GET', url: '/users/@me', auth: 'bot', answer: 'UserPIIResponse', handle: me },
    {
      method: 'GET',
      url: '/applications/@me',
      auth: 'bot',
      answer: 'PrivateApplicationResponse',
      handle: () => applicationPayload(world),
    },
    ...[commandsUrl, guildCommandsUrl].flatMap((url): Route[] => [
      { method: 'GET', url, auth: 'bot', answer: commands, handle: listed },
      { method: 'PUT', url, auth: 'bot', body: sent, answer: commands, handle: deploy },
    ]),
    {
      method: 'POST',
      url: '/interactions/:id/:token/callback',
      auth: 'token',
      body: callbackBody,
      answer: 'InteractionCallbackResponse',
      handle: callback,
    },
    {
      method: 'POST',
      url: webhook,
      auth: 'token',
      body: 'IncomingWebhookRequestPartial',
      answer: message,
      handle(call) {
        const { interaction, draft } = opensDraft(call)
        return followUp(world, interaction, draft, call.note)
      },
    },
    {
      method: 'GET',
      url: reply,
      auth: 'token',
      answer: message,
      handle: (call) => ownMessage(world, opened(call), call.params.id ?? ''),
    },
    {
      method: 'PATCH',
      url: reply,
      auth: 'token',
      body: edit,
      answer: message,
      handle(call) {
        const { interaction, draft } = opensDraft(call)
        return editReply(world, interaction, call.params.id ?? '', draft, call.note)
      },
    },
    {
      method: 'DELETE',
      url: reply,
      auth: 'token',
      handle: (call) => world.messages.remove(ownMessage(world, opened(call), call.params.id ?? '').id),
    },
    {
      method: 'POST',
      url: channel,
      auth: 'bot',
      body: 'MessageCreateRequest',
      answer: message,
      handle: createInChannel,
    },
    {
      method: 'GET',
      url: `${channel}/:id`,
      auth: 'bot',
      answer: message,
      handle: (call) => channelMessage(call).message,
    },
    {
      method: 'PATCH',
      url: `${channel}/:id`,
      auth: 'bot',
      body: 'MessageEditRequestPartial',
      answer: message,
      handle: (call) => world.messages.edit(channelMessage(call).id, draftOf(call)),
    },
    {
      method: 'DELETE',
      url: `${channel}/:id`,
      auth: 'bot',
      handle: (call) => world.messages.remove(channelMessage(call).id),
    },
  ]
}

const single = (schema: string) => schema.replace('[]', '')

function schemasIn(table: Route[]): Set<string> {
  const used = table.flatMap(({ body, answer: answered }) => [typeof body === 'string' ? body : '', answered ?? ''])
  const all = [...used, ...Object.values(CALLBACK_BODIES), 'ErrorResponse', 'RatelimitedResponse']
  return new Set(all.filter((name) => name !== '').map(single))
}

function check(spec: Spec, schema: string, value: unknown): string[] {
  if (!schema.endsWith('[]')) return spec.problems(schema, value)
  if (!Array.isArray(value)) return ['/ must be an array']
  return value.flatMap((one, i) => spec.problems(single(schema), one).map((problem) => `/${i}${problem}`))
}

async function parseMultipart(request: FastifyRequest): Promise<{ body: unknown; uploads: Upload[] }> {
  const headers = { 'content-type': request.headers['content-type'] ?? '' }
  const form = await new Response(request.body as Buffer, { headers }).formData()
  const uploads: Upload[] = []
  let body: unknown = {}
  for (const [field, value] of form) {
    const index = /^files\[(\d+)\]$/.exec(field)?.[1]
    if (typeof value === 'string' && field === 'payload_json') body = JSON.parse(value)
    else if (typeof value === 'string' || index === undefined)
      throw new Refusal(50035, [{ rule: 'multipart', message: `unexpected part ${field}` }])
    else {
      const bytes = Buffer.from(await value.arrayBuffer())
      uploads.push({ index: Number(index), filename: value.name, contentType: value.type, bytes })
    }
  }
  return { body, uploads }
}

const REQUESTS_PER_SECOND = 50

/** @returns the server, not yet listening */
export async function createRest(world: World, faults: ReturnType<typeof createFaults>): Promise<FastifyInstance> {
  const table = routes(world)
  const spec = await createSpec(schemasIn(table))
  const app = Fastify({ bodyLimit: 256 * 1024 * 1024, forceCloseConnections: true })
  app.addContentTypeParser('multipart/form-data', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  let recent: number[] = []

  function overLimit(where: string): FaultAnswer | null {
    const now = world.now()
    recent = [...recent.filter((at) => now - at < 1000), now]
    if (recent.length <= REQUESTS_PER_SECOND) return null
    world.violations.push({ where, rule: 'rate', message: `more than ${REQUESTS_PER_SECOND} requests in a second` })
    return rateLimited(1, true)
  }

  async function process(route: Route, request: FastifyRequest, where: string): Promise<unknown> {
    const call: Call = {
      params: request.params as Record<string, string>,
      query: request.query as Record<string, string>,
      host: request.host,
      body: request.body,
      uploads: [],
      note: (problem) => world.violations.push({ where, ...problem }),
    }
    if (Buffer.isBuffer(request.body)) Object.assign(call, await parseMultipart(request))
    if (route.body) {
      const schema = typeof route.body === 'string' ? route.body : route.body(call.body)
      const wrong = schema ? check(spec, schema, call.body) : ['no such callback type']
      if (wrong.length > 0)
        throw new Refusal(
          50035,
          wrong.map((message) => ({ rule: 'description', message })),
        )
    }
    return route.handle(call)
  }

  function checked(answered: FaultAnswer, schema: string | undefined, where: string): FaultAnswer {
    if (schema)
      for (const message of check(spec, schema, answered.body))
        world.violations.push({ where: `the double's answer to ${where}`, rule: 'answer', message })
    return answered
  }

  async function respond(route: Route, request: FastifyRequest, where: string, path: string): Promise<FaultAnswer> {
    const fault = faults.take(route.method, path)
    if (fault) return checked(fault, fault.status === 429 ? 'RatelimitedResponse' : undefined, where)
    const limited = route.auth === 'bot' ? overLimit(where) : null
    if (limited) return checked(limited, 'RatelimitedResponse', where)
    try {
      if (route.auth === 'bot' && request.headers.authorization !== `Bot ${world.token}`) throw new Refusal(0)
      const body = await process(route, request, where)
      if (body === undefined) return { status: 204, headers: {}, body: {} }
      return checked({ status: 200, headers: {}, body: body as object }, route.answer, where)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      for (const problem of error.problems) world.violations.push({ where, ...problem })
      return checked({ status: error.status, headers: {}, body: error.body }, 'ErrorResponse', where)
    }
  }

  for (const route of table) {
    app.route({
      method: route.method,
      url: `/api/v10${route.url}`,
      async handler(request, reply_) {
        const path = request.url.replace('/api/v10', '').split('?')[0] ?? ''
        const { status, headers, body } = await respond(route, request, `${route.method} ${path}`, path)
        reply_.code(status).headers(headers)
        // Tests wake up only once the bot has its answer, or they would overtake it.
        reply_.raw.once('close', () => world.changes.emit('change'))
        // A 204 with a JSON content type makes discord.js throw; Discord sends none.
        return status === 204 ? reply_.send() : reply_.send(body)
      },
    })
  }
  app.setNotFoundHandler((request, reply_) => {
    const where = `${request.method} ${request.url}`
    world.violations.push({ where, rule: 'route', message: 'the double has no such route' })
    return reply_.code(404).send({ code: 0, message: '404: Not Found' })
  })
  app.setErrorHandler((error, request, reply_) => {
    // Not JSON, or a fault of the double's own: either way a test must not pass over it.
    world.violations.push({ where: `${request.method} ${request.url}`, rule: 'error', message: String(error) })
    return reply_.code(500).send({ code: 0, message: '500: Internal Server Error' })
  })
  return app
}
