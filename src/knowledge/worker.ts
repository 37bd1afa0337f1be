/**
 * The thread that a base lives in: does what `thread.ts` asks, one thing after the other, so that nobody else waits while
 * it ranks a million passages or writes ten thousand.
 */
import { chmodSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { type KnowledgeBase, openKnowledge } from './base.js'
import { openDictionary } from './dictionary.js'
import type { ImportOptions } from './import.js'
import { spareMemory } from './spare-memory.js'
import type { Answered, Asked, ThreadData } from './thread.js'

const port = parentPort
if (port === null) throw new Error('this file is the body of a thread')
const { file, dictionary, folder } = workerData as ThreadData

const db = new Database(file, { timeout: 60_000 })
// What a team knows is for the account that runs this alone, like everything else in its state folder.
chmodSync(file, 0o600)
db.pragma('journal_mode = WAL')
db.pragma('synchronous = NORMAL')
db.pragma('foreign_keys = ON')
const terms = dictionary === undefined ? undefined : new Database(dictionary, { readonly: true, fileMustExist: true })
const knowledge: KnowledgeBase = openKnowledge(db, terms && openDictionary(terms))
// What is asked meanwhile waits.
if (folder !== undefined) await knowledge.load(folder)

spareMemory()

const answer = (answered: Answered): void => port.postMessage(answered)

/** Of an import that is under way: what its source has sent, and who waits for more of it. */
interface Source {
  chunks: (Uint8Array | 'end')[]
  stop: AbortController
  wake: () => void
}
const sources = new Map<number, Source>()

async function* chunksOf(id: number, source: Source): AsyncGenerator<Uint8Array> {
  for (;;) {
    const next = source.chunks.shift()
    if (next === 'end') return
    source.stop.signal.throwIfAborted()
    if (next !== undefined) yield next
    else {
      answer({ id, kind: 'more' })
      await new Promise<void>((resolve) => {
        source.wake = resolve
      })
    }
  }
}

async function bring(id: number, options: Omit<ImportOptions, 'signal'>): Promise<unknown> {
  const source: Source = { chunks: [], stop: new AbortController(), wake: () => {} }
  sources.set(id, source)
  try {
    return await knowledge.import(chunksOf(id, source), { ...options, signal: source.stop.signal }, (report) =>
      answer({ id, kind: 'progress', report }),
    )
  } finally {
    sources.delete(id)
  }
}

async function run({ id, method, given }: Extract<Asked, { kind: 'call' }>): Promise<void> {
  try {
    const work = knowledge[method] as (...all: unknown[]) => unknown
    const result = method === 'import' ? await bring(id, given[0] as ImportOptions) : await work(...given)
    answer({ id, kind: 'done', result })
  } catch (error) {
    answer({ id, kind: 'failed', error })
  }
}

port.on('message', (asked: Asked) => {
  if (asked.kind === 'call') return void run(asked)
  if (asked.kind === 'close') {
    db.close()
    terms?.close()
    port.close()
    return
  }
  const source = sources.get(asked.id)
  if (source === undefined) return
  if (asked.kind === 'chunk') source.chunks.push(asked.bytes)
  else if (asked.kind === 'end') source.chunks.push('end')
  else source.stop.abort()
  source.wake()
})
