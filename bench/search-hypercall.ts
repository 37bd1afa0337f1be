/** Owns how the search benchmark drives our own knowledge base: through its public face alone. */
import { openKnowledge } from '../src/knowledge/index.js'
import type { CorpusPassage } from './search-corpus.js'
import { bytesBeside, type Engine, type EngineKind, openDatabase } from './search-engines.js'

const TENANT = 'bench'
const CHUNK_BYTES = 64 * 1024

export const HYPERCALL: EngineKind = {
  name: 'hypercall',
  build: async (file) => hypercall(file),
  open: async (file) => hypercall(file),
}

function hypercall(file: string): Engine {
  const db = openDatabase(file)
  const knowledge = openKnowledge(db)
  return {
    async add(passages) {
      const options = { tenant: TENANT, collection: 'bench', file: 'bench.jsonl', author: 'bench' }
      const { rejected, problems } = await knowledge.import(jsonLines(passages), options)
      if (rejected > 0) throw new Error(`${rejected} passages were rejected, first: ${problems[0]?.message}`)
    },
    async finish() {
      db.pragma('wal_checkpoint(TRUNCATE)')
    },
    async search(query, k) {
      const hits = await knowledge.search(query, { limit: k, tenant: TENANT })
      return hits.map(({ card }) => card)
    },
    bytesOnDisk: () => bytesBeside(file),
  }
}

async function* jsonLines(passages: Iterable<CorpusPassage>): AsyncGenerator<Uint8Array> {
  let lines = ''
  for (const { id, title, text, lang } of passages) {
    lines += `${JSON.stringify({ id, title, text, lang })}\n`
    if (lines.length < CHUNK_BYTES) continue
    yield Buffer.from(lines)
    lines = ''
  }
  yield Buffer.from(lines)
}
