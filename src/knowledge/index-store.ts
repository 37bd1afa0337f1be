/**
 * Owns the tables of the index: for each shelf (one tenant's passages in one language) its tokens, and the postings of
 * each. Changes are collected and written together, since a token that many passages hold is then written once.
 */
import type { Database } from 'better-sqlite3'
import { at } from './maps.js'
import type { Lang } from './model.js'
import {
  areAdditions,
  type Block,
  blocksOfFew,
  byBlock,
  changeBlock,
  changeFew,
  codesIn,
  decodeBlock,
  encodeFew,
  MOST_OF_FEW,
  removePosting,
  saturations,
  setPosting,
} from './postings.js'
import type { BoundedBlock, Shelf } from './retrieve.js'

export const INDEX_TABLES = `
  CREATE TABLE knowledge_shelves (
    id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, lang TEXT NOT NULL, passages INTEGER NOT NULL, tokens INTEGER NOT NULL,
    UNIQUE (tenant, lang)
  );
  CREATE TABLE knowledge_tokens (
    shelf INTEGER NOT NULL, token TEXT NOT NULL, id INTEGER NOT NULL, passages INTEGER NOT NULL, few BLOB,
    PRIMARY KEY (shelf, token)
  ) WITHOUT ROWID;
  CREATE TABLE knowledge_postings (place INTEGER PRIMARY KEY, data BLOB NOT NULL);
`

const EMPTY = `
  DELETE FROM knowledge_postings;
  DELETE FROM knowledge_tokens;
  UPDATE knowledge_shelves SET passages = 0, tokens = 0;
`

/** A posting block's place is its token's id and its own number, so that a token's blocks lie beside each other. */
const BLOCKS_A_TOKEN = 2 ** 20
/** Postings of common tokens are asked for again and again, and are kept in memory up to this many bytes. */
const MOST_CACHED_BYTES = 128 * 2 ** 20
const MOST_CACHED_TOKENS = 50_000
/** What a block costs beside its postings: three objects. */
const BLOCK_OVERHEAD = 500
/** SQLite's own cache: tokens lie in alphabetical order, so that those of one passage lie far apart. */
const PAGE_CACHE_KIB = 64 * 1024

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
  /** Forgets everything, to be made again. */
  empty(): void
  /** Forgets what was collected: the transaction has failed. */
  abandon(): void
  /** In how many of the shelf's passages a token stands. */
  frequency(shelf: number, token: string): number
  /** Tokens of a shelf with this prefix and a length between the two. */
  vocabulary(shelf: number, prefix: string, shortest: number, longest: number): { token: string; passages: number }[]
  open(shelf: ShelfFacts): Shelf
}

interface TokenRow {
  /** 0 for a token that has no blocks, but its postings here. */
  id: number
  passages: number
  few: Buffer | null
}

interface Pending {
  passages: number
  tokens: number
  /** By token, in the order in which they were made. Most tokens of an import have one, which then needs no list. */
  changes: Map<string, number | number[]>
}

export function openIndexStore(db: Database): IndexStore {
  db.pragma(`cache_size = -${PAGE_CACHE_KIB}`)
  const sql = {
    shelf: db.prepare<[string, Lang], ShelfFacts>(
      'SELECT id, passages, tokens FROM knowledge_shelves WHERE tenant = ? AND lang = ?',
    ),
    makeShelf: db.prepare('INSERT INTO knowledge_shelves (tenant, lang, passages, tokens) VALUES (?, ?, 0, 0)'),
    growShelf: db.prepare('UPDATE knowledge_shelves SET passages = passages + ?, tokens = tokens + ? WHERE id = ?'),
    token: db.prepare<[number, string], TokenRow>(
      'SELECT id, passages, few FROM knowledge_tokens WHERE shelf = ? AND token = ?',
    ),
    setToken: db.prepare(
      'INSERT OR REPLACE INTO knowledge_tokens (shelf, token, id, passages, few) VALUES (?, ?, ?, ?, ?)',
    ),
    addFew: db.prepare<[number, string, number, Uint8Array]>(
      `INSERT INTO knowledge_tokens (shelf, token, id, passages, few) VALUES (?, ?, 0, ?, ?)
       ON CONFLICT DO UPDATE SET passages = passages + excluded.passages, few = CAST(few || excluded.few AS BLOB)
       WHERE few IS NOT NULL AND passages + excluded.passages <= ${MOST_OF_FEW}`,
    ),
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
  const change = ({ changes }: Pending, token: string, what: number): void => {
    const known = changes.get(token)
    if (known === undefined) changes.set(token, what)
    else if (typeof known === 'number') changes.set(token, [known, what])
    else known.push(what)
  }

  /** @returns by how many the postings have grown */
  const writeBlocks = (id: number, changes: readonly number[], isNew: boolean): number => {
    let grown = 0
    for (const [number, ofBlock] of byBlock(changes)) {
      const place = id * BLOCKS_A_TOKEN + number
      const before = isNew ? undefined : sql.block.get(place)?.data
      const after = changeBlock(number, before, ofBlock)
      if (after !== undefined) sql.setBlock.run(place, after)
      else if (before !== undefined) sql.dropBlock.run(place)
      grown += countOf(after) - countOf(before)
    }
    return grown
  }
  /** @param free an id that no token has @returns whether it was taken */
  const writeToken = (shelf: number, token: string, changes: readonly number[], free: number): boolean => {
    // What an import does to nearly every token, in one step: a passage is never added twice.
    if (changes.length <= MOST_OF_FEW && areAdditions(changes)) {
      if (sql.addFew.run(shelf, token, changes.length, encodeFew(changes)).changes === 1) return false
    }
    const known = sql.token.get(shelf, token)
    if (known !== undefined && known.few === null) {
      const passages = known.passages + writeBlocks(known.id, changes, false)
      if (passages === 0) sql.dropToken.run(shelf, token)
      else if (passages !== known.passages) sql.setToken.run(shelf, token, known.id, passages, null)
      return false
    }
    const { postings, data } = changeFew(known?.few ?? undefined, changes)
    if (data !== undefined) sql.setToken.run(shelf, token, 0, postings.length, data)
    else if (postings.length > 0) {
      writeBlocks(free, postings, true)
      sql.setToken.run(shelf, token, free, postings.length, null)
      return true
    } else if (known !== undefined) sql.dropToken.run(shelf, token)
    return false
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
      const codeOf = codesIn(length)
      for (const [token, frequency] of frequencies) change(collected, token, setPosting(passage, codeOf(frequency)))
    },
    remove(shelf, passage, tokens, length) {
      const collected = pendingOf(shelf)
      collected.passages -= 1
      collected.tokens -= length
      for (const token of tokens) change(collected, token, removePosting(passage))
    },
    flush() {
      let next = nextTokenId()
      for (const [shelf, { passages, tokens, changes }] of pending) {
        sql.growShelf.run(passages, tokens, shelf)
        // In the order of the table, each of its pages is written once.
        for (const token of [...changes.keys()].sort()) {
          const made = changes.get(token) ?? []
          if (writeToken(shelf, token, typeof made === 'number' ? [made] : made, next)) next += 1
        }
      }
      pending.clear()
      cache.clear()
    },
    empty() {
      db.exec(EMPTY)
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
          if (row.few !== null) return blocksOfFew(row.few).map((block) => bounded(block, table))
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
      const size = list.reduce(
        (sum, block) => sum + block.offsets.byteLength + block.codes.byteLength + BLOCK_OVERHEAD,
        0,
      )
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
