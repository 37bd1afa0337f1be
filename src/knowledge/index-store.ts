/**
 * Owns the tables of the index: for each shelf (one tenant's passages in one language) its tokens, and the postings of
 * each. Changes are collected and written together, since a token that many passages hold is then written once.
 */
import type { Database } from 'better-sqlite3'
import { at } from './maps.js'
import type { Lang } from './model.js'
import {
  BLOCK_SIZE,
  type Block,
  blockOf,
  type Changes,
  changeBlock,
  codeOf,
  decodeBlock,
  saturations,
} from './postings.js'
import type { BoundedBlock, Shelf } from './retrieve.js'

export const INDEX_TABLES = `
  CREATE TABLE knowledge_shelves (
    id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, lang TEXT NOT NULL, passages INTEGER NOT NULL, tokens INTEGER NOT NULL,
    UNIQUE (tenant, lang)
  );
  CREATE TABLE knowledge_tokens (
    shelf INTEGER NOT NULL, token TEXT NOT NULL, id INTEGER NOT NULL, passages INTEGER NOT NULL,
    PRIMARY KEY (shelf, token)
  ) WITHOUT ROWID;
  CREATE TABLE knowledge_postings (place INTEGER PRIMARY KEY, data BLOB NOT NULL);
`

/** A posting block's place is its token's id and its own number, so that a token's blocks lie beside each other. */
const BLOCKS_A_TOKEN = 2 ** 20
/** Postings of common tokens are asked for again and again, and are kept in memory up to this many bytes. */
const MOST_CACHED_BYTES = 96 * 2 ** 20
const MOST_CACHED_TOKENS = 50_000

export interface ShelfFacts {
  id: number
  passages: number
  /** Of all its passages together. */
  tokens: number
}

export interface IndexStore {
  shelf(tenant: string, lang: Lang): ShelfFacts | undefined
  /** The same, made when it is missing. */
  shelfFor(tenant: string, lang: Lang): number
  /** @param frequencies weighted, by token @param length in tokens */
  add(shelf: number, passage: number, frequencies: ReadonlyMap<string, number>, length: number): void
  remove(shelf: number, passage: number, tokens: Iterable<string>, length: number): void
  /** Writes what was collected; to be called inside the transaction that the passages are written in. */
  flush(): void
  /** Forgets what was collected: the transaction has failed. */
  abandon(): void
  /** In how many of the shelf's passages a token stands. */
  frequency(shelf: number, token: string): number
  /** Tokens of a shelf with this prefix and a length between the two. */
  vocabulary(shelf: number, prefix: string, shortest: number, longest: number): { token: string; passages: number }[]
  open(shelf: ShelfFacts): Shelf
}

interface TokenRow {
  id: number
  passages: number
}

interface Pending {
  passages: number
  tokens: number
  /** By token, by block. */
  changes: Map<string, Map<number, Changes>>
}

export function openIndexStore(db: Database): IndexStore {
  const sql = {
    shelf: db.prepare<[string, Lang], ShelfFacts>(
      'SELECT id, passages, tokens FROM knowledge_shelves WHERE tenant = ? AND lang = ?',
    ),
    makeShelf: db.prepare('INSERT INTO knowledge_shelves (tenant, lang, passages, tokens) VALUES (?, ?, 0, 0)'),
    growShelf: db.prepare('UPDATE knowledge_shelves SET passages = passages + ?, tokens = tokens + ? WHERE id = ?'),
    token: db.prepare<[number, string], TokenRow>(
      'SELECT id, passages FROM knowledge_tokens WHERE shelf = ? AND token = ?',
    ),
    makeToken: db.prepare('INSERT INTO knowledge_tokens (shelf, token, id, passages) VALUES (?, ?, ?, ?)'),
    setToken: db.prepare('UPDATE knowledge_tokens SET passages = ? WHERE shelf = ? AND token = ?'),
    dropToken: db.prepare('DELETE FROM knowledge_tokens WHERE shelf = ? AND token = ?'),
    lastPlace: db.prepare<[], { place: number | null }>('SELECT max(place) AS place FROM knowledge_postings'),
    vocabulary: db.prepare<[number, string, string, number, number], { token: string; passages: number }>(
      `SELECT token, passages FROM knowledge_tokens
       WHERE shelf = ? AND token >= ? AND token < ? AND length(token) BETWEEN ? AND ?`,
    ),
    blocks: db.prepare<[number, number], { place: number; data: Buffer }>(
      'SELECT place, data FROM knowledge_postings WHERE place BETWEEN ? AND ?',
    ),
    block: db.prepare<[number], { data: Buffer }>('SELECT data FROM knowledge_postings WHERE place = ?'),
    setBlock: db.prepare('INSERT OR REPLACE INTO knowledge_postings (place, data) VALUES (?, ?)'),
    dropBlock: db.prepare('DELETE FROM knowledge_postings WHERE place = ?'),
  }

  const pending = new Map<number, Pending>()
  const pendingOf = (shelf: number): Pending =>
    at(pending, shelf, () => ({ passages: 0, tokens: 0, changes: new Map() }))
  const change = ({ changes }: Pending, token: string, passage: number, code: number | undefined): void => {
    const number = blockOf(passage)
    const blocks = at(changes, token, () => new Map<number, Changes>())
    at(blocks, number, () => new Map()).set(passage - number * BLOCK_SIZE, code)
  }

  /** @returns by how many the postings of the block have grown */
  const writeBlock = (place: number, changes: Changes, isNew: boolean): number => {
    const before = isNew ? undefined : sql.block.get(place)?.data
    const after = changeBlock(before, changes)
    if (after === undefined) sql.dropBlock.run(place)
    else sql.setBlock.run(place, after)
    return countOf(after) - countOf(before)
  }

  const cache = openCache(db)
  /** Tokens of removed passages leave no trace, so a later token may get their id again. */
  const nextTokenId = (): number => Math.floor((sql.lastPlace.get()?.place ?? 0) / BLOCKS_A_TOKEN) + 1

  return {
    shelf: (tenant, lang) => sql.shelf.get(tenant, lang),
    shelfFor: (tenant, lang) =>
      sql.shelf.get(tenant, lang)?.id ?? Number(sql.makeShelf.run(tenant, lang).lastInsertRowid),
    add(shelf, passage, frequencies, length) {
      const collected = pendingOf(shelf)
      collected.passages += 1
      collected.tokens += length
      for (const [token, frequency] of frequencies) change(collected, token, passage, codeOf(frequency, length))
    },
    remove(shelf, passage, tokens, length) {
      const collected = pendingOf(shelf)
      collected.passages -= 1
      collected.tokens -= length
      for (const token of tokens) change(collected, token, passage, undefined)
    },
    flush() {
      let next = nextTokenId()
      for (const [shelf, { passages, tokens, changes }] of pending) {
        sql.growShelf.run(passages, tokens, shelf)
        for (const [token, blocks] of changes) {
          const known = sql.token.get(shelf, token)
          const id = known?.id ?? next
          let count = known?.passages ?? 0
          for (const [number, block] of blocks)
            count += writeBlock(id * BLOCKS_A_TOKEN + number, block, known === undefined)
          if (known === undefined && count > 0) {
            sql.makeToken.run(shelf, token, id, count)
            next += 1
          } else if (known !== undefined && count === 0) sql.dropToken.run(shelf, token)
          else if (known !== undefined && count !== known.passages) sql.setToken.run(count, shelf, token)
        }
      }
      pending.clear()
      cache.clear()
    },
    abandon: () => pending.clear(),
    frequency: (shelf, token) => cache.token(shelf, token, sql.token)?.passages ?? 0,
    vocabulary: (shelf, prefix, shortest, longest) =>
      sql.vocabulary.all(shelf, prefix, `${prefix}\u{10FFFF}`, shortest, longest),
    open({ id: shelf, passages, tokens }) {
      const table = saturations(tokens / Math.max(1, passages))
      return {
        saturations: table,
        blocks(token) {
          const row = cache.token(shelf, token, sql.token)
          if (row === undefined) return []
          return cache.blocks(row.id, () => {
            const first = row.id * BLOCKS_A_TOKEN
            return sql.blocks
              .all(first, first + BLOCKS_A_TOKEN - 1)
              .map(({ place, data }) => bounded(decodeBlock(place - first, data), table))
          })
        },
      }
    },
  }
}

const countOf = (data: Uint8Array | undefined): number => (data?.byteLength ?? 0) / 3

function bounded(block: Block, table: Float32Array): BoundedBlock {
  let bound = 0
  for (const code of block.codes) {
    const value = table[code] as number
    if (value > bound) bound = value
  }
  return { ...block, bound }
}

/** What was read lately, until anything is written, by whomever. */
function openCache(db: Database) {
  const version = db.prepare<[], number>('PRAGMA data_version').pluck()
  const tokens = new Map<string, TokenRow | undefined>()
  const blocks = new Map<number, { list: readonly BoundedBlock[]; bytes: number }>()
  let bytes = 0
  let seen: number | undefined
  const clear = (): void => {
    tokens.clear()
    blocks.clear()
    bytes = 0
  }
  const refresh = (): void => {
    const now = version.get()
    if (now !== seen) clear()
    seen = now
  }
  return {
    clear,
    token(shelf: number, token: string, look: { get(shelf: number, token: string): TokenRow | undefined }) {
      refresh()
      const key = `${shelf} ${token}`
      if (tokens.has(key)) return tokens.get(key)
      const row = look.get(shelf, token)
      if (tokens.size >= MOST_CACHED_TOKENS) tokens.clear()
      tokens.set(key, row)
      return row
    },
    blocks(token: number, read: () => readonly BoundedBlock[]): readonly BoundedBlock[] {
      const known = blocks.get(token)
      if (known !== undefined) {
        // The order of a map is that of insertion: what was used last comes last.
        blocks.delete(token)
        blocks.set(token, known)
        return known.list
      }
      const list = read()
      const size = list.reduce((sum, block) => sum + block.offsets.byteLength + block.codes.byteLength + 200, 0)
      blocks.set(token, { list, bytes: size })
      bytes += size
      for (const [oldest, { bytes: freed }] of blocks) {
        if (bytes <= MOST_CACHED_BYTES) break
        blocks.delete(oldest)
        bytes -= freed
      }
      return list
    },
  }
}
