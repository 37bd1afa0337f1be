// A registry on this machine that serves one image, for an engine to pull: as much of the distribution protocol as that takes.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

const TYPES = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar',
} as const

export interface Registry {
  /** `127.0.0.1:PORT`, which engines reach without TLS. */
  readonly address: string
  /** What was asked for, by its path. */
  readonly asked: readonly string[]
  close(): Promise<void>
}

/** @param layer a plain tar @param tags those under which every repository has the image */
export async function openRegistry(layer: Buffer, tags: readonly string[]): Promise<Registry> {
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  )
  const partOf = (mediaType: string, bytes: Buffer) => ({ mediaType, size: bytes.length, digest: digestOf(bytes) })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: TYPES.manifest,
      config: partOf(TYPES.config, config),
      layers: [partOf(TYPES.layer, layer)],
    }),
  )
  const blobs = new Map([config, layer].map((bytes) => [digestOf(bytes), bytes]))
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    const [, kind, name = ''] = /\/(manifests|blobs)\/([^/]+)$/.exec(path) ?? []
    const found =
      kind === 'blobs' ? blobs.get(name) : [...tags, digestOf(manifest)].includes(name) ? manifest : undefined
    if (path === '/v2/') return response.end('{}')
    if (found === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' })
      return response.end(JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] }))
    }
    response.writeHead(200, {
      'content-type': kind === 'blobs' ? 'application/octet-stream' : TYPES.manifest,
      'content-length': found.length,
      'docker-content-digest': digestOf(found),
    })
    response.end(request.method === 'HEAD' ? undefined : found)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
