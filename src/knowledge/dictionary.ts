/**
 * Owns the bridge between the two languages: what a term of one may be called in the other. A glossary of the field goes
 * before the general dictionary, for which 容器 is a vessel.
 */
import type { Database } from 'better-sqlite3'
import type { Lang } from './model.js'
import { openTermStore, type TermStore } from './term-store.js'
import { fold, tokenize } from './tokenize.js'

export interface Entry {
  zh: readonly string[]
  en: readonly string[]
}

export interface Dictionary {
  /** @param term Han characters, or English tokens joined by spaces @returns what it may be in the other language, as tokens */
  translate(lang: Lang, term: string): string[][]
}

/** Longer terms are explanations, not names. */
const LONGEST = { zh: 8, en: 4 } as const
/** A term with more translations than this says nothing. */
const MOST_TRANSLATIONS = 60

export const NO_DICTIONARY: Dictionary = { translate: () => [] }

/** How a term is looked up. */
const keyOf = (lang: Lang, term: string): string => (lang === 'zh' ? fold(term) : tokenize(term).join(' '))

/** As the index holds it: a Chinese word is there when all its pairs of characters are. */
function tokensOfTerm(lang: Lang, term: string): string[] {
  const tokens = [...new Set(tokenize(term))]
  if (lang === 'en') return tokens
  const pairs = tokens.filter((token) => [...token].length > 1)
  return pairs.length > 0 ? pairs : tokens
}

/** Fills an empty database; entries that come first win over later ones of the same term. */
export function buildDictionary(db: Database, glossary: readonly Entry[], general: Iterable<Entry>): void {
  const store = openTermStore(db)
  const found = { zh: new Map<string, Set<string>>(), en: new Map<string, Set<string>>() }
  const add = (from: Lang, to: Lang, entry: Entry): void => {
    for (const term of entry[from]) {
      const key = keyOf(from, term)
      if (key === '') continue
      const words = found[from].get(key) ?? new Set()
      found[from].set(key, words)
      for (const word of entry[to]) {
        const tokens = tokensOfTerm(to, word)
        if (tokens.length > 0 && tokens.length <= LONGEST[to] && words.size < MOST_TRANSLATIONS)
          words.add(tokens.join(' '))
      }
    }
  }
  for (const entry of glossary) {
    add('zh', 'en', entry)
    add('en', 'zh', entry)
  }
  const settled = { zh: new Set(found.zh.keys()), en: new Set(found.en.keys()) }
  for (const entry of general) {
    const isSettled = (lang: Lang) => entry[lang].some((term) => settled[lang].has(keyOf(lang, term)))
    if (!isSettled('zh')) add('zh', 'en', entry)
    for (const term of entry.en) {
      if (!settled.en.has(keyOf('en', term))) add('en', 'zh', { zh: entry.zh, en: [term] })
    }
  }
  store.fill(found)
}

// What CC-CEDICT writes into a definition beside the words themselves.
const NOTE = /\([^)]*\)|\[[^\]]*\]/g
const NO_TRANSLATION =
  /^(?:CL:|surname |variant |old variant |see |used in |abbr\. |also pr|also written|erhua |radical )/
const LEADING = /^(?:to be |to |a |an |the |sb |sth )/

/** Terms of a definition of CC-CEDICT: `to defend; defense (sports)` has two. */
export function termsOfDefinition(definition: string): string[] {
  return definition
    .replace(NOTE, ' ')
    .split(/[;,/]/)
    .map((part) => part.trim())
    .filter((part) => part !== '' && !NO_TRANSLATION.test(part) && !/\p{Script=Han}/u.test(part))
    .map((part) => part.replace(LEADING, '').trim())
    .filter((part) => part !== '' && part.split(/\s+/).length <= LONGEST.en)
}

/** @param db one that `buildDictionary` has filled */
export function openDictionary(db: Database): Dictionary {
  const store: TermStore = openTermStore(db)
  return {
    translate(lang, term) {
      const words = store.words(lang, term)
      // English has more forms of a word than its stem tells: "religious" is a matter of "religion".
      const known = words.length > 0 || lang === 'zh' || term.includes(' ') ? words : store.relatives(term)
      return known.map((tokens) => tokens.split(' '))
    },
  }
}
