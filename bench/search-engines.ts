/** Owns what searching is compared with, each behind the same interface, and set up as its own documentation advises. */
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { Index } from 'flexsearch'
import MiniSearch from 'minisearch'
import { tokenize } from '../src/knowledge/tokenize.js'
import type { CorpusPassage } from './search-corpus.js'

export interface Engine {
  add(passages: Iterable<CorpusPassage>): Promise<void>
  /** Ends the building: whatever the engine puts off is done now, and everything is on disk. */
  finish(): Promise<void>
  /** @returns ids of passages, best first */
  search(query: string, k: number): string[] | Promise<string[]>
  /** The same without any short cut, if the engine takes some: what `search` should come to. */
  searchExhaustively?(query: string, k: number): Promise<string[]>
  /** Missing when it is all in memory. */
  bytesOnDisk(): number | undefined
}

export interface EngineKind {
  readonly name: string
  /** @param file the engine may put more files beside it; the folder is its own */
  build(file: string): Promise<Engine>
  /** What was built into that file by another process; missing for an engine that is all in memory. */
  open?(file: string): Promise<Engine>
}

/** The size of everything in the folder of an engine's file. */
export function bytesBeside(file: string): number {
  const folder = dirname(file)
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

/** As a product with a server opens it. */
export function openDatabase(file: string): Database.Database {
  mkdirSync(dirname(file), { recursive: true })
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  return db
}

/** Passages that go into one transaction. */
const BATCH = 10_000

/** Full-text search as it comes with SQLite: its own tokenizer, to which a run of Chinese characters is one word. */
const FTS5: EngineKind = { name: 'fts5', build: async (file) => fts5(file), open: async (file) => fts5(file) }

function fts5(file: string): Engine {
  const db = openDatabase(file)
  db.exec('CREATE VIRTUAL TABLE IF NOT EXISTS passages USING fts5(id UNINDEXED, title, text)')
  const insert = db.prepare<[string, string, string]>('INSERT INTO passages (id, title, text) VALUES (?, ?, ?)')
  // `rank` is bm25(passages), and the faster way to sort by it.
  const find = db.prepare<[string, number], { id: string }>(
    'SELECT id FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?',
  )
  return {
    async add(passages) {
      let count = 0
      db.exec('BEGIN')
      for (const { id, title, text } of passages) {
        insert.run(id, title, text)
        count += 1
        if (count % BATCH === 0) db.exec('COMMIT; BEGIN')
      }
      db.exec('COMMIT')
    },
    async finish() {
      db.exec("INSERT INTO passages (passages) VALUES ('optimize')")
      db.pragma('wal_checkpoint(TRUNCATE)')
    },
    search(query, k) {
      const words = query.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []
      return words.length === 0 ? [] : find.all(words.map((word) => `"${word}"`).join(' OR '), k).map(({ id }) => id)
    },
    bytesOnDisk: () => bytesBeside(file),
  }
}

const MINISEARCH: EngineKind = {
  name: 'minisearch',
  async build() {
    const index = new MiniSearch<CorpusPassage>({
      fields: ['title', 'text'],
      tokenize,
      processTerm: (term) => term,
    })
    return {
      async add(passages) {
        for (const passage of passages) index.add(passage)
      },
      async finish() {},
      search: (query, k) =>
        index
          .search(query)
          .slice(0, k)
          .map(({ id }) => String(id)),
      bytesOnDisk: () => undefined,
    }
  },
}

const FLEXSEARCH: EngineKind = {
  name: 'flexsearch',
  async build() {
    const index = new Index({ tokenize: 'strict', encode: tokenize })
    return {
      async add(passages) {
        for (const { id, title, text } of passages) index.add(id, `${title}\n${text}`)
      },
      async finish() {},
      // Without suggestions it finds only what has every word of a question.
      search: (query, k) => index.search(query, { limit: k, suggest: true }).map(String),
      bytesOnDisk: () => undefined,
    }
  },
}

export const PEERS: readonly EngineKind[] = [FTS5, MINISEARCH, FLEXSEARCH]
