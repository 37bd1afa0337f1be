/**
 * Owns the finding of a question's tokens in passages. Of a passage's hundreds of tokens a question wants a few, so the
 * others are never made: this is where a search spends its time.
 */
import { FIRST_HAN, unpackTokens } from './tokenize.js'

/** A token of the question and where it stands, counted in tokens from the start of the line. */
export interface Match {
  token: string
  place: number
}

/** @param packed a line as `packTokens` gives it @returns the tokens of it that are wanted, in order */
export type Matcher = (packed: string) => Match[]

export function matcherOf(wanted: ReadonlySet<string>): Matcher {
  // Nearly every character of a Chinese text begins nothing that is wanted, and is passed over by its code alone.
  const beginnings = new Uint8Array(0x10000)
  for (const token of wanted) beginnings[token.charCodeAt(0)] = 1

  return (packed) => {
    const matches: Match[] = []
    let place = 0
    for (let from = 0; from < packed.length; ) {
      const space = packed.indexOf(' ', from)
      const to = space === -1 ? packed.length : space
      if (packed.charCodeAt(from) < FIRST_HAN) {
        if (beginnings[packed.charCodeAt(from)] === 1) {
          const token = packed.slice(from, to)
          if (wanted.has(token)) matches.push({ token, place })
        }
        place += 1
      } else {
        place = matchRun(packed.slice(from, to), place, matches)
      }
      from = to + 1
    }
    return matches
  }

  function matchRun(run: string, before: number, matches: Match[]): number {
    if (/[\ud800-\udfff]/.test(run) || !/^\p{Script=Han}/u.test(run)) {
      const tokens = unpackTokens(run)
      tokens.forEach((token, i) => {
        if (wanted.has(token)) matches.push({ token, place: before + i })
      })
      return before + tokens.length
    }
    for (let i = 0; i < run.length; i += 1) {
      if (beginnings[run.charCodeAt(i)] !== 1) continue
      const char = run.charAt(i)
      if (wanted.has(char)) matches.push({ token: char, place: before + 2 * i })
      const pair = run.slice(i, i + 2)
      if (pair.length === 2 && wanted.has(pair)) matches.push({ token: pair, place: before + 2 * i + 1 })
    }
    return before + 2 * run.length - 1
  }
}
