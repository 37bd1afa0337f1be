// Containers and files that mean harm: nothing of the host is read, written or run, and what comes out is only bytes.
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import Docker from 'dockerode'
import { extract, type Header, pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { bytesOfFile, type FileSource, bytesOf as sourceOf } from '../../src/actions/index.js'
import { renderText } from '../../src/bot/cli-render.js'
import { plainText } from '../../src/bot/discord/plain.js'
import { render } from '../../src/bot/discord/render.js'
import { growthMiB } from '../helpers/bomb.js'
import { type Engine, makeContainer, makeImage, startEngine } from '../helpers/engine.js'
import { codeOf, dockerHost, openRoom, POLICY, type Room } from '../helpers/room.js'

const socketPath = inject('engineSocket')
const docker = new Docker({ socketPath })
const GIB = 1024 ** 3

/** A folder of the host that a container knows the path of. */
const outside = mkdtempSync(join(tmpdir(), 'hc-outside-'))
const SECRET = 'a secret of the host\n'
let room: Room

beforeAll(async () => {
  room = await openRoom({ hosts: [dockerHost('local', socketPath)] })
  writeFileSync(join(outside, 'secret'), SECRET)
})
afterAll(async () => {
  await room.close()
  rmSync(outside, { recursive: true })
})

const hostIsUntouched = () => {
  expect(readdirSync(outside)).toEqual(['secret'])
  expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe(SECRET)
}

async function sh(container: Docker.Container, command: string): Promise<string> {
  const exec = await container.exec({
    Cmd: ['/bin/sh', '-c', command],
    AttachStdout: true,
    AttachStderr: true,
    Tty: true,
  })
  const chunks: Buffer[] = []
  for await (const chunk of await exec.start({ Tty: true })) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString().trim()
}

const fileOf = (name: string, content: Buffer): FileSource => ({
  name,
  sizeBytes: content.length,
  reference: { name },
  open: async () => sourceOf(Readable.from([content], { objectMode: false })),
})

interface CopiedOut {
  readonly code: string
  readonly name?: string
  readonly path?: string
  readonly sizeBytes?: number
}

async function copyOut(container: string, path: string): Promise<CopiedOut> {
  const starting = room.does<{ jobId: string }>('container.copy-out', { container, path })
  const code = await codeOf(starting)
  if (code !== 'OK') return { code }
  const job = await room.actions.jobs.wait((await starting).jobId, 'local', AbortSignal.timeout(60_000))
  const artifact = room.actions.artifacts.get(job.artifact ?? '', 'local')
  return { code: job.error?.code ?? 'OK', ...artifact }
}
const bytesOf = ({ path = '' }: CopiedOut): Buffer => readFileSync(path)

describe('links that point at the host', () => {
  it("A62: give the container's own file, and never the host's", async () => {
    const made = await makeContainer(docker)
    await sh(
      made,
      `ln -s /etc/passwd /srv/p; ln -s ../../../../../../etc/passwd /srv/up; ln -s ${outside}/secret /srv/s`,
    )
    const own = await sh(made, 'cat /etc/passwd')
    for (const path of ['/srv/p', '/srv/up'])
      expect(
        bytesOf(await copyOut(made.name, path))
          .toString()
          .trim(),
      ).toBe(own)
    expect(await copyOut(made.name, '/srv/s')).toEqual({ code: 'PATH_NOT_FOUND' })
  })

  it('A63: lead what is copied in to a place inside the container, or nowhere', async () => {
    const made = await makeContainer(docker)
    await sh(made, `ln -s ${outside} /srv/out; ln -s ${outside}/secret /srv/s; ln -s / /srv/root`)
    const into = (path: string) => codeOf(room.does('container.copy-in', { container: made.name, path, text: 'mine' }))
    expect(await into('/srv/out/x')).toBe('DESTINATION_NOT_FOUND')
    expect(await into('/srv/s')).toBe('DESTINATION_NOT_FOUND')
    expect(await into('/srv/root/etc/passwd')).toBe('OK')
    expect(await sh(made, 'cat /etc/passwd')).toBe('mine')
    await sh(made, `mkdir -p ${outside}`)
    expect(await into('/srv/out/x')).toBe('OK')
    expect(await sh(made, `cat ${outside}/x`)).toBe('mine')
    hostIsUntouched()
  })

  it('A64: are swapped for directories while copies go both ways, and nothing gets out or in', async () => {
    const made = await makeContainer(docker, {
      command: `mkdir -p /srv/real; echo inside > /srv/real/secret
        while :; do ln -s ${outside} /srv/t; rm -f /srv/t; mkdir /srv/t; echo inside > /srv/t/secret; rm -rf /srv/t; done`,
    })
    const ended = new Map<string, number>()
    for (let round = 0; round < 40; round++) {
      const code = await codeOf(
        room.does('container.copy-in', { container: made.name, path: '/srv/t/secret', text: 'overwritten' }),
      )
      const out = await copyOut(made.name, round % 2 === 0 ? '/srv/t/secret' : '/srv/t')
      if (out.path !== undefined) expect(bytesOf(out).includes(SECRET)).toBe(false)
      for (const each of [code, out.code]) ended.set(each, (ended.get(each) ?? 0) + 1)
    }
    await made.stop({ t: 0 })
    expect([...ended.keys()].filter((code) => code === 'INTERNAL')).toEqual([])
    expect(room.bugs).toEqual([])
    hostIsUntouched()
  })
})

describe('names that mean harm', () => {
  const NAME = 'a\n\u001b[31m\u202egpj.@everyone`|| <@1> .txt'
  const STEERING = /[^\P{Cc}\n\t]|\p{Bidi_Control}/u
  const MENTION = /(?<!\\)<@1>|@everyone/

  it('A65: are kept in the container as they are, and shown without what they would do', async () => {
    const made = await makeContainer(docker)
    const file = fileOf(NAME, Buffer.from('x'))
    const first = await room.call('container.copy-in', { container: made.name, path: '/srv' }, { file })
    if (first.status !== 'confirm') throw new Error('it was not asked for a confirmation')
    const done = await room.call(
      'container.copy-in',
      { container: made.name, path: '/srv' },
      { file, confirm: first.token },
    )
    expect(await sh(made, 'cd /srv && for f in *; do printf %s "$f" | sha256sum; done')).toContain(
      createHash('sha256').update(NAME).digest('hex'),
    )
    for (const { view } of [first, done]) {
      expect(renderText(view)).toMatch(/gpj/)
      for (const shown of [renderText(view), plainText(view)]) expect(shown).not.toMatch(STEERING)
      const { body } = render({ view, lang: 'en' })
      expect(body.allowed_mentions).toEqual({ parse: [] })
      const shown = body.embeds.map(({ description }) => description).join()
      expect(shown).not.toMatch(STEERING)
      expect(shown).not.toMatch(MENTION)
    }
  })

  it('A66: are reduced to something harmless where they name a download', async () => {
    const made = await makeContainer(docker)
    for (const name of [NAME, '-rf', '..hidden', `${'长'.repeat(80)}.tar.gz`, '~', ' ']) {
      await room.does('container.copy-in', { container: made.name, path: `/srv/${name}`, text: 'x' })
      const out = await copyOut(made.name, `/srv/${name}`)
      expect(out.code).toBe('OK')
      expect(out.name).toMatch(/^[\p{L}\p{N}._][\p{L}\p{M}\p{N} ._+=~-]{0,99}$/u)
    }
    expect((await copyOut(made.name, `/srv/${NAME}`)).name).toBe('a___31m_gpj._everyone___ __1_ .txt')
  })
})

describe('content that looks like an archive', () => {
  const tar = pack()
  tar.entry({ name: '../../escape', mode: 0o4755 }, 'out')
  tar.finalize()

  it.each([
    ['a tar', async () => Buffer.concat(await Readable.from(tar).toArray())],
    ['gzip', async () => gzipSync('one file')],
    ['a bomb', async () => gzipSync(Buffer.alloc(256 * 1024 ** 2), { level: 9 })],
    ['bzip2', async () => Buffer.from('BZh91AY&SY')],
    ['xz', async () => Buffer.from('fd377a585a000004e6d6b446', 'hex')],
    ['zstd', async () => Buffer.from('28b52ffd0458010000', 'hex')],
  ])('%s goes in as the one file that it is', async (_, make) => {
    const content = await make()
    const made = await makeContainer(docker)
    const { sha256 } = await room.does<{ sha256: string }>(
      'container.copy-in',
      { container: made.name, path: '/srv' },
      { file: fileOf('upload', content) },
    )
    expect(sha256).toBe(createHash('sha256').update(content).digest('hex'))
    expect(await sh(made, 'cd /srv && ls && sha256sum upload')).toBe(`upload\r\n${sha256}  upload`)
  })
})

describe('sizes', () => {
  it('of nothing at all go in and come out', async () => {
    const made = await makeContainer(docker)
    const file = fileOf('empty', Buffer.alloc(0))
    await room.does('container.copy-in', { container: made.name, path: '/srv' }, { file })
    expect(await sh(made, "stat -c '%s %F' /srv/empty")).toBe('0 regular empty file')
    expect(await copyOut(made.name, '/srv/empty')).toMatchObject({ code: 'OK', sizeBytes: 0 })
  })

  it('of 5 GiB go in, in flat memory', { timeout: 600_000 }, async () => {
    const { bavail, bsize } = statfsSync(tmpdir())
    const sizeBytes = bavail * bsize > 12 * GIB ? 5 * GIB : 2 * GIB
    const path = join(outside, '..', `hc-sparse-${process.pid}`)
    writeFileSync(path, '')
    truncateSync(path, sizeBytes)
    try {
      const made = await makeContainer(docker)
      const file: FileSource = {
        name: 'big',
        sizeBytes,
        reference: { name: 'big' },
        open: () => bytesOfFile(path),
      }
      const grown = await growthMiB(() =>
        room.does('container.copy-in', { container: made.name, path: '/srv' }, { file }),
      )
      expect(await sh(made, 'stat -c %s /srv/big')).toBe(String(sizeBytes))
      expect(grown).toBeLessThan(64)
      await made.remove({ force: true })
    } finally {
      rmSync(path)
    }
  })

  it('of sparse files are what they seem, byte for byte', async () => {
    const made = await makeContainer(docker)
    await sh(made, 'truncate -s 64M /srv/sparse; printf end >> /srv/sparse')
    const out = await copyOut(made.name, '/srv/sparse')
    expect(out).toMatchObject({ code: 'OK', sizeBytes: 64 * 1024 ** 2 + 3 })
    expect(createHash('sha256').update(bytesOf(out)).digest('hex')).toBe(
      (await sh(made, 'sha256sum /srv/sparse')).split(' ')[0],
    )
  })
})

describe('a directory that holds what should not be unpacked', () => {
  it('A67: comes out as bytes: links, hard links, devices, capabilities and attributes are in the tar alone', async () => {
    const made = await makeContainer(docker)
    await sh(
      made,
      'mkdir /srv/d && cd /srv/d && mknod disk b 8 0 && mkfifo pipe && echo a > a && ln a hard && ln -s /etc/passwd leak',
    )
    await sh(made, 'cd /srv/d && cp /bin/busybox suid && chmod 4755 suid')
    const capable = pack()
    // CAP_NET_RAW, as the kernel keeps it (revision 2).
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex').toString('latin1')
    capable.entry({ name: 'd/capable', pax: { 'SCHILY.xattr.security.capability': capability } }, 'x')
    capable.finalize()
    await made.putArchive(Readable.from(capable), { path: '/srv' })
    const headers: Header[] = []
    const entries = extract()
    Readable.from([bytesOf(await copyOut(made.name, '/srv/d'))], { objectMode: false }).pipe(entries)
    for await (const entry of entries) {
      headers.push(entry.header)
      entry.resume()
    }
    const named = Object.fromEntries(headers.map((header) => [header.name, header]))
    expect(named['d/disk']).toMatchObject({ type: 'block-device', devmajor: 8 })
    expect(named['d/pipe']).toMatchObject({ type: 'fifo' })
    expect(named['d/leak']).toMatchObject({ type: 'symlink', linkname: '/etc/passwd' })
    expect([named['d/a']?.type, named['d/hard']?.type].sort()).toEqual(['file', 'link'])
    expect((named['d/suid']?.mode ?? 0) & 0o7777).toBe(0o4755)
    expect(Object.keys(named['d/capable']?.pax ?? {})).toContain('SCHILY.xattr.security.capability')
  })

  it('cannot be a device or a pipe itself', async () => {
    const made = await makeContainer(docker)
    await sh(made, 'mknod /srv/disk b 8 0; mkfifo /srv/pipe')
    for (const path of ['/srv/disk', '/srv/pipe']) {
      expect(await copyOut(made.name, path)).toEqual({ code: 'PATH_INVALID' })
      expect(await codeOf(room.does('container.copy-in', { container: made.name, path, text: 'x' }))).toBe(
        'PATH_INVALID',
      )
    }
  })
})

describe('modes that lend rights', () => {
  it('A68: are refused unless a policy gives that very right', async () => {
    const made = await makeContainer(docker)
    const copy = (mode: string) => ({ container: made.name, path: '/srv/x', text: 'x', mode })
    for (const mode of ['4755', '2755', '1777', '7777']) {
      expect(await codeOf(room.does('container.copy-in', copy(mode)))).toBe('MODE_REFUSED')
    }
    expect(await codeOf(room.does('container.copy-in', copy('0755')))).toBe('OK')
    const allowing = await openRoom({
      hosts: [dockerHost('local', socketPath)],
      policy: `${POLICY}\npermit (principal in Role::"admin", action == Action::"set-special-mode", resource);`,
    })
    expect(await allowing.does('container.copy-in', copy('4755'))).toMatchObject({ mode: '4755' })
    expect(await sh(made, 'stat -c %a /srv/x')).toBe('4755')
    await allowing.close()
  })
})

describe('ends in the middle', () => {
  const leftovers = (of: Room) => [
    ...readdirSync(join(of.stateFolder, 'artifacts')),
    ...readdirSync(of.actions.workFolder),
  ]

  it('of the container: the copy is whole or it failed, and nothing half is kept', async () => {
    const own = await openRoom({ hosts: [dockerHost('local', socketPath)] })
    const made = await makeContainer(docker)
    const sizeBytes = GIB / 2
    await sh(made, `truncate -s ${sizeBytes} /srv/big`)
    const { jobId } = await own.does<{ jobId: string }>('container.copy-out', {
      container: made.name,
      path: '/srv/big',
    })
    await expect.poll(() => own.actions.jobs.get(jobId, 'local').bytes, { timeout: 20_000 }).toBeGreaterThan(0)
    const removed = made.remove({ force: true })
    const job = await own.actions.jobs.wait(jobId, 'local', AbortSignal.timeout(60_000))
    await removed
    if (job.state === 'done') {
      expect(own.actions.artifacts.get(job.artifact ?? '', 'local')?.sizeBytes).toBe(sizeBytes)
    } else {
      expect(job.error?.code).toMatch(/^(ENGINE_LOST|INSTANCE_NOT_FOUND)$/)
      expect(leftovers(own)).toEqual([])
    }
    expect(await codeOf(own.does('container.copy-out', { container: made.name, path: '/srv/big' }))).toBe(
      'INSTANCE_NOT_FOUND',
    )
    await own.close()
  })

  it('of the engine: the export failed, and nothing of it is kept', { timeout: 120_000 }, async () => {
    const engine: Engine = await startEngine()
    const own = await openRoom({ hosts: [dockerHost('local', engine.socketPath)] })
    try {
      await makeImage(engine.docker)
      const made = await makeContainer(engine.docker)
      await sh(made, 'dd if=/dev/zero of=/srv/big bs=1M count=1024')
      const { jobId } = await own.does<{ jobId: string }>('container.export', { container: made.name })
      await expect
        .poll(() => own.actions.jobs.get(jobId, 'local').bytes, { interval: 5, timeout: 20_000 })
        .toBeGreaterThan(0)
      engine.kill()
      const job = await own.actions.jobs.wait(jobId, 'local', AbortSignal.timeout(60_000))
      expect(job).toMatchObject({ state: 'failed', error: { code: 'ENGINE_LOST' } })
      expect(leftovers(own)).toEqual([])
      expect(await codeOf(own.does('container.list', { host: 'local' }))).toBe('HOST_UNREACHABLE')
    } finally {
      await own.close()
      await engine.stop()
    }
  })
})
