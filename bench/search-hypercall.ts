/**
 * Owns how the search benchmark drives our own knowledge base: through its public face alone. It is built in the process
 * that is measured, and searched as the product searches it, through its thread and with the dictionary.
 */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { openKnowledge } from '../src/knowledge/base.js'
import { openDictionary } from '../src/knowledge/dictionary.js'
import { startKnowledge } from '../src/knowledge/index.js'
import type { CorpusPassage } from './search-corpus.js'
import { bytesBeside, type Engine, type EngineKind, openDatabase } from './search-engines.js'

const TENANT = 'bench'
const CHUNK_BYTES = 64 * 1024
const DICTIONARY = join(process.cwd(), 'dist', 'dictionary.sqlite')
const WORKER = join(process.cwd(), 'dist', 'knowledge', 'worker.js')

export const HYPERCALL: EngineKind = { name: 'hypercall', build, open }

async function build(file: string): Promise<Engine> {
  const db = openDatabase(file)
  const knowledge = openKnowledge(db)
  return {
    async add(passages) {
      const options = { tenant: TENANT, collection: 'bench', file: 'bench.jsonl', author: 'bench' }
      const { rejected, problems } = await knowledge.import(jsonLines(passages), options)
      if (rejected > 0) throw new Error(`${rejected} passages were rejected, first: ${problems[0]?.message.en}`)
    },
    async finish() {
      db.pragma('wal_checkpoint(TRUNCATE)')
    },
    search: (query, k) => knowledge.search(query, { limit: k, tenant: TENANT }).map(({ card }) => card),
    bytesOnDisk: () => bytesBeside(file),
  }
}

async function open(file: string): Promise<Engine> {
  const knowledge = startKnowledge(WORKER, { file, dictionary: DICTIONARY })
  // As a server does: what is measured is a base in use, not the disk of a machine that has just put it out of memory.
  await knowledge.readAhead()
  const exhaustively = () =>
    openKnowledge(openDatabase(file), openDictionary(new Database(DICTIONARY, { readonly: true })), { prune: false })
  let all: ReturnType<typeof exhaustively> | undefined
  return {
    add: () => Promise.reject(new Error('opened to be searched')),
    finish: async () => {},
    async search(query, k) {
      const hits = await knowledge.search(query, { limit: k, tenant: TENANT })
      return hits.map(({ card }) => card)
    },
    async searchExhaustively(query, k) {
      all ??= exhaustively()
      return all.search(query, { limit: k, tenant: TENANT }).map(({ card }) => card)
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
