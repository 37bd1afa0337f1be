import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { broughtLine, collectionOf } from '../../src/bot/watch.js'

const BIN = fileURLToPath(new URL('../../bin/hypercall.mjs', import.meta.url))
const place = mkdtempSync(join(tmpdir(), 'hc-watch-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))

/** A `knowledge watch` that runs on a state of its own, and what it says, line by line. */
function watching(folder: string, ...options: readonly string[]) {
  const child = spawn(process.execPath, [BIN, 'knowledge', 'watch', folder, '--lang', 'en', ...options], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, HYPERCALL_STATE: mkdtempSync(join(place, 'state-')) },
  })
  stops.push(() => child.kill('SIGKILL'))
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code))
  })
  let complaints = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaints += String(chunk)
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    child,
    ended,
    complaints: () => complaints,
    /** What it says next, without the time before it. */
    async said(): Promise<string> {
      const { value } = await lines.next()
      return String(value ?? `nothing more: ${complaints}`).replace(/^\S+Z {2}/, '')
    },
  }
}

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

const text = (what: string): string => `# The ${what}\n\nA ${what} has something remarkable.\n`

describe('watching a folder', () => {
  it('keeps the collection equal to it, whatever happens to its files, and ends with 0 when it is told to', async () => {
    const notes = join(place, 'notes')
    const at = (...names: string[]) => join(notes, ...names)
    mkdirSync(at('.git'), { recursive: true })
    writeFileSync(at('heron.md'), text('heron'))
    const watched = watching(notes)
    expect(await watched.said()).toBe(`Watching ${notes} for the collection "notes"; Ctrl-C ends it.`)
    expect(await watched.said()).toBe('1 new')

    mkdirSync(at('sea', 'deep'), { recursive: true })
    writeFileSync(at('sea', 'deep', 'eel.md'), text('eel'))
    expect(await watched.said()).toBe('1 new')
    writeFileSync(at('sea', 'deep', 'eel.md'), text('moray'))
    expect(await watched.said()).toBe('1 changed')

    // As editors and git write: a new file in place of the old one, which is then written to again.
    writeFileSync(at('heron.md~'), text('grey heron'))
    renameSync(at('heron.md~'), at('heron.md'))
    expect(await watched.said()).toBe('1 changed')
    writeFileSync(at('heron.md'), text('purple heron'))
    expect(await watched.said()).toBe('1 changed')

    renameSync(at('heron.md'), at('sea', 'heron.md'))
    expect(await watched.said()).toBe('1 new, 1 removed')
    rmSync(at('sea', 'deep'), { recursive: true })
    expect(await watched.said()).toBe('1 removed')

    // Nothing is said of what is no document, and nothing is removed while something cannot be read.
    writeFileSync(at('.git', 'readme.md'), text('commit'))
    writeFileSync(at('photo.jpg'), '')
    writeFileSync(at('walrus.md'), Buffer.from([0xff]))
    rmSync(at('sea', 'heron.md'))
    expect(await watched.said()).toBe('1 not taken (walrus.md:1: not valid UTF-8)')
    writeFileSync(at('walrus.md'), text('walrus'))
    expect(await watched.said()).toBe('1 new, 1 removed')

    expect(watched.complaints()).toBe('')
    watched.child.kill('SIGTERM')
    expect(await watched.ended).toBe(0)
  }, 60_000)

  it('waits for a folder that is gone, and takes nothing away because of that', async () => {
    const [notes, away] = [join(place, 'moved'), join(place, 'away')]
    mkdirSync(notes)
    writeFileSync(join(notes, 'heron.md'), text('heron'))
    const watched = watching(notes, '--collection', 'birds')
    expect(await watched.said()).toContain('the collection "birds"')
    expect(await watched.said()).toBe('1 new')
    renameSync(notes, away)
    await expect.poll(watched.complaints, { timeout: 10_000 }).toContain(`${notes} cannot be read (ENOENT)`)
    writeFileSync(join(away, 'walrus.md'), text('walrus'))
    renameSync(away, notes)
    expect(await watched.said()).toBe('1 new')
    // It hears what happens in the one that came back.
    writeFileSync(join(notes, 'eel.md'), text('eel'))
    expect(await watched.said()).toBe('1 new')
    watched.child.kill('SIGINT')
    expect(await watched.ended).toBe(0)
  }, 60_000)

  it('does not begin with what is no folder, or what the import refuses', async () => {
    const missing = watching(join(place, 'no-such'))
    expect(await missing.ended).toBe(1)
    expect(missing.complaints()).toMatch(/^INVALID_INPUT: .*no-such is not a folder/)
    const refused = watching(place, '--collection', 'two words')
    expect(await refused.ended).toBe(1)
    expect(refused.complaints()).toMatch(/^INVALID_INPUT: .*"collection"/)
  })
})

describe("a folder's name as a collection", () => {
  it.each([
    ['/srv/notes', 'notes'],
    ['/srv/notes/', 'notes'],
    ['/srv/Team notes (2026)', 'Team-notes-2026-'],
    ['/srv/团队笔记', '团队笔记'],
    ['/srv/.config', 'config'],
    ['/srv/__init__', 'init__'],
    [`/srv/${'a'.repeat(63)}𠀀`, 'a'.repeat(63)],
    ['/srv/---', ''],
    ['/', ''],
  ])('%s → %s', (folder, collection) => {
    expect(collectionOf(folder)).toBe(collection)
  })
})

describe('what an import did', () => {
  const NOTHING = { added: 0, changed: 0, removed: 0, rejected: 0, problems: [] }

  it('is no line when it did nothing', () => {
    expect(broughtLine(NOTHING, 'en')).toBe('')
  })

  it('is one line, with the first of what was wrong', () => {
    const problems = ['a', 'b'].map((file) => ({ file, line: 3, message: 'no\ntext' }))
    const brought = { ...NOTHING, added: 2, removed: 1, rejected: 2, problems }
    expect(broughtLine(brought, 'en')).toBe('2 new, 1 removed, 2 not taken (a:3: no text)')
    expect(broughtLine(brought, 'zh')).toBe('新增 2，移除 1，未采纳 2（a:3: no text）')
  })
})
