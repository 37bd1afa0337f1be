// A circuit breaker: after some failures in a row nothing is tried for a while, then once, and the while grows.

/** A try that was let through; exactly one of these follows. */
export interface Attempt {
  succeeded(): void
  failed(): void
  /** It told nothing about whether there is a way. */
  undecided(): void
}

export interface Breaker {
  /** Ms until the next try; 0 when there may be one now. */
  remainingMs(): number
  /** @returns undefined while nothing is to be tried */
  admit(): Attempt | undefined
  /** There is a way after all. */
  close(): void
}

export interface BreakerOptions {
  readonly failures: number
  readonly firstMs: number
  readonly mostMs: number
  /** Epoch ms. */
  readonly now: () => number
}

export function createBreaker({ failures, firstMs, mostMs, now }: BreakerOptions): Breaker {
  let failed = 0
  let coolDownMs = firstMs
  let openUntil = 0
  /** The one that decides whether it closes again. */
  let trial: Attempt | undefined

  const open = (): void => {
    openUntil = now() + coolDownMs
    coolDownMs = Math.min(mostMs, coolDownMs * 2)
  }
  const breaker: Breaker = {
    remainingMs() {
      if (failed < failures) return 0
      return Math.max(trial ? 1 : 0, openUntil - now())
    },
    admit() {
      if (breaker.remainingMs() > 0) return undefined
      const attempt: Attempt = {
        succeeded: () => breaker.close(),
        failed() {
          failed += 1
          // Those that began before it opened tell nothing new.
          if (failed === failures || trial === attempt) open()
          attempt.undecided()
        },
        undecided() {
          if (trial === attempt) trial = undefined
        },
      }
      if (failed >= failures) trial = attempt
      return attempt
    },
    close() {
      failed = 0
      coolDownMs = firstMs
      trial = undefined
    },
  }
  return breaker
}
