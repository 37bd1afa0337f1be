// Versions until 2026-11 kept the knowledge base beside everything else: what teams brought in moves to its own file.
import type { Database } from 'better-sqlite3'
import type { Knowledge } from '../knowledge/index.js'

interface OldCard {
  tenant: string
  collection: string
  id: string
  lang: string
  title: string
  tags: string
}

/** Moves cards that are no shipped ones, and drops the old tables once all of them have arrived; does nothing afterwards. */
export async function moveOldKnowledge(db: Database, knowledge: Pick<Knowledge, 'import'>): Promise<void> {
  const found = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'knowledge_index'").get()
  if (found === undefined) return
  const columns = db.prepare<[], { name: string }>("SELECT name FROM pragma_table_info('knowledge_cards')").all()
  const cards = columns.some(({ name }) => name === 'tenant')
    ? db
        .prepare<[], OldCard>(
          "SELECT tenant, collection, id, lang, title, tags FROM knowledge_cards WHERE tenant <> ''",
        )
        .all()
    : []
  const passages = db.prepare<[OldCard], { heading: string; body: string }>(
    `SELECT heading, body FROM knowledge_passages WHERE tenant = @tenant AND lang = @lang AND card = @id ORDER BY ordinal`,
  )
  for (const card of cards) {
    const { tenant, collection, id, lang, title } = card
    const text = passages
      .all(card)
      .map(({ heading, body }) => (heading === '' ? body : `## ${heading}\n\n${body}`))
      .join('\n\n')
    const line = `${JSON.stringify({ id, lang, title, text, tags: JSON.parse(card.tags) })}\n`
    const source = (async function* () {
      yield Buffer.from(line)
    })()
    await knowledge.import(source, { tenant, collection, file: 'knowledge.jsonl', author: 'hypercall' })
  }
  db.transaction(() => {
    for (const table of ['vocabulary', 'index', 'passages', 'cards', 'meta']) {
      db.exec(`DROP TABLE IF EXISTS knowledge_${table}`)
    }
  }).immediate()
}
