// How much one caller may do in a minute, by what it does to the world.
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { type Effect, type Principal, principalKey } from '../action.js'
import { AppError } from '../errors.js'

/** Calls a minute. `ask` is what makes the knowledge base think, and counts besides its effect. */
export type Rates = Readonly<Record<Effect | 'ask', number>>

export interface Limits {
  /** Counts one call. @throws AppError RATE_LIMITED with the seconds to wait */
  take(principal: Principal, action: { readonly name: string; readonly effect: Effect }): Promise<void>
}

const MINUTE_SECONDS = 60
const ANSWERING = new Set(['ask', 'compare', 'choose', 'knowledge.search'])

const limited = ({ msBeforeNext }: RateLimiterRes): AppError =>
  new AppError('RATE_LIMITED', { seconds: Math.max(1, Math.ceil(msBeforeNext / 1000)) })

/** Counts one for a key. @throws AppError RATE_LIMITED with the seconds to wait */
export type Counter = (key: string) => Promise<void>

/** @param points what a key may do in a minute */
export function openCounter(points: number): Counter {
  const limiter = new RateLimiterMemory({ points, duration: MINUTE_SECONDS })
  return async (key) => {
    try {
      await limiter.consume(key)
    } catch (error) {
      throw error instanceof RateLimiterRes ? limited(error) : error
    }
  }
}

export function createLimits(rates: Rates): Limits {
  const counters = Object.fromEntries(
    Object.entries(rates).map(([what, points]) => [what, openCounter(points)]),
  ) as Record<keyof Rates, Counter>
  return {
    async take(principal, { name, effect }) {
      const key = principalKey(principal)
      await counters[effect](key)
      if (ANSWERING.has(name)) await counters.ask(key)
    },
  }
}
