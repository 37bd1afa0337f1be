/** Owns the reading of a question: which of its words carry it, how rare each is, and how much of it a text covers. */
import { type Intent, intentOf, languageOf } from './language.js'
import type { Lang } from './model.js'
import { type Term, terms, tokensOf } from './tokenize.js'

/** Longer questions are cut: nobody asks in more, and every term costs a look-up. */
export const LONGEST_QUESTION = 600
const MOST_TOKENS = 96
const LIGHTEST_WORD = 1.5

/** Words of politeness and asking. They stay in the index, but a question is not about them. */
const ASKING = new Set(
  `please tell know want need wanna gonna help explain describe hello hi hey thank thanks okay ok someone somebody anyone
  anybody something thing things way lot really actually maybe guys bro morning evening bye lol dear sir mean means meaning im ive id
  whats hows wheres let lets could try exactly basically happen happens happened come came good still anyone nowadays
  today currently beginner newbie sentence sentences pls plz thx now`
    .split(/\s+/)
    .map((word) => tokensOfWord(word)),
)

function tokensOfWord(word: string): string {
  const [term] = terms(word)
  return term?.kind === 'word' ? term.token : word
}

// Longest first. What is left of a run after these are taken out is what the question is about.
const ASKING_HAN = new RegExp(
  [
    '能干嘛|干嘛|还有人用|何时|何地|何种|哪年|为什么|为啥|是什么|什么是|有什么|什么意思|什么时候|干什么|做什么|什么样|什么|怎么样|怎么办|怎么|怎样|如何|为何|咋样|咋|啥意思|是啥|啥',
    '哪一个|哪一种|哪些|哪个|哪种|哪里|哪儿|哪|多少|能不能|可不可以|会不会|要不要|是不是|有没有|是否|能否|可否|可以|请问|请教|告诉我|帮我|给我',
    '我想知道|想知道|我想|想要|我要|需要|应该|知道|一下|一个|一种|这个|那个|你好|您好|谢谢|多谢|再见|早上好|晚上好|在吗|大家|介绍|解释|说说|讲讲',
    '吗|呢|吧|啊|呀|哦|嘛|么|谁|的|了|是|请',
  ].join('|'),
  'u',
)
/** The kind of answer that is wanted, which the text that answers need not name: "in what year", "what is the name of". */
const KIND_OF_ANSWER = new RegExp(
  String.raw`\b(what|which|how)(?:\s+(?:is|was|are|were)\s+the)?\s+(?:many|much|long|century|centuries` +
    String.raw`|(?:year|month|day|date|decade|type|kind|sort|name|term|number|amount|percentage)s?)(?:\s+of)?\b`,
  'giu',
)
/** Grammar words that may also be half of a real word (性能, 共用): their bigrams count, they alone do not. */
export const WEIGHTLESS_HAN = new Set(
  '没在和与跟及或我你您他她它们把被给让要会能有这那就都也还对从到用里中个上下去来又再并而且为以之其所'.split(''),
)

/**
 * One thing a question asks about. A text covers it fully with any token of `strong`, and partly with tokens of `weak`.
 */
export interface Need {
  /** Rarity (idf) of the thing; what no passage holds is the rarest of all. */
  weight: number
  strong: string[]
  /** Every one of these covers an equal share of `weakValue`. */
  weak: string[]
  weakValue: number
  /** Other words for it: all tokens of one of them cover it fully. */
  phrases?: string[][]
  /** The thing is a system, called by its name. */
  named?: true
}

export interface Query {
  lang: Lang
  intent: Intent
  needs: Need[]
  /** Sum of the weights. 0 means that the question is about nothing we could look for. */
  weight: number
  /** Every token that any need could be answered by. */
  wanted: ReadonlySet<string>
  /** For the index: every token that any passage holds, rarest first. */
  tokens: string[]
}

/** What the reading needs to know of the base. */
export interface Vocabulary {
  passages: number
  frequency(token: string): number
  /** Whether a token is the name of a system: a question that names one is about that one. */
  isName(token: string): boolean
  /** A known token that was probably meant, for one that no passage holds. */
  correct(token: string): string | undefined
}

/** BM25's rarity, always positive. */
export const idf = (passages: number, frequency: number): number =>
  Math.log(1 + (passages - frequency + 0.5) / (frequency + 0.5))

/** @param question as typed, in any script */
export function readQuery(question: string, vocabulary: Vocabulary): Query {
  const text = question.slice(0, LONGEST_QUESTION)
  const { frequency } = vocabulary
  const rarity = (count: number) => idf(vocabulary.passages, count)
  // In a base about one field its main words are in every second passage, and still are what a question is about.
  const wordRarity = (count: number) => Math.max(LIGHTEST_WORD, rarity(count))

  const needs = mergeEqual(
    contentTerms(text).flatMap((term) =>
      term.kind === 'han' ? hanNeeds(term.run, frequency, rarity) : [wordNeed(term, frequency, wordRarity, vocabulary)],
    ),
  )
  // Grammar words of Chinese carry no need, but their bigrams may still tell two passages apart.
  const extra = contentTerms(text).flatMap(tokensOf)
  return queryOf({ lang: languageOf(text), intent: intentOf(text), needs, extra, vocabulary: { frequency } })
}

/** @param parts.extra tokens that may tell two passages apart, and are no need */
export function queryOf(parts: {
  lang: Lang
  intent: Intent
  needs: Need[]
  extra: readonly string[]
  vocabulary: Pick<Vocabulary, 'frequency'>
}): Query {
  const { lang, intent, needs, extra, vocabulary } = parts
  const wanted = new Set(needs.flatMap(tokensOfNeed))
  const counts = new Map([...new Set([...extra, ...wanted])].map((token) => [token, vocabulary.frequency(token)]))
  const tokens = [...counts]
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => a - b)
    .slice(0, MOST_TOKENS)
    .map(([token]) => token)
  return { lang, intent, needs, weight: needs.reduce((sum, need) => sum + need.weight, 0), wanted, tokens }
}

/** Every token that a need could be covered by. */
export const tokensOfNeed = ({ strong, weak, phrases = [] }: Need): string[] => [...strong, ...weak, ...phrases.flat()]

/** The terms of a question without its words of asking; a Han run falls into the runs between them. */
export function contentTerms(text: string): Term[] {
  return terms(text.replace(KIND_OF_ANSWER, '$1')).flatMap((term): Term[] => {
    if (term.kind === 'word') return ASKING.has(term.token) ? [] : [term]
    if (term.kind === 'compound') return [term]
    return term.run
      .split(ASKING_HAN)
      .filter((run) => run !== '')
      .map((run) => ({ kind: 'han', run }))
  })
}

type Frequency = (token: string) => number
type Rarity = (count: number) => number

/** Two characters make about one word, so each weighs less than a word of Latin letters beside it. */
const HAN_SHARE = 0.6

/**
 * Where words begin and end in a Han run is unknown, so every character is a need: it is covered by a bigram it belongs
 * to, and half covered when it stands in the text alone.
 */
function hanNeeds(run: string, frequency: Frequency, rarity: Rarity): Need[] {
  const chars = [...run]
  return chars.flatMap((char, i): Need[] => {
    if (WEIGHTLESS_HAN.has(char)) return []
    const before = chars[i - 1]
    const after = chars[i + 1]
    const bigrams = [before === undefined ? '' : before + char, after === undefined ? '' : char + after].filter(
      (bigram) => bigram !== '',
    )
    const known = Math.max(0, ...bigrams.map(frequency))
    const weight = HAN_SHARE * rarity(known > 0 ? known : frequency(char))
    if (bigrams.length === 0) return [{ weight, strong: [char], weak: [], weakValue: 0 }]
    return [{ weight, strong: bigrams, weak: [char], weakValue: 0.5 }]
  })
}

function wordNeed(
  term: Exclude<Term, { kind: 'han' }>,
  frequency: Frequency,
  rarity: Rarity,
  { isName, correct }: Pick<Vocabulary, 'isName' | 'correct'>,
): Need {
  if (term.kind === 'word') {
    if (frequency(term.token) > 0) {
      const weight = rarity(frequency(term.token))
      return { weight, strong: [term.token], weak: [], weakValue: 0, ...(isName(term.token) ? { named: true } : {}) }
    }
    // The corrected word counts for less, and the doubt keeps the weight of an unknown word.
    const meant = correct(term.token)
    return { weight: rarity(0), strong: [], weak: meant === undefined ? [] : [meant], weakValue: 0.9 }
  }
  const strong = [term.whole, ...(term.joined === undefined ? [] : [term.joined])]
  const counts = [...strong, ...term.parts].map(frequency).filter((count) => count > 0)
  const known = strong.map(frequency).filter((count) => count > 0)
  const count = Math.max(0, ...(known.length > 0 ? known : counts))
  const weight = rarity(count)
  return { weight, strong, weak: term.parts, weakValue: 0.85, ...(isName(term.whole) ? { named: true } : {}) }
}

/** The same need twice is still one need. */
function mergeEqual(needs: Need[]): Need[] {
  const byKey = new Map<string, Need>()
  for (const need of needs) byKey.set([...need.strong, '', ...need.weak].join(' '), need)
  return [...byKey.values()]
}

/** How far a set of tokens answers one need: 0..1. */
export function satisfaction(need: Need, tokens: { has(token: string): boolean }): number {
  if (need.strong.some((token) => tokens.has(token))) return 1
  if (need.phrases !== undefined && need.phrases.length > 0) {
    const said = Math.max(...need.phrases.map((phrase) => heldOf(phrase, tokens) / phrase.length))
    return said === 1 ? 1 : PART_OF_PHRASE * said
  }
  if (need.weak.length === 0) return 0
  return (need.weakValue * heldOf(need.weak, tokens)) / need.weak.length
}

/** "Sports team" is half said by "team". */
const PART_OF_PHRASE = 0.5

const heldOf = (wanted: readonly string[], tokens: { has(token: string): boolean }): number =>
  wanted.filter((token) => tokens.has(token)).length

/** The share of a question, by weight, that a text covers: 0..1; 0 for a question about nothing. */
export function coverage(query: Query, value: (need: Need, index: number) => number): number {
  if (query.weight === 0) return 0
  return query.needs.reduce((sum, need, i) => sum + need.weight * value(need, i), 0) / query.weight
}
