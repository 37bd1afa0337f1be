/**
 * Owns the tables, and is the only file of this room with SQL. Cards and passages are kept as written; beside them
 * stands a full-text index of tokens that `tokenize` made.
 */
import type { Database } from 'better-sqlite3'
import type { Card, Lang, Level, Passage, Source, Unit } from './model.js'
import { tokenize } from './tokenize.js'

/** Version 1 held nothing but what can be ingested again, so its tables are dropped. What a team added cannot. */
const SCHEMA = '2'

// FTS5 must not cut our tokens again, so every category but separators and control characters belongs to a token, and
// tokens are joined with white space. Each unit of a passage is one line of `body`, so a line is a sentence.
const TABLES = `
  CREATE TABLE knowledge_cards (
    tenant TEXT NOT NULL, lang TEXT NOT NULL, id TEXT NOT NULL, collection TEXT NOT NULL, file TEXT NOT NULL,
    hash TEXT NOT NULL, title TEXT NOT NULL, level TEXT NOT NULL, as_of TEXT, aliases TEXT NOT NULL,
    tags TEXT NOT NULL, systems TEXT NOT NULL, sources TEXT NOT NULL,
    PRIMARY KEY (tenant, lang, id)
  ) WITHOUT ROWID;
  CREATE TABLE knowledge_passages (
    id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, lang TEXT NOT NULL, card TEXT NOT NULL, ordinal INTEGER NOT NULL,
    heading TEXT NOT NULL, body TEXT NOT NULL, line INTEGER NOT NULL, units TEXT NOT NULL,
    UNIQUE (tenant, lang, card, ordinal),
    FOREIGN KEY (tenant, lang, card) REFERENCES knowledge_cards (tenant, lang, id)
  );
  CREATE VIRTUAL TABLE knowledge_index USING fts5(
    title, aliases, heading, body,
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* P* S* Co Cn'"
  );
  CREATE VIRTUAL TABLE knowledge_vocabulary USING fts5vocab(knowledge_index, row);
`

const KEY = 'tenant = @tenant AND lang = @lang AND id = @id'
const OF_CARD = 'tenant = @tenant AND lang = @lang AND card = @id'

/** How much a token counts where it stands. The body is 1; titles and aliases say what a card is about. */
const WEIGHTS = { title: 3, aliases: 3, heading: 2, body: 1 }

/** Whose the cards are that ship with the product: everyone's. */
export const SHARED = ''

/** Names a card: two tenants may each have one of the same id, and a tenant's own goes before a shared one. */
export interface CardKey {
  tenant: string
  lang: Lang
  id: string
}

/** What may be found: what is shared and what is this tenant's own, in one language or in every one. */
export interface Scope {
  tenant: string
  lang: Lang | null
}

/** A passage that shares a token with the query, with the tokens it is indexed by. */
export interface Candidate {
  passage: number
  tenant: string
  lang: Lang
  card: string
  title: string
  heading: string
  ordinal: number
  /** Higher is better. */
  bm25: number
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

export interface StoredCard {
  id: string
  lang: Lang
  title: string
  asOf: string | undefined
  sources: Source[]
}

export interface Store {
  /** A tenant's own cards. */
  inventory(tenant: string): { lang: Lang; id: string; file: string; hash: string }[]
  /** The hash of a card's content, if it is there. */
  hashOf(key: CardKey): string | undefined
  /** Runs `work` in one transaction: all of it is kept, or nothing. */
  atomically(work: () => void): void
  /** Adds a card, or replaces the tenant's one with its language and id together with all its passages. */
  put(card: Card, owner: { tenant: string; collection: string }): void
  remove(key: CardKey): void
  /** @param tokens any text; they are quoted, so none of it is ever query syntax */
  candidates(tokens: readonly string[], scope: Scope, limit: number): Candidate[]
  /** How many passages there are. Counted once between changes, whichever process makes them. */
  size(): number
  /** In how many passages a token stands. */
  frequency(token: string): number
  /** Indexed tokens with this prefix and a length between the two, with the number of passages each stands in. */
  vocabulary(prefix: string, shortest: number, longest: number): { token: string; passages: number }[]
  passage(id: number): StoredPassage | undefined
  passagesOf(key: CardKey): StoredPassage[]
  card(key: CardKey): StoredCard | undefined
  /** Introductions first, then by title; shared ones alone. */
  topics(lang: Lang): { card: string; title: string }[]
  stats(): { cards: number; passages: number }
}

interface PassageRow {
  id: number
  tenant: string
  lang: Lang
  card: string
  ordinal: number
  heading: string
  body: string
  line: number
  units: string
}

const toPassage = (row: PassageRow): StoredPassage => ({ ...row, units: JSON.parse(row.units) as Unit[] })

/** @param db an open database; tables are made when they are missing */
export function openStore(db: Database): Store {
  prepareTables(db)
  const { title, aliases, heading, body } = WEIGHTS
  const sql = {
    inventory: db.prepare<[string], { lang: Lang; id: string; file: string; hash: string }>(
      'SELECT lang, id, file, hash FROM knowledge_cards WHERE tenant = ?',
    ),
    hashOf: db.prepare<[CardKey], { hash: string }>(`SELECT hash FROM knowledge_cards WHERE ${KEY}`),
    putCard: db.prepare(
      `INSERT INTO knowledge_cards (tenant, lang, id, collection, file, hash, title, level, as_of, aliases, tags, systems,
         sources)
       VALUES (@tenant, @lang, @id, @collection, @file, @hash, @title, @level, @asOf, @aliases, @tags, @systems, @sources)`,
    ),
    putPassage: db.prepare(
      `INSERT INTO knowledge_passages (tenant, lang, card, ordinal, heading, body, line, units)
       VALUES (@tenant, @lang, @card, @ordinal, @heading, @body, @line, @units)`,
    ),
    putTokens: db.prepare(
      'INSERT INTO knowledge_index (rowid, title, aliases, heading, body) VALUES (@id, @title, @aliases, @heading, @body)',
    ),
    removeTokens: db.prepare(
      `DELETE FROM knowledge_index WHERE rowid IN (SELECT id FROM knowledge_passages WHERE ${OF_CARD})`,
    ),
    removePassages: db.prepare(`DELETE FROM knowledge_passages WHERE ${OF_CARD}`),
    removeCard: db.prepare(`DELETE FROM knowledge_cards WHERE ${KEY}`),
    candidates: db.prepare<[Scope & { match: string; limit: number }], Candidate>(
      // The ranking works on row ids alone; texts are fetched for the few that remain.
      `WITH best AS MATERIALIZED (
         SELECT i.rowid AS id, -bm25(knowledge_index, ${title}, ${aliases}, ${heading}, ${body}) AS bm25
         FROM knowledge_index i JOIN knowledge_passages p ON p.id = i.rowid
         WHERE knowledge_index MATCH @match AND (@lang IS NULL OR p.lang = @lang)
           AND (p.tenant = @tenant OR (p.tenant = '${SHARED}' AND NOT EXISTS (
             SELECT 1 FROM knowledge_cards own WHERE own.tenant = @tenant AND own.lang = p.lang AND own.id = p.card)))
         ORDER BY bm25 DESC, i.rowid LIMIT @limit
       )
       SELECT p.id AS passage, p.tenant, p.lang, p.card, c.title, p.heading, p.ordinal, best.bm25,
              i.title AS titleTokens, i.aliases AS aliasTokens, i.heading AS headingTokens, i.body AS bodyTokens
       FROM best
       JOIN knowledge_passages p ON p.id = best.id
       JOIN knowledge_cards c ON c.tenant = p.tenant AND c.lang = p.lang AND c.id = p.card
       JOIN knowledge_index i ON i.rowid = best.id
       ORDER BY best.bm25 DESC, best.id`,
    ),
    frequency: db.prepare<[string], { doc: number }>('SELECT doc FROM knowledge_vocabulary WHERE term = ?'),
    vocabulary: db.prepare<[string, string, number, number], { token: string; passages: number }>(
      `SELECT term AS token, doc AS passages FROM knowledge_vocabulary
       WHERE term >= ? AND term < ? AND length(term) BETWEEN ? AND ?`,
    ),
    passage: db.prepare<[number], PassageRow>('SELECT * FROM knowledge_passages WHERE id = ?'),
    passagesOf: db.prepare<[CardKey], PassageRow>(`SELECT * FROM knowledge_passages WHERE ${OF_CARD} ORDER BY ordinal`),
    card: db.prepare<[CardKey], { id: string; lang: Lang; title: string; asOf: string | null; sources: string }>(
      `SELECT id, lang, title, as_of AS asOf, sources FROM knowledge_cards WHERE ${KEY}`,
    ),
    topics: db.prepare<[Lang], { card: string; title: string; level: Level }>(
      `SELECT id AS card, title, level FROM knowledge_cards WHERE tenant = '${SHARED}' AND lang = ?
       ORDER BY CASE level WHEN 'intro' THEN 0 WHEN 'working' THEN 1 ELSE 2 END, title, id`,
    ),
    stats: db.prepare<[], { cards: number; passages: number }>(
      'SELECT (SELECT count(*) FROM knowledge_cards) AS cards, (SELECT count(*) FROM knowledge_passages) AS passages',
    ),
  }

  /** Changes whenever another connection has committed. */
  const foreignChanges = () => db.pragma('data_version', { simple: true }) as number
  let counted: { passages: number; at: number } | undefined
  const stats = () => sql.stats.get() ?? { cards: 0, passages: 0 }
  const remove = (key: CardKey) => {
    counted = undefined
    sql.removeTokens.run(key)
    sql.removePassages.run(key)
    sql.removeCard.run(key)
  }
  const tokenText = (text: string) => tokenize(text).join(' ')

  return {
    inventory: (tenant) => sql.inventory.all(tenant),
    hashOf: (key) => sql.hashOf.get(key)?.hash,
    atomically: (work) => db.transaction(work).immediate(),
    put(card, { tenant, collection }) {
      remove({ tenant, lang: card.lang, id: card.id })
      sql.putCard.run({
        tenant,
        collection,
        lang: card.lang,
        id: card.id,
        file: card.file,
        hash: card.hash,
        title: card.title,
        level: card.level,
        asOf: card.asOf ?? null,
        aliases: JSON.stringify(card.aliases),
        tags: JSON.stringify(card.tags),
        systems: JSON.stringify(card.systems),
        sources: JSON.stringify(card.sources),
      })
      const titleTokens = tokenText(card.title)
      const aliasTokens = card.aliases.map(tokenText).join('\n')
      card.passages.forEach((passage, ordinal) => {
        const { lastInsertRowid } = sql.putPassage.run({
          tenant,
          lang: card.lang,
          card: card.id,
          ordinal,
          heading: passage.heading,
          body: passage.body,
          line: passage.line,
          units: JSON.stringify(passage.units),
        })
        sql.putTokens.run({
          id: lastInsertRowid,
          title: titleTokens,
          aliases: aliasTokens,
          heading: tokenText(passage.heading),
          body: passage.units.map((unit) => tokenText(unit.text)).join('\n'),
        })
      })
    },
    remove,
    candidates(tokens, scope, limit) {
      if (tokens.length === 0) return []
      const match = tokens.map((token) => `"${token.replaceAll('"', '""')}"`).join(' OR ')
      return sql.candidates.all({ ...scope, match, limit })
    },
    size() {
      const at = foreignChanges()
      if (counted?.at !== at) counted = { passages: stats().passages, at }
      return counted.passages
    },
    frequency: (token) => sql.frequency.get(token)?.doc ?? 0,
    vocabulary: (prefix, shortest, longest) => sql.vocabulary.all(prefix, `${prefix}\u{10FFFF}`, shortest, longest),
    passage(id) {
      const row = sql.passage.get(id)
      return row === undefined ? undefined : toPassage(row)
    },
    passagesOf: (key) => sql.passagesOf.all(key).map(toPassage),
    card(key) {
      const row = sql.card.get(key)
      if (row === undefined) return undefined
      return { ...row, asOf: row.asOf ?? undefined, sources: JSON.parse(row.sources) as Source[] }
    },
    topics: (lang) => sql.topics.all(lang).map(({ card, title: name }) => ({ card, title: name })),
    stats,
  }
}

function prepareTables(db: Database): void {
  db.exec('CREATE TABLE IF NOT EXISTS knowledge_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID')
  const found = db.prepare<[], { value: string }>("SELECT value FROM knowledge_meta WHERE key = 'schema'").get()
  if (found?.value === SCHEMA) return
  db.transaction(() => {
    for (const table of ['vocabulary', 'index', 'passages', 'cards']) db.exec(`DROP TABLE IF EXISTS knowledge_${table}`)
    db.exec(TABLES)
    db.prepare("INSERT OR REPLACE INTO knowledge_meta (key, value) VALUES ('schema', ?)").run(SCHEMA)
  }).immediate()
}
