// What every driver owes its callers, whatever the engine and however it is reached. A test file says how.
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { extract, pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ByteSource, bytesOf, readableOf } from '../../src/actions/bytes.js'
import type { Capability, HostDriver, RunRequest, Watched } from '../../src/actions/hosts/driver.js'
import { guarded } from '../../src/actions/hosts/health.js'
import { codeOf } from '../helpers/room.js'

export interface Reached {
  readonly driver: HostDriver
  /** The tag of an image with a busybox in /bin, whose PATH is /bin. */
  readonly image: string
}

const SLEEPER = ['/bin/sh', '-c', 'trap "exit 0" TERM; echo ready; while :; do sleep 1 & wait; done']
const NO_SUCH = 'f'.repeat(64)
const never = new AbortController().signal
const SOON = { timeout: 10_000 }

const tarOf = (name: string, content: string, owner: { uid: number; gid: number }): ByteSource => {
  const tar = pack()
  tar.entry({ name, mode: 0o640, ...owner }, content)
  tar.finalize()
  return bytesOf(Readable.from(tar, { objectMode: false }))
}

async function entriesOf(source: ByteSource): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const entries = extract()
  readableOf(source).pipe(entries)
  for await (const entry of entries) found.set(entry.header.name, await text(entry))
  return found
}

/** A driver that notes which of its methods were called. */
function noting(driver: HostDriver, called: Set<string>): HostDriver {
  return new Proxy(driver, {
    get(target, name: keyof HostDriver) {
      called.add(name)
      return target[name]
    },
  })
}

/** @param how for people, as in "over SSH" @param reach brings the engine up, or finds it */
export function hostDriverContract(how: string, reach: () => Promise<Reached>): void {
  describe(`a driver ${how}`, () => {
    const called = new Set<string>()
    const mark = randomUUID().slice(0, 8)
    let driver: HostDriver
    let plain: HostDriver
    let image: string
    let imageId: string
    let made = 0

    beforeAll(async () => {
      const reached = await reach()
      plain = reached.driver
      // As callers get it.
      driver = noting(guarded('engine', plain, { now: Date.now, mostAtOnce: 8 }), called)
      image = reached.image
      imageId = (await plain.images(never)).find(({ tags }) => tags.includes(image))?.id ?? ''
    })

    const requestOf = (more: Partial<RunRequest> = {}): RunRequest => {
      made += 1
      return {
        imageId,
        name: `hc-${mark}-${made}`,
        command: SLEEPER,
        environment: { SECRET: 'value' },
        ports: [],
        mounts: [],
        labels: { 'hypercall.contract': mark },
        restart: 'no',
        ...more,
      }
    }
    const run = (more?: Partial<RunRequest>) => driver.run(requestOf(more), never)

    afterAll(async () => {
      const instances = (await plain.list(never)).filter(({ labels }) => labels['hypercall.contract'] === mark)
      await Promise.all(instances.map(({ id }) => plain.remove(id, { force: true, volumes: true }, never)))
      const left = (await plain.images(never)).flatMap(({ tags }) => tags).filter((tag) => tag.includes(mark))
      for (const tag of left) await plain.removeImage(tag, true, never)
      plain.close()
    })

    const promises = (needs: Capability | undefined, title: string, test: () => Promise<void>) =>
      it(title, async ({ skip }) => {
        if (needs !== undefined) skip(!plain.can[needs], `it cannot ${needs}`)
        await test()
      })

    promises(undefined, 'is healthy, and says what it is and how full its disk is', async () => {
      const health = await driver.probe(never)
      expect(health).toMatchObject({ state: 'healthy', version: expect.stringMatching(/^\d/), os: 'linux' })
      expect(health.instances?.total).toBeGreaterThanOrEqual(health.instances?.running ?? Number.NaN)
      if (!driver.can.usage) return
      const usage = await driver.usage(never)
      expect(usage.images.count).toBeGreaterThan(0)
      expect(usage.images.sizeBytes).toBeGreaterThan(100_000)
      expect(usage.volumes.active).toBeLessThanOrEqual(usage.volumes.count)
    })

    promises('run', 'runs what it is asked for, lists and inspects it', async () => {
      const request = requestOf({ memoryBytes: 64 * 1024 ** 2, restart: 'on-failure' })
      const id = await driver.run(request, never)
      const listed = (await driver.list(never)).find((instance) => instance.id === id)
      expect(listed).toMatchObject({ name: request.name, state: 'running', labels: { 'hypercall.contract': mark } })
      const detail = await driver.inspect(id, never)
      expect(detail).toMatchObject({ id, name: request.name, imageId, command: SLEEPER, privileged: false })
      expect(detail.environmentNames).toContain('SECRET')
      expect(JSON.stringify(detail)).not.toContain('value')
      expect(detail.startedAt).toBeGreaterThan(detail.createdAt - 1_000)
      expect(await codeOf(driver.run(request, never))).toBe('NAME_TAKEN')
      expect(await codeOf(driver.run(requestOf({ imageId: `sha256:${NO_SUCH}` }), never))).toBe('IMAGE_NOT_FOUND')
    })

    promises('run', 'leaves nothing behind of what cannot start', async () => {
      const request = requestOf({ command: ['/no/such/program'] })
      expect(await codeOf(driver.run(request, never))).toBe('ENGINE_REFUSED')
      expect((await driver.list(never)).map(({ name }) => name)).not.toContain(request.name)
    })

    /** Once it has said so, it also hears when it is to end. */
    const isReady = async (id: string) =>
      (await text(readableOf(await driver.logs(id, { tail: 1, timestamps: false }, never)))) === 'ready\n'

    promises('stop', 'stops, starts and restarts; what is so already is no error', async () => {
      const id = await run()
      await expect.poll(() => isReady(id), { timeout: 10_000 }).toBe(true)
      await driver.stop(id, 5, never)
      await driver.stop(id, 5, never)
      expect(await driver.inspect(id, never)).toMatchObject({ state: 'exited', exitCode: 0 })
      await driver.start(id, never)
      await driver.start(id, never)
      const { startedAt } = await driver.inspect(id, never)
      await driver.restart(id, 5, never)
      const again = await driver.inspect(id, never)
      expect(again.state).toBe('running')
      expect(again.startedAt).toBeGreaterThan(startedAt ?? Number.NaN)
    })

    promises('pause', 'pauses and lets go on', async () => {
      const id = await run()
      await driver.pause(id, never)
      await driver.pause(id, never)
      expect((await driver.inspect(id, never)).state).toBe('paused')
      await driver.unpause(id, never)
      await driver.unpause(id, never)
      expect((await driver.inspect(id, never)).state).toBe('running')
      await driver.stop(id, 1, never)
      expect(await codeOf(driver.pause(id, never))).toBe('INSTANCE_NOT_RUNNING')
    })

    promises('rename', 'renames, unless the name is taken', async () => {
      const [id, other] = [await run(), await run()]
      await driver.rename(id, `hc-${mark}-renamed`, never)
      expect((await driver.inspect(id, never)).name).toBe(`hc-${mark}-renamed`)
      expect(await codeOf(driver.rename(other, `hc-${mark}-renamed`, never))).toBe('NAME_TAKEN')
    })

    promises('remove', 'removes what does not run, and what runs only by force', async () => {
      const [id, other] = [await run(), await run()]
      expect(await codeOf(driver.remove(id, { force: false, volumes: false }, never))).toBe('INSTANCE_RUNS')
      await driver.remove(id, { force: true, volumes: true }, never)
      await driver.stop(other, 1, never)
      await driver.remove(other, { force: false, volumes: false }, never)
      const left = (await driver.list(never)).map((instance) => instance.id)
      expect(left).not.toContain(id)
      expect(left).not.toContain(other)
    })

    promises(undefined, 'says of each verb that a container is not there', async () => {
      const asking: readonly Promise<unknown>[] = [
        driver.inspect(NO_SUCH, never),
        driver.start(NO_SUCH, never),
        driver.stop(NO_SUCH, 1, never),
        driver.restart(NO_SUCH, 1, never),
        driver.rename(NO_SUCH, 'x', never),
        driver.remove(NO_SUCH, { force: true, volumes: true }, never),
        driver.logs(NO_SUCH, { tail: 1, timestamps: false }, never),
        driver.top(NO_SUCH, never),
        driver.exec(NO_SUCH, { command: ['true'] }, () => undefined, never),
        driver.wait(NO_SUCH, never),
        driver.diff(NO_SUCH, never),
        driver.stat(NO_SUCH, '/', never),
        driver.getArchive(NO_SUCH, '/', never),
        driver.export(NO_SUCH, never),
        driver.exportSize(NO_SUCH, never),
      ]
      expect(new Set(await Promise.all(asking.map(codeOf)))).toEqual(new Set(['INSTANCE_NOT_FOUND']))
    })

    promises('logs', 'gives the last lines of its logs, both streams in their order', async () => {
      const id = await run({ command: ['/bin/sh', '-c', 'echo one; sleep .2; echo two >&2; sleep .2; echo three'] })
      await driver.wait(id, never)
      const read = async (tail: number, timestamps = false) =>
        text(readableOf(await driver.logs(id, { tail, timestamps }, never)))
      expect(await read(10)).toBe('one\ntwo\nthree\n')
      expect(await read(1)).toBe('three\n')
      expect(await read(1, true)).toMatch(/^\d{4}-\d\d-\d\dT.*Z three\n$/)
      const later = await driver.logs(id, { tail: 10, timestamps: false, since: Date.now() + 60_000 }, never)
      expect(await text(readableOf(later))).toBe('')
    })

    promises('stats', 'measures what runs', async () => {
      const id = await run({ command: ['/bin/sh', '-c', 'while :; do :; done'], memoryBytes: 64 * 1024 ** 2 })
      const sample = await driver.sample(id, never)
      expect(sample.cpuPercent).toBeGreaterThan(5)
      expect(sample.memoryBytes).toBeGreaterThan(0)
      expect(sample.memoryLimitBytes).toBe(64 * 1024 ** 2)
      expect(sample.processes).toBeGreaterThan(0)
      const { columns, rows } = await driver.top(id, never)
      expect(rows.flat().join(' ')).toContain('while :')
      expect(rows[0]).toHaveLength(columns.length)
      await driver.stop(id, 0, never)
      expect(await codeOf(driver.sample(id, never))).toBe('INSTANCE_NOT_RUNNING')
      expect(await codeOf(driver.top(id, never))).toBe('INSTANCE_NOT_RUNNING')
    })

    promises('exec', 'runs a program inside, and tells its output and how it ended', async () => {
      const id = await run()
      const said = { stdout: '', stderr: '' }
      const request = { command: ['sh', '-c', 'pwd; echo bad >&2; exit 7'], workingDir: '/srv', user: '12:34' }
      const code = await driver.exec(
        id,
        request,
        (bytes, from) => {
          said[from] += bytes.toString()
        },
        never,
      )
      expect({ code, ...said }).toEqual({ code: 7, stdout: '/srv\n', stderr: 'bad\n' })
      const stop = new AbortController()
      const running = driver.exec(id, { command: ['sleep', '100'] }, () => undefined, stop.signal)
      setTimeout(() => stop.abort(new Error('enough')), 200)
      await expect(running).rejects.toThrow('enough')
      await driver.stop(id, 0, never)
      expect(await codeOf(driver.exec(id, request, () => undefined, never))).toBe('INSTANCE_NOT_RUNNING')
    })

    promises('wait', 'waits for the end, as long as its caller does', async () => {
      const id = await run({ command: ['/bin/sh', '-c', 'sleep 1; exit 3'] })
      const stop = new AbortController()
      const waiting = driver.wait(id, stop.signal)
      stop.abort(new Error('enough'))
      await expect(waiting).rejects.toThrow('enough')
      expect(await driver.wait(id, never)).toBe(3)
    })

    promises('diff', 'tells what a container changed, and makes an image of it', async () => {
      const id = await run({ command: ['/bin/sh', '-c', 'echo new > /srv/new; rm /etc/group; echo x >> /etc/passwd'] })
      await driver.wait(id, never)
      const changes = await driver.diff(id, never)
      expect(changes).toContainEqual({ kind: 'added', path: '/srv/new' })
      expect(changes).toContainEqual({ kind: 'deleted', path: '/etc/group' })
      expect(changes).toContainEqual({ kind: 'changed', path: '/etc/passwd' })
      if (!driver.can.commit) return
      const request = { repository: `hc-${mark}/commit`, tag: '1', comment: 'why', pause: false }
      const committed = await driver.commit(id, request, never)
      expect((await driver.images(never)).find((found) => found.id === committed)?.tags).toEqual([
        `hc-${mark}/commit:1`,
      ])
      const [newest] = await driver.history(committed, never)
      expect(newest?.comment).toBe('why')
    })

    promises('copyIn', 'takes a tar in and gives it out, with mode and owner', async () => {
      const id = await run()
      await driver.putArchive(id, '/srv', tarOf('file', 'content', { uid: 5, gid: 6 }), never)
      expect(await driver.stat(id, '/srv/file', never)).toEqual({
        name: 'file',
        kind: 'file',
        sizeBytes: 7,
        mode: 0o640,
      })
      expect(await driver.owner(id, '/srv/file', never)).toEqual({ uid: 5, gid: 6 })
      expect(await entriesOf(await driver.getArchive(id, '/srv/file', never))).toEqual(new Map([['file', 'content']]))
      expect(await driver.stat(id, '/srv', never)).toMatchObject({ kind: 'directory' })
      expect(await driver.stat(id, '/bin/sh', never)).toMatchObject({ kind: 'link', linkTarget: '/bin/busybox' })
      expect(await driver.stat(id, '/none', never)).toBeUndefined()
      expect(await codeOf(driver.owner(id, '/none', never))).toBe('PATH_NOT_FOUND')
      expect(await codeOf(driver.getArchive(id, '/none', never))).toBe('PATH_NOT_FOUND')
      const elsewhere = driver.putArchive(id, '/none', tarOf('x', 'x', { uid: 0, gid: 0 }), never)
      expect(await codeOf(elsewhere)).toBe('DESTINATION_NOT_FOUND')
    })

    promises('export', 'exports a file system, and makes an image of it again', async () => {
      const id = await run({ command: ['/bin/sh', '-c', 'head -c 9000000 /dev/zero > /srv/large'] })
      await driver.wait(id, never)
      const reference = `hc-${mark}/import`
      const imported = await driver.importImage(await driver.export(id, never), reference, '1', never)
      const size = await driver.exportSize(id, never)
      expect(size).toBeGreaterThan(9_000_000)
      expect(size).toBeLessThan(9_000_000 + 8 * 1024 ** 2)
      expect((await driver.inspectImage(imported, never)).tags).toEqual([`${reference}:1`])
      const twin = await run({ imageId: imported, command: ['/bin/busybox', 'true'] })
      expect(await driver.stat(twin, '/srv/large', never)).toMatchObject({ sizeBytes: 9_000_000 })
      const abandoned = await driver.export(id, never)
      abandoned.close()
    })

    promises('images', 'lists, inspects, tags and removes images', async () => {
      const found = (await driver.images(never)).find(({ tags }) => tags.includes(image))
      expect(found).toMatchObject({ id: imageId })
      const detail = await driver.inspectImage(imageId, never)
      expect(detail).toMatchObject({ id: imageId, os: 'linux', command: ['/bin/sh'], environmentNames: ['PATH'] })
      expect(detail.layers).toHaveLength(1)
      expect((await driver.history(imageId, never)).length).toBeGreaterThan(0)
      await driver.tag(imageId, `hc-${mark}/tag`, 'a', never)
      expect((await driver.inspectImage(imageId, never)).tags).toContain(`hc-${mark}/tag:a`)
      expect(await driver.removeImage(`hc-${mark}/tag:a`, false, never)).toEqual({
        untagged: [`hc-${mark}/tag:a`],
        deleted: [],
      })
      await run()
      expect(await codeOf(driver.removeImage(imageId, false, never))).toBe('IMAGE_IN_USE')
      const missing = [
        driver.inspectImage(`sha256:${NO_SUCH}`, never),
        driver.history(`sha256:${NO_SUCH}`, never),
        driver.tag(`sha256:${NO_SUCH}`, 'x', 'y', never),
        driver.removeImage(`sha256:${NO_SUCH}`, false, never),
        driver.save([`sha256:${NO_SUCH}`], never),
      ]
      expect(new Set(await Promise.all(missing.map(codeOf)))).toEqual(new Set(['IMAGE_NOT_FOUND']))
    })

    promises('load', 'loads what it saved, and refuses what is no archive', async () => {
      await driver.tag(imageId, `hc-${mark}/saved`, '1', never)
      const saved = await driver.save([`hc-${mark}/saved:1`], never)
      expect(await driver.load(saved, never)).toEqual([`hc-${mark}/saved:1`])
      expect((await driver.inspectImage(`hc-${mark}/saved:1`, never)).id).toBe(imageId)
      const rubbish = bytesOf(Readable.from([Buffer.alloc(4096, 'no archive')], { objectMode: false }))
      expect(await codeOf(driver.load(rubbish, never))).toBe('ARCHIVE_INVALID')
    })

    promises('pull', 'says when a registry cannot be reached', async () => {
      const pulling = driver.pull('127.0.0.1:9/none/none:1', () => undefined, never)
      expect(await codeOf(pulling)).toBe('REGISTRY_UNREACHABLE')
    })

    promises('watch', 'tells what changes from the moment it begins, until it is told to end', async () => {
      const told: Watched[] = []
      const stop = new AbortController()
      const watching = driver.watch((what) => told.push(what), stop.signal)
      watching.catch(() => undefined)
      await expect.poll(() => [...told].sort(), SOON).toEqual(['images', 'instances'])
      // Others use the same engine, and what was done before may be told late: only that this is told of counts.
      const toldOf = async (what: Watched, work: () => Promise<unknown>): Promise<void> => {
        told.length = 0
        await work()
        await expect.poll(() => told, SOON).toContain(what)
      }
      let id = ''
      const make = async () => {
        id = await run()
      }
      for (const work of [
        make,
        () => driver.rename(id, `hc-${mark}-watched`, never),
        () => driver.pause(id, never),
        () => driver.unpause(id, never),
        () => driver.stop(id, 0, never),
        () => driver.remove(id, { force: true, volumes: true }, never),
      ]) {
        await toldOf('instances', work)
      }
      await toldOf('images', () => driver.tag(imageId, `hc-${mark}/watch`, '1', never))
      await toldOf('images', () => driver.removeImage(`hc-${mark}/watch:1`, false, never))
      stop.abort(new Error('enough'))
      await expect(watching).rejects.toThrow('enough')
    })

    promises(undefined, 'answers many at once, also after it let go of its connections', async () => {
      driver.close()
      const answers = await Promise.all(Array.from({ length: 12 }, () => driver.list(never)))
      expect(answers).toHaveLength(12)
    })

    it('was asked for everything', () => {
      const methods = Object.keys(plain).filter((name) => typeof plain[name as keyof HostDriver] === 'function')
      expect(methods.filter((name) => !called.has(name))).toEqual([])
    })
  })
}
