// One thing that is slow to find out, told at once from what was found before while it is looked up again.
import { setTimeout as sleep } from 'node:timers/promises'

export interface Memory<T> {
  /**
   * What is known; waits a moment for what is not, or may no longer be true.
   * @throws whatever looking it up fails with, where nothing is known from before
   */
  tell(): Promise<T>
  /** What is known may no longer be true. */
  changed(): void
}

export interface MemoryOptions<T> {
  /** Ends by itself in a reasonable time. */
  readonly look: () => Promise<T>
  /** What is thrown when nothing is known yet, and looking takes long. */
  readonly late: () => Error
  /** How long it is taken to be true while nobody says otherwise. */
  readonly keptMs: () => number
  /** Called when something was found that nobody waited for any more. */
  readonly onLate: () => void
  /** Epoch ms. */
  readonly now: () => number
}

/** Whoever types notices nothing of it, and an engine nearby has answered by then. */
const WAIT_FOR_NEWS_MS = 100
/** Leaves time for the rest of an answer within 300 ms. */
const WAIT_FOR_ANYTHING_MS = 200
/** What is older is of no use any more, even where nothing newer can be had. */
const FORGOTTEN_MS = 10 * 60_000

export function createMemory<T>({ look, late, keptMs, onLate, now }: MemoryOptions<T>): Memory<T> {
  let known: { readonly value: T; readonly at: number; readonly change: number } | undefined
  let looking: { readonly found: Promise<T>; readonly since: number } | undefined
  let change = 0

  async function refresh(): Promise<T> {
    const found = { at: now(), change }
    try {
      const value = await look()
      known = { ...found, value }
      return value
    } finally {
      looking = undefined
    }
  }

  return {
    async tell() {
      if (known && now() - known.at > FORGOTTEN_MS) known = undefined
      if (known && known.change === change && now() - known.at <= keptMs()) return known.value
      looking ??= { found: refresh(), since: performance.now() }
      const { found, since } = looking
      const before = known
      let isLate = false
      const waiting = new AbortController()
      // From when the looking began: one that takes long keeps only the first waiting.
      const patienceMs = since + (before ? WAIT_FOR_NEWS_MS : WAIT_FOR_ANYTHING_MS) - performance.now()
      const patience = sleep(Math.max(0, patienceMs), undefined, { signal: waiting.signal })
      const inTime = patience.then(() => {
        isLate = true
        if (before) return before.value
        throw late()
      })
      // Whoever has left is told that there is more to be had now.
      found.then(
        () => isLate && onLate(),
        () => undefined,
      )
      try {
        return await Promise.race([found, inTime])
      } catch (error) {
        if (before) return before.value
        throw error
      } finally {
        waiting.abort()
      }
    },
    changed() {
      change += 1
    },
  }
}
