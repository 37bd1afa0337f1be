/** What an index holds, whatever the ids of its passages and the form of its postings: equal cards give equal dumps. */
import type { Database } from 'better-sqlite3'
import type { Lang } from '../../src/knowledge/model.js'
import { BLOCK_SIZE } from '../../src/knowledge/postings.js'
import { openStore } from '../../src/knowledge/store.js'

export interface ShelfDump {
  passages: number
  tokens: number
  /** By token: card, ordinal and code of each passage. */
  postings: Record<string, string[]>
}

/** @throws Error when a count is wrong, or something points at what is not there */
export function dumpIndex(db: Database): Record<string, ShelfDump> {
  const { index } = openStore(db)
  const passages = db
    .prepare<[], { id: number; card: string; ordinal: number }>(
      'SELECT p.id, c.id AS card, p.ordinal FROM knowledge_passages p JOIN knowledge_cards c ON c.key = p.card',
    )
    .all()
  const names = new Map(passages.map(({ id, card, ordinal }) => [id, `${card} ${ordinal}`]))
  const shelves = db
    .prepare<[], { id: number; tenant: string; lang: Lang }>('SELECT id, tenant, lang FROM knowledge_shelves')
    .all()
  const count = db.prepare<[number], { passages: number; tokens: number }>(
    `SELECT count(*) AS passages, coalesce(sum(p.length), 0) AS tokens
     FROM knowledge_passages p JOIN knowledge_cards c ON c.key = p.card WHERE c.shelf = ?`,
  )
  const dump: Record<string, ShelfDump> = {}
  for (const { id, tenant, lang } of shelves) {
    const facts = index.shelf(tenant, lang)
    const held = count.get(id)
    if (facts?.passages !== held?.passages || facts?.tokens !== held?.tokens) throw new Error('a shelf is miscounted')
    if (facts === undefined || facts.passages === 0) continue
    const open = index.open(facts)
    const postings: ShelfDump['postings'] = {}
    for (const token of tokensOf(db, id)) {
      const found = open.blocks(token).flatMap(({ block, offsets, codes }) =>
        [...offsets].map((offset, i) => {
          const name = names.get(block * BLOCK_SIZE + offset)
          if (name === undefined) throw new Error(`"${token}" points at a passage that is not there`)
          return `${name} ${codes[i]}`
        }),
      )
      if (found.length === 0 || found.length !== index.frequency(id, token)) throw new Error(`"${token}" is miscounted`)
      postings[token] = found.sort()
    }
    dump[`${tenant}/${lang}`] = { passages: facts.passages, tokens: facts.tokens, postings }
  }
  const { orphans } = db
    .prepare<[], { orphans: number }>(
      `SELECT count(*) AS orphans FROM knowledge_postings WHERE place / 1048576 NOT IN
         (SELECT id FROM knowledge_tokens WHERE few IS NULL)`,
    )
    .get() ?? { orphans: 0 }
  if (orphans > 0) throw new Error(`${orphans} blocks belong to no token`)
  return dump
}

const tokensOf = (db: Database, shelf: number): string[] =>
  db.prepare<[number], string>('SELECT token FROM knowledge_tokens WHERE shelf = ? ORDER BY token').pluck().all(shelf)
