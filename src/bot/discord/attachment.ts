// A Discord attachment as a file to be copied in: fetched from Discord's CDN and from nowhere else, and whole before the
// engine sees its first byte, since engines unpack while they read.
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { AppError, type FileReference, type FileSource, formatBytes } from '../../actions/index.js'
import type { Config } from '../config.js'
import { spooled } from '../spool.js'

export interface AttachmentFacts {
  readonly url: string
  readonly name: string
  readonly sizeBytes: number
}

/** @returns whether an address lies at or below the CDN's, scheme, host and port included */
function isBelow(address: string, cdn: string): boolean {
  if (!URL.canParse(address)) return false
  const url = new URL(address)
  const base = new URL(cdn)
  const folder = base.pathname.endsWith('/') ? base.pathname : `${base.pathname}/`
  return url.origin === base.origin && url.pathname.startsWith(folder) && url.username === '' && url.password === ''
}

const unavailable = (cause?: unknown) => new AppError('ATTACHMENT_UNAVAILABLE', {}, { cause })

export interface Downloads {
  readonly config: Config
  /** Where the file lies while it is copied. */
  readonly workFolder: string
}

/** @throws AppError ATTACHMENT_REFUSED, UPLOAD_TOO_LARGE: both before a single byte is fetched */
export function attachmentSource({ url, name, sizeBytes }: AttachmentFacts, downloads: Downloads): FileSource {
  const { config, workFolder } = downloads
  if (!isBelow(url, config.DISCORD_CDN)) throw new AppError('ATTACHMENT_REFUSED')
  const limit = config.HYPERCALL_MAX_UPLOAD
  if (sizeBytes > limit) throw new AppError('UPLOAD_TOO_LARGE', { limit: formatBytes(limit) })
  return {
    name,
    sizeBytes,
    reference: { url, name, sizeBytes },
    async open(signal) {
      let response: Response
      try {
        // A redirect could lead anywhere, this machine's own network included. Compressed in transit, the size would lie.
        response = await fetch(url, { signal, redirect: 'error', headers: { 'accept-encoding': 'identity' } })
      } catch (cause) {
        signal.throwIfAborted()
        throw unavailable(cause)
      }
      if (!response.ok || !response.body) {
        await response.body?.cancel()
        throw unavailable(new Error(`the CDN answered ${response.status}`))
      }
      const length = response.headers.get('content-length')
      if (length !== null && Number(length) !== sizeBytes) {
        await response.body.cancel()
        // Known before the first byte, so that nothing half is written only to be found out at the end.
        throw new AppError('UPLOAD_INCOMPLETE', { got: length, expected: sizeBytes })
      }
      return spooled(Readable.fromWeb(response.body as ReadableStream), {
        workFolder,
        sizeBytes,
        signal,
        maxBytes: limit,
        minFreeBytes: config.HYPERCALL_MIN_FREE,
        sourceLost: unavailable,
      })
    },
  }
}

/** The attachment that a confirmation remembers. @throws as `attachmentSource` */
export function recalledSource(reference: FileReference, downloads: Downloads): FileSource {
  const { url, name, sizeBytes } = reference
  if (typeof url !== 'string' || typeof name !== 'string' || typeof sizeBytes !== 'number') {
    throw new AppError('ATTACHMENT_REFUSED')
  }
  return attachmentSource({ url, name, sizeBytes }, downloads)
}
