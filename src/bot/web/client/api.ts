// How the page talks to its server: every request there is, and failures as one kind of error.
import type { Bilingual, Effect, FieldDescription, Lang, View } from '../../../actions/index.js'

export interface Me {
  readonly name: string
  readonly roles: readonly string[]
}

export interface Command {
  readonly name: string
  readonly summary: Bilingual
  readonly effect: Effect
  readonly acceptsFile: boolean
  /** Endings of files that are most likely meant for it; empty when any may be. */
  readonly fileTypes: readonly string[]
  readonly fields: readonly FieldDescription[]
}

type Input = Readonly<Record<string, unknown>>

export interface Done {
  readonly status: 'done'
  readonly action: string
  readonly input: Input
  readonly view: View
  readonly output: unknown
  readonly startsJob: boolean
}

export interface ConfirmFirst {
  readonly status: 'confirm'
  readonly action: string
  readonly input: Input
  readonly view: View
  readonly confirm: { readonly token: string; readonly expiresAt: number }
  /** How far the server's clock is ahead of ours, in ms: expiry is by the server's. */
  readonly clockAheadMs: number
}

export type Answer = Done | ConfirmFirst

/** What was typed, or what a button stands for. */
export type Ask =
  | { readonly line: string }
  | { readonly action: string; readonly input: Input; readonly confirm?: string }

export interface Choice {
  readonly value: string
  readonly label: string
}

/** Besides the server's own codes: `OFFLINE` (no answer), `STOPPED` (by the person) and `UNREADABLE`. */
export class Failure extends Error {
  readonly code: string
  readonly status: number
  readonly requestId: string | undefined

  constructor(code: string, message: string, more: { status?: number; requestId?: string; cause?: unknown } = {}) {
    super(message, { cause: more.cause })
    this.code = code
    this.status = more.status ?? 0
    this.requestId = more.requestId
  }

  /** Whether the same call may succeed later as it is; a confirmation that came to nothing is simply asked for again. */
  get retry(): boolean {
    return AGAIN.includes(this.code) || this.status === 429 || this.status > 500
  }
}

const AGAIN = ['OFFLINE', 'STOPPED', 'CONFIRMATION_EXPIRED', 'CONFIRMATION_MISMATCH', 'TARGET_CHANGED']

export interface SendOptions {
  readonly file?: File
  readonly signal: AbortSignal
  /** @param sent bytes of the file that have left */
  onSent?(sent: number, total: number): void
}

export interface Api {
  me(): Promise<Me>
  login(token: string): Promise<Me>
  logout(): Promise<void>
  commands(): Promise<readonly Command[]>
  call(ask: Ask, options: SendOptions): Promise<Answer>
  withdraw(token: string): Promise<void>
  complete(
    what: { action: string; field: string; typed: string; input: Input },
    signal: AbortSignal,
  ): Promise<readonly Choice[]>
}

interface RawAnswer {
  readonly status: number
  readonly text: string
}

interface Wire {
  readonly method: 'GET' | 'POST'
  readonly body?: string | FormData
  readonly signal?: AbortSignal
  onSent?(sent: number, total: number): void
}

/** Not `fetch`, which cannot tell how much of a large file has left. */
function exchange(url: string, lang: Lang, { method, body, signal, onSent }: Wire): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open(method, url)
    request.setRequestHeader('x-hypercall-lang', lang)
    if (typeof body === 'string') request.setRequestHeader('content-type', 'application/json')
    const stop = () => request.abort()
    request.onload = () => resolve({ status: request.status, text: request.responseText })
    request.onerror = () => reject(new Failure('OFFLINE', ''))
    request.onabort = () => reject(new Failure('STOPPED', ''))
    request.onloadend = () => signal?.removeEventListener('abort', stop)
    if (onSent) request.upload.onprogress = ({ loaded, total }) => onSent(loaded, total)
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) reject(new Failure('STOPPED', ''))
    else request.send(body ?? null)
  })
}

interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly requestId: string }
}

const isErrorBody = (body: unknown): body is ErrorBody =>
  typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'object' && body.error !== null

function read({ status, text }: RawAnswer): unknown {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (cause) {
    throw new Failure('UNREADABLE', '', { status, cause })
  }
  if (status >= 200 && status < 300) return body
  if (!isErrorBody(body)) throw new Failure('UNREADABLE', '', { status })
  const { code, message, requestId } = body.error
  throw new Failure(code, message, { status, requestId })
}

/**
 * @param lang asked at every request, since it may change between two
 * @param onSignedOut told whenever the server no longer knows us
 */
export function openApi(lang: () => Lang, onSignedOut: () => void): Api {
  const send = async (url: string, wire: Wire): Promise<unknown> => {
    const raw = await exchange(url, lang(), wire)
    try {
      return read(raw)
    } catch (error) {
      if (error instanceof Failure && error.status === 401 && url !== '/page/login') onSignedOut()
      throw error
    }
  }
  const get = (url: string) => send(url, { method: 'GET' })
  const post = (url: string, body: object, signal?: AbortSignal) =>
    send(url, { method: 'POST', body: JSON.stringify(body), ...(signal ? { signal } : {}) })

  return {
    me: async () => (await get('/page/me')) as Me,
    login: async (token) => (await post('/page/login', { token })) as Me,
    async logout() {
      await post('/page/logout', {})
    },
    commands: async () => ((await get('/page/commands')) as { commands: Command[] }).commands,
    async call(ask, { file, signal, onSent }) {
      const text = JSON.stringify(ask)
      let body: string | FormData = text
      if (file) {
        body = new FormData()
        body.set('call', text)
        body.set('file', file)
      }
      const answer = (await send('/page/call', {
        method: 'POST',
        body,
        signal,
        ...(file && onSent ? { onSent } : {}),
      })) as Answer & { readonly now?: number }
      return { ...answer, clockAheadMs: (answer.now ?? Date.now()) - Date.now() }
    },
    async withdraw(token) {
      await post('/page/withdraw', { token })
    },
    complete: async (what, signal) => ((await post('/page/complete', what, signal)) as { choices: Choice[] }).choices,
  }
}
