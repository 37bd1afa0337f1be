/** Owns the closer look at a passage that the index found: every way in which it fits the question. */
import { at } from './maps.js'
import { type Match, matcherOf } from './matches.js'
import { WEIGHTS } from './packing.js'
import { saturation } from './postings.js'
import { type Need, type Query, satisfaction, tokensOfNeed } from './query.js'
import type { View } from './scope.js'
import type { Candidate } from './store.js'
import { unpackTokens } from './tokenize.js'

/** All but the first two are shares, 0..1. */
export interface Fit {
  /** BM25, each token for itself. */
  single: number
  /** BM25 with all words for one need as one word. */
  grouped: number
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
  /** How far the systems that the question names are what the passage is about; 1 when it names none. */
  subject: number
}

/** How much a part of a phrase counts as the phrase. */
const PART = 0.3
/** How far a passage that only mentions a system is about it. */
const MENTIONED = 0.5
/** A sentence says less when its words are spread over two sentences or stand only in the headings above it. */
const CONTEXT = 0.6
/** Neighbours in a line are at most this many tokens apart: grammar words are gone, Han bigrams stand in between. */
const NEIGHBOURS = 3

/** What each need of the question gets from a text, 0..1. */
type Values = readonly number[]

export function fitter(query: Query, view: View): (candidate: Candidate) => Fit {
  const { needs, wanted } = query
  const forBm25 = new Set(query.tokens)
  const matchesIn = matcherOf(new Set([...wanted, ...forBm25]))
  const needsOf = new Map<string, number[]>()
  needs.forEach((need, i) => {
    for (const token of new Set(tokensOfNeed(need))) at(needsOf, token, () => []).push(i)
  })
  const none: Values = needs.map(() => 0)

  const valuesOf = (tokens: ReadonlySet<string>): Values => {
    const values = [...none]
    const seen = new Set<number>()
    for (const token of tokens) for (const i of needsOf.get(token) ?? []) seen.add(i)
    for (const i of seen) values[i] = satisfaction(needs[i] as Need, tokens)
    return values
  }
  const coverage = (values: Values): number =>
    query.weight === 0 ? 0 : values.reduce((sum, value, i) => sum + value * (needs[i] as Need).weight, 0) / query.weight

  /**
   * How nearly a name (a title, an alias) is the question: the harmonic mean of how much of the question the name covers
   * and how much of the name the question uses, so that "docker" is not the name of "docker swarm on a mainframe".
   */
  const likeness = (packed: string, matches: readonly Match[]): number => {
    const used = new Set(matches.map(({ token }) => token).filter((token) => wanted.has(token)))
    if (used.size === 0) return 0
    const asked = coverage(valuesOf(used))
    const share = used.size / new Set(unpackTokens(packed)).size
    return (2 * asked * share) / (asked + share)
  }

  /** Share of the question's neighbouring needs that also stand near each other, in this order, in one line. */
  const adjacency = (matches: readonly Match[]): number => {
    const pairs = needs.length - 1
    if (pairs < 1 || matches.length < 2) return 0
    const places: number[][] = needs.map(() => [])
    for (const { token, place } of matches) {
      for (const i of needsOf.get(token) ?? []) {
        const { strong, weak, phrases = [] } = needs[i] as Need
        const isPart = !strong.includes(token) && weak.includes(token)
        if (!isPart || (strong.length === 0 && phrases.length === 0)) places[i]?.push(place)
      }
    }
    let near = 0
    for (let i = 0; i < pairs; i += 1) {
      const second = places[i + 1] ?? []
      if (places[i]?.some((a) => second.some((b) => b > a && b - a <= NEIGHBOURS)) === true) near += 1
    }
    return near / pairs
  }

  const subjectOf = (inContext: Values, anywhere: Values): number => {
    let [sum, count] = [0, 0]
    needs.forEach((need, i) => {
      if (need.named !== true) return
      count += 1
      sum += Math.max(inContext[i] ?? 0, MENTIONED * (anywhere[i] ?? 0))
    })
    return count === 0 ? 1 : sum / count
  }

  return (candidate) => {
    const counts = new Map<string, number>()
    const read = (packed: string, weight: number): Match[] => {
      const matches = matchesIn(packed)
      for (const { token } of matches) counts.set(token, (counts.get(token) ?? 0) + weight)
      return matches
    }
    const context = new Set<string>()
    const named = (packed: string, weight: number): number => {
      const matches = read(packed, weight)
      for (const { token } of matches) context.add(token)
      return matches.length === 0 ? 0 : likeness(packed, matches)
    }
    const title = named(candidate.titleTokens, WEIGHTS.title)
    const aliases = candidate.aliasTokens.split('\n').map((alias) => named(alias, WEIGHTS.aliases))
    const heading = named(candidate.headingTokens, WEIGHTS.heading)
    const inContext = valuesOf(context)
    const fromContext = coverage(inContext.map((value) => CONTEXT * value))

    const anywhere = [...inContext]
    let nearness = 0
    const units = candidate.bodyTokens.split('\n').map((line) => {
      const matches = read(line, WEIGHTS.body)
      if (matches.length === 0) return fromContext
      nearness = Math.max(nearness, adjacency(matches))
      const said = valuesOf(new Set(matches.map(({ token }) => token)))
      return coverage(
        said.map((value, i) => {
          anywhere[i] = Math.max(anywhere[i] ?? 0, value)
          return Math.max(value, CONTEXT * (inContext[i] ?? 0))
        }),
      )
    })

    const bm25 = (frequency: number) => saturation(frequency, candidate.length, view.averageLength)
    let single = 0
    for (const [token, count] of counts) if (forBm25.has(token)) single += view.rarity(token) * bm25(count)
    // Each for itself, a term with ten translations would weigh as much as ten terms: here their occurrences add up.
    const grouped = needs.reduce((sum, { strong, phrases = [], weight }) => {
      let frequency = 0
      for (const token of strong) frequency += counts.get(token) ?? 0
      for (const phrase of phrases) {
        const times = phrase.map((token) => counts.get(token) ?? 0)
        frequency += Math.min(...times) || Math.max(...times) * PART
      }
      return frequency === 0 ? sum : sum + weight * bm25(frequency)
    }, 0)

    return {
      single,
      grouped,
      covered: coverage(anywhere),
      units,
      sentence: Math.max(0, ...units),
      name: Math.max(title, ...aliases),
      heading,
      nearness,
      subject: subjectOf(inContext, anywhere),
    }
  }
}
