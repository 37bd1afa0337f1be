// The HTTP server: REST, OpenAPI, downloads, the page, and what operators and load balancers look at.
import { randomUUID } from 'node:crypto'
import cookie from '@fastify/cookie'
import helmet from '@fastify/helmet'
import multipart from '@fastify/multipart'
import statics from '@fastify/static'
import underPressure from '@fastify/under-pressure'
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, LogController } from 'fastify'
import { type Actions, AppError, type Counter, type Gate, openCounter } from '../actions/index.js'
import { type EndpointOptions, INTERACTIONS_PATH, interactionRoutes } from './discord/endpoint.js'
import { actionRoutes } from './http/actions.js'
import { createAuth, sessionRoutes } from './http/auth.js'
import { readCall } from './http/body.js'
import type { Credentials } from './http/credentials.js'
import { downloadRoutes } from './http/downloads.js'
import { sendError } from './http/errors.js'
import { openApi } from './http/openapi.js'
import { pageRoutes } from './http/page.js'
import type { Metrics } from './metrics.js'

export interface ServerOptions {
  readonly gate: Gate
  readonly actions: Actions
  readonly credentials: Credentials
  readonly metrics: Metrics
  readonly log: FastifyBaseLogger
  /** Where the built page is. */
  readonly webFolder: string
  /** `{en,zh}/NAME.png`, made by the build. */
  readonly diagramsFolder: string
  readonly publicUrl: () => string
  readonly maxUploadBytes: number
  readonly minFreeBytes: number
  readonly version: string
  /** Throws when the database does not answer. */
  readonly checkDatabase: () => void
  /** Where Discord posts interactions, if it does. */
  readonly discord?: EndpointOptions
}

const QUIET = new Set(['/healthz', '/readyz', '/metrics'])
/** Answered under any pressure: who looks after the process asks these, and Discord does not ask twice. */
const NEVER_SHED = new Set([...QUIET, INTERACTIONS_PATH])

/** Of the event loop, on average over a second: whoever comes then would wait in a line that only grows. */
const MOST_DELAY_MS = 500
const OVERLOADED_SECONDS = 5
/** Of tokens, sessions, login links and signatures that are wrong, from one address. */
const GUESSES_A_MINUTE = 20
const REFUSED = new Set<string>(['UNAUTHENTICATED', 'SIGNATURE_INVALID'])

/** Whoever guesses is told so; what is right is never slowed, since many may come from one address. */
async function slowed(error: unknown, request: FastifyRequest, guessing: Counter): Promise<unknown> {
  const isGuess =
    request.headers.authorization !== undefined || request.headers.cookie !== undefined || request.body != null
  if (!(error instanceof AppError) || !REFUSED.has(error.code) || !isGuess) return error
  return guessing(request.ip).then(
    () => error,
    (limited: unknown) => limited,
  )
}

/** Download links carry their key in the path, which is then no business of the log. */
const loggableUrl = (url: string): string => url.replace(/^\/d\/[^/]+/, '/d/…').replace(/\?.*$/, '?…')

/** The gate checks what comes in and no route has a schema; the compilers for them are megabytes that stay unused. */
const noSchemas = (): never => {
  throw new Error('a route has a schema, and nothing compiles it')
}

export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { gate, actions, credentials, metrics, publicUrl } = options
  const app = fastify({
    loggerInstance: options.log.child(
      {},
      {
        serializers: {
          req: (request: FastifyRequest) => ({ method: request.method, url: loggableUrl(request.url) }),
        },
      },
    ),
    genReqId: () => randomUUID(),
    logController: new LogController({
      // Asked every few seconds by machines: lines that nobody reads would bury those that somebody needs.
      disableRequestLogging: (request) => QUIET.has(request.url),
    }),
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    // Ends idle keep-alive connections when it closes; what is being answered is finished first.
    forceCloseConnections: 'idle',
    requestTimeout: 0,
  })
  const guessing = openCounter(GUESSES_A_MINUTE)
  app.setErrorHandler(async (error, request, reply) =>
    sendError(await slowed(error, request, guessing), request, reply),
  )
  app.setNotFoundHandler(() => {
    throw new AppError('ROUTE_UNKNOWN')
  })
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        formAction: ["'none'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: publicUrl().startsWith('https:') ? { maxAge: 31_536_000 } : false,
  })
  await app.register(cookie)
  // Shed before it piles up.
  await app.register(underPressure, {
    maxEventLoopDelay: MOST_DELAY_MS,
    pressureHandler: async (request: FastifyRequest) => {
      if (!NEVER_SHED.has(request.url)) throw new AppError('OVERLOADED', { seconds: OVERLOADED_SECONDS })
    },
  })
  await app.register(multipart, {
    limits: { files: 1, fields: 64, fieldSize: 1024 * 1024, fileSize: Number.MAX_SAFE_INTEGER },
    throwFileSizeLimit: false,
  })
  await app.register(statics, { root: options.webFolder, serve: false })
  await app.register(statics, {
    root: options.diagramsFolder,
    prefix: '/diagrams/',
    decorateReply: false,
    index: false,
  })

  const auth = createAuth(credentials, publicUrl)
  const bodyOptions = {
    workFolder: actions.workFolder,
    maxUploadBytes: options.maxUploadBytes,
    minFreeBytes: options.minFreeBytes,
  }
  const read = (request: FastifyRequest, signal: AbortSignal) => readCall(request, signal, bodyOptions)
  if (options.discord) interactionRoutes(app, options.discord)
  actionRoutes(app, { gate, auth, readCall: read })
  downloadRoutes(app, actions.artifacts)
  sessionRoutes(app, auth, credentials, publicUrl)
  pageRoutes(app, {
    gate,
    changes: actions.changes,
    webFolder: options.webFolder,
    principalOf: (request: FastifyRequest) => auth.authenticate(request).principal,
    readCall: read,
  })

  const document = openApi(gate.registry, options.version, publicUrl())
  app.get('/openapi.json', async () => document)
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async () => {
    options.checkDatabase()
    return { status: 'ready' }
  })
  app.get('/metrics', async (_request, reply) => {
    reply.type(metrics.contentType)
    return metrics.render()
  })
  return app
}
