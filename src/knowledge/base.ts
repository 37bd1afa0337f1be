/** Owns the base itself, put together from this room's parts: cards in two languages, found and quoted, in the caller's thread. */

import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { answerQuestion, quoteOpenings, THRESHOLD } from './answer.js'
import { readCards } from './cards.js'
import { type Diagrams, diagramOf, readDiagrams } from './diagrams.js'
import { type Dictionary, NO_DICTIONARY } from './dictionary.js'
import { toMarkdownFile } from './document.js'
import { type ImportOptions, type ImportReport, importDocuments } from './import.js'
import { languageOf, otherThan } from './language.js'
import type { Answer, Comparison, Hit, IngestReport, Lang } from './model.js'
import { readQuery } from './query.js'
import { LARGE_SHELF, openViews } from './scope.js'
import { bestPerCard, merged, rank, rankTranslated, toHit } from './search.js'
import { type Change, openStore, SHARED, type Store } from './store.js'
import {
  type Choice,
  chooseSystem,
  comparedIn,
  compareSystems,
  NO_SYSTEMS,
  readSystems,
  type SystemTable,
  systemNamed,
} from './systems.js'
import { openTeam, type Team } from './team.js'
import { fold } from './tokenize.js'
import { translateQuery } from './translate.js'

export interface KnowledgeBase extends Team {
  /**
   * Makes the base equal to the cards below `dir/zh` and `dir/en`: new ones are added, changed ones replaced, vanished
   * ones removed, unchanged ones (by content hash) left alone. A file that cannot be read as a card is reported, and
   * what was known from it before is kept. All of it happens in one transaction. What `load` reads is read as well.
   * @throws the file system's error when `dir` is missing or no folder; Error for a broken facts table
   */
  ingest(dir: string): Promise<IngestReport>
  /**
   * Reads what stands beside the cards and is kept in memory: the facts table `systems.yaml` and the list of diagrams, if
   * they are there.
   * @throws Error for a broken one
   */
  load(dir: string): Promise<void>
  /**
   * Takes documents into a tenant's own cards. @see importDocuments
   * @param onProgress told what is safe whenever something has been written
   */
  import(
    source: AsyncIterable<Uint8Array>,
    options: ImportOptions,
    onProgress?: (report: ImportReport) => void,
  ): Promise<ImportReport>
  /**
   * A tenant's own cards as files that can be imported again, in the order of their language and id.
   * @param after the last one of the page before
   */
  files(tenant: string, after: { lang: Lang; id: string } | undefined): CardFile[]
  /**
   * @param query any text; nothing in it is query syntax
   * @param options.limit 1..50 hits, default 10 @param options.lang only cards of this language, default both
   * @param options.tenant whose own cards are found beside the shared ones, default nobody's
   * @returns at most one hit per card and language, best first; none for a query without content words
   */
  search(query: string, options?: { limit?: number; lang?: Lang | null; tenant?: string }): Hit[]
  /**
   * @param options.tenant as for `search`
   * @param options.lang the language to answer in; by default the question's. When only the other language knows, the
   *   answer is in that one, and `lang` says so.
   */
  answer(question: string, options?: { lang?: Lang; tenant?: string }): Answer
  /**
   * @param names of two to four systems, by id or as people write them
   * @returns their facts beside each other, or the first name that no system has
   */
  compare(names: readonly string[], lang: Lang): Comparison | { unknown: string }
  /** @param answers a digit a question, in order: 1 for its first option, 0 for none @returns what to ask next, or what fits */
  choose(answers: string, lang: Lang): Choice
  /** The systems that there is a facts table of, by name. */
  systems(): { id: string; name: string }[]
  /** What can be asked about: introductions first, then by title. */
  topics(lang: Lang): { card: string; title: string }[]
  stats(): { cards: number; passages: number }
}

/** A card in both forms that can be imported again: a row of JSON Lines, and a Markdown file. */
export interface CardFile {
  lang: Lang
  id: string
  collection: string
  title: string
  text: string
  tags: string[]
  /** The address of its first source. */
  url?: string
  markdown: string
}

type Awaitable<T> = T | Promise<Awaited<T>>

/** The base, here or in a thread of its own: whoever asks waits for what it says. */
export type Knowledge = {
  readonly [Method in keyof KnowledgeBase]: (
    ...given: Parameters<KnowledgeBase[Method]>
  ) => Awaitable<ReturnType<KnowledgeBase[Method]>>
}

const MOST_HITS = 50
/** A question of which so much stands in one passage is taken to be known in its own language. */
const WELL_COVERED = 0.5
/** Cards that `files` gives at once. */
const PAGE = 100
/** What is compared with a text to find its like: enough to tell what it is about. */
const LONGEST_LIKE = 400

/**
 * @param db an open database (WAL is the caller's choice); tables named `knowledge_*` are made in it when missing
 * @param dictionary what a term of one language may be called in the other; without one, only shared names cross over
 */
export function openKnowledge(
  db: Database,
  dictionary: Dictionary = NO_DICTIONARY,
  { prune = true }: { prune?: boolean } = {},
): KnowledgeBase {
  const store = openStore(db)
  let table: SystemTable = NO_SYSTEMS
  let diagrams: Diagrams = []
  const views = openViews(store, (token) => table.nameTokens.has(token), prune)
  /** A comparison is answered with its table, and with sentences that speak of each of the systems. */
  function answer(question: string, options: { lang?: Lang; tenant?: string }): Answer {
    const { tenant = SHARED } = options
    const given = answerQuestion(question, { ...options, tenant }, store, views, dictionary)
    const compared = comparedIn(question, table)
    if (compared.length === 0) return given
    const lang = options.lang ?? languageOf(question)
    const comparison = compareSystems(compared, lang, table)
    const said = fold(given.answer)
    if (given.found && compared.every(({ names }) => names.some((name) => said.includes(name)))) {
      return { ...given, comparison }
    }
    const cards = [...new Set(compared.map(({ card }) => card))].map((id) => ({ tenant: SHARED, lang, id }))
    const openings = quoteOpenings(cards, store)
    if (openings.citations.length === 0) return given
    return { ...given, ...openings, found: true, confidence: Math.max(given.confidence, THRESHOLD), lang, comparison }
  }

  async function load(dir: string): Promise<void> {
    table = (await readSystems(join(dir, 'systems.yaml'))) ?? table
    diagrams = (await readDiagrams(join(dir, 'diagrams', 'diagrams.yaml'))) ?? diagrams
  }

  function search(
    query: string,
    { limit = 10, lang = null, tenant = SHARED }: { limit?: number; lang?: Lang | null; tenant?: string } = {},
  ): Hit[] {
    const asked = languageOf(query)
    const other = otherThan(asked)
    const most = Math.max(1, Math.min(MOST_HITS, Math.trunc(limit)))
    const own = lang === other ? [] : views(tenant, asked).map((view) => rank(readQuery(query, view), view, most))
    // Each word has many translations, and on a large shelf each of them many passages: that is for what is not known here.
    const isKnown = lang === null && own.some(([best]) => best !== undefined && best.covered >= WELL_COVERED)
    const translated =
      lang === asked ? [] : views(tenant, other).filter((view) => !isKnown || view.passages < LARGE_SHELF)
    const inOther = (isLoose: boolean) =>
      translated.map((view) => rankTranslated(translateQuery(query, other, view, dictionary, isLoose), view, most))
    const ranked = merged([...own, ...inOther(false)])
    if (ranked.length === 0) ranked.push(...merged(inOther(true)))
    return bestPerCard(ranked)
      .slice(0, most)
      .map((item) => toHit(item, store))
  }

  return {
    ...openTeam(store, (text, tenant, lang) =>
      store.consistently(() => search(text.slice(0, LONGEST_LIKE), { limit: 5, lang, tenant })),
    ),
    async ingest(dir) {
      await load(dir)
      return ingest(dir, store)
    },
    load,
    import: (source, options, onProgress) => importDocuments(source, options, store, onProgress),
    files: (tenant, after) =>
      store.cards(tenant, after, PAGE).map((card) => ({
        lang: card.lang,
        id: card.id,
        collection: card.collection,
        title: card.title,
        text: card.text,
        tags: card.tags,
        ...(card.sources[0]?.url === undefined ? {} : { url: card.sources[0].url }),
        markdown: toMarkdownFile(card),
      })),
    search: (query, options) => store.consistently(() => search(query, options)),
    answer: (question, options = {}) =>
      store.consistently(() => {
        const given = answer(question, options)
        const [first] = given.citations
        const diagram = first && diagramOf(diagrams, first.card, first.lang)
        return diagram === undefined ? given : { ...given, diagram }
      }),
    compare(names, lang) {
      const found = names.map((name) => systemNamed(name, table))
      const missing = found.indexOf(undefined)
      if (missing !== -1) return { unknown: names[missing] ?? '' }
      return compareSystems([...new Set(found.filter((system) => system !== undefined))], lang, table)
    },
    choose: (answers, lang) => chooseSystem(answers, lang, table),
    systems: () => table.systems.map(({ id, name }) => ({ id, name })),
    topics: store.topics,
    stats: store.stats,
  }
}

async function ingest(dir: string, store: Store): Promise<IngestReport> {
  const before = store.inventory(SHARED)
  const folder = await readCards(dir, new Map(before.map((row) => [row.file, row])))
  const report: IngestReport = {
    added: 0,
    changed: 0,
    unchanged: folder.unchanged.length,
    removed: 0,
    problems: folder.problems,
  }
  const change: Change = { author: 'hypercall', at: Date.now(), reason: 'shipped' }
  const key = (card: { lang: Lang; id: string }) => `${card.lang}/${card.id}`
  store.atomically(() => {
    const gone = new Map(before.map((row) => [key(row), row]))
    for (const card of folder.unchanged) gone.delete(key(card))
    for (const card of folder.cards) {
      if (gone.delete(key(card))) report.changed += 1
      else report.added += 1
      store.put(card, { tenant: SHARED, collection: 'shipped' }, change)
    }
    const readable = new Set(folder.cards.map((card) => card.file))
    for (const { lang, id, file } of gone.values()) {
      // The file is there but cannot be read as a card: what it said before is better than nothing.
      if (folder.files.has(file) && !readable.has(file)) continue
      store.remove({ tenant: SHARED, lang, id }, change)
      report.removed += 1
    }
  })
  return report
}
