// What the page asks for: its files, the list of commands, calls as typed lines or clicked buttons, and completions.
import statics from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, type TSchema, Type } from 'typebox'
import Schema from 'typebox/schema'
import { AppError, type Bilingual, type Gate, type Outcome, type Principal } from '../../actions/index.js'
import { createCompletions } from '../completions.js'
import { type LineCall, readLine } from '../line.js'
import { goneSignal } from './actions.js'
import type { RequestCall } from './body.js'
import { langOf } from './errors.js'

export interface PageDeps {
  readonly gate: Gate
  /** Grows whenever lists may say something else than before. */
  readonly changes: () => number
  /** Where the built page is. */
  readonly webFolder: string
  /** @throws AppError UNAUTHENTICATED, ORIGIN_REFUSED */
  readonly principalOf: (request: FastifyRequest) => Principal
  /** @throws AppError for a body that cannot be read */
  readonly readCall: (request: FastifyRequest, signal: AbortSignal) => Promise<RequestCall>
}

const CallBody = Type.Object(
  {
    line: Type.Optional(Type.String()),
    action: Type.Optional(Type.String()),
    input: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    confirm: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
)
const WithdrawBody = Type.Object({ token: Type.String() })
const CompleteBody = Type.Object({
  action: Type.String(),
  field: Type.String(),
  typed: Type.String({ maxLength: 256 }),
  input: Type.Record(Type.String(), Type.Unknown()),
})

const invalid = (problem: Bilingual, cause?: unknown): AppError => new AppError('INVALID_INPUT', { problem }, { cause })

/** @returns a function that gives back a body of this shape @throws AppError INVALID_INPUT from that function */
function shape<T extends TSchema>(schema: T): (body: unknown) => Static<T> {
  const validator = Schema.Compile(schema)
  return (body) => {
    if (validator.Check(body)) return body as Static<T>
    const [, [error]] = validator.Errors(body)
    const where = error?.instancePath.slice(1) ?? ''
    throw invalid({ en: `${where} ${error?.message ?? 'is wrong'}`.trim(), zh: `${where}格式不正确` })
  }
}

const callBody = shape(CallBody)
const withdrawBody = shape(WithdrawBody)
const completeBody = shape(CompleteBody)

/** With a file the call is one field of the form, as text. */
function unpack({ fields }: RequestCall, isForm: boolean): unknown {
  if (!isForm) return fields
  try {
    return JSON.parse(String(fields.call))
  } catch (cause) {
    throw invalid({ en: '"call" is not JSON', zh: '“call”不是 JSON' }, cause)
  }
}

/** What was typed, or what a button stands for. */
function callOf(body: Static<typeof CallBody>, gate: Gate): LineCall {
  if (body.line !== undefined && body.action === undefined) {
    try {
      return readLine(body.line, gate.registry.actions)
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'ACTION_UNKNOWN') throw error
      // For the gate to refuse: what was tried belongs in the audit log.
      return { action: String(error.details.action), input: {} }
    }
  }
  if (body.line === undefined && body.action !== undefined) return { action: body.action, input: body.input ?? {} }
  throw invalid({ en: 'give a line or an action', zh: '请提供 line 或 action' })
}

const answerOf = (outcome: Outcome, input: LineCall['input']) => ({
  status: outcome.status,
  action: outcome.action.name,
  input,
  view: outcome.view,
  ...(outcome.status === 'done'
    ? { output: outcome.output, startsJob: outcome.action.startsJob }
    : // With the time here: how long it is good for is judged by this clock, and the `Date` header may be seconds old.
      { confirm: { token: outcome.token, expiresAt: outcome.expiresAt }, now: Date.now() }),
})

const MOST_CHOICES = 20

export function pageRoutes(app: FastifyInstance, { gate, changes, webFolder, principalOf, readCall }: PageDeps): void {
  // Names stay the same between versions, so every visit asks whether the files do too.
  const revalidate = { cacheControl: false, etag: true, lastModified: true } as const
  app.register(statics, {
    root: webFolder,
    prefix: '/page/',
    index: false,
    decorateReply: false,
    ...revalidate,
    setHeaders: (reply) => reply.setHeader('cache-control', 'no-cache'),
  })
  app.get('/', (_request, reply) =>
    reply.header('cache-control', 'no-cache').sendFile('index.html', webFolder, revalidate),
  )

  const commands = gate.registry.actions.map(
    ({ name, group, verb, summary, effect, acceptsFile, fileTypes, startsJob, fields }) => ({
      name,
      group,
      verb,
      summary,
      effect,
      acceptsFile,
      fileTypes,
      startsJob,
      fields,
    }),
  )
  app.get('/page/commands', async (request) => {
    principalOf(request)
    return { commands }
  })

  app.post('/page/call', async (request: FastifyRequest, reply: FastifyReply) => {
    const principal = principalOf(request)
    const signal = goneSignal(reply)
    const carried = await readCall(request, signal)
    try {
      const body = callBody(unpack(carried, request.isMultipart()))
      const { action, input } = callOf(body, gate)
      const outcome = await gate.call({
        principal,
        surface: 'page',
        lang: langOf(request),
        requestId: request.id,
        action,
        input,
        ...(carried.file ? { file: carried.file } : {}),
        ...(body.confirm === undefined ? {} : { confirm: body.confirm }),
        signal,
      })
      return answerOf(outcome, input)
    } finally {
      await carried.dispose()
    }
  })

  app.post('/page/withdraw', async (request) => {
    const who = { principal: principalOf(request), surface: 'page', requestId: request.id } as const
    gate.withdraw(withdrawBody(request.body).token, who)
    return {}
  })

  const completions = createCompletions({ gate, changes, surface: 'page', log: app.log, now: Date.now })
  app.post('/page/complete', async (request) => {
    const principal = principalOf(request)
    const { action, field, typed, input } = completeBody(request.body)
    const kind = gate.registry.get(action).fields.find((candidate) => candidate.name === field)?.complete
    if (kind === undefined) return { choices: [] }
    const host = typeof input.host === 'string' ? { host: input.host } : {}
    const found = await completions.find({ principal, lang: langOf(request), kind, typed, ...host })
    return { choices: found.slice(0, MOST_CHOICES).map(({ value, label }) => ({ value, label })) }
  })
}
