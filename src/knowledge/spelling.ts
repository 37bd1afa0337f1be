/** Owns the guess at what a mistyped word was meant to be. It is asked only about words that no passage holds. */

const SHORTEST = 5

/** A word's distance of one may be a typo; of two only in a long word. */
const allowance = (word: string): number => (word.length >= 9 ? 2 : 1)

/**
 * @param lookUp indexed tokens with a prefix and a length between two, with the passages each stands in
 * @param sure letters at the beginning that are taken to be right: people rarely mistype the first one, and looking only at
 *   the words that begin so keeps this cheap
 */
export function speller(
  lookUp: (prefix: string, shortest: number, longest: number) => { token: string; passages: number }[],
  sure = 1,
): (word: string) => string | undefined {
  return (word) => {
    if (word.length < SHORTEST || !/^[a-z]+$/.test(word)) return undefined
    const limit = allowance(word)
    let best: { token: string; passages: number; distance: number } | undefined
    for (const { token, passages } of lookUp(word.slice(0, sure), word.length - limit, word.length + limit)) {
      if (!/^[a-z]+$/.test(token)) continue
      const distance = editDistance(word, token, limit)
      if (distance > limit) continue
      if (best === undefined || distance < best.distance || (distance === best.distance && passages > best.passages)) {
        best = { token, passages, distance }
      }
    }
    return best?.token
  }
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
 * @returns the distance, or `limit + 1` as soon as it is known to be larger
 */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      current.push(cost)
    }
    if (Math.min(...current) > limit) return limit + 1
    before = previous
    previous = current
  }
  return previous[b.length] ?? limit + 1
}
