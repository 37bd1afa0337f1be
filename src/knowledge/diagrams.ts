/** Owns the list of diagrams that ship: which cards each belongs to, and what it says to those who do not see it. */
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import type { Diagram, Lang } from './model.js'

interface Entry {
  id: string
  /** The one it fits best comes first. */
  cards: string[]
  alt: Record<Lang, string>
  caption: Record<Lang, string>
}

export type Diagrams = readonly Entry[]

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isBilingual = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'en' in value && 'zh' in value && isText(value.en) && isText(value.zh)

/** @returns nothing when there is no such file @throws Error for one that is not such a list */
export async function readDiagrams(file: string): Promise<Diagrams | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return undefined
  }
  const list: unknown = parse(text)
  const isRight =
    Array.isArray(list) &&
    (list as Partial<Entry>[]).every(
      ({ id, cards, alt, caption }) =>
        isText(id) && Array.isArray(cards) && cards.every(isText) && isBilingual(alt) && isBilingual(caption),
    )
  if (!isRight) throw new Error(`${file}: not a list of {id, cards, alt, caption}`)
  return list as Diagrams
}

/** The diagram that fits a card best. */
export function diagramOf(diagrams: Diagrams, card: string, lang: Lang): Diagram | undefined {
  const fitting = diagrams.filter(({ cards }) => cards.includes(card))
  const [best] = fitting.sort((a, b) => a.cards.indexOf(card) - b.cards.indexOf(card))
  return best && { id: best.id, lang, caption: best.caption[lang], alt: best.alt[lang] }
}
