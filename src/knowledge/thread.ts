/**
 * Owns the base as others see it from outside its threads. One thread reads and one writes, so that a question never
 * waits for an import; each is only there while there is something for it to do.
 */
import { basename } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Knowledge, KnowledgeBase } from './base.js'
import type { ImportOptions, ImportReport } from './import.js'
import type { IngestReport } from './model.js'
import { readAhead } from './read-ahead.js'

export interface ThreadOptions {
  /** The database; made when it is missing. */
  file: string
  /** The dictionary's database. */
  dictionary?: string
}

/** What ships, brought in before the first call. */
export interface Shipped {
  folder: string
  report(report: IngestReport): void
}

/** What a thread is given when it starts. */
export interface ThreadData extends ThreadOptions {
  /** What stands beside the cards of this folder is loaded before the first call. @see KnowledgeBase.load */
  folder?: string
}

type Method = keyof KnowledgeBase

export type Asked =
  | { kind: 'call'; id: number; method: Method; given: unknown[] }
  | { kind: 'chunk'; id: number; bytes: Uint8Array }
  | { kind: 'end'; id: number }
  /** Why is told on the other side: not every reason can cross. */
  | { kind: 'abort'; id: number }
  | { kind: 'close' }

export type Answered =
  | { kind: 'done'; id: number; result: unknown }
  | { kind: 'failed'; id: number; error: unknown }
  | { kind: 'more'; id: number }
  | { kind: 'progress'; id: number; report: ImportReport }

/** Room for a batch of an import and to spare; whoever needs more is stopped, and the process goes on. */
const MOST_HEAP_MIB = 1024

/** A thread ends when it has had nothing to do for this long: the reader alone holds some 10 MB (`npm run bench:idle`). */
const IDLE_MS = { reader: 120_000, writer: 30_000 }

interface Waiting {
  worker: Worker
  resolve(result: unknown): void
  reject(error: unknown): void
  more?: () => void
  progress?: (report: ImportReport) => void
}

/** SQLite's errors lose what they are on their way between threads: what is left is a code, or nothing. */
function errorOf(thrown: unknown, file: string): Error {
  if (thrown instanceof Error) return thrown
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : thrown
  return new Error(`${basename(file)} cannot be used: ${code}`, { cause: thrown })
}

/** One thread, started when it is first needed and again when it has ended. @param data as it is at that moment */
function startThread(body: string, data: () => ThreadData, idleMs: number) {
  let worker: Worker | undefined
  let last = 0
  let idle: NodeJS.Timeout | undefined
  const waiting = new Map<number, Waiting>()

  const start = (): Worker => {
    const workerData = data()
    const told = (thrown: unknown): Error => errorOf(thrown, workerData.file)
    const started = new Worker(body, {
      workerData,
      name: 'knowledge',
      // Without it V8 lets garbage pile up to gigabytes before it looks.
      resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP_MIB, maxYoungGenerationSizeMb: 32 },
    })
    started.unref()
    started.on('message', (answered: Answered) => {
      const one = waiting.get(answered.id)
      if (answered.kind === 'more') one?.more?.()
      else if (answered.kind === 'progress') one?.progress?.(answered.report)
      else if (answered.kind === 'done') one?.resolve(answered.result)
      else one?.reject(told(answered.error))
    })
    // A thread that dies takes what it was doing with it; what it had committed stays, and the next call starts another.
    const gone = (error: unknown): void => {
      if (worker === started) worker = undefined
      for (const one of waiting.values()) if (one.worker === started) one.reject(told(error))
    }
    started.on('error', gone)
    started.on('exit', () => gone(new Error('the thread of the knowledge base has ended')))
    return started
  }
  const post = (asked: Asked): void => worker?.postMessage(asked)
  const close = async (): Promise<void> => {
    clearTimeout(idle)
    const ending = worker
    if (ending === undefined) return
    // What is asked from now on gets a thread of its own.
    worker = undefined
    // Whoever waits for its end may have nothing else to do.
    ending.ref()
    const ended = new Promise((resolve) => ending.once('exit', resolve))
    ending.postMessage({ kind: 'close' } satisfies Asked)
    await ended
  }

  async function call(
    method: Method,
    given: unknown[],
    handle: Pick<Waiting, 'more' | 'progress'> & { begun?(id: number): void } = {},
  ): Promise<unknown> {
    last += 1
    const id = last
    clearTimeout(idle)
    worker ??= start()
    const mine = worker
    mine.ref()
    try {
      return await new Promise((resolve, reject) => {
        waiting.set(id, { worker: mine, resolve, reject, ...handle })
        post({ kind: 'call', id, method, given })
        handle.begun?.(id)
      })
    } finally {
      waiting.delete(id)
      if (waiting.size === 0) {
        worker?.unref()
        idle = setTimeout(() => void close(), idleMs).unref()
      }
    }
  }
  return { call, post, close }
}

/** A base in threads of its own. */
export type StartedKnowledge = Knowledge & {
  /** For whoever stays: brings the base into memory, so that the first questions are answered as fast as later ones. */
  readAhead(): Promise<void>
  close(): Promise<void>
}

/** @param body the compiled `worker.js` @param idleMs after how long without anything to do a thread ends */
export function startKnowledge(
  body: string,
  options: ThreadOptions,
  shipped?: Shipped,
  idleMs: Readonly<Record<'reader' | 'writer', number>> = IDLE_MS,
): StartedKnowledge {
  /** What a reader that starts later has to know. */
  let folder: string | undefined
  const reader = startThread(body, () => ({ ...options, ...(folder === undefined ? {} : { folder }) }), idleMs.reader)
  const writer = startThread(body, () => options, idleMs.writer)

  async function load(dir: string): Promise<void> {
    await reader.call('load', [dir])
    folder = dir
  }
  async function ingest(dir: string): Promise<IngestReport> {
    const [report] = await Promise.all([writer.call('ingest', [dir]), load(dir)])
    return report as IngestReport
  }
  async function bringShipped(): Promise<void> {
    if (shipped !== undefined) shipped.report(await ingest(shipped.folder))
  }
  let ready: Promise<void> | undefined
  /** Not before it is needed: a command about containers does not wait for cards. */
  const isReady = (): Promise<void> => {
    ready ??= bringShipped().catch((error: unknown) => {
      // The next call tries again.
      ready = undefined
      throw error
    })
    return ready
  }

  const through =
    ({ call }: ReturnType<typeof startThread>) =>
    <M extends Method>(method: M) =>
    (...given: Parameters<KnowledgeBase[M]>) =>
      isReady().then(() => call(method, given)) as Promise<Awaited<ReturnType<KnowledgeBase[M]>>>
  const read = through(reader)
  const write = through(writer)
  const closing = new AbortController()

  /** The source is read here, a piece whenever the thread has used up the one before. */
  async function bring(
    source: AsyncIterable<Uint8Array>,
    { signal, ...options }: ImportOptions,
    onProgress?: (report: ImportReport) => void,
  ): Promise<ImportReport> {
    const pieces = source[Symbol.asyncIterator]()
    let id = 0
    let lost: { error: unknown } | undefined
    let isAsked = false
    const abort = (): void => writer.post({ kind: 'abort', id })
    const send = async (): Promise<void> => {
      try {
        isAsked = true
        const { done, value } = await pieces.next()
        isAsked = false
        if (done === true) writer.post({ kind: 'end', id })
        // A copy: whoever gives the pieces may use their memory again.
        else writer.post({ kind: 'chunk', id, bytes: new Uint8Array(value) })
      } catch (error) {
        isAsked = false
        // Kept here: on its way through the thread it would lose what it is.
        lost = { error }
        writer.post({ kind: 'abort', id })
      }
    }
    await isReady()
    signal?.throwIfAborted()
    try {
      const report = await writer.call('import', [options], {
        more: () => void send(),
        ...(onProgress ? { progress: onProgress } : {}),
        begun(given) {
          id = given
          signal?.addEventListener('abort', abort)
        },
      })
      return report as ImportReport
    } catch (error) {
      signal?.throwIfAborted()
      throw lost === undefined ? error : lost.error
    } finally {
      signal?.removeEventListener('abort', abort)
      const ended = pieces.return?.()
      // A source that was asked and says nothing would never end either.
      if (isAsked) ended?.catch(() => {})
      else await ended
    }
  }

  return {
    import: bring,
    ingest,
    load: (dir) => isReady().then(() => load(dir)),
    save: write('save'),
    remove: write('remove'),
    revert: write('revert'),
    show: read('show'),
    history: read('history'),
    list: read('list'),
    files: read('files'),
    search: read('search'),
    answer: read('answer'),
    compare: read('compare'),
    choose: read('choose'),
    systems: read('systems'),
    topics: read('topics'),
    stats: read('stats'),
    readAhead: () => isReady().then(() => readAhead(options.file, closing.signal)),
    async close() {
      closing.abort()
      await Promise.all([reader.close(), writer.close()])
    },
  }
}
