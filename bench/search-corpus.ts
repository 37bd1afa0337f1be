/**
 * Owns the synthetic corpus that searching is measured on: passages in two languages, half each, whose words are as
 * unevenly frequent and as topical as those of real text, and questions with a known answer. Everything is made by its
 * number alone, so a million passages take no memory, and every process sees the same ones.
 */
import { hashOf, pick, randomFrom, rankOf, zipfBetween } from './search-random.js'
import { chineseWord, englishWord, GRAMMAR_WORDS, type Vocabulary } from './search-words.js'

export interface CorpusPassage {
  readonly id: string
  readonly lang: 'zh' | 'en'
  readonly title: string
  readonly text: string
}

export interface CorpusQuery {
  readonly text: string
  /** The passage that it was made from. */
  readonly id: string
  readonly lang: 'zh' | 'en'
  /** `frequent`: made only from words that many passages have, which is harder. */
  readonly kind: 'mixed' | 'frequent'
}

export interface Corpus {
  readonly size: number
  passage(index: number): CorpusPassage
  passages(): Generator<CorpusPassage>
  query(index: number): CorpusQuery
}

interface ContentWord {
  readonly word: string
  readonly rank: number
}

type Lang = CorpusPassage['lang']

const TOPICS = 4000
const WORDS_OF_TOPIC = 60
/** Between these ranks are the words that make a topic. */
const TOPIC_RANKS = { least: 40, most: 60_000 } as const
/** How often a content word is one that the passage has had, one of its topic, one that likes to follow the last one. */
const REPEATED = 0.2
const TOPICAL = 0.3
const COLLOCATED = 0.2
const COLLOCATES = 20
/** How often it is a number, or of the other language. */
const NUMERIC = 0.03
const FOREIGN = 0.03
const FOREIGN_RANKS = 20_000
const INFLECTED = 0.15
const GRAMMAR_SHARE = { en: 0.47, zh: 0.42 } as const
const COMMA = 0.08
/** Words up to this rank are in a good part of all passages. */
const FREQUENT_RANK = 800
/** What a number or a product name counts as. */
const NUMERIC_RANK = 50_000

/** In words. */
const LONGEST_TITLE = 5

// What a hash is for, so that numbers of different things never give the same one.
const PASSAGE = 1
const QUERY = 2
const TOPIC = 3
const COLLOCATE = 4

const OPENINGS = {
  en: ['How do I', 'How does the', 'What is the', 'Why is the', 'When should I', 'Where can I find the', 'Can I', ''],
  zh: ['为什么', '怎么', '如何', '什么是', '请问', '能不能', '在哪里可以', ''],
} as const
const LINKS = {
  en: ['the', 'of the', 'in', 'and', 'for a', 'with', 'to', 'from', '', '', '', ''],
  zh: ['的', '和', '在', '与', '对', '', '', ''],
} as const
const ENDINGS = {
  en: ['?', '?', ' work?', ' or not?', ''],
  zh: ['？', '吗？', '是什么？', '怎么办？', ''],
} as const

/** @param seed another one makes another corpus with the same properties */
export function makeCorpus(size: number, vocabulary: Vocabulary, seed = 1): Corpus {
  const wordAt = (lang: Lang, rank: number): string =>
    lang === 'en' ? englishWord(vocabulary, rank) : chineseWord(vocabulary, rank)

  function numeric(random: () => number): string {
    const kind = random()
    const number = Math.floor(10 ** (1 + 3 * random()))
    if (kind < 0.5) return String(number)
    if (kind < 0.75) return `${number % 20}.${Math.floor(random() * 10)}`
    return `${englishWord(vocabulary, number).slice(0, 2).toUpperCase()}-${number}`
  }

  function contentWord(lang: Lang, topic: number, own: ContentWord[], random: () => number): ContentWord {
    const kind = random()
    if (kind < REPEATED && own.length > LONGEST_TITLE) return pick(own, random())
    if (kind > 1 - NUMERIC) return { word: numeric(random), rank: NUMERIC_RANK }
    if (lang === 'zh' && kind > 1 - NUMERIC - FOREIGN) {
      const rank = rankOf(random()) % FOREIGN_RANKS
      return { word: wordAt('en', rank), rank: rank + FREQUENT_RANK }
    }
    const rank = rankBy(kind, topic, own.at(-1)?.rank ?? 0, random)
    const word = wordAt(lang, rank)
    return { word: lang === 'en' && random() < INFLECTED ? inflected(word, random()) : word, rank }
  }

  function rankBy(kind: number, topic: number, last: number, random: () => number): number {
    if (kind < REPEATED + TOPICAL) {
      const chance = hashOf(seed, TOPIC, topic, zipfBetween(1, WORDS_OF_TOPIC, random())) / 2 ** 32
      return zipfBetween(TOPIC_RANKS.least, TOPIC_RANKS.most, chance)
    }
    if (kind < REPEATED + TOPICAL + COLLOCATED) {
      return rankOf(hashOf(seed, COLLOCATE, last, zipfBetween(1, COLLOCATES, random())) / 2 ** 32)
    }
    return rankOf(random())
  }

  function compose(index: number): CorpusPassage & { content: readonly ContentWord[] } {
    const lang = index % 2 === 0 ? 'en' : 'zh'
    const random = randomFrom(hashOf(seed, PASSAGE, index))
    const topic = Math.floor(TOPICS * random() ** 2)
    const content: ContentWord[] = []
    const next = (): string => {
      const drawn = contentWord(lang, topic, content, random)
      content.push(drawn)
      return drawn.word
    }
    const words = Array.from({ length: 2 + Math.floor((LONGEST_TITLE - 1) * random()) }, next)
    const title = lang === 'en' ? capitalized(words.join(' ')) : words.join('')
    const text = lang === 'en' ? englishText(next, random) : chineseText(next, random)
    return { id: `${lang}-${index}`, lang, title, text, content }
  }

  function passage(index: number): CorpusPassage {
    const { content: _, ...made } = compose(index)
    return made
  }

  return {
    size,
    passage,
    *passages() {
      for (let index = 0; index < size; index++) yield passage(index)
    },
    query(index) {
      const random = randomFrom(hashOf(seed, QUERY, index))
      const made = compose(Math.floor((random() * size) / 2) * 2 + (index % 2))
      const kind = index % 10 < 8 ? 'mixed' : 'frequent'
      const words = queryWords(made.content, kind, random)
      return { text: question(words, made.lang, random), id: made.id, lang: made.lang, kind }
    },
  }
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

function inflected(word: string, chance: number): string {
  if (/(?:s|ed|ing|[^a-z].*)$/.test(word)) return word
  if (chance < 0.5) return /(?:x|z|ch|sh)$/.test(word) ? `${word}es` : `${word}s`
  const stem = word.replace(/e$/, '')
  return chance < 0.75 ? `${stem}ed` : `${stem}ing`
}

/** @returns 30 to 100 words */
function englishText(next: () => string, random: () => number): string {
  const count = 30 + Math.floor(71 * random())
  let [text, left, before, isStart] = ['', 0, '', true]
  for (let i = 0; i < count; i++) {
    if (left === 0) left = Math.min(count - i, 7 + Math.floor(16 * random()))
    left -= 1
    const isGrammar = left > 0 && random() < GRAMMAR_SHARE.en
    let word = isGrammar ? pick(GRAMMAR_WORDS.en, random()) : next()
    if (word === before) word = next()
    before = word
    text += isStart ? capitalized(word) : ` ${word}`
    isStart = left === 0
    if (isStart) text += i === count - 1 ? '.' : '. '
    else if (!isGrammar && random() < COMMA) text += ','
  }
  return text
}

/** @returns 60 to 200 characters */
function chineseText(next: () => string, random: () => number): string {
  const length = 60 + Math.floor(136 * random())
  let [text, clause, sentence, before] = ['', 0, 0, '']
  while (text.length < length) {
    const isGrammar = clause > 0 && random() < GRAMMAR_SHARE.zh
    let word = isGrammar ? pick(GRAMMAR_WORDS.zh, random()) : next()
    if (word === before) word = next()
    before = word
    text += word
    clause += word.length
    sentence += word.length
    if (isGrammar || clause < 6 + 12 * random()) continue
    const isEnd = sentence > 16 + 24 * random()
    text += isEnd ? '。' : '，'
    clause = 0
    if (isEnd) sentence = 0
  }
  return `${text.replace(/[，。]$/, '')}。`
}

/** @returns 3 to 9 words of a passage in any order; of the mixed ones at least one frequent and one rare */
function queryWords(content: readonly ContentWord[], kind: CorpusQuery['kind'], random: () => number): string[] {
  const shuffled = <T>(items: readonly T[]): T[] =>
    items
      .map((item) => ({ item, order: random() }))
      .sort((a, b) => a.order - b.order)
      .map(({ item }) => item)
  const ranked = [...new Map(content.map((one) => [one.word, one])).values()].sort((a, b) => a.rank - b.rank)
  const frequent = ranked.slice(0, Math.max(3, ranked.filter(({ rank }) => rank < FREQUENT_RANK).length))
  const third = Math.ceil(ranked.length / 3)
  const chosen =
    kind === 'frequent'
      ? shuffled(frequent)
      : [pick(ranked.slice(0, third), random()), pick(ranked.slice(-third), random()), ...shuffled(ranked)]
  return shuffled([...new Set(chosen)].slice(0, 3 + Math.floor(7 * random()))).map(({ word }) => word)
}

function question(words: readonly string[], lang: Lang, random: () => number): string {
  const linked = words.flatMap((word, i) => (i === 0 ? [word] : [pick(LINKS[lang], random()), word]))
  const parts = [pick(OPENINGS[lang], random()), ...linked].filter((part) => part !== '')
  return parts.join(lang === 'en' ? ' ' : '') + pick(ENDINGS[lang], random())
}
