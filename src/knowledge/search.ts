/** Owns ranking: the index proposes passages by BM25, then their best sentence, titles and aliases decide the order. */
import { type Fit, fitter } from './fit.js'
import type { Hit } from './model.js'
import type { Query } from './query.js'
import type { Group } from './retrieve.js'
import type { View } from './scope.js'
import { type Candidate, SHARED, type Store } from './store.js'

/** Passages that are looked at more closely, unless more are wanted. */
const CANDIDATES = 25
/** Translations bring many words that were not meant. */
const TRANSLATED_CANDIDATES = 40

/** What each signal adds to a passage's BM25, which itself is scaled so that the best candidate has 1. */
const SENTENCE = 0.8
const NEARNESS = 0.4
const NAME = 1
/** A passage in the other language than the question's answers it less well, all else being equal. */
const OTHER_LANGUAGE = 0.9
/** And a shipped one less well than the team's own. */
const WHAT_SHIPS = 0.6
const BEST_OF_A_LIST = 3
/** What a passage loses at most when it is about another system than the one that was named. */
const NOT_THE_SUBJECT = 0.5

/** A candidate with everything that is known about how it fits. */
export interface Ranked extends Fit {
  candidate: Candidate
  score: number
}

/** @param most how many are wanted @returns candidates, best first; several may belong to one card */
export function rank(query: Query, view: View, most = 0): Ranked[] {
  const groups: Group[] = query.tokens.map((token) => ({ weight: view.rarity(token), tokens: [{ token, share: 1 }] }))
  const fitOf = fitter(query, view)
  const candidates = view.candidates(groups, Math.max(CANDIDATES, most))
  const fits = candidates.map(fitOf)
  return inOrder(candidates, fits, sharesOfBest(fits.map(({ single }) => single)), 1)
}

/** The same for a question that was translated: what its own language knows goes before it. */
export function rankTranslated(query: Query, view: View, most = 0): Ranked[] {
  const groups = query.needs.map(
    ({ strong, phrases = [], weight }): Group => ({
      weight,
      tokens: [...strong.map((token) => ({ token, share: 1 })), ...phrases.flatMap(sharedOut)],
    }),
  )
  const fitOf = fitter(query, view)
  const candidates = view.candidates(groups, Math.max(TRANSLATED_CANDIDATES, most))
  const fits = candidates.map(fitOf)
  // Measured on XQuAD: every word for itself beside all words of a need as one finds more than either alone.
  const single = sharesOfBest(fits.map((fit) => fit.single))
  const grouped = sharesOfBest(fits.map((fit) => fit.grouped))
  const mixed = sharesOfBest(fits.map((_, i) => (single[i] ?? 0) + (grouped[i] ?? 0)))
  return inOrder(candidates, fits, mixed, OTHER_LANGUAGE)
}

/** A phrase is there when all of its tokens are. */
const sharedOut = (phrase: readonly string[]): Group['tokens'] =>
  phrase.map((token) => ({ token, share: 1 / phrase.length }))

function sharesOfBest(values: readonly number[]): number[] {
  const best = Math.max(...values, Number.MIN_VALUE)
  return values.map((value) => value / best)
}

function inOrder(candidates: Candidate[], fits: Fit[], bm25: number[], factor: number): Ranked[] {
  return candidates
    .map((candidate, i): Ranked => {
      const fit = fits[i] as Fit
      const { sentence, nearness, name, covered, subject } = fit
      const relevance = (bm25[i] ?? 0) + SENTENCE * sentence + NEARNESS * nearness + NAME * name * covered
      return { ...fit, candidate, score: factor * relevance * (1 - NOT_THE_SUBJECT * (1 - subject)) }
    })
    .sort((a, b) => b.score - a.score || a.candidate.passage - b.candidate.passage)
}

/** The order of several lists in one. @param lists each best first; one shelf in one language is one list */
export function merged(lists: readonly Ranked[][]): Ranked[] {
  return lists
    .flatMap((list) => {
      // Scores of a list are shares of its best. How much the best are worth is told by how much of the question they cover.
      const worth = Math.sqrt(Math.max(0, ...list.slice(0, BEST_OF_A_LIST).map(({ covered }) => covered)))
      return list.map((item) => ({
        ...item,
        score: item.score * worth * (item.candidate.tenant === SHARED ? WHAT_SHIPS : 1),
      }))
    })
    .sort((a, b) => b.score - a.score)
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
