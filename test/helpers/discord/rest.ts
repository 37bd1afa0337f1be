/** Serves the routes over HTTP, and checks each request and each answer against Discord's description. */
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { type Answer, type Faults, rateLimited } from './faults.js'
import type { Upload } from './messages.js'
import { Refusal } from './refusal.js'
import { CALLBACK_BODIES, type Call, createRoutes, type Route } from './routes.js'
import { createSpec, type Spec } from './spec.js'
import type { World } from './world.js'

const REQUESTS_PER_SECOND = 50
const PREFIX = '/api/v10'

const single = (schema: string) => schema.replace('[]', '')
const asks = (route: Route) => (typeof route.body === 'string' ? [route.body] : [])
const answers = (route: Route) => (route.answer ? [route.answer] : [])

function problems(spec: Spec, schema: string, value: unknown): string[] {
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

/** @returns the server, not yet listening */
export async function createRest(world: World, faults: Faults): Promise<FastifyInstance> {
  const routes = createRoutes(world)
  const named = routes.flatMap((route) => [...asks(route), ...answers(route)])
  const schemas = [...named, ...Object.values(CALLBACK_BODIES), 'ErrorResponse', 'RatelimitedResponse']
  const spec = await createSpec(new Set(schemas.map(single)))
  const app = Fastify({ bodyLimit: 256 * 1024 * 1024, forceCloseConnections: true })
  app.addContentTypeParser('multipart/form-data', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  const violation = (where: string, rule: string, message: string) => world.violations.push({ where, rule, message })
  let recent: number[] = []

  function isOverLimit(where: string): boolean {
    // Real time, not the double's: a test that stops its clock is no flood.
    const now = Date.now()
    recent = [...recent.filter((at) => now - at < 1000), now]
    if (recent.length <= REQUESTS_PER_SECOND) return false
    violation(where, 'rate', `more than ${REQUESTS_PER_SECOND} requests in a second`)
    return true
  }

  async function carryOut(route: Route, request: FastifyRequest, where: string): Promise<unknown> {
    const call: Call = {
      params: request.params as Call['params'],
      query: request.query as Call['query'],
      host: request.host,
      body: request.body,
      uploads: [],
      note: ({ rule, message }) => violation(where, rule, message),
    }
    if (Buffer.isBuffer(request.body)) Object.assign(call, await parseMultipart(request))
    if (route.body) {
      const schema = typeof route.body === 'string' ? route.body : route.body(call.body)
      const wrong = schema ? problems(spec, schema, call.body) : ['no such callback type']
      const named = wrong.map((message) => ({ rule: 'description', message }))
      if (named.length > 0) throw new Refusal(50035, named)
    }
    return route.handle(call)
  }

  async function respond(route: Route, request: FastifyRequest, where: string): Promise<Answer> {
    const isBots = !/^\/(interactions|webhooks)\//.test(route.url)
    const path = request.url.slice(PREFIX.length).split('?')[0] ?? ''
    const fault = faults.take(route.method, path)
    if (fault) return fault
    if (isBots && isOverLimit(where)) return rateLimited(1, true)
    try {
      if (isBots && request.headers.authorization !== `Bot ${world.token}`) throw new Refusal(0)
      const body = await carryOut(route, request, where)
      return body === undefined ? { status: 204 } : { status: 200, body: body as object }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      for (const { rule, message } of error.problems) violation(where, rule, message)
      return { status: error.status, body: error.body }
    }
  }

  function checkAnswer(route: Route, { status, body }: Answer, where: string): void {
    const known = status === 429 ? 'RatelimitedResponse' : status < 300 ? route.answer : 'ErrorResponse'
    const wrong = body && known ? problems(spec, known, body) : []
    for (const message of wrong) violation(`the double's answer to ${where}`, 'answer', message)
  }

  for (const route of routes) {
    const { method, url } = route
    app.route({
      method,
      url: `${PREFIX}${url}`,
      async handler(request, reply) {
        const answer = await respond(route, request, `${method} ${url}`)
        checkAnswer(route, answer, `${method} ${url}`)
        // Tests wake up only once the bot has its answer, or they would overtake it.
        reply.raw.once('close', () => world.changes.emit('change'))
        // A 204 has no body and so no content type: with one, discord.js would throw.
        return reply
          .code(answer.status)
          .headers(answer.headers ?? {})
          .send(answer.body)
      },
    })
  }
  app.setNotFoundHandler((request, reply) => {
    violation(`${request.method} ${request.url}`, 'route', 'the double has no such route')
    return reply.code(404).send({ code: 0, message: '404: Not Found' })
  })
  app.setErrorHandler((error, request, reply) => {
    // A body that is no JSON, or a bug of the double: a test must not pass over either.
    violation(`${request.method} ${request.url}`, 'error', String(error))
    return reply.code(500).send({ code: 0, message: '500: Internal Server Error' })
  })
  return app
}
