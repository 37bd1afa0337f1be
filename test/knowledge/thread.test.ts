import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Database from 'better-sqlite3'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openKnowledge } from '../../src/knowledge/base.js'
import { type ImportReport, startKnowledge } from '../../src/knowledge/index.js'
import { builtFile } from '../helpers/build.js'
import { bytes, card, jsonLines, makeBase } from './base.js'
import { dumpIndex } from './index-dump.js'

const IMPORTER = fileURLToPath(new URL('../helpers/importer.mjs', import.meta.url))
const FACTS = fileURLToPath(new URL('../../data/knowledge/systems.yaml', import.meta.url))
const OPTIONS = { tenant: 'blue', collection: 'notes', file: 'notes.jsonl', author: 'ann' }
const CHANGE = { author: 'ann', at: 1, reason: 'asked' }
const CARDS = [
  { id: 'walrus', title: 'Walrus', text: 'A walrus has long tusks.' },
  { id: 'heron', title: '苍鹭', text: '苍鹭的腿很长。\n\n苍鹭吃鱼。' },
]

let worker: string
beforeAll(() => {
  worker = builtFile('knowledge/worker.js')
}, 120_000)

function start(idleMs?: { reader: number; writer: number }) {
  const folder = mkdtempSync(join(tmpdir(), 'hypercall-thread-'))
  const file = join(folder, 'test.sqlite')
  const knowledge = startKnowledge(worker, { file }, undefined, idleMs)
  onTestFinished(async () => {
    await knowledge.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { knowledge, file }
}

/** Large enough that a few of them are written at once. */
const large = (n: number) => Buffer.from(jsonLines({ id: `n${n}`, text: `The number ${n}: ${'x'.repeat(300_000)}` }))

describe('a base in threads', () => {
  it('says what one says that is called directly', async () => {
    const { knowledge: direct, dir, write } = makeBase()
    const { knowledge } = start()
    write('en/seal.md', card('seal', 'A seal barks at night.'))
    const ask = async (base: typeof knowledge | typeof direct) => [
      await base.ingest(dir),
      await base.import(bytes(jsonLines(...CARDS)), OPTIONS),
      await base.save({ id: 'walrus', title: 'The walrus' }, 'blue', CHANGE, true),
      await base.search('walrus tusks', { tenant: 'blue' }),
      await base.answer('苍鹭吃什么？', { tenant: 'blue' }),
      await base.answer('Does a seal bark?'),
      (await base.show('blue', 'walrus', undefined))?.text,
      (await base.history('blue', 'walrus', 'en'))?.versions.map(({ version, title }) => [version, title]),
      await base.remove('blue', 'heron', undefined, CHANGE),
      (await base.revert('blue', 'walrus', 'en', 1, CHANGE))?.saved,
      (await base.list('blue', {})).map(({ id, title, version }) => [id, title, version]),
      (await base.files('blue', undefined)).map(({ id, markdown }) => [id, markdown]),
      await base.topics('en'),
      await base.compare(['docker', 'lxd'], 'en'),
      await base.choose('', 'en'),
      await base.systems(),
      await base.stats(),
    ]
    expect(await ask(knowledge)).toEqual(await ask(direct))
  })

  it('reads the source of an import no further than it is used up', async () => {
    const { knowledge } = start()
    let given = 0
    async function* source() {
      for (; given < 120; given += 1) yield large(given)
    }
    let written = 0
    const ahead: number[] = []
    const report = await knowledge.import(source(), OPTIONS, ({ added }) => {
      written = added
      ahead.push(given - added)
    })
    expect(report.added).toBe(120)
    expect(written).toBe(120)
    expect(ahead.length).toBeGreaterThan(4)
    // Twenty-one documents are written together; beyond them one piece is on its way, and one may be asked for.
    expect(Math.max(...ahead)).toBeLessThanOrEqual(3)
  })

  it('answers while an import is under way', async () => {
    const { knowledge } = start()
    await knowledge.import(bytes(jsonLines(...CARDS)), OPTIONS)
    let isOver = false
    async function* source() {
      for (let n = 0; n < 5; n += 1)
        yield Buffer.from(jsonLines({ id: `d${n}`, text: 'A heavy word. '.repeat(20_000) }))
    }
    const importing = knowledge.import(source(), { ...OPTIONS, collection: 'more' }).then((report) => {
      isOver = true
      return report
    })
    let answered = 0
    while (!isOver) {
      const [hit] = await knowledge.search('walrus tusks', { tenant: 'blue' })
      expect(hit?.card).toBe('walrus')
      if (!isOver) answered += 1
      await sleep(2)
    }
    expect(await importing).toMatchObject({ added: 5 })
    // Behind the import they would wait for half a second of work each.
    expect(answered).toBeGreaterThan(25)
  })

  it.each([
    ['an error', () => new Error('enough')],
    ['nothing but that it was stopped', () => undefined],
  ])('stops an import for the reason given, %s, and keeps what was written', async (_what, reasonOf) => {
    const { knowledge } = start()
    const stop = new AbortController()
    const reports: ImportReport[] = []
    let isClosed = false
    async function* source() {
      try {
        for (let n = 0; ; n += 1) yield large(n)
      } finally {
        isClosed = true
      }
    }
    const importing = knowledge.import(source(), { ...OPTIONS, signal: stop.signal }, (report) => {
      reports.push(report)
      if (reports.length === 2) stop.abort(reasonOf())
    })
    const thrown = await importing.catch((error: unknown) => error)
    expect(thrown).toBe(stop.signal.reason)
    expect(isClosed).toBe(true)
    const { cards } = await knowledge.stats()
    expect(cards).toBeGreaterThanOrEqual(reports.at(1)?.added ?? Infinity)
    expect(cards).toBeLessThan(100)
    // And the next one works.
    expect(await knowledge.import(bytes(jsonLines(...CARDS)), OPTIONS)).toMatchObject({ added: 2 })
  })

  it('stops an import whose source never says anything', async () => {
    const { knowledge } = start()
    const stop = new AbortController()
    async function* source() {
      yield large(1)
      setTimeout(() => stop.abort(new Error('enough')), 100)
      await new Promise(() => {})
    }
    await expect(knowledge.import(source(), { ...OPTIONS, signal: stop.signal })).rejects.toThrow('enough')
  })

  it('fails with the very error that the source fails with', async () => {
    const { knowledge } = start()
    const failure = Object.assign(new RangeError('the upload broke off'), { code: 'TOO_LARGE', retry: () => {} })
    async function* source() {
      yield Buffer.from(jsonLines(...CARDS))
      throw failure
    }
    expect(await knowledge.import(source(), OPTIONS).catch((error: unknown) => error)).toBe(failure)
    expect(await knowledge.import(bytes(jsonLines(...CARDS)), OPTIONS)).toMatchObject({ added: 2 })
  })

  it('knows the same once its threads have ended for want of something to do', async () => {
    const { dir, write } = makeBase()
    const { knowledge } = start({ reader: 20, writer: 20 })
    write('en/seal.md', card('seal', 'A seal barks at night.'))
    write('systems.yaml', readFileSync(FACTS))
    await knowledge.ingest(dir)
    const ask = async () => [await knowledge.systems(), await knowledge.answer('Does a seal bark?')]
    const before = await ask()
    await sleep(500)
    expect(before[0]).not.toEqual([])
    expect(await ask()).toEqual(before)
    expect(await knowledge.save({ id: 'walrus', title: 'Walrus' }, 'blue', CHANGE, true)).toBeDefined()
  })

  it('throws what the base throws', async () => {
    const { knowledge } = start()
    await expect(knowledge.ingest('/nowhere')).rejects.toThrow(/ENOENT/)
  })

  it('says which file cannot be used, and why', async () => {
    const { dir } = makeBase()
    const knowledge = startKnowledge(worker, { file: dir })
    await expect(knowledge.stats()).rejects.toThrow(`${basename(dir)} cannot be used: SQLITE_CANTOPEN`)
    await knowledge.close()
  })

  it('lets its process end once it is closed, and while nobody asks anything', async () => {
    const { file } = start()
    const program = join(dirname(file), 'program.mjs')
    for (const close of ['await knowledge.close()', '']) {
      writeFileSync(
        program,
        `import { startKnowledge } from ${JSON.stringify(join(dirname(worker), 'index.js'))}
         const knowledge = startKnowledge(${JSON.stringify(worker)}, { file: ${JSON.stringify(file)} })
         const change = { author: 'ann', at: 0, reason: '' }
         await knowledge.save({ id: 'walrus', text: 'A walrus has tusks.' }, 'blue', change, true)
         await knowledge.search('walrus', { tenant: 'blue' })
         ${close}
         console.log('over')`,
      )
      const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 10_000 })
      expect(stdout).toBe('over\n')
    }
  })
})

describe('a process that is killed while it imports', () => {
  /** Five times what is written together. */
  const COUNT = 8000

  it('leaves a whole base with all that it said was safe, and the next one finishes the work', async () => {
    const { file } = start()
    /** Changes whenever something is being written. */
    const written = () => statSync(`${file}-wal`).mtimeMs
    let safe = 0
    for (const killWhen of ['something was written', 'more is being written']) {
      const child = spawn(process.execPath, [IMPORTER, dirname(worker), file, String(COUNT)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const ended = once(child, 'exit')
      let said: ImportReport | undefined
      for await (const line of createInterface({ input: child.stdout })) {
        said = JSON.parse(line) as ImportReport
        if (said.added > 0) break
      }
      const before = written()
      while (killWhen === 'more is being written' && written() === before) await immediate()
      child.kill('SIGKILL')
      expect(await ended).toEqual([null, 'SIGKILL'])
      safe += said?.added ?? 0
      const db = new Database(file)
      const knowledge = openKnowledge(db)
      expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
      const { cards } = knowledge.stats()
      expect(cards).toBeGreaterThanOrEqual(safe)
      expect(cards).toBeLessThan(COUNT)
      expect(knowledge.search('walrus 17', { tenant: 'blue' })[0]?.card).toBe('walrus-17')
      safe = cards
      db.close()
    }

    const { knowledge: fresh, db: freshDb } = makeBase()
    const db = new Database(file)
    const knowledge = openKnowledge(db)
    const again = await knowledge.import(documents(COUNT), OPTIONS)
    expect(again).toMatchObject({ added: COUNT - safe, changed: 0, unchanged: safe, rejected: 0 })
    await fresh.import(documents(COUNT), OPTIONS)
    expect(dumpIndex(db)).toEqual(dumpIndex(freshDb))
    db.close()
  }, 60_000)
})

/** The same as `importer.mjs` brings. */
async function* documents(count: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < count; n += 1) {
    const text = `Walrus ${n} weighs ${n * 7} kilograms. It rests. ${'x'.repeat(4000)}`
    yield Buffer.from(jsonLines({ id: `walrus-${n}`, text }))
  }
}
