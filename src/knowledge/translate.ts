/** Owns the reading of a question for cards of the other language: each of its terms becomes what it may be called there. */
import type { Dictionary } from './dictionary.js'
import { intentOf, languageOf } from './language.js'
import type { Lang } from './model.js'
import {
  contentTerms,
  idf,
  LONGEST_QUESTION,
  type Need,
  type Query,
  queryOf,
  type Vocabulary,
  WEIGHTLESS_HAN,
} from './query.js'
import { type Term, terms } from './tokenize.js'

/** Words of Chinese are rarely longer; names of the field may be. */
const LONGEST_HAN_WORD = 8
const LONGEST_PHRASE = 4
/** A character that is left over between words is as often a part of a name as a word. */
const LONE_CHARACTER = 0.4

/** A stretch of a question: as it is, which both languages share, or as the dictionary has it. */
interface Stretch {
  same: string[]
  /** Below 1 where it is doubtful that this is a word at all. */
  certainty: number
  translations: string[][]
}

/**
 * @param isLoose for when nothing holds what the question is about: half of a term's translation counts as well, and so do
 *   the words of asking
 * @returns the question as a query for cards in `to`; its needs are met by any of a term's translations
 */
export function translateQuery(
  question: string,
  to: Lang,
  vocabulary: Vocabulary,
  dictionary: Dictionary,
  isLoose = false,
): Query {
  const text = question.slice(0, LONGEST_QUESTION)
  const from = languageOf(text)
  const { frequency } = vocabulary
  const isKnown = (token: string) => frequency(token) > 0
  const isHeld = (tokens: readonly string[]) => (isLoose ? tokens.some(isKnown) : tokens.every(isKnown))
  const stretches = stretchesOf(isLoose ? terms(text) : contentTerms(text), from, dictionary, isHeld)
  const rarity = (tokens: readonly string[]) =>
    idf(vocabulary.passages, Math.min(...tokens.filter(isKnown).map(frequency)))
  const needs = stretches.flatMap(({ same, certainty, translations }): Need[] => {
    // What no passage holds cannot be found; it still counts as something that was asked for.
    const phrases = translations.filter(isHeld)
    const known = [...same.filter(isKnown).map((token) => [token]), ...phrases]
    const weight = known.length === 0 ? idf(vocabulary.passages, 0) : Math.min(...known.map(rarity))
    const named = same.some(vocabulary.isName) ? ({ named: true } as const) : {}
    return [{ weight: certainty * weight, strong: same, weak: [], weakValue: 0, phrases, ...named }]
  })
  return queryOf({ lang: to, intent: intentOf(text), needs, extra: [], vocabulary: { frequency } })
}

/** Whether a passage may hold all of these. */
type IsHeld = (tokens: readonly string[]) => boolean

function stretchesOf(asked: readonly Term[], from: Lang, dictionary: Dictionary, isHeld: IsHeld): Stretch[] {
  const found: Stretch[] = []
  let at = 0
  while (at < asked.length) {
    const term = asked[at] as Term
    if (term.kind === 'han') {
      found.push(...wordsOfRun(term.run, dictionary))
      at += 1
      continue
    }
    const { length, translations } =
      from === 'en' ? phraseAt(asked, at, dictionary, isHeld) : { length: 1, translations: [] }
    const same = asked.slice(at, at + length).flatMap((word) => (word.kind === 'han' ? [] : tokensOfWord(word)))
    // A name of several words is the same name in the other language only as a whole.
    found.push({ same: length === 1 ? same : [], certainty: 1, translations })
    at += length
  }
  return found
}

const tokensOfWord = (term: Exclude<Term, { kind: 'han' }>): string[] =>
  term.kind === 'word' ? [term.token] : [term.whole, ...(term.joined === undefined ? [] : [term.joined])]

/**
 * The longest phrase of English beginning here that has a translation which some passage holds. A word alone needs only to
 * be in the dictionary.
 */
function phraseAt(
  asked: readonly Term[],
  at: number,
  dictionary: Dictionary,
  isHeld: IsHeld,
): { length: number; translations: string[][] } {
  for (let length = Math.min(LONGEST_PHRASE, asked.length - at); length > 0; length -= 1) {
    const words = asked.slice(at, at + length)
    if (words.some((word) => word.kind === 'han')) continue
    const key = words.flatMap((word) =>
      word.kind === 'word' ? [word.token] : word.kind === 'compound' ? word.parts : [],
    )
    const translations = dictionary.translate('en', key.join(' '))
    if (length === 1 || translations.some(isHeld)) return { length, translations }
  }
  return { length: 1, translations: [] }
}

/** Cuts a run of Han characters into the longest words that the dictionary knows, from the left. */
function wordsOfRun(run: string, dictionary: Dictionary): Stretch[] {
  const chars = [...run]
  const found: Stretch[] = []
  let at = 0
  while (at < chars.length) {
    let length = Math.min(LONGEST_HAN_WORD, chars.length - at)
    let translations: string[][] = []
    for (; length > 0; length -= 1) {
      translations = dictionary.translate('zh', chars.slice(at, at + length).join(''))
      if (translations.length > 0) break
    }
    const isGrammar = length <= 1 && WEIGHTLESS_HAN.has(chars[at] ?? '')
    // What the dictionary does not know was asked for all the same: no passage may pass for covering all of it.
    if (!isGrammar) found.push({ same: [], certainty: length > 1 ? 1 : LONE_CHARACTER, translations })
    at += Math.max(1, length)
  }
  return found
}
