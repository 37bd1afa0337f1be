/** Owns the chances that the synthetic corpus is drawn with: everything follows from a seed, so that runs compare. */

/** @returns a number that has nothing visible to do with the given ones, 0..2^32-1 */
export function hashOf(...numbers: readonly number[]): number {
  let hash = 0x9e3779b9
  for (const number of numbers) {
    hash = Math.imul(hash ^ number, 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    hash ^= hash >>> 16
  }
  return hash >>> 0
}

/** @returns the next number each time, 0 inclusive to 1 exclusive (mulberry32) */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}

/** @param chance 0..1 @returns one of the items, which must not be none */
export function pick<T>(items: readonly T[], chance: number): T {
  const item = items[Math.floor(chance * items.length)]
  if (item === undefined) throw new RangeError('nothing to pick from')
  return item
}

/** Items repeated by their weight, so that `pick` chooses them as often as they should come. */
export function byWeight<T>(weights: readonly (readonly [T, number])[]): T[] {
  return weights.flatMap(([item, weight]) => Array<T>(Math.max(1, Math.round(weight * 100))).fill(item))
}

/** Where the frequent words end and the rare ones begin, and how fast those fall off: Gerlach and Altmann, 2013. */
const CORE_WORDS = 7873
const TAIL_EXPONENT = 1.77
/** Mandelbrot's flattening of the first ranks: grammar words stand before them and are drawn for themselves. */
const FLATTENING = 25
const CORE_MASS = Math.log((CORE_WORDS + FLATTENING) / (1 + FLATTENING))
const TAIL_MASS = 1 / (TAIL_EXPONENT - 1)
const LAST_RANK = 2 ** 31

/**
 * A word's rank by frequency, from 0, as Zipf and Mandelbrot have it; beyond the core with the steeper tail of real
 * text. There are always words that were not drawn yet, so the vocabulary grows with the text (Heaps' law).
 * @param chance 0..1
 */
export function rankOf(chance: number): number {
  const mass = chance * (CORE_MASS + TAIL_MASS)
  if (mass < CORE_MASS) return Math.floor((1 + FLATTENING) * Math.exp(mass) - FLATTENING) - 1
  const left = 1 - (mass - CORE_MASS) / TAIL_MASS
  return (
    Math.floor(Math.min(LAST_RANK, (CORE_WORDS + FLATTENING) * left ** (-1 / (TAIL_EXPONENT - 1)) - FLATTENING)) - 1
  )
}

/** @param chance 0..1 @returns an integer of [least, most), small ones likelier as Zipf has it */
export const zipfBetween = (least: number, most: number, chance: number): number =>
  Math.floor(least * (most / least) ** chance)
