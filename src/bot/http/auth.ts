// A request's principal: its bearer token, or the page's session cookie from the page itself.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError, type Principal, type Surface } from '../../actions/index.js'
import { type Credentials, OWNER, SESSION_MS } from './credentials.js'

const COOKIE = 'hypercall_session'

export interface Authenticated {
  readonly principal: Principal
  readonly surface: Surface
}

export interface Auth {
  /** @throws AppError UNAUTHENTICATED, ORIGIN_REFUSED */
  authenticate(request: FastifyRequest): Authenticated
}

/** A cookie comes along whoever made the browser send it, so what is no plain look must come from our own page. */
function requireOwnOrigin(request: FastifyRequest, publicUrl: string): void {
  if (request.method === 'GET' || request.method === 'HEAD') return
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') throw new AppError('ORIGIN_REFUSED')
  const { origin } = request.headers
  if (origin === undefined) {
    if (site === undefined) throw new AppError('ORIGIN_REFUSED')
    return
  }
  const own = [new URL(publicUrl).origin, `${request.protocol}://${request.host}`]
  if (!own.includes(origin)) throw new AppError('ORIGIN_REFUSED')
}

export function createAuth(credentials: Credentials, publicUrl: () => string): Auth {
  return {
    authenticate(request) {
      const { authorization } = request.headers
      if (authorization !== undefined) {
        const [scheme = '', token = ''] = authorization.split(' ')
        if (scheme.toLowerCase() !== 'bearer' || token === '') throw new AppError('UNAUTHENTICATED')
        return { principal: credentials.bearer(token), surface: 'rest' }
      }
      const cookie = request.cookies[COOKIE]
      if (cookie === undefined) throw new AppError('UNAUTHENTICATED')
      requireOwnOrigin(request, publicUrl())
      return { principal: credentials.session(cookie), surface: 'page' }
    },
  }
}

/** Signing in and out of the page. */
export function sessionRoutes(
  app: FastifyInstance,
  auth: Auth,
  credentials: Credentials,
  publicUrl: () => string,
): void {
  app.post('/page/login', async (request, reply) => {
    const body = request.body as { token?: unknown } | null | undefined
    if (typeof body?.token !== 'string') throw new AppError('UNAUTHENTICATED')
    reply.setCookie(COOKIE, credentials.login(body.token), {
      path: '/',
      httpOnly: true,
      sameSite: 'strict',
      secure: publicUrl().startsWith('https:'),
      maxAge: SESSION_MS / 1000,
    })
    return { name: OWNER.name, roles: OWNER.roles }
  })
  app.post('/page/logout', async (request, reply) => {
    const cookie = request.cookies[COOKIE]
    if (cookie !== undefined) {
      auth.authenticate(request)
      credentials.logout(cookie)
    }
    reply.clearCookie(COOKIE, { path: '/' })
    return {}
  })
  app.get('/page/me', async (request) => {
    const { principal } = auth.authenticate(request)
    return { name: principal.name, roles: principal.roles }
  })
}
