/**
 * Owns the tables of cards and passages. A card is kept as it was written, with every earlier version of a team's own; its
 * passages are places in its text, beside the tokens that they are ranked by.
 */
import type { Database } from 'better-sqlite3'
import {
  type Change,
  FROM_CARDS,
  HEAD_COLUMNS,
  type HeadRow,
  type HeadStore,
  openHeadStore,
  PAGE_OF_CARDS,
  type PageOfCards,
  type RestOfHead,
  type StoredHead,
  toHead,
} from './head-store.js'
import { type IndexStore, openIndexStore } from './index-store.js'
import type { Card, CardHead, Lang, Level, Passage } from './model.js'
import { frequenciesOf, packUnits, unpackUnits } from './packing.js'
import { bringUpToDate, prepareTables } from './schema-store.js'
import { packTokens } from './tokenize.js'

export type { Change, StoredHead } from './head-store.js'

/** Whose the cards are that ship with the product: everyone's. */
export const SHARED = ''

/** Names a card: two tenants may each have one of the same id, and a tenant's own goes before a shared one. */
export interface CardKey {
  tenant: string
  lang: Lang
  id: string
}

/** A passage that shares a token with the query, with the tokens it is ranked by, packed. */
export interface Candidate {
  passage: number
  tenant: string
  lang: Lang
  card: string
  title: string
  heading: string
  ordinal: number
  /** In tokens, titles and all. */
  length: number
  titleTokens: string
  /** One alias a line. */
  aliasTokens: string
  headingTokens: string
  /** One unit a line, in the order of the passage's units. */
  bodyTokens: string
}

export interface StoredPassage extends Passage {
  id: number
  tenant: string
  lang: Lang
  card: string
  ordinal: number
}

export interface StoredCard extends StoredHead {
  /** Markdown; of a shipped card the whole file, front matter included. */
  text: string
}

/** An earlier state of a card; without `text` it was not there. */
export interface Version extends Change {
  version: number
  title: string | undefined
  text: string | undefined
}

export interface Store {
  index: IndexStore
  heads: HeadStore
  /** A tenant's own cards. */
  inventory(tenant: string): { lang: Lang; id: string; file: string; hash: string; collection: string }[]
  /** The hash of a card's content, and where it belongs, if it is there. */
  find(key: CardKey): { hash: string; collection: string } | undefined
  /** Runs `work` in one transaction: all of it is kept, or nothing. */
  atomically(work: () => void): void
  /** Runs `work` on one state of the base, whatever is written meanwhile. */
  consistently<T>(work: () => T): T
  /** Adds a card, or replaces the tenant's one with its language and id together with all its passages. */
  put(card: Card, owner: { tenant: string; collection: string }, change: Change): void
  /** @returns whether it was there */
  remove(key: CardKey, change: Change): boolean
  candidate(passage: number): Candidate | undefined
  /** Changes with everything that is written, by this process or another. */
  state(): string
  /** Passages of shared cards that a card of the tenant's own stands before. */
  hidden(tenant: string, lang: Lang): number[]
  passage(id: number): StoredPassage | undefined
  passagesOf(key: CardKey): StoredPassage[]
  card(key: CardKey): StoredCard | undefined
  /** Latest first; the state of now is not among them. */
  history(key: CardKey): Version[]
  /** The head and text of an earlier version. */
  versionOf(key: CardKey, version: number): (CardHead & { text: string }) | undefined
  /** A tenant's own cards, in the order of their language and id, from behind one on. */
  cards(tenant: string, after: { lang: Lang; id: string } | undefined, most: number): StoredCard[]
  /** Introductions first, then by title; shared ones alone. */
  topics(lang: Lang): { card: string; title: string }[]
  stats(): { cards: number; passages: number }
}

interface CardRow extends HeadRow {
  text: string
}

interface PassageRow {
  id: number
  tenant: string
  lang: Lang
  card: string
  ordinal: number
  heading: string
  start: number
  end: number
  line: number
  units: string
  text: string
}

interface IndexedRow {
  id: number
  length: number
  heading: string
  body: string
}

function toPassage({ text, units, ...row }: PassageRow): StoredPassage {
  const body = text.slice(row.start, row.end)
  return { ...row, body, units: unpackUnits(units, body) }
}

const toCard = ({ text, ...row }: CardRow): StoredCard => ({ ...toHead(row), text })

const CARD = `SELECT ${HEAD_COLUMNS}, c.text ${FROM_CARDS}`
const PASSAGE = `SELECT p.id, s.tenant, s.lang, c.id AS card, p.ordinal, p.heading, p.start, p.end, p.line, p.units, c.text
  FROM knowledge_passages p JOIN knowledge_cards c ON c.key = p.card JOIN knowledge_shelves s ON s.id = c.shelf`
const KEY = 's.tenant = @tenant AND s.lang = @lang AND c.id = @id'
const OF = 'tenant = @tenant AND lang = @lang AND id = @id'

/** Passages whose postings are written together when all are made again. */
const INDEXED_AT_ONCE = 8192

/** @param db an open database; tables are made when they are missing */
export function openStore(db: Database): Store {
  prepareTables(db)
  const index = openIndexStore(db)
  const sql = {
    inventory: db.prepare<[string], { lang: Lang; id: string; file: string; hash: string; collection: string }>(
      `SELECT s.lang, c.id, c.file, c.hash, c.collection
       FROM knowledge_cards c JOIN knowledge_shelves s ON s.id = c.shelf WHERE s.tenant = ?`,
    ),
    find: db.prepare<[CardKey], { hash: string; collection: string }>(
      `SELECT c.hash, c.collection FROM knowledge_cards c JOIN knowledge_shelves s ON s.id = c.shelf WHERE ${KEY}`,
    ),
    putCard: db.prepare(
      `INSERT INTO knowledge_cards (shelf, id, collection, file, hash, title, level, head, text, title_tokens, alias_tokens,
         version, author, at, reason)
       VALUES (@shelf, @id, @collection, @file, @hash, @title, @level, @head, @text, @titleTokens, @aliasTokens, @version,
         @author, @at, @reason)`,
    ),
    putPassage: db.prepare(
      `INSERT INTO knowledge_passages (card, ordinal, heading, start, end, line, units, length, heading_tokens, body_tokens)
       VALUES (@card, @ordinal, @heading, @start, @end, @line, @units, @length, @headingTokens, @bodyTokens)`,
    ),
    indexed: db.prepare<[number], IndexedRow>(
      'SELECT id, length, heading_tokens AS heading, body_tokens AS body FROM knowledge_passages WHERE card = ?',
    ),
    allIndexed: db.prepare<[number, number], IndexedRow & { shelf: number; title: string; aliases: string }>(
      `SELECT p.id, p.length, p.heading_tokens AS heading, p.body_tokens AS body, c.shelf, c.title_tokens AS title,
         c.alias_tokens AS aliases
       FROM knowledge_passages p JOIN knowledge_cards c ON c.key = p.card WHERE p.id > ? ORDER BY p.id LIMIT ?`,
    ),
    names: db.prepare<[number], { title: string; aliases: string }>(
      'SELECT title_tokens AS title, alias_tokens AS aliases FROM knowledge_cards WHERE key = ?',
    ),
    removePassages: db.prepare('DELETE FROM knowledge_passages WHERE card = ?'),
    removeCard: db.prepare('DELETE FROM knowledge_cards WHERE key = ?'),
    card: db.prepare<[CardKey], CardRow>(`${CARD} WHERE ${KEY}`),
    cards: db.prepare<[PageOfCards], CardRow>(`${CARD} ${PAGE_OF_CARDS}`),
    keep: db.prepare(
      `INSERT INTO knowledge_history (tenant, lang, id, version, title, head, text, author, at, reason)
       VALUES (@tenant, @lang, @id, @version, @title, @head, @text, @author, @at, @reason)`,
    ),
    lastVersion: db.prepare<[CardKey], number | null>(`SELECT max(version) FROM knowledge_history WHERE ${OF}`).pluck(),
    history: db.prepare<[CardKey], Version>(
      `SELECT version, title, text, author, at, reason FROM knowledge_history WHERE ${OF} ORDER BY version DESC`,
    ),
    version: db.prepare<[CardKey & { version: number }], { title: string; head: string; text: string }>(
      `SELECT title, head, text FROM knowledge_history WHERE ${OF} AND version = @version AND text IS NOT NULL`,
    ),
    candidate: db.prepare<[number], Candidate>(
      `SELECT p.id AS passage, s.tenant, s.lang, c.id AS card, c.title, p.heading, p.ordinal, p.length,
         c.title_tokens AS titleTokens, c.alias_tokens AS aliasTokens, p.heading_tokens AS headingTokens,
         p.body_tokens AS bodyTokens
       FROM knowledge_passages p JOIN knowledge_cards c ON c.key = p.card JOIN knowledge_shelves s ON s.id = c.shelf
       WHERE p.id = ?`,
    ),
    hidden: db
      .prepare<[{ tenant: string; lang: Lang }], number>(
        `SELECT p.id FROM knowledge_shelves shared
         JOIN knowledge_shelves own ON own.tenant = @tenant AND own.lang = shared.lang
         JOIN knowledge_cards c ON c.shelf = shared.id
         JOIN knowledge_cards o ON o.shelf = own.id AND o.id = c.id
         JOIN knowledge_passages p ON p.card = c.key
         WHERE shared.tenant = '${SHARED}' AND shared.lang = @lang AND own.tenant <> '${SHARED}'`,
      )
      .pluck(),
    passage: db.prepare<[number], PassageRow>(`${PASSAGE} WHERE p.id = ?`),
    passagesOf: db.prepare<[CardKey], PassageRow>(`${PASSAGE} WHERE ${KEY} ORDER BY p.ordinal`),
    topics: db.prepare<[Lang], { card: string; title: string; level: Level }>(
      `SELECT c.id AS card, c.title, c.level FROM knowledge_cards c JOIN knowledge_shelves s ON s.id = c.shelf
       WHERE s.tenant = '${SHARED}' AND s.lang = ?
       ORDER BY CASE c.level WHEN 'intro' THEN 0 WHEN 'working' THEN 1 ELSE 2 END, c.title, c.id`,
    ),
    stats: db.prepare<[], { cards: number; passages: number }>(
      `SELECT (SELECT count(*) FROM knowledge_cards) AS cards,
         (SELECT coalesce(sum(passages), 0) FROM knowledge_shelves) AS passages`,
    ),
    foreignChanges: db.prepare<[], number>('PRAGMA data_version').pluck(),
  }

  const makeIndex = (): void => {
    index.empty()
    let last = -1
    for (;;) {
      const rows = sql.allIndexed.all(last, INDEXED_AT_ONCE)
      for (const { shelf, id, ...packed } of rows) {
        const { frequencies, length } = frequenciesOf(packed)
        index.add(shelf, id, frequencies, length)
        last = id
      }
      if (rows.length === 0) return
      index.flush()
    }
  }
  bringUpToDate(db, makeIndex)

  let ownChanges = 0

  /** Takes a card's passages out of the tables and out of the index. */
  const takeOut = (row: CardRow): void => {
    const shelf = index.shelfFor(row.tenant, row.lang)
    const { title = '', aliases = '' } = sql.names.get(row.key) ?? {}
    for (const { id, length, heading, body } of sql.indexed.all(row.key)) {
      index.remove(shelf, id, frequenciesOf({ title, aliases, heading, body }).frequencies.keys(), length)
    }
    sql.removePassages.run(row.key)
    sql.removeCard.run(row.key)
  }
  /** Keeps what a card was, if it is a team's own. @returns the version that comes next */
  const keep = (key: CardKey, row: CardRow | undefined): number => {
    if (key.tenant === SHARED) return 1
    if (row !== undefined) sql.keep.run(row)
    return row === undefined ? (sql.lastVersion.get(key) ?? 0) + 1 : row.version + 1
  }

  return {
    index,
    heads: openHeadStore(db),
    inventory: (tenant) => sql.inventory.all(tenant),
    find: (key) => sql.find.get(key),
    atomically(work) {
      const whole = db.transaction(() => {
        work()
        index.flush()
      })
      try {
        whole.immediate()
      } finally {
        index.abandon()
        ownChanges += 1
      }
    },
    consistently: (work) => db.transaction(work)(),
    put(card, { tenant, collection }, change) {
      const { id, lang, title, hash, file, text, passages, ...head } = card
      const key = { tenant, lang, id }
      const before = sql.card.get(key)
      const version = keep(key, before)
      if (before !== undefined) takeOut(before)
      const shelf = index.shelfFor(tenant, lang)
      const names = { title: packTokens(title), aliases: head.aliases.map(packTokens).join('\n') }
      const { lastInsertRowid } = sql.putCard.run({
        shelf,
        id,
        collection,
        file,
        hash,
        title,
        level: head.level,
        head: JSON.stringify(head satisfies RestOfHead),
        text,
        titleTokens: names.title,
        aliasTokens: names.aliases,
        version,
        ...change,
      })
      passages.forEach((passage, ordinal) => {
        const heading = packTokens(passage.heading)
        const body = passage.units.map((unit) => packTokens(unit.text)).join('\n')
        const { frequencies, length } = frequenciesOf({ ...names, heading, body })
        const inserted = sql.putPassage.run({
          card: lastInsertRowid,
          ordinal,
          heading: passage.heading,
          start: passage.start,
          end: passage.start + passage.body.length,
          line: passage.line,
          units: packUnits(passage),
          length,
          headingTokens: heading,
          bodyTokens: body,
        })
        index.add(shelf, Number(inserted.lastInsertRowid), frequencies, length)
      })
    },
    remove(key, change) {
      const before = sql.card.get(key)
      if (before === undefined) return false
      const version = keep(key, before)
      if (key.tenant !== SHARED) sql.keep.run({ ...key, version, title: null, head: null, text: null, ...change })
      takeOut(before)
      return true
    },
    candidate: (passage) => sql.candidate.get(passage),
    state: () => `${sql.foreignChanges.get() ?? 0}/${ownChanges}`,
    hidden: (tenant, lang) => sql.hidden.all({ tenant, lang }),
    passage(id) {
      const row = sql.passage.get(id)
      return row === undefined ? undefined : toPassage(row)
    },
    passagesOf: (key) => sql.passagesOf.all(key).map(toPassage),
    card(key) {
      const row = sql.card.get(key)
      return row === undefined ? undefined : toCard(row)
    },
    history: (key) =>
      sql.history.all(key).map((row) => ({ ...row, title: row.title ?? undefined, text: row.text ?? undefined })),
    versionOf(key, version) {
      const row = sql.version.get({ ...key, version })
      return row && { ...(JSON.parse(row.head) as RestOfHead), id: key.id, title: row.title, text: row.text }
    },
    cards: (tenant, after, most) =>
      sql.cards.all({ tenant, lang: after?.lang ?? '', id: after?.id ?? '', most }).map(toCard),
    topics: (lang) => sql.topics.all(lang).map(({ card, title }) => ({ card, title })),
    stats: () => sql.stats.get() ?? { cards: 0, passages: 0 },
  }
}
