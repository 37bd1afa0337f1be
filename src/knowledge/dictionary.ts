/**
 * Owns the bridge between the two languages: what a term of one may be called in the other. A glossary of the field goes
 * before the general dictionary, for which 容器 is a vessel.
 */
import type { Database } from 'better-sqlite3'
import { at } from './maps.js'
import type { Lang } from './model.js'
import { speller } from './spelling.js'
import { openTermStore, type TermStore } from './term-store.js'
import { fold, tokenize } from './tokenize.js'

export interface Entry {
  zh: readonly string[]
  en: readonly string[]
  /** How the Chinese is spelled: syllables with their tones, `rong2 qi4`. */
  pinyin?: string
}

export interface Dictionary {
  /** @param term Han characters, or English tokens joined by spaces; also Chinese as it is spelled in Latin letters @returns what it may be in the other language, as tokens */
  translate(lang: Lang, term: string): string[][]
}

/** Longer terms are explanations, not names. */
const LONGEST = { zh: 8, en: 4 } as const
/** Of a word that is spelled in another way, among a hundred thousand others. */
const SURE_LETTERS = 3
/** A term with more translations than this says nothing. */
const MOST_TRANSLATIONS = 60
/** And one syllable, or a spelling that more words share, does not tell which is meant. */
const MOST_HOMOPHONES = 12

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
  const found = {
    zh: new Map<string, Set<string>>(),
    en: new Map<string, Set<string>>(),
    pinyin: new Map<string, Set<string>>(),
  }
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
    const spelling = spellingOf(entry.pinyin ?? '')
    if (spelling === undefined) continue
    for (const word of entry.zh) {
      at(found.pinyin, spelling, () => new Set<string>()).add(tokensOfTerm('zh', word).join(' '))
    }
  }
  for (const [spelling, words] of found.pinyin) if (words.size > MOST_HOMOPHONES) found.pinyin.delete(spelling)
  store.fill(found)
}

/** @param pinyin `rong2 qi4` @returns how it is typed and looked up, nothing for one syllable */
function spellingOf(pinyin: string): string | undefined {
  const syllables = pinyin.toLowerCase().replaceAll('u:', 'v').split(' ')
  if (syllables.length < 2 || syllables.some((syllable) => !/^[a-z]+\d$/.test(syllable))) return undefined
  return keyOf('en', syllables.map((syllable) => syllable.slice(0, -1)).join(''))
}

// What CC-CEDICT writes into a definition beside the words themselves.
const NOTE = /\([^)]*\)|\[[^\]]*\]/g
const NO_TRANSLATION =
  /^(?:CL:|surname |variant |old variant |see |used in |abbr\. |also pr|also written|erhua |radical )/
const LEADING = /^(?:to be |to |a |an |the |sb |sth )/

/** What science calls it, which CC-CEDICT puts behind its common name: `comb jellies (Ctenophora)`. */
const SCIENTIFIC_NAME = /(?<=\()[A-Z][a-z]{6,}(?=\))/g

/** Terms of a definition of CC-CEDICT: `to defend; defense (sports)` has two. */
export function termsOfDefinition(definition: string): string[] {
  const names = definition.match(SCIENTIFIC_NAME) ?? []
  const words = definition
    .replace(NOTE, ' ')
    .split(/[;,/]/)
    .map((part) => part.trim())
    .filter((part) => part !== '' && !NO_TRANSLATION.test(part) && !/\p{Script=Han}/u.test(part))
    .map((part) => part.replace(LEADING, '').trim())
    .filter((part) => part !== '' && part.split(/\s+/).length <= LONGEST.en)
  return [...words, ...names]
}

/** @param db one that `buildDictionary` has filled */
export function openDictionary(db: Database): Dictionary {
  const store: TermStore = openTermStore(db)
  const correct = speller((...range) => store.between(...range).map((token) => ({ token, passages: 0 })), SURE_LETTERS)
  return {
    translate(lang, term) {
      let words = store.words(lang, term)
      if (lang === 'en' && !term.includes(' ')) {
        if (words.length === 0) words = store.words('pinyin', term)
        // English has more forms of a word than its stem tells: "religious" is a matter of "religion".
        if (words.length === 0) words = store.relatives(term)
        // Nor is there one way to spell: CC-CEDICT writes "septicaemia".
        if (words.length === 0) words = store.words('en', correct(term) ?? '')
      }
      return words.map((tokens) => tokens.split(' '))
    },
  }
}
