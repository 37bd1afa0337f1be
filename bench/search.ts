// How fast, how large and how good our search is beside others, in bases of 10,000 to 1,000,000 passages. Each engine
// builds and searches in processes of its own. BENCH_SIZES and BENCH_ENGINES choose, separated by commas; BENCH_MINUTES
// is how long a build may take, BENCH_HEAP_MIB what an engine in memory may hold.
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Built, carryOut, ENGINES, type Order, type Questions, type Searched } from './search-child.js'
import { makeCorpus } from './search-corpus.js'
import type { EngineKind } from './search-engines.js'
import { type Outcome, printReport } from './search-report.js'
import { readVocabulary } from './search-words.js'

const SIZES = (process.env.BENCH_SIZES ?? '10000,100000,1000000').split(',').map(Number)
const CHOSEN = process.env.BENCH_ENGINES?.split(',')
const BUILD_MINUTES = Number(process.env.BENCH_MINUTES ?? 15)
const HEAP_MIB = Number(process.env.BENCH_HEAP_MIB ?? 16_384)
/** For the timed searches, and again for each of the other two figures. */
const SEARCH_SECONDS = 240
/** An engine that has not even come to an end by then hangs in a single search. */
const SEARCH_MINUTES = 15
const TIMED = 1000
const WARM_UP = 100

const ORDER = '--order='
/** What a process says when it dies is at the end. */
const LAST_WORDS = 20_000

/** Runs one process. @returns what it reported, and why it ended if that was too early */
function inChild(order: Order, flags: readonly string[]): Promise<{ results: (Built | Searched)[]; failure?: string }> {
  const results: (Built | Searched)[] = []
  const child = fork(fileURLToPath(import.meta.url), [ORDER + JSON.stringify(order)], {
    execArgv: ['--expose-gc', ...flags],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  })
  let said = ''
  let failure: string | undefined
  const limitTo = (minutes: number) =>
    setTimeout(() => {
      failure = `took longer than ${minutes} minutes`
      child.kill('SIGKILL')
    }, minutes * 60_000)
  let limit = limitTo(order.phase === 'build' ? BUILD_MINUTES : SEARCH_MINUTES)
  child.stderr?.on('data', (chunk) => {
    said = (said + String(chunk)).slice(-LAST_WORDS)
  })
  child.on('message', (message) => {
    results.push(message as Built | Searched)
    clearTimeout(limit)
    limit = limitTo(SEARCH_MINUTES)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(limit)
      if (code !== 0)
        failure ??= /^.*(?:FATAL|Error).*$/m.exec(said)?.[0] ?? `ended by ${signal ?? `exit code ${code}`}`
      resolve({ results, ...(failure === undefined ? {} : { failure }) })
    })
  })
}

async function measure(kind: EngineKind, order: Omit<Order, 'engine' | 'phase'>): Promise<Outcome> {
  const engine = kind.name
  // Node holds more than it needs when it may, so only who needs it is allowed to.
  const flags = kind.open === undefined ? [`--max-old-space-size=${HEAP_MIB}`] : []
  const building = await inChild({ ...order, engine, phase: 'build' }, flags)
  const isSearchable = kind.open !== undefined && building.failure === undefined
  const searching = isSearchable ? await inChild({ ...order, engine, phase: 'query' }, flags) : undefined
  const results = [...building.results, ...(searching?.results ?? [])]
  const built = results.find((result): result is Built => result.what === 'built')
  const searched = results.find((result): result is Searched => result.what === 'searched')
  const failure = building.failure ?? searching?.failure
  return {
    engine,
    ...(built === undefined ? {} : { built }),
    ...(searched === undefined ? {} : { searched }),
    ...(failure === undefined ? {} : { failure }),
  }
}

async function compare(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hc-bench-search-'))
  try {
    const words = await readVocabulary()
    const vocabulary = join(folder, 'vocabulary.json')
    writeFileSync(vocabulary, JSON.stringify(words))
    for (const size of SIZES) {
      const corpus = makeCorpus(size, words)
      const query = (_: unknown, i: number) => corpus.query(i)
      const all = Array.from({ length: TIMED + WARM_UP }, query)
      const asked: Questions = { timed: all.slice(0, TIMED), warmUp: all.slice(TIMED) }
      const questions = join(folder, `questions-${size}.json`)
      writeFileSync(questions, JSON.stringify(asked))
      const outcomes: Outcome[] = []
      for (const kind of ENGINES.filter(({ name }) => CHOSEN?.includes(name) ?? true)) {
        console.log(`${kind.name}, ${size.toLocaleString('en')} passages …`)
        const own = join(folder, `${kind.name}-${size}`)
        const order = { size, file: join(own, 'index.sqlite'), vocabulary, questions, searchSeconds: SEARCH_SECONDS }
        outcomes.push(await measure(kind, order))
        rmSync(own, { recursive: true, force: true })
      }
      printReport(size, outcomes, asked.timed)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const order = process.argv.find((argument) => argument.startsWith(ORDER))
if (order === undefined) {
  await compare()
} else {
  // A result counts once it has arrived; then the process ends, whatever the engine still keeps running.
  const sent: Promise<void>[] = []
  await carryOut(JSON.parse(order.slice(ORDER.length)) as Order, (result) => {
    sent.push(new Promise((resolve) => process.send?.(result, () => resolve())))
  })
  await Promise.all(sent)
  process.exit(0)
}
