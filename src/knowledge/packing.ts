/** Owns the form in which a passage's units are kept, and what of its packed tokens goes into the index. */
import type { Passage, Unit } from './model.js'
import { unpackTokens } from './tokenize.js'

/** How much a token counts where it stands. The body is 1; titles and aliases say what a card is about. */
export const WEIGHTS = { title: 3, aliases: 3, heading: 2, body: 1 } as const

const KINDS: readonly Unit['kind'][] = ['sentence', 'code', 'row']
/** The kind's number, where it stands in the passage, and its readable text where that is not what stands there. */
type PackedUnit = [kind: number, start: number, end: number, text?: string]

export const packUnits = ({ units, body }: Passage): string =>
  JSON.stringify(
    units.map(({ kind, start, end, text }): PackedUnit => {
      const number = KINDS.indexOf(kind)
      return text === body.slice(start, end) ? [number, start, end] : [number, start, end, text]
    }),
  )

export const unpackUnits = (packed: string, body: string): Unit[] =>
  (JSON.parse(packed) as PackedUnit[]).map(([kind, start, end, text]) => ({
    kind: KINDS[kind] ?? 'sentence',
    start,
    end,
    text: text ?? body.slice(start, end),
  }))

/** How often each token stands in a passage, by where it stands; its length counts each token once. */
export function frequenciesOf(packed: { title: string; aliases: string; heading: string; body: string }): {
  frequencies: Map<string, number>
  length: number
} {
  const frequencies = new Map<string, number>()
  let length = 0
  for (const field of ['title', 'aliases', 'heading', 'body'] as const) {
    const weight = WEIGHTS[field]
    for (const line of packed[field].split('\n')) {
      const tokens = unpackTokens(line)
      length += tokens.length
      for (const token of tokens) frequencies.set(token, (frequencies.get(token) ?? 0) + weight)
    }
  }
  return { frequencies, length }
}
