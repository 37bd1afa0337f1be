// A large request or answer of an engine, straight to and from its socket, in a few buffers that are used over and over.
//
// Node's HTTP client, and undici, allocate a buffer for each read and copy out of it: of curl's throughput, an export of
// 2 GiB kept 0.7 and 0.8 with them, and keeps about 0.9 with this (`npm run bench:export`).
import { connect as connectPlain } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { ByteSource } from '../bytes.js'
import { createAnswerReader } from './answer-reader.js'
import { dialled } from './dialled.js'
import type { DockerEndpoint } from './endpoint.js'

export interface StreamedAnswer {
  readonly statusCode: number
  /** Fails when the connection ends before the answer does. */
  readonly body: ByteSource
}

/** Together they fit into a processor's cache, whoever reads them next; more of them, or larger ones, were measured slower. */
const SLAB_BYTES = 256 * 1024
const SLABS = 4
/** A slab with less room than this is full: short reads cost more than the room is worth. */
const MIN_READ_BYTES = 64 * 1024
/** What does not fill a slab is given after this long: a message that tells of progress is not kept until the next ones. */
const LINGER_MS = 10

/** How a socket of Node fills memory that it is given. */
interface Filling {
  buffer(): Buffer
  callback(length: number): boolean
}

function connect(endpoint: DockerEndpoint, onread: Filling): Duplex {
  if (endpoint.kind === 'dialled') return fill(dialled(endpoint.dialer), onread)
  if (endpoint.kind === 'unix') return connectPlain({ path: endpoint.path, onread })
  const { host, port, tls } = endpoint
  if (!tls) return connectPlain({ host, port, onread })
  // Node documents `onread` here as well; only its types do not say so.
  const options: ConnectionOptions & { onread: Filling } = { host, port, ...tls(), onread }
  return connectTls(options)
}

/** The same of a stream that brings buffers of its own. */
function fill(stream: Duplex, { buffer, callback }: Filling): Duplex {
  return stream.on('data', (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; ) {
      const copied = bytes.copy(buffer(), 0, at)
      at += copied
      callback(copied)
    }
  })
}

export interface StreamedRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** With its query. */
  readonly path: string
  /** Closed in any case, be it sent or not. */
  readonly body?: ByteSource
  readonly mediaType?: string
  /** A small body, in place of the other. */
  readonly json?: object
  /** The answer is what a program writes: it has no length, and ends with the connection. */
  readonly untilClose?: boolean
}

const CRLF = Buffer.from('\r\n')
/** A server that does not know 100 (Continue) waits for the body, and gets it after this long. */
const CONTINUE_MS = 1_000

function headOf({ method, path, body, mediaType, json }: StreamedRequest): string {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: engine', 'Connection: close']
  if (mediaType !== undefined) lines.push(`Content-Type: ${mediaType}`)
  // So that a request which the engine refuses outright costs nothing, and its reason is not lost in the sending.
  if (body !== undefined) lines.push('Transfer-Encoding: chunked', 'Expect: 100-continue')
  const text = json === undefined ? '' : JSON.stringify(json)
  if (json !== undefined) lines.push('Content-Type: application/json')
  if (body === undefined && method !== 'GET') lines.push(`Content-Length: ${Buffer.byteLength(text)}`)
  return `${lines.join('\r\n')}\r\n\r\n${text}`
}

/** Sends a body in chunks (RFC 9112); each piece is free for its giver again once the system has taken it. */
async function sendBody(socket: Duplex, body: ByteSource, signal: AbortSignal): Promise<void> {
  await body.flow((pieces) => {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    // A chunk of length nothing would be the end.
    if (length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      socket.cork()
      socket.write(`${length.toString(16)}\r\n`)
      for (const piece of pieces) socket.write(piece)
      socket.write(CRLF, (error) => (error ? reject(error) : resolve()))
      socket.uncork()
    })
  }, signal)
  socket.write('0\r\n\r\n')
}

/**
 * Makes one request over a connection of its own.
 * @param headMs how long the engine may take to begin its answer, once it has the whole request; the bodies have no deadline
 * @param signal ends the sending, and the wait for that beginning
 * @throws whatever the connection fails with before the answer began, or the request's body; or the signal's reason
 */
export function openStream(
  endpoint: DockerEndpoint,
  request: StreamedRequest,
  headMs: number,
  signal: AbortSignal,
): Promise<StreamedAnswer> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      request.body?.close()
      throw signal.reason
    }
    const free: Buffer[] = Array.from({ length: SLABS - 1 }, () => Buffer.allocUnsafeSlow(SLAB_BYTES))
    const full: { slab?: Buffer; pieces: Buffer[] }[] = []
    let slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES)
    let used = 0
    let pieces: Buffer[] = []
    let lingering: NodeJS.Timeout | undefined
    let ended = false
    let failure: unknown
    let wake = (): void => undefined

    /** The slab is out of hands until its pieces have been taken; while no other is free, the engine has to wait. */
    const ship = (): void => {
      clearTimeout(lingering)
      lingering = undefined
      full.push({ slab, pieces })
      slab = free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES)
      used = 0
      pieces = []
      if (free.length === 0) socket.pause()
      wake()
    }
    /** The rest of this slab is where the system will write next, so it stays, and what it holds is copied. */
    const spill = (): void => {
      lingering = undefined
      full.push({ pieces: [Buffer.concat(pieces)] })
      pieces = []
      wake()
    }

    const body: ByteSource = {
      async flow(take, until) {
        const abort = () => fail(until.reason)
        until.addEventListener('abort', abort, { once: true })
        if (until.aborted) abort()
        try {
          for (;;) {
            if (failure !== undefined) throw failure
            const next = full.shift()
            if (next) {
              await take(next.pieces)
              if (next.slab) free.push(next.slab)
              if (socket.isPaused()) socket.resume()
            } else if (ended) {
              return
            } else {
              await new Promise<void>((arrived) => {
                wake = arrived
              })
            }
          }
        } finally {
          until.removeEventListener('abort', abort)
          socket.destroy()
        }
      },
      close: () => void socket.destroy(),
    }

    const reader = createAnswerReader(
      {
        proceed: () => send(),
        head(statusCode) {
          // A refused request is not sent to its end; another may be answered while it is still being read.
          if (statusCode >= 400) stopSending()
          settle()
          resolve({ statusCode, body })
        },
        body(bytes) {
          pieces.push(bytes)
          lingering ??= setTimeout(spill, LINGER_MS)
        },
        end() {
          ended = true
          stopSending()
          ship()
        },
      },
      { untilClose: request.untilClose === true },
    )
    const socket = connect(endpoint, {
      buffer: () => slab.subarray(used),
      callback(length) {
        used += length
        try {
          reader.read(slab.subarray(used - length, used))
        } catch (error) {
          fail(error)
        }
        if (SLAB_BYTES - used < MIN_READ_BYTES) ship()
        return true
      },
    })

    const fail = (error: unknown): void => {
      failure ??= error
      stopSending()
      settle()
      reject(error)
      socket.destroy()
      wake()
    }
    const abortHead = () => fail(signal.reason)
    let deadline: NodeJS.Timeout | undefined
    let patience: NodeJS.Timeout | undefined
    let settled = false
    const waitForHead = (): void => {
      if (!settled) deadline = setTimeout(() => fail(new Error('the engine did not begin to answer')), headMs)
    }
    /** The answer has begun, or never will. */
    const settle = (): void => {
      settled = true
      clearTimeout(deadline)
      signal.removeEventListener('abort', abortHead)
    }

    const sending = new AbortController()
    let unsent = request.body
    const stopSending = (): void => {
      clearTimeout(patience)
      sending.abort()
      unsent?.close()
      unsent = undefined
    }
    const send = (): void => {
      if (unsent === undefined) return
      clearTimeout(patience)
      clearTimeout(deadline)
      const flowing = sendBody(socket, unsent, sending.signal)
      unsent = undefined
      flowing.then(waitForHead, (error: unknown) => {
        if (!sending.signal.aborted) fail(error)
      })
    }

    signal.addEventListener('abort', abortHead, { once: true })
    socket.once('error', (error) => {
      // A server that has said all it has to say need not read the rest.
      if (!ended) fail(error)
    })
    socket.once('close', () => {
      clearTimeout(lingering)
      try {
        reader.close()
      } catch (error) {
        fail(error)
      }
    })
    waitForHead()
    socket.write(headOf(request), () => {
      if (unsent !== undefined) patience = setTimeout(send, CONTINUE_MS)
    })
  })
}
