// Each row of docs/copying.md against the real `docker cp`: the same tree, or both refuse, or a difference that is meant.
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { bytesOf } from '../../src/actions/index.js'
import { makeContainer } from '../helpers/engine.js'
import { requireProgram } from '../helpers/packages.js'
import { codeOf, dockerHost, openRoom, type Room } from '../helpers/room.js'

const socketPath = inject('engineSocket')
const cli = requireProgram('docker')
const docker = (...args: string[]) =>
  spawnSync(cli, ['-H', `unix://${socketPath}`, ...args], { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 })

const DOCUMENT = readFileSync(new URL('../../docs/copying.md', import.meta.url), 'utf8')

/** What every row finds, in a folder of its own. */
const FIXTURE = `
  echo old > f && mkdir -p d/sub held/new taken piped empty && echo kept > d/kept && echo deep > d/sub/deep && mkfifo pipe piped/new
  mknod device c 1 3
  ln -s f to-file; ln -s d to-directory; ln -s to-file to-to-file; ln -s to-directory to-to-directory
  ln -s later dangling; ln -s none/later hopeless; ln -s loop loop; ln -s "$PWD/f" absolute
  ln -s ../../../../../..$PWD/f climbing; ln -s ../f taken/new; ln -s f d/link; ln d/kept d/hard`

interface Case {
  /** As the document names it. */
  readonly row: string
  readonly path: string
  /** Absent: as `docker cp`. Otherwise what we do in its place. */
  readonly differs?: 'refuses' | 'follows'
}

const IN: readonly Case[] = [
  { row: 'a file', path: 'f' },
  { row: 'a file, with a slash', path: 'f/' },
  { row: 'a path through a file', path: 'f/x' },
  { row: 'a directory', path: 'd' },
  { row: 'a directory, with a slash', path: 'd/' },
  { row: 'a directory, with `/.`', path: 'd/.' },
  { row: 'a directory that holds a directory of that name', path: 'held' },
  { row: 'a directory that holds a link of that name', path: 'taken' },
  { row: 'a directory that holds a pipe of that name', path: 'piped' },
  { row: 'nothing', path: 'x' },
  { row: 'nothing, with a slash', path: 'x/' },
  { row: 'nothing, with `/.`', path: 'x/.' },
  { row: 'nothing, in a missing directory', path: 'none/x' },
  { row: 'nothing, in a missing directory, with a slash', path: 'none/x/' },
  { row: 'a link to a file', path: 'to-file' },
  { row: 'a link to a file, with a slash', path: 'to-file/' },
  { row: 'a link to a link to a file', path: 'to-to-file' },
  { row: 'an absolute link to a file', path: 'absolute' },
  { row: 'a link that climbs above the root', path: 'climbing' },
  { row: 'a link to a directory', path: 'to-directory' },
  { row: 'a link to a directory, with a slash', path: 'to-directory/' },
  { row: 'a link to a link to a directory', path: 'to-to-directory' },
  { row: 'a new name through a link to a directory', path: 'to-directory/x' },
  { row: 'a link to nothing yet', path: 'dangling' },
  { row: 'a link to nothing, in a missing directory', path: 'hopeless' },
  { row: 'a link to itself', path: 'loop', differs: 'refuses' },
  { row: 'a device', path: 'device' },
  { row: 'a pipe', path: 'pipe', differs: 'refuses' },
]

const OUT: readonly Case[] = [
  { row: 'a file', path: 'f' },
  { row: 'a file, with a slash', path: 'f/' },
  { row: 'a path through a file', path: 'f/x' },
  { row: 'a file through a link to a directory', path: 'to-directory/kept' },
  { row: 'a directory', path: 'd' },
  { row: 'a directory, with a slash', path: 'd/' },
  { row: 'a directory, with `/.`', path: 'd/.' },
  { row: 'an empty directory', path: 'empty' },
  { row: 'nothing', path: 'x' },
  { row: 'nothing, in a missing directory', path: 'none/x' },
  { row: 'a link to a file', path: 'to-file', differs: 'follows' },
  { row: 'a link to a file, with a slash', path: 'to-file/' },
  { row: 'a link to a link to a file', path: 'to-to-file', differs: 'follows' },
  { row: 'an absolute link to a file', path: 'absolute', differs: 'follows' },
  { row: 'a link that climbs above the root', path: 'climbing', differs: 'follows' },
  { row: 'a link to a directory', path: 'to-directory', differs: 'follows' },
  { row: 'a link to a directory, with a slash', path: 'to-directory/' },
  { row: 'a link to a directory, with `/.`', path: 'to-directory/.' },
  { row: 'a link to nothing yet', path: 'dangling', differs: 'refuses' },
  { row: 'a link to itself', path: 'loop' },
  { row: 'a device', path: 'device', differs: 'refuses' },
  { row: 'a pipe', path: 'pipe', differs: 'refuses' },
]

const local = mkdtempSync(join(tmpdir(), 'hc-parity-'))
const content = Buffer.from('new\n')
let room: Room

beforeAll(async () => {
  writeFileSync(join(local, 'new'), content)
  chmodSync(join(local, 'new'), 0o644)
  room = await openRoom({ hosts: [dockerHost('local', socketPath)] })
})
afterAll(async () => {
  await room.close()
  rmSync(local, { recursive: true })
})

async function twin(rows: number): Promise<string> {
  const { name } = await makeContainer(new Docker({ socketPath }))
  const fixture = `for n in $(seq 0 ${rows - 1}); do mkdir -p /t/$n; cd /t/$n; ${FIXTURE}\ndone`
  execFileSync(cli, ['-H', `unix://${socketPath}`, 'exec', name, 'sh', '-ec', fixture])
  return name
}

/** Row → every name below it with its kind, mode, content and where it points. */
function trees(container: string): Map<string, string[]> {
  const script = `cd /t; find . -mindepth 1 | sort | while read -r p; do
    [ -f "$p" ] && [ ! -L "$p" ] && sum=$(sha256sum < "$p") || sum=-
    echo "$p|$(stat -c '%F|%a' "$p")|$(readlink "$p")|$sum"; done`
  const listed = docker('exec', container, 'sh', '-c', script).stdout.toString().trim().split('\n')
  const rows = new Map<string, string[]>()
  for (const line of listed) {
    const [, row = '', rest = ''] = /^\.\/(\d+)(.*)$/.exec(line) ?? []
    rows.set(row, [...(rows.get(row) ?? []), rest])
  }
  return rows
}

const newFile = () => ({
  name: 'new',
  sizeBytes: content.length,
  reference: { name: 'new' },
  open: async () => bytesOf(Readable.from([content], { objectMode: false })),
})

describe('copying a file in, beside `docker cp`', () => {
  const ours = new Map<string, string>()
  const theirs = new Map<string, number | null>()
  let ourTrees: Map<string, string[]>
  let theirTrees: Map<string, string[]>

  beforeAll(async () => {
    const [a, b] = [await twin(IN.length), await twin(IN.length)]
    for (const [n, { path }] of IN.entries()) {
      const to = `/t/${n}/${path}`
      theirs.set(path, docker('cp', join(local, 'new'), `${a}:${to}`).status)
      const copying = room.does('container.copy-in', { container: b, path: to }, { file: newFile() })
      ours.set(path, await codeOf(copying))
    }
    theirTrees = trees(a)
    ourTrees = trees(b)
  })

  it.each(IN.map((tested, row) => ({ ...tested, n: row })))('onto $row', ({ n, path, differs }) => {
    if (differs === 'refuses') {
      expect(theirs.get(path)).toBe(0)
      expect(ours.get(path)).toBe('PATH_INVALID')
      return
    }
    expect({ path, done: ours.get(path) === 'OK' }).toEqual({ path, done: theirs.get(path) === 0 })
    expect(ourTrees.get(String(n))).toEqual(theirTrees.get(String(n)))
    expect(ours.get(path)).toMatch(/^(OK|PATH_INVALID|DESTINATION_NOT_FOUND)$/)
  })

  it('keeps the mode and the owner of a file that it replaces, where `docker cp` brings its own', async () => {
    const [a, b] = [await twin(1), await twin(1)]
    for (const name of [a, b]) docker('exec', name, 'sh', '-c', 'chmod 640 /t/0/f && chown 7:8 /t/0/f')
    expect(docker('cp', join(local, 'new'), `${a}:/t/0/f`).status).toBe(0)
    await room.does('container.copy-in', { container: b, path: '/t/0/f' }, { file: newFile() })
    const owned = (name: string) => docker('exec', name, 'stat', '-c', '%a %u:%g', '/t/0/f').stdout.toString().trim()
    expect([owned(a), owned(b)]).toEqual([expect.stringMatching(/^644 /), '640 7:8'])
  })
})

interface Taken {
  readonly code: string
  readonly name?: string
  readonly bytes?: Buffer
}

async function copiedOut(container: string, path: string): Promise<Taken> {
  const started = room.does<{ jobId: string }>('container.copy-out', { container, path })
  const code = await codeOf(started)
  if (code !== 'OK') return { code }
  const { jobId } = await started
  const job = await room.actions.jobs.wait(jobId, 'local', AbortSignal.timeout(20_000))
  const artifact = room.actions.artifacts.get(job.artifact ?? '', 'local')
  return artifact
    ? { code, name: artifact.name, bytes: readFileSync(artifact.path) }
    : { code: job.error?.code ?? job.state }
}

/** The one file that `docker cp` makes in an empty folder, and what it is called. */
function copiedByDocker(source: string, follow: boolean): Taken {
  const folder = mkdtempSync(join(local, 'out-'))
  const { status } = docker('cp', ...(follow ? ['-L'] : []), source, folder)
  const [name] = readdirSync(folder)
  return status !== 0 || name === undefined
    ? { code: 'refused' }
    : { code: 'OK', name, bytes: readFileSync(join(folder, name)) }
}

/** Unpacked by tar: what a person who opens the download has on the disk. */
function unpacked(tar: Buffer): string {
  const folder = mkdtempSync(join(local, 'tree-'))
  execFileSync('tar', ['-xpf', '-', '-C', folder], { input: tar })
  return treeOf(folder)
}
const treeOf = (folder: string): string =>
  execFileSync(
    'sh',
    [
      '-c',
      `cd "$1" && find . -mindepth 1 -printf '%P %y %m %l\\n' | sort && find . -type f | sort | xargs -r sha256sum`,
      'sh',
      folder,
    ],
    {
      encoding: 'utf8',
    },
  )

describe('copying out, beside `docker cp`', () => {
  let made: string
  beforeAll(async () => {
    made = await twin(1)
  })

  it.each(OUT)('of $row', async ({ path, differs }) => {
    const source = `/t/0/${path}`
    const ours = await copiedOut(made, source)
    const plain = docker('cp', `${made}:${source}`, '-')
    if (differs === 'refuses') {
      expect(plain.status).toBe(0)
      expect(ours.code).toMatch(/^PATH_(INVALID|NOT_FOUND)$/)
      return
    }
    if (plain.status !== 0) {
      expect(ours.code).toMatch(/^PATH_(INVALID|NOT_FOUND)$/)
      return
    }
    expect(ours.code).toBe('OK')
    if (!ours.name?.endsWith('.tar')) {
      expect(ours).toEqual(copiedByDocker(`${made}:${source}`, differs === 'follows'))
      return
    }
    // The very bytes of the engine's tar; only a link that is followed has none to compare with.
    if (differs === undefined) expect(ours.bytes?.equals(plain.stdout)).toBe(true)
    const folder = mkdtempSync(join(local, 'whole-'))
    expect(docker('cp', '-L', `${made}:${source}`, folder).status).toBe(0)
    expect(unpacked(ours.bytes ?? Buffer.alloc(0))).toBe(treeOf(folder))
  })
})

describe('docs/copying.md', () => {
  const section = (title: string) => DOCUMENT.split(/^## /m).find((text) => text.startsWith(title)) ?? ''
  const rowsOf = (title: string) =>
    [...section(title).matchAll(/^\| ([^|]+?) \| [^|]+ \|/gm)]
      .map(([, row]) => row)
      .filter((row) => !/^-+$/.test(row ?? ''))

  it('has every row that is tested, and no other', () => {
    expect(rowsOf('Into a container').slice(1)).toEqual(IN.map(({ row }) => row))
    expect(rowsOf('Out of a container').slice(1)).toEqual(OUT.map(({ row }) => row))
    expect(IN.length + OUT.length).toBeGreaterThanOrEqual(25)
  })
})
