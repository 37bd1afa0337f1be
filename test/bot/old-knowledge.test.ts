import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { moveOldKnowledge } from '../../src/bot/old-knowledge-store.js'
import { openKnowledge } from '../../src/knowledge/base.js'

/** The tables as they were until 2026-11, with a shipped card and a team's own. */
function oldDatabase() {
  const db = new Database(':memory:')
  db.exec(`
    CREATE TABLE knowledge_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE knowledge_cards (tenant TEXT, lang TEXT, id TEXT, collection TEXT, title TEXT, tags TEXT);
    CREATE TABLE knowledge_passages (tenant TEXT, lang TEXT, card TEXT, ordinal INTEGER, heading TEXT, body TEXT);
    CREATE VIRTUAL TABLE knowledge_index USING fts5(title, body);
    CREATE VIRTUAL TABLE knowledge_vocabulary USING fts5vocab(knowledge_index, row);
    INSERT INTO knowledge_cards VALUES ('', 'en', 'kvm', 'shipped', 'KVM', '[]'),
      ('blue', 'en', 'walrus', 'notes', 'The walrus', '["sea"]');
    INSERT INTO knowledge_passages VALUES ('', 'en', 'kvm', 0, '', 'KVM is a hypervisor.'),
      ('blue', 'en', 'walrus', 0, '', 'A walrus is heavy.'), ('blue', 'en', 'walrus', 1, 'Teeth', 'A walrus has long tusks.');
  `)
  return db
}

it('moves what teams brought in out of the old tables, drops them, and does so once', async () => {
  const old = oldDatabase()
  const knowledge = openKnowledge(new Database(':memory:'))
  await moveOldKnowledge(old, knowledge)
  expect(knowledge.list('blue', {})).toMatchObject([{ id: 'walrus', collection: 'notes', tags: ['sea'] }])
  const [hit] = knowledge.search('walrus tusks', { tenant: 'blue' })
  expect(hit).toMatchObject({ card: 'walrus', title: 'The walrus', heading: 'Teeth' })
  // What ships comes from its folder again.
  expect(knowledge.stats().cards).toBe(1)
  expect(old.prepare("SELECT name FROM sqlite_master WHERE name LIKE 'knowledge%'").all()).toEqual([])
  await moveOldKnowledge(old, knowledge)
  expect(knowledge.stats().cards).toBe(1)
})
