// One error shape for every route, in the caller's language; what is a bug keeps its details to itself.
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, type Lang, scrub } from '../../actions/index.js'

/** The page says its language outright; everyone else has it in Accept-Language. */
export function langOf(request: FastifyRequest): Lang {
  const said = request.headers['x-hypercall-lang'] ?? request.headers['accept-language'] ?? ''
  return /^\s*zh\b/i.test(String(said)) ? 'zh' : 'en'
}

const isBilingual = (value: unknown): value is Readonly<Record<Lang, unknown>> =>
  typeof value === 'object' && value !== null && 'en' in value && 'zh' in value

const scrubbed = (value: unknown): unknown => (typeof value === 'string' ? scrub(value) : value)

export const errorBody = (error: AppError, lang: Lang, requestId: string) => ({
  error: {
    code: error.code,
    message: error.describe(lang),
    details: Object.fromEntries(
      Object.entries(error.details).map(([name, value]) => [name, scrubbed(isBilingual(value) ? value[lang] : value)]),
    ),
    requestId,
  },
})

/** What fastify itself refuses before a route is reached. */
function fromFastify(error: FastifyError, requestId: string): AppError {
  const { statusCode = 500 } = error
  if (statusCode === 413) {
    return new AppError(
      'INVALID_INPUT',
      { problem: { en: 'the request is too large', zh: '请求过大' } },
      { cause: error },
    )
  }
  if (statusCode === 416) return new AppError('RANGE_INVALID', {}, { cause: error })
  if (statusCode === 415) {
    return new AppError(
      'INVALID_INPUT',
      { problem: { en: 'send JSON or multipart/form-data', zh: '请发送 JSON 或 multipart/form-data' } },
      { cause: error },
    )
  }
  if (statusCode >= 400 && statusCode < 500) {
    return new AppError(
      'INVALID_INPUT',
      { problem: { en: 'the request cannot be read', zh: '无法读取该请求' } },
      { cause: error },
    )
  }
  return new AppError('INTERNAL', { requestId }, { cause: error })
}

const RETRY_AFTER_SECONDS = 5

export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = error instanceof AppError ? error : fromFastify(error as FastifyError, request.id)
  // The gate has logged its own bugs; this is for those of the surface.
  if (known.code === 'INTERNAL' && !(error instanceof AppError)) request.log.error({ err: error }, 'request failed')
  if (known.retry && (known.status === 429 || known.status === 503)) {
    reply.header('retry-after', String(known.details.seconds ?? RETRY_AFTER_SECONDS))
  }
  if (known.status === 401) reply.header('www-authenticate', 'Bearer realm="hypercall"')
  return reply.code(known.status).send(errorBody(known, langOf(request), request.id))
}
