// Between two engines: the one that the tests share, and one of our own.
import { setTimeout as sleep } from 'node:timers/promises'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { ByteSource } from '../../src/actions/bytes.js'
import type { Host } from '../../src/actions/index.js'
import { type Door, openDoor } from '../helpers/door.js'
import { type Engine, makeContainer, startEngine, TEST_IMAGE } from '../helpers/engine.js'
import { findProgram } from '../helpers/packages.js'
import { codeOf, dockerHost, openRoom, POLICY, principal, type Room } from '../helpers/room.js'

const socketPath = inject('engineSocket')
const docker = new Docker({ socketPath })
const canStart = process.getuid?.() === 0 && findProgram('dockerd') !== undefined

interface JobAnswer {
  readonly state: string
  readonly progress: { readonly bytes: number; readonly totalBytes?: number }
  readonly error?: { readonly code: string; readonly message: string }
  readonly result?: { readonly images?: readonly { readonly id: string; readonly tags: readonly string[] }[] }
}

describe.runIf(canStart)('a transfer', () => {
  let engine: Engine
  let slowSource: Door
  let slowTarget: Door
  let room: Room
  let small: string
  let large: string
  beforeAll(async () => {
    engine = await startEngine()
    slowSource = await openDoor(socketPath, 16 * 1024)
    slowTarget = await openDoor(engine.socketPath, 16 * 1024)
    room = await openRoom({
      hosts: [
        dockerHost('here', socketPath),
        { ...dockerHost('there', engine.socketPath), labels: { zone: 'far' } },
        dockerHost('slow-here', slowSource.path),
        dockerHost('slow-there', slowTarget.path),
        corrupting(dockerHost('careless', engine.socketPath)),
        lingering(dockerHost('late', engine.socketPath)),
      ],
    })
    const made = await makeContainer(docker, { command: 'echo kept > /srv/file' })
    const big = await makeContainer(docker, { command: 'dd if=/dev/urandom of=/srv/large bs=1M count=200' })
    await Promise.all([made.wait(), big.wait()])
    small = made.name
    large = big.name
  }, 90_000)
  afterAll(async () => {
    await room.close()
    await Promise.all([slowSource.close(), slowTarget.close()])
    await engine.stop()
  }, 60_000)

  const start = async (action: string, input: object): Promise<string> =>
    (await room.does<{ jobId: string }>(action, input)).jobId
  const ended = async (job: string): Promise<JobAnswer> => {
    await room.actions.jobs.wait(job, 'local', AbortSignal.timeout(60_000))
    return room.does<JobAnswer>('job.status', { job })
  }
  const moving = async (job: string): Promise<void> => {
    for (let tries = 0; room.actions.jobs.get(job, 'local').bytes === 0; tries++) {
      if (tries > 500) throw new Error('the job does not move')
      await sleep(10)
    }
  }
  const idsThere = async (): Promise<string[]> =>
    (await engine.docker.listImages({ all: true })).map(({ Id }) => Id).sort()

  it('makes an image of what a container holds, and knows it by the digest of what was sent', async () => {
    const job = await start('container.transfer', {
      host: 'here',
      container: small,
      to: 'there',
      reference: 'moved/c',
    })
    const answer = await ended(job)
    expect(answer).toMatchObject({ state: 'done', result: { images: [{ tags: ['moved/c:latest'] }] } })
    const { Id } = await engine.docker.getImage('moved/c:latest').inspect()
    expect(answer.result?.images?.[0]?.id).toBe(Id)
    const container = await engine.docker.createContainer({ Image: Id, Cmd: ['/bin/sh'] })
    const archive = (await container.getArchive({ path: '/srv/file' })) as AsyncIterable<Buffer>
    let text = ''
    for await (const chunk of archive) text += String(chunk)
    expect(text).toContain('kept')
    await container.remove()
    expect(room.bugs).toEqual([])
  })

  it('brings an image under the same id, and its names; one that is there already is only named', async () => {
    const { Id } = await docker.getImage(TEST_IMAGE).inspect()
    for (const image of [TEST_IMAGE, Id]) {
      const answer = await ended(await start('image.transfer', { host: 'here', image, to: 'there' }))
      expect(answer).toMatchObject({ state: 'done', result: { images: [{ id: Id }] } })
      expect((await engine.docker.getImage(TEST_IMAGE).inspect()).Id).toBe(Id)
    }
    expect(room.bugs).toEqual([])
  })

  it('is checked: what arrives as something else is removed again', async () => {
    const before = await idsThere()
    const job = await start('container.transfer', {
      ...{ host: 'here', container: small, to: 'careless', reference: 'moved/c:wrong' },
    })
    expect(await ended(job)).toMatchObject({ state: 'failed', error: { code: 'TRANSFER_MISMATCH' } })
    expect(await idsThere()).toEqual(before)
  })

  it.each(['slow-here', 'slow-there'])(
    'that is cancelled leaves nothing behind, by way of %s',
    async (slow) => {
      const before = await idsThere()
      const [host, to] = slow === 'slow-here' ? [slow, 'there'] : ['here', slow]
      const job = await start('container.transfer', { host, container: large, to, reference: 'moved/c' })
      await moving(job)
      const from = Date.now()
      expect(await room.does('job.cancel', { job })).toMatchObject({ state: 'cancelled' })
      expect(Date.now() - from).toBeLessThan(2_000)
      expect(await idsThere()).toEqual(before)
      // The name that was to move stayed where it was.
      expect(before).toContain((await engine.docker.getImage('moved/c:latest').inspect()).Id)
      await expect.poll(() => slowSource.connections() + slowTarget.connections(), { timeout: 20_000 }).toBe(0)
      expect(room.bugs).toEqual([])
    },
    40_000,
  )

  it('that is cancelled while the engine works on what it got ends at once, and the image goes when it comes', async () => {
    const before = await idsThere()
    const job = await start('container.transfer', { host: 'here', container: small, to: 'late', reference: 'moved/c' })
    await expect.poll(() => room.actions.jobs.get(job, 'local').phase).toBe('unpacking')
    expect(await room.does('job.cancel', { job })).toMatchObject({ state: 'cancelled' })
    await expect.poll(async () => (await idsThere()).length, { timeout: 10_000 }).toBeGreaterThan(before.length)
    await expect.poll(idsThere, { timeout: 10_000 }).toEqual(before)
  })

  it('names the side that broke off, and leaves nothing behind', async () => {
    const before = await idsThere()
    const input = { container: large, reference: 'moved/c:lost' }
    const fromSlow = await start('container.transfer', { ...input, host: 'slow-here', to: 'there' })
    await moving(fromSlow)
    slowSource.slam()
    const lost = await ended(fromSlow)
    expect(lost.error).toMatchObject({ code: 'ENGINE_LOST', message: expect.stringContaining('slow-here') })
    const toSlow = await start('container.transfer', { ...input, host: 'slow-here', to: 'slow-there' })
    await moving(toSlow)
    slowTarget.slam()
    expect((await ended(toSlow)).error).toMatchObject({
      code: 'ENGINE_LOST',
      message: expect.stringContaining('slow-there'),
    })
    expect(await idsThere()).toEqual(before)
    expect(room.bugs).toEqual([])
  }, 60_000)

  it('is for those who may act on both hosts, and never to where it is', async () => {
    const input = { host: 'here', container: small, to: 'there', reference: 'moved/c' }
    expect(await codeOf(room.does('container.transfer', { ...input, to: 'here' }))).toBe('SAME_HOST')
    expect(await codeOf(room.does('container.transfer', { ...input, to: 'elsewhere' }))).toBe('HOST_NOT_FOUND')
    const viewer = { principal: principal(['viewer']) }
    expect(await codeOf(room.call('container.transfer', { ...input, to: 'elsewhere' }, viewer))).toBe('FORBIDDEN')
    const far = (condition: string) =>
      `${POLICY}\nforbid (principal, action == Action::"container.transfer", resource) when { ${condition} };`
    for (const condition of [
      'resource is Host && resource.hasTag("zone") && resource.getTag("zone") == "far"',
      'context has destination && context.destination.hasTag("zone") && resource is Instance',
    ]) {
      const hosts: Host[] = [
        dockerHost('here', socketPath),
        { ...dockerHost('there', engine.socketPath), labels: { zone: 'far' } },
      ]
      const strict = await openRoom({ hosts, policy: far(condition) })
      expect(await codeOf(strict.does('container.transfer', input))).toBe('FORBIDDEN')
      await strict.close()
    }
  })

  it('asks for a yes where only the host that it is sent to does', async () => {
    const policy = `
      permit (principal, action, resource) when { !(resource is Host && resource.name == "there") };
      @confirm("It goes far.") permit (principal, action, resource is Host);`
    const hosts = [dockerHost('here', socketPath), dockerHost('there', engine.socketPath)]
    const strict = await openRoom({ hosts, policy })
    const outcome = await strict.call('container.transfer', {
      ...{ host: 'here', container: small, to: 'there', reference: 'moved/c' },
    })
    expect(outcome).toMatchObject({ status: 'confirm', why: { en: 'It goes far.' } })
    await strict.close()
  })
})

/** A host whose engine is given another byte than was sent. */
function corrupting(host: Host): Host {
  const { driver } = host
  return {
    ...host,
    driver: {
      ...driver,
      importImage: (archive, ...rest) => driver.importImage(corrupted(archive), ...rest),
    },
  }
}

/** A host whose engine answers a while after it has made the image. */
function lingering(host: Host): Host {
  const { driver } = host
  return {
    ...host,
    driver: {
      ...driver,
      async importImage(...given) {
        const id = await driver.importImage(...given)
        await sleep(1_000)
        return id
      },
    },
  }
}

/** The text in it says something else. */
const corrupted = (source: ByteSource): ByteSource => ({
  flow: (take, signal) =>
    source.flow((pieces) => {
      for (const piece of pieces) {
        const at = piece.indexOf('kept')
        if (at >= 0) piece.write('lost', at)
      }
      return take(pieces)
    }, signal),
  close: () => source.close(),
})
