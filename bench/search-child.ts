/**
 * Owns one measurement in a process of its own, so that its memory is nobody else's: building an index, or searching
 * one. What an engine has in memory alone is searched where it was built.
 */
import { readFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { type CorpusPassage, type CorpusQuery, makeCorpus } from './search-corpus.js'
import { type Engine, type EngineKind, PEERS } from './search-engines.js'
import { HYPERCALL } from './search-hypercall.js'
import type { Vocabulary } from './search-words.js'

export interface Order {
  readonly engine: string
  readonly size: number
  readonly phase: 'build' | 'query'
  /** Where the engine's index is, or is to be. */
  readonly file: string
  /** JSON: Vocabulary. */
  readonly vocabulary: string
  /** JSON: Questions. */
  readonly questions: string
  /** Searching ends when it has taken this long, whether all questions were asked or not. */
  readonly searchSeconds: number
}

export interface Questions {
  readonly warmUp: readonly CorpusQuery[]
  readonly timed: readonly CorpusQuery[]
}

export interface Built {
  readonly what: 'built'
  /** Making the passages is not counted. */
  readonly seconds: number
  readonly bytes?: number
  /** Bytes held after building, garbage collected. */
  readonly rss: number
}

export interface Searched {
  readonly what: 'searched'
  /** As many as there was time for, in the order of the questions. */
  readonly answers: readonly { ms: number; place: number }[]
  readonly peakRss: number
  /** Share of the questions whose best five are those of exhaustive ranking; missing when the engine ranks no other way. */
  readonly agreement?: number
  /** The longest that the main thread could do nothing else while searches ran, in milliseconds. */
  readonly pause: number
}

export const ENGINES: readonly EngineKind[] = [HYPERCALL, ...PEERS]

/** How deep a hit is looked for. */
const DEPTH = 10
const COMPARED_DEPTH = 5
/** Questions for the figures that are not times of single searches. */
const MOST_COMPARED = 200

const readJson = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T

export async function carryOut(order: Order, report: (result: Built | Searched) => void): Promise<void> {
  const kind = ENGINES.find(({ name }) => name === order.engine)
  if (kind === undefined) throw new Error(`no engine is called ${order.engine}`)
  if (order.phase === 'query' && kind.open !== undefined) {
    report(await measureSearching(await kind.open(order.file), order))
    return
  }
  const engine = await kind.build(order.file)
  report(await measureBuilding(engine, order))
  if (kind.open === undefined) report(await measureSearching(engine, order))
}

async function measureBuilding(engine: Engine, { size, vocabulary }: Order): Promise<Built> {
  const corpus = makeCorpus(size, readJson<Vocabulary>(vocabulary))
  let making = 0
  function* timed(): Generator<CorpusPassage> {
    for (let index = 0; index < size; index++) {
      const from = performance.now()
      const passage = corpus.passage(index)
      making += performance.now() - from
      yield passage
    }
  }
  const from = performance.now()
  await engine.add(timed())
  await engine.finish()
  const seconds = (performance.now() - from - making) / 1000
  globalThis.gc?.()
  const bytes = engine.bytesOnDisk()
  return { what: 'built', seconds, ...(bytes === undefined ? {} : { bytes }), rss: process.memoryUsage.rss() }
}

/** @returns whether those seconds are not over yet */
function within(seconds: number): () => boolean {
  const until = performance.now() + seconds * 1000
  return () => performance.now() < until
}

async function measureSearching(engine: Engine, { questions, searchSeconds }: Order): Promise<Searched> {
  const { warmUp, timed } = readJson<Questions>(questions)
  const inTime = within(searchSeconds)
  for (const { text } of warmUp) if (inTime()) await engine.search(text, DEPTH)
  const answers: { ms: number; place: number }[] = []
  let peakRss = process.memoryUsage.rss()
  for (const { text, id } of timed) {
    if (answers.length > 0 && !inTime()) break
    const from = performance.now()
    const found = await engine.search(text, DEPTH)
    answers.push({ ms: performance.now() - from, place: found.indexOf(id) + 1 })
    peakRss = Math.max(peakRss, process.memoryUsage.rss())
  }
  const some = timed.slice(0, MOST_COMPARED)
  const inTimeToo = within(searchSeconds)
  const pause = await longestPause(async () => {
    for (const { text } of some) {
      if (!inTimeToo()) break
      await engine.search(text, DEPTH)
      await turn()
    }
  })
  const agreement = await agreementOf(engine, some, within(searchSeconds))
  return { what: 'searched', answers, peakRss, pause, ...(agreement === undefined ? {} : { agreement }) }
}

/** @returns the longest time in milliseconds that a timer of one millisecond was overdue */
async function longestPause(work: () => Promise<void>): Promise<number> {
  let [last, longest] = [performance.now(), 0]
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last - 1)
    last = now
  }, 1)
  await work()
  clearInterval(timer)
  return longest
}

async function agreementOf(
  engine: Engine,
  questions: readonly CorpusQuery[],
  inTime: () => boolean,
): Promise<number | undefined> {
  if (engine.searchExhaustively === undefined) return undefined
  let [agreed, compared] = [0, 0]
  for (const { text } of questions) {
    if (compared > 0 && !inTime()) break
    compared += 1
    const found = await engine.search(text, COMPARED_DEPTH)
    const expected = await engine.searchExhaustively(text, COMPARED_DEPTH)
    if (found.join('\n') === expected.join('\n')) agreed += 1
  }
  return agreed / compared
}
