/** Owns the shape of this room's database: which tables there are, and since when. */
import type { Database } from 'better-sqlite3'
import { INDEX_TABLES } from './index-store.js'

/** A change of the tables, or of what is in the index, brings a step that moves what a team has written. */
const VERSION = 3
/** The first one had smaller blocks of postings. */
const HAS_THIS_INDEX = 2
const HAS_NAMES = 3

/** Holds all that a card can be named by, so that looking for a name never touches a text. */
const NAMES = 'CREATE INDEX IF NOT EXISTS knowledge_names ON knowledge_cards (shelf, title COLLATE NOCASE, id);'

const TABLES = `
  CREATE TABLE knowledge_cards (
    key INTEGER PRIMARY KEY, shelf INTEGER NOT NULL REFERENCES knowledge_shelves (id), id TEXT NOT NULL,
    collection TEXT NOT NULL, file TEXT NOT NULL, hash TEXT NOT NULL, title TEXT NOT NULL, level TEXT NOT NULL,
    title_tokens TEXT NOT NULL, alias_tokens TEXT NOT NULL, head TEXT NOT NULL, version INTEGER NOT NULL,
    author TEXT NOT NULL, at INTEGER NOT NULL, reason TEXT NOT NULL,
    -- Last: what stands behind a long text is reached through all of its pages.
    text TEXT NOT NULL,
    UNIQUE (shelf, id)
  );
  CREATE TABLE knowledge_passages (
    id INTEGER PRIMARY KEY, card INTEGER NOT NULL REFERENCES knowledge_cards (key), ordinal INTEGER NOT NULL,
    heading TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, line INTEGER NOT NULL, units TEXT NOT NULL,
    length INTEGER NOT NULL, heading_tokens TEXT NOT NULL, body_tokens TEXT NOT NULL
  );
  CREATE INDEX knowledge_passages_of_card ON knowledge_passages (card, ordinal);
  CREATE TABLE knowledge_history (
    tenant TEXT NOT NULL, lang TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, title TEXT, head TEXT, text TEXT,
    author TEXT NOT NULL, at INTEGER NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (tenant, lang, id, version)
  ) WITHOUT ROWID;
`

const versionOf = (db: Database): number => db.pragma('user_version', { simple: true }) as number

/** @throws Error when the file was written by a newer version of the program */
export function prepareTables(db: Database): void {
  const found = versionOf(db)
  if (found > VERSION) throw new Error(`the knowledge base is of version ${found}; this program knows ${VERSION}`)
  if (found > 0) return
  db.transaction(() => {
    // Another process may have been first.
    if (versionOf(db) > 0) return
    db.exec(INDEX_TABLES)
    db.exec(TABLES)
    db.exec(NAMES)
    db.pragma(`user_version = ${VERSION}`)
  }).immediate()
}

/** @param makeIndex makes it again from the passages, where an older version of the program has left another one */
export function bringUpToDate(db: Database, makeIndex: () => void): void {
  if (versionOf(db) === VERSION) return
  db.transaction(() => {
    const found = versionOf(db)
    if (found < HAS_THIS_INDEX) makeIndex()
    if (found < HAS_NAMES) db.exec(NAMES)
    db.pragma(`user_version = ${VERSION}`)
  }).immediate()
}
