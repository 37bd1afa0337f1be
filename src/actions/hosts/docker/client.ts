// The way to a Docker Engine, and what its failures mean; the only file that knows its client.
import { Agent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { createRequire } from 'node:module'
import { addAbortSignal } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type Docker from 'dockerode'
import { type ByteSource, readableOf } from '../../bytes.js'
import { AppError } from '../../errors.js'
import { within } from '../../within.js'
import { dialled } from '../dialled.js'
import type { DockerEndpoint } from '../endpoint.js'
import { openStream, type StreamedRequest } from '../engine-stream.js'
import { isBeforeAnything, isImpostor, whyUnreachable } from '../unreachable.js'

export type { Docker }

export const READ_MS = 10_000
export const CHANGE_MS = 60_000
/** An engine answers an upload only once it has unpacked what it was sent, on a disk that may be slow. */
const UNPACK_MS = 10 * 60_000

export interface EngineError extends Error {
  readonly statusCode?: number
  readonly code?: string
  readonly json?: { readonly message?: string }
}

/** What an engine says of a failure, which may be one that another code says better. */
export interface Refusal {
  readonly statusCode: number
  /** The engine's own words, fit to be shown. */
  readonly reason: string
}

/** Turns what an engine refused into a code of ours; undefined leaves it ENGINE_REFUSED. */
export type Reading = (refusal: Refusal) => AppError | undefined

export interface Client {
  /** The name that errors call the host by. */
  readonly host: string
  readonly docker: Docker
  /** A call with a deadline, whose failures are put into our words. */
  ask<T>(signal: AbortSignal, ms: number, reading: Reading, work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** An answer that streams: opening has a deadline, the stream has none. */
  stream(signal: AbortSignal, reading: Reading, request: StreamedRequest): Promise<ByteSource>
  /** An answer that is read to its end, of a request that may have streamed. @returns its text, cut at 1 MiB */
  send(signal: AbortSignal, reading: Reading, request: StreamedRequest): Promise<string>
  close(): void
}

const MOST_TEXT_BYTES = 1024 * 1024

async function textOf(body: ByteSource, signal: AbortSignal): Promise<string> {
  const kept: Buffer[] = []
  let bytes = 0
  await body.flow(async (pieces) => {
    // The pieces are lent; what is kept is copied.
    if (bytes < MOST_TEXT_BYTES) kept.push(Buffer.concat(pieces))
    bytes += kept.at(-1)?.length ?? 0
  }, signal)
  return Buffer.concat(kept).toString()
}

/** The error that an engine answered with in place of a stream. */
async function refusalOf(statusCode: number, body: ByteSource, signal: AbortSignal): Promise<EngineError> {
  const text = await textOf(body, signal)
  let message = text
  try {
    message = (JSON.parse(text) as { message: string }).message
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return Object.assign(new Error(message), { statusCode })
}

/** The engine's own words, without the paths of its machine and cut to a sentence's length. */
export function reasonOf(error: EngineError): string {
  const words = error.json?.message ?? error.message.replace(/^\(HTTP code \d+\) [^-]*- /, '')
  const line = words.split('\n')[0] ?? ''
  return (
    line
      // Its data may be anywhere; the id of a container or a layer in a path gives it away.
      .replaceAll(/\/(?:(?:var\/lib|run|var\/run)\/|[^\s:"']*\/[0-9a-f]{64}\b)[^\s:"']*/g, '…')
      .trim()
      .slice(0, 300)
  )
}

/** Loaded by whoever first asks an engine something: with what it brings along it takes some megabytes. */
const loadDocker = (): typeof Docker => createRequire(import.meta.url)('dockerode') as typeof Docker

/** The client takes an agent; only its types do not say so. */
function optionsBy(agent: Agent, options: Docker.DockerOptions): Docker.DockerOptions {
  const withAgent: Docker.DockerOptions & { agent: Agent } = { ...options, agent }
  return withAgent
}

/** What is left out is taken from the environment, which may speak of another engine. */
function optionsOf(endpoint: DockerEndpoint): Docker.DockerOptions {
  switch (endpoint.kind) {
    case 'unix':
      return { socketPath: endpoint.path, host: '', protocol: 'http' }
    case 'tcp': {
      const { host, port, tls } = endpoint
      if (!tls) return { host, port, protocol: 'http' }
      const agent = new TlsAgent()
      agent.createConnection = () => connectTls({ host, port, ...tls() })
      return optionsBy(agent, { host, port, protocol: 'https' })
    }
    case 'dialled': {
      const agent = new Agent()
      agent.createConnection = () => dialled(endpoint.dialer)
      return optionsBy(agent, { host: 'engine', port: 80, protocol: 'http' })
    }
  }
}

/** @param host the name that errors call it by */
export function openClient(host: string, endpoint: DockerEndpoint): Client {
  const translate = (error: unknown, signal: AbortSignal, reading: Reading, isUpload = false): unknown => {
    if (signal.aborted) return signal.reason
    if (!(error instanceof Error) || error instanceof AppError) return error
    const { statusCode } = error as EngineError
    if (statusCode === undefined) {
      if (isUpload && !isBeforeAnything(error)) return new AppError('ENGINE_LOST', { host }, { cause: error })
      // No answer at all: refused, no socket, no right to it, timed out, hung up.
      const code = isImpostor(error) ? 'HOST_UNTRUSTED' : 'HOST_UNREACHABLE'
      return new AppError(code, { host, why: whyUnreachable(error) }, { cause: error })
    }
    const reason = reasonOf(error)
    return reading({ statusCode, reason }) ?? new AppError('ENGINE_REFUSED', { host, reason }, { cause: error })
  }
  let docker: Docker | undefined
  const client: Client = {
    host,
    get docker() {
      docker ??= new (loadDocker())(optionsOf(endpoint))
      return docker
    },
    async ask(signal, ms, reading, work) {
      try {
        return await within(signal, ms, work)
      } catch (error) {
        throw translate(error, signal, reading)
      }
    },
    async stream(signal, reading, request) {
      try {
        const headMs = request.body === undefined ? CHANGE_MS : UNPACK_MS
        const { statusCode, body } = await openStream(endpoint, request, headMs, signal)
        if (statusCode < 400) return body
        throw await refusalOf(statusCode, body, signal)
      } catch (error) {
        throw translate(error, signal, reading, request.body !== undefined)
      }
    },
    async send(signal, reading, request) {
      const body = await client.stream(signal, reading, request)
      try {
        return await textOf(body, signal)
      } catch (error) {
        if (signal.aborted) throw signal.reason
        // What was sent may have failed in its own words.
        throw error instanceof AppError ? error : new AppError('ENGINE_LOST', { host }, { cause: error })
      }
    },
    close() {
      if (endpoint.kind === 'dialled') endpoint.dialer.close()
    },
  }
  return client
}

/** Whoever reads it may be several pipes away: the signal reaches the connection itself. */
export const streamOf = (source: ByteSource, signal: AbortSignal) => addAbortSignal(signal, readableOf(source))
