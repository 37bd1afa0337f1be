import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openDoor } from '../helpers/door.js'
import { makeContainer, makeImage, startEngine } from '../helpers/engine.js'
import { findProgram } from '../helpers/packages.js'
import { codeOf, dockerHost, openRoom, type Room } from '../helpers/room.js'

const socketPath = inject('engineSocket')
const docker = new Docker({ socketPath })
const isRoot = process.getuid?.() === 0

interface JobAnswer {
  readonly state: string
  readonly progress: { readonly bytes: number }
  readonly error?: { readonly code: string; readonly message: string }
  readonly artifact?: object
}

/** A container whose export takes a while: 300 MiB that do not compress. */
async function makeLarge(engine: Docker): Promise<string> {
  const made = await makeContainer(engine, { command: 'dd if=/dev/urandom of=/srv/large bs=1M count=300' })
  await made.wait()
  return made.name
}

let large: string
beforeAll(async () => {
  large = await makeLarge(docker)
}, 60_000)

const exporting = async (room: Room, container: string): Promise<string> =>
  (await room.does<{ jobId: string }>('container.export', { container })).jobId

async function moving(room: Room, job: string): Promise<void> {
  for (let tries = 0; room.actions.jobs.get(job, 'local').bytes === 0; tries++) {
    if (tries > 500) throw new Error('the job does not move')
    await sleep(10)
  }
}

async function ended(room: Room, job: string): Promise<JobAnswer> {
  await room.actions.jobs.wait(job, 'local', AbortSignal.timeout(25_000))
  return room.does<JobAnswer>('job.status', { job }, { lang: 'zh' })
}

const leftovers = (room: Room): string[] => [
  ...readdirSync(join(room.stateFolder, 'artifacts')),
  ...readdirSync(room.actions.workFolder),
]

const outcomesOf = async (room: Room): Promise<(string | undefined)[]> =>
  (await room.does<{ rows: { outcome?: string }[] }>('audit.list', { action: 'container.export', limit: 2 })).rows.map(
    (row) => row.outcome,
  )

describe('a job', () => {
  let room: Room
  let door: Awaited<ReturnType<typeof openDoor>>
  beforeAll(async () => {
    door = await openDoor(socketPath, 16 * 1024)
    room = await openRoom({ hosts: [dockerHost('local', door.path)] })
  })
  afterAll(async () => {
    await room.close()
    await door.close()
  })

  it('is cancelled within two seconds and leaves nothing behind', async () => {
    const job = await exporting(room, large)
    await moving(room, job)
    const from = Date.now()
    expect(await room.does('job.cancel', { job })).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } })
    expect(Date.now() - from).toBeLessThan(2_000)
    expect(leftovers(room)).toEqual([])
    expect(await outcomesOf(room)).toEqual(['CANCELLED', undefined])
    expect(await codeOf(room.does('job.cancel', { job }))).toBe('JOB_FINISHED')
  })

  it('lets go of the engine when a copy out is cancelled, or when the disk has no room for it', async () => {
    const copying = async (from: Room) =>
      (await from.does<{ jobId: string }>('container.copy-out', { container: large, path: '/srv/large' })).jobId
    const job = await copying(room)
    await moving(room, job)
    await room.does('job.cancel', { job })
    const full = await openRoom({ hosts: [dockerHost('local', door.path)], minFreeBytes: Number.MAX_SAFE_INTEGER })
    expect(await ended(full, await copying(full))).toMatchObject({ error: { code: 'STORAGE_FULL' } })
    await full.close()
    // Idle connections of earlier calls are closed after some seconds; one that waits for a reader never is.
    await expect.poll(() => door.connections(), { timeout: 20_000 }).toBe(0)
  }, 40_000)

  it('waits its turn when four others run, and the queue that is full says so', async () => {
    const ids: string[] = []
    while (ids.length < 36) ids.push(await exporting(room, large))
    expect(room.actions.jobs.counts()).toEqual({ running: 4, queued: 32 })
    expect(await codeOf(room.does('container.export', { container: large }))).toBe('QUEUE_FULL')
    for (const job of ids) await room.does('job.cancel', { job })
    expect(room.actions.jobs.counts()).toEqual({ running: 0, queued: 0 })
    expect(leftovers(room)).toEqual([])
  })

  it('ends as ENGINE_LOST when the engine breaks off, without a half file', async () => {
    const job = await exporting(room, large)
    await moving(room, job)
    door.slam()
    const answer = await ended(room, job)
    expect(answer).toMatchObject({ state: 'failed', error: { code: 'ENGINE_LOST' } })
    expect(answer.error?.message).toContain('主机“local”上的引擎中途断开')
    expect(answer.artifact).toBeUndefined()
    expect(leftovers(room)).toEqual([])
    expect(await outcomesOf(room)).toEqual(['ENGINE_LOST', undefined])
    expect(room.bugs).toEqual([])
  })

  it('is marked as interrupted when the bot is closed before it could finish', async () => {
    const other = await openRoom({ hosts: [dockerHost('local', door.path)], stateFolder: room.stateFolder })
    const job = await exporting(other, large)
    await moving(other, job)
    await other.close()
    expect(await room.does('job.status', { job })).toMatchObject({ state: 'failed', error: { code: 'INTERRUPTED' } })
    expect(leftovers(room)).toEqual([])
  })
})

describe.runIf(isRoot && findProgram('dockerd') !== undefined)('an engine of our own', () => {
  it('that is killed in the middle of an export loses the job and nothing else', async () => {
    const engine = await startEngine()
    try {
      await makeImage(engine.docker)
      const container = await makeLarge(engine.docker)
      const room = await openRoom({ hosts: [dockerHost('local', engine.socketPath)] })
      const job = await exporting(room, container)
      await moving(room, job)
      engine.kill()
      expect(await ended(room, job)).toMatchObject({ state: 'failed', error: { code: 'ENGINE_LOST' } })
      expect(leftovers(room)).toEqual([])
      expect(await codeOf(room.does('container.list', { host: 'local' }))).toBe('HOST_UNREACHABLE')
      expect(await room.does('host.status', {})).toMatchObject({ state: 'unhealthy' })
      await room.close()
    } finally {
      await engine.stop()
    }
  }, 90_000)
})

describe.runIf(isRoot)('a disk', () => {
  const disk = mkdtempSync(join(tmpdir(), 'hc-disk-'))
  beforeAll(() => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=700', 'tmpfs', disk])
  })
  afterAll(() => {
    execFileSync('umount', ['-l', disk])
  })

  it.each([
    ['that keeps its floor free', 16 * 1024 * 1024],
    ['that fills to the last byte', 0],
  ])('%s ends an export as STORAGE_FULL, and the record of it is still written', async (_, minFreeBytes) => {
    const room = await openRoom({ hosts: [dockerHost('local', socketPath)], stateFolder: disk, minFreeBytes })
    const job = await exporting(room, large)
    const answer = await ended(room, job)
    expect(answer).toMatchObject({ state: 'failed', error: { code: 'STORAGE_FULL' } })
    expect(answer.error?.message).toContain('磁盘已满')
    expect(leftovers(room)).toEqual([])
    expect(await outcomesOf(room)).toEqual(['STORAGE_FULL', undefined])
    await room.close()
  })
})
