/** Answers that go wrong because a test asked for it. */
export interface Fault {
  method?: string
  /** Against the path after `/api/v10`, without its query. */
  path?: RegExp
  status: number
  /** Default 1. */
  times?: number
  /** For a 429, in seconds. Default 1. */
  retryAfter?: number
  /** For a 429: whether the whole bot is limited. */
  global?: boolean
}

export interface Answer {
  status: number
  headers?: Record<string, string>
  body?: object
}

export interface Faults {
  add(fault: Fault): void
  take(method: string, path: string): Answer | null
}

export const rateLimited = (retryAfterSeconds: number, global: boolean): Answer => ({
  status: 429,
  headers: {
    'retry-after': String(Math.ceil(retryAfterSeconds)),
    'x-ratelimit-reset-after': String(retryAfterSeconds),
    'x-ratelimit-scope': global ? 'global' : 'user',
    ...(global ? { 'x-ratelimit-global': 'true' } : {}),
  },
  body: { code: 0, message: 'You are being rate limited.', retry_after: retryAfterSeconds, global },
})

export function createFaults(): Faults {
  let pending: (Fault & { left: number })[] = []
  return {
    add(fault) {
      pending.push({ ...fault, left: fault.times ?? 1 })
    },
    take(method, path) {
      const fault = pending.find((one) => (one.method ?? method) === method && (one.path?.test(path) ?? true))
      if (!fault) return null
      fault.left -= 1
      pending = pending.filter(({ left }) => left > 0)
      const { status, retryAfter = 1, global = false } = fault
      return status === 429
        ? rateLimited(retryAfter, global)
        : { status, body: { code: 0, message: `${status}: on demand` } }
    },
  }
}
