/** Answers that go wrong because a test asked for it. */
export interface Fault {
  method?: string
  /** Against the path after `/api/v10`. */
  path?: RegExp
  status: number
  /** Default 1. */
  times?: number
  /** For a 429, in seconds. Default 0.2. */
  retryAfter?: number
  /** For a 429: whether the whole bot is limited. */
  global?: boolean
}

export interface FaultAnswer {
  status: number
  headers: Record<string, string>
  body: object
}

export function createFaults() {
  let pending: (Fault & { left: number })[] = []
  return {
    add(fault: Fault): void {
      pending.push({ ...fault, left: fault.times ?? 1 })
    },
    take(method: string, path: string): FaultAnswer | null {
      const fault = pending.find((one) => (one.method ?? method) === method && (one.path?.test(path) ?? true))
      if (!fault) return null
      fault.left -= 1
      pending = pending.filter(({ left }) => left > 0)
      const { status, retryAfter = 0.2, global = false } = fault
      return status === 429
        ? rateLimited(retryAfter, global)
        : { status, headers: {}, body: { code: 0, message: `${status}: on demand` } }
    },
  }
}

export const rateLimited = (retryAfterSeconds: number, global: boolean): FaultAnswer => ({
  status: 429,
  headers: {
    'retry-after': String(Math.ceil(retryAfterSeconds)),
    'x-ratelimit-reset-after': String(retryAfterSeconds),
    'x-ratelimit-scope': global ? 'global' : 'user',
    ...(global ? { 'x-ratelimit-global': 'true' } : {}),
  },
  body: { code: 0, message: 'You are being rate limited.', retry_after: retryAfterSeconds, global },
})
