/** Owns ranking: the index proposes passages by BM25, then their best sentence, titles and aliases decide the order. */
import type { Hit } from './model.js'
import { coverage, type Query, satisfaction } from './query.js'
import type { Candidate, Scope, Store } from './store.js'

/** Passages that are looked at more closely. */
const CANDIDATES = 60
/** Translations bring many words that were not meant. */
const TRANSLATED_CANDIDATES = 200
/** BM25's usual factors, as the index has them. */
/** How much a part of a phrase counts as the phrase. */
const PART = 0.3
const K1 = 1.2
const B = 0.75

/** What each signal adds to a passage's BM25, which itself is scaled so that the best candidate has 1. */
const SENTENCE = 0.8
const NEARNESS = 0.4
const NAME = 1
/** A passage in the other language than the question's answers it less well, all else being equal. */
const OTHER_LANGUAGE = 0.85
/** What a passage loses at most when it is about another system than the one that was named. */
const NOT_THE_SUBJECT = 0.5
/** How far a passage that only mentions a system is about it. */
const MENTIONED = 0.5
/** A sentence says less when its words are spread over two sentences or stand only in the headings above it. */
const CONTEXT = 0.6

/** A candidate with everything that is known about how it fits. All shares are 0..1. */
export interface Ranked {
  candidate: Candidate
  /** Share of the question that the passage, its headings and its names cover. */
  covered: number
  /** The same for each unit of the passage, words of title and headings counting less. */
  units: number[]
  /** The best of `units`. */
  sentence: number
  /** How nearly the title or an alias *is* the question. */
  name: number
  /** How nearly the passage's heading is. */
  heading: number
  /** Share of the question's neighbouring words that are neighbours in one sentence too. */
  nearness: number
  score: number
}

/** The same for a question that was translated: what its own language knows goes before it. */
export function rankTranslated(query: Query, store: Store, scope: Scope): Ranked[] {
  const candidates = store.candidates(query.tokens, scope, TRANSLATED_CANDIDATES)
  const lengths = candidates.map(lengthOf)
  const average = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length)
  // Measured on XQuAD: the index's own score beside the grouped one finds more than either alone.
  const single = sharesOfBest(candidates.map((candidate) => candidate.bm25))
  const grouped = sharesOfBest(candidates.map((one, i) => groupedBm25(query, one, (lengths[i] ?? 0) / average)))
  const mixed = candidates.map((candidate, i) => ({ ...candidate, bm25: (single[i] ?? 0) + (grouped[i] ?? 0) }))
  const best = Math.max(...mixed.map(({ bm25 }) => bm25), Number.MIN_VALUE)
  return inOrder(mixed.map((candidate) => measure(query, candidate, best))).map((item) => ({
    ...item,
    score: item.score * OTHER_LANGUAGE,
  }))
}

function sharesOfBest(values: readonly number[]): number[] {
  const best = Math.max(...values, Number.MIN_VALUE)
  return values.map((value) => value / best)
}

const lengthOf = ({ bodyTokens }: Candidate): number => bodyTokens.split(/[ \n]/).length

/**
 * BM25 with all translations of a term as one term: their occurrences add up, and the rarity is the need's. The index
 * counts each of them for itself, so a term with ten translations would weigh as much as ten terms.
 * @param length of the passage, as a share of the average
 */
function groupedBm25(query: Query, candidate: Candidate, length: number): number {
  const counts = new Map<string, number>()
  const count = (tokens: string, times: number) => {
    for (const token of tokens.split(/[ \n]/)) {
      if (query.wanted.has(token)) counts.set(token, (counts.get(token) ?? 0) + times)
    }
  }
  count(candidate.titleTokens, 3)
  count(candidate.aliasTokens, 3)
  count(candidate.headingTokens, 2)
  count(candidate.bodyTokens, 1)
  return query.needs.reduce((sum, { strong, phrases = [], weight }) => {
    const occurrences = [...strong.map((token) => [token]), ...phrases].map((tokens) => {
      const times = tokens.map((token) => counts.get(token) ?? 0)
      return Math.min(...times) || Math.max(...times) * PART
    })
    const frequency = occurrences.reduce((total, times) => total + times, 0)
    return sum + (weight * frequency * (K1 + 1)) / (frequency + K1 * (1 - B + B * length))
  }, 0)
}

/** @returns candidates, best first; several may belong to one card */
export function rank(query: Query, store: Store, scope: Scope): Ranked[] {
  const candidates = store.candidates(query.tokens, scope, CANDIDATES)
  const best = Math.max(...candidates.map((candidate) => candidate.bm25), Number.MIN_VALUE)
  return inOrder(candidates.map((candidate) => measure(query, candidate, best)))
}

const inOrder = (ranked: Ranked[]): Ranked[] =>
  ranked.sort((a, b) => b.score - a.score || a.candidate.passage - b.candidate.passage)

function measure(query: Query, candidate: Candidate, bestBm25: number): Ranked {
  const names = [candidate.titleTokens, ...candidate.aliasTokens.split('\n')].map(words)
  const lines = candidate.bodyTokens.split('\n').map(words)
  const heading = words(candidate.headingTokens)
  const context = new Set([...names.flat(), ...heading])
  const inContext = query.needs.map((need) => satisfaction(need, context))

  // For each need, how well anything in the passage answers it.
  const anywhere = [...inContext]
  let nearness = 0
  const units = lines.map((line) => {
    const places = placesOf(query, line)
    nearness = Math.max(nearness, adjacency(query, places))
    return coverage(query, (need, i) => {
      const said = satisfaction(need, places)
      anywhere[i] = Math.max(anywhere[i] ?? 0, said)
      return Math.max(said, CONTEXT * (inContext[i] ?? 0))
    })
  })
  const covered = coverage(query, (_, i) => anywhere[i] ?? 0)
  const sentence = Math.max(0, ...units)
  const name = Math.max(0, ...names.map((tokens) => likeness(query, tokens)))
  const relevance = candidate.bm25 / bestBm25 + SENTENCE * sentence + NEARNESS * nearness + NAME * name * covered
  const subject = subjectOf(query, inContext, anywhere)
  return {
    candidate,
    covered,
    units,
    sentence,
    name,
    heading: likeness(query, heading),
    nearness,
    score: relevance * (1 - NOT_THE_SUBJECT * (1 - subject)),
  }
}

/** How far the systems that a question names are what a passage is about: 0..1; 1 for a question that names none. */
function subjectOf(query: Query, inContext: readonly number[], anywhere: readonly number[]): number {
  let [sum, count] = [0, 0]
  query.needs.forEach((need, i) => {
    if (need.named !== true) return
    count += 1
    sum += Math.max(inContext[i] ?? 0, MENTIONED * (anywhere[i] ?? 0))
  })
  return count === 0 ? 1 : sum / count
}

const words = (tokens: string): string[] => (tokens === '' ? [] : tokens.split(' '))

/**
 * How nearly a name (a title, an alias) is the question: the harmonic mean of how much of the question the name covers
 * and how much of the name the question uses, so that "docker" is not the name of "docker swarm on a mainframe".
 */
function likeness(query: Query, name: string[]): number {
  if (!name.some((token) => query.wanted.has(token))) return 0
  const set = new Set(name)
  const asked = coverage(query, (need) => satisfaction(need, set))
  const used = [...set].filter((token) => query.wanted.has(token)).length / set.size
  return asked + used === 0 ? 0 : (2 * asked * used) / (asked + used)
}

/** Where each token that the question wants stands in a line. */
function placesOf(query: Query, line: string[]): Map<string, number[]> {
  const places = new Map<string, number[]>()
  line.forEach((token, at) => {
    if (!query.wanted.has(token)) return
    const before = places.get(token)
    if (before === undefined) places.set(token, [at])
    else before.push(at)
  })
  return places
}

/** Neighbours in a line are at most this many tokens apart: grammar words are gone, Han bigrams stand in between. */
const NEIGHBOURS = 3

/** Share of the question's neighbouring needs that also stand near each other, in this order, in one line. */
function adjacency(query: Query, line: ReadonlyMap<string, number[]>): number {
  const pairs = query.needs.length - 1
  if (pairs < 1) return 0
  const places = query.needs.map(({ strong, weak, phrases = [] }) => {
    const tokens = strong.length > 0 || phrases.length > 0 ? [...strong, ...phrases.flat()] : weak
    return tokens.flatMap((token) => line.get(token) ?? [])
  })
  let near = 0
  for (let i = 0; i < pairs; i += 1) {
    const second = places[i + 1] ?? []
    if (places[i]?.some((a) => second.some((b) => b > a && b - a <= NEIGHBOURS)) === true) near += 1
  }
  return near / pairs
}

/** The best passage of each card, best card first. */
export function bestPerCard(ranked: Ranked[]): Ranked[] {
  const seen = new Set<string>()
  return ranked.filter(({ candidate }) => {
    const key = `${candidate.lang}/${candidate.card}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

/** Longest snippet of a hit, in characters. */
const SNIPPET = 240

export function toHit(ranked: Ranked, store: Store): Hit {
  const { candidate } = ranked
  const units = store.passage(candidate.passage)?.units ?? []
  const at = ranked.units.indexOf(ranked.sentence)
  const snippet = (units[at] ?? units[0])?.text.replace(/\s+/g, ' ') ?? ''
  return {
    passage: String(candidate.passage),
    card: candidate.card,
    title: candidate.title,
    heading: candidate.heading,
    lang: candidate.lang,
    snippet: snippet.length > SNIPPET ? `${snippet.slice(0, SNIPPET - 1)}…` : snippet,
    score: ranked.score,
  }
}
