// A file at an address that the operator allows: from a host on the list, on the public Internet, and from nowhere else,
// wherever its name or a redirect may lead in the meantime.
import { type LookupAddress, type LookupAllOptions, lookup as lookUp } from 'node:dns'
import { type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import type { LookupFunction } from 'node:net'
import { AppError, type FileSource, formatBytes, type Gate } from '../actions/index.js'
import { isPublicAddress } from './public-address.js'
import { spooled } from './spool.js'

type LookUp = (
  name: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

export interface UrlOptions {
  /** By comma: `files.example.org` or `files.example.org:8443`; with `http://` before it, without encryption. */
  readonly hosts: string
  readonly workFolder: string
  readonly maxBytes: number
  readonly minFreeBytes: number
  /** The system's by default. */
  readonly lookUp?: LookUp
  /** Where it may connect to: by default anywhere on the public Internet. */
  readonly mayReach?: (address: string) => boolean
}

/** @throws AppError URL_REFUSED, URL_UNAVAILABLE, UPLOAD_TOO_LARGE */
export type UrlSources = (address: string, signal: AbortSignal) => Promise<FileSource>

const SILENT_MS = 30_000

const refused = (en: string, zh: string) => new AppError('URL_REFUSED', { problem: { en, zh } })
const unavailable = (cause: unknown) => new AppError('URL_UNAVAILABLE', {}, { cause })
const elsewhere = () => refused('its host is not at a public address', '其主机不在公网地址上')

const originOf = (host: string): string => new URL(host.startsWith('http://') ? host : `https://${host}`).origin

/** The last part of the path, as its sender wrote it; none for an address that ends with a slash. */
function nameIn({ pathname }: URL): string {
  const last = pathname.slice(pathname.lastIndexOf('/') + 1)
  try {
    return decodeURIComponent(last)
  } catch (error) {
    if (error instanceof URIError) return last
    throw error
  }
}

export function openUrlSources(options: UrlOptions): UrlSources {
  const { lookUp: find = lookUp, mayReach = isPublicAddress } = options
  const origins = new Set(options.hosts.split(',').filter(Boolean).map(originOf))

  function parse(address: string): URL {
    if (!URL.canParse(address)) throw refused('it is no address', '不是有效的网址')
    const url = new URL(address)
    if (!origins.has(url.origin) || url.username !== '' || url.password !== '') {
      throw refused('its host is not on the list', '其主机不在允许列表中')
    }
    return url
  }

  const lookup: LookupFunction = (name, { all, ...wanted }, done) =>
    find(name, { ...wanted, all: true }, (error, addresses) => {
      const [first] = addresses ?? []
      if (error || !first) return done(error ?? unavailable(new Error('no address')), '')
      // One bad answer among good ones is no accident.
      if (!addresses.every(({ address }) => mayReach(address))) return done(elsewhere(), '')
      return all ? done(null, addresses) : done(null, first.address, first.family)
    })

  /** Follows no redirect. */
  const ask = (method: 'HEAD' | 'GET', url: URL, signal: AbortSignal): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const request = url.protocol === 'https:' ? requestTls : requestPlain
      // A connection of its own: one that is kept would not be looked at again. Compressed in transit, the size would lie.
      const headers = { 'accept-encoding': 'identity', 'user-agent': 'hypercall' }
      const asking = request(url, { method, signal, lookup, agent: false, timeout: SILENT_MS, headers })
      asking.once('response', resolve)
      asking.once('timeout', () => asking.destroy(new Error('it fell silent')))
      asking.once('socket', (socket) =>
        // Before a byte is sent. A host that is named by its address was never looked up.
        socket.once('connect', () => {
          if (!mayReach(socket.remoteAddress ?? '')) asking.destroy(elsewhere())
        }),
      )
      asking.once('error', (cause) => {
        reject(signal.aborted ? signal.reason : cause instanceof AppError ? cause : unavailable(cause))
      })
      asking.end()
    })

  /** @returns how large it says it is */
  function sizeOf(response: IncomingMessage): number {
    const { 'content-length': length = '', 'content-encoding': encoding = 'identity' } = response.headers
    if (response.statusCode === 200 && encoding === 'identity' && /^\d+$/.test(length)) return Number(length)
    response.destroy()
    throw unavailable(new Error(`it answered ${response.statusCode}, length "${length}", encoding "${encoding}"`))
  }

  return async (address, asked) => {
    const url = parse(address)
    const looked = await ask('HEAD', url, asked)
    const sizeBytes = sizeOf(looked)
    looked.resume()
    if (sizeBytes > options.maxBytes) throw new AppError('UPLOAD_TOO_LARGE', { limit: formatBytes(options.maxBytes) })
    const name = nameIn(url)
    return {
      name,
      sizeBytes,
      reference: { url: url.href, name, sizeBytes },
      async open(signal) {
        const body = await ask('GET', url, signal)
        const got = sizeOf(body)
        if (got !== sizeBytes) {
          body.destroy()
          // Known before the first byte, so that nothing half is fetched only to be found out at the end.
          throw new AppError('UPLOAD_INCOMPLETE', { got, expected: sizeBytes })
        }
        return spooled(body, { ...options, sizeBytes, signal, sourceLost: unavailable })
      },
    }
  }
}

/** Without the query, which may be a signature: what the confirmation shows and the audit log keeps. */
function shownAddress(address: string): string {
  if (!URL.canParse(address)) return 'https://…'
  const { origin, pathname } = new URL(address)
  return origin + pathname
}

/** A gate that takes a file by its address, from whatever surface a call comes. */
export function fetchingGate(gate: Gate, sourceAt: UrlSources): Gate {
  const takesUrl = (name: string): boolean =>
    gate.registry.actions.some(
      (action) => action.name === name && action.acceptsFile && action.fields.some((field) => field.name === 'url'),
    )
  return {
    ...gate,
    async call(call) {
      const input = call.input as Readonly<Record<string, unknown>> | undefined
      const url = input?.url
      if (typeof url !== 'string' || !takesUrl(call.action)) return gate.call(call)
      const fetch = (signal: AbortSignal) => sourceAt(url, signal)
      return gate.call({ ...call, input: { ...input, url: shownAddress(url) }, fetch })
    },
    recall(token, who) {
      const { file, ...recalled } = gate.recall(token, who)
      if (!takesUrl(recalled.action) || recalled.input.url === undefined || file === undefined) {
        return { ...recalled, ...(file ? { file } : {}) }
      }
      // It is fetched by its address again, and has to be what was asked about.
      return { ...recalled, input: { ...recalled.input, url: file.url } }
    },
  }
}
