// Artifacts by link: resumable, and as private as the link itself.
import { basename, dirname } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { AppError, type Artifacts } from '../../actions/index.js'

/** RFC 6266: a plain name for old clients, the true one for the rest. */
const disposition = (name: string): string =>
  `attachment; filename="${name.replaceAll(/[^\w.-]/g, '_')}"; filename*=UTF-8''${encodeURIComponent(name)}`

export function downloadRoutes(app: FastifyInstance, artifacts: Artifacts): void {
  app.get<{ Params: { token: string } }>('/d/:token/:name', async (request, reply) => {
    const artifact = artifacts.resolve(request.params.token)
    if (!artifact) throw new AppError('LINK_INVALID')
    reply.headers({
      'content-type': artifact.mediaType,
      'content-disposition': disposition(artifact.name),
      'cache-control': 'private, no-cache',
      'referrer-policy': 'no-referrer',
      // RFC 9530: the digest of the whole, whatever range is asked for.
      'repr-digest': `sha-256=:${Buffer.from(artifact.sha256, 'hex').toString('base64')}:`,
    })
    return reply.sendFile(basename(artifact.path), dirname(artifact.path), { contentType: false, cacheControl: false })
  })
}
