// Registry → REST: one route per verb. Reads answer GET and POST, everything else POST alone.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, type Call, confirmationError, type Gate, type RegisteredAction } from '../../actions/index.js'
import type { Auth } from './auth.js'
import type { RequestCall } from './body.js'
import { langOf } from './errors.js'

export const routeOf = (action: { readonly name: string }): string => `/api/v1/${action.name.replace('.', '/')}`

/** Fires when the client goes away before it was answered. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new AppError('CALLER_GONE'))
  })
  return gone.signal
}

export interface ActionRoutes {
  readonly gate: Gate
  readonly auth: Auth
  readonly readCall: (request: FastifyRequest, signal: AbortSignal) => Promise<RequestCall>
}

export function actionRoutes(app: FastifyInstance, { gate, auth, readCall }: ActionRoutes): void {
  const answer = async (action: RegisteredAction, request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const { principal, surface } = auth.authenticate(request)
    const signal = goneSignal(reply)
    const carried: RequestCall =
      request.method === 'GET'
        ? { fields: { ...(request.query as Record<string, unknown>) }, dispose: async () => undefined }
        : await readCall(request, signal)
    try {
      const { confirm, ...input } = carried.fields
      const call: Call = {
        principal,
        surface,
        lang: langOf(request),
        requestId: request.id,
        action: action.name,
        input,
        ...(carried.file ? { file: carried.file } : {}),
        ...(typeof confirm === 'string' ? { confirm } : {}),
        signal,
      }
      const outcome = await gate.call(call)
      if (outcome.status === 'confirm') throw confirmationError(outcome)
      if (action.startsJob) {
        const { jobId } = outcome.output as { jobId: string }
        reply.code(202).header('location', `/api/v1/job/status?job=${encodeURIComponent(jobId)}`)
      }
      return outcome.output
    } finally {
      await carried.dispose()
    }
  }
  for (const action of gate.registry.actions) {
    app.route({
      method: action.effect === 'read' ? ['GET', 'POST'] : ['POST'],
      url: routeOf(action),
      handler: (request, reply) => answer(action, request, reply),
    })
  }
}
