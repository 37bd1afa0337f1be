import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { bytesOf } from '../../src/actions/index.js'
import { TEST_IMAGE } from '../helpers/engine.js'
import { codeOf, dockerHost, openRoom, principal, type Room } from '../helpers/room.js'
import { startServer, type TestServer } from '../helpers/server.js'

const socketPath = inject('engineSocket')
const MIB = 1024 * 1024

const owner = principal(['admin'], { id: 'owner' })
const colleague = principal(['admin'], { id: 'colleague' })
const stranger = principal(['admin'], { id: 'stranger', tenant: '123456789' })

interface Shown {
  readonly id: string
  readonly name: string
  readonly madeBy: string
}
type Listed = { artifacts: Shown[]; sizeBytes: number }

/** One without an engine: what is tested is what becomes of it. */
const make = async ({ actions }: Room, name: string, bytes: number, who = owner) =>
  actions.artifacts.create(bytesOf(Readable.from([Buffer.alloc(bytes, name)], { objectMode: false })), {
    owner: who,
    name,
    mediaType: 'application/x-tar',
    signal: new AbortController().signal,
  })

const tokenIn = (url: string | undefined): string => url?.split('/').at(-2) ?? ''

describe('an artifact', () => {
  let room: Room
  beforeAll(async () => {
    room = await openRoom({ hosts: [dockerHost('local', socketPath)] })
  })
  afterAll(() => room.close())

  it('is listed to its tenant with who made it, newest first, until it expires', async () => {
    const one = await make(room, '../名 one.tar', 10)
    const two = await make(room, 'two.tar', 20, colleague)
    const { artifacts, sizeBytes } = await room.does<Listed>('artifact.list', {}, { principal: colleague })
    expect(artifacts).toEqual([
      expect.objectContaining({ id: two.id, name: 'two.tar', madeBy: 'token:colleague', sizeBytes: 20 }),
      expect.objectContaining({ id: one.id, name: '../名 one.tar', madeBy: 'token:owner', sizeBytes: 10 }),
    ])
    expect(sizeBytes).toBe(30)
    expect(readdirSync(join(room.stateFolder, 'artifacts')).sort()).toEqual([one.id, two.id].sort())
    expect(await room.does('artifact.show', { artifact: one.id })).toMatchObject({ sha256: one.sha256 })
    const later = Date.now() + 25 * 60 * 60_000
    room.now = () => later
    expect(await room.does('artifact.list', {})).toMatchObject({ artifacts: [] })
    for (const verb of ['show', 'link', 'revoke']) {
      expect(await codeOf(room.does(`artifact.${verb}`, { artifact: one.id }))).toBe('ARTIFACT_NOT_FOUND')
    }
    room.now = Date.now
  })

  it('does not exist for another tenant, whoever asks and whatever for', async () => {
    const { id } = await make(room, 'private.tar', 10)
    const as = { principal: stranger }
    expect(await room.does<Listed>('artifact.list', {}, as)).toMatchObject({ artifacts: [] })
    for (const verb of ['show', 'link', 'revoke', 'remove']) {
      expect(await codeOf(room.does(`artifact.${verb}`, { artifact: id }, as))).toBe('ARTIFACT_NOT_FOUND')
    }
    const elsewhere = await openRoom({
      hosts: [dockerHost('theirs', socketPath, [stranger.tenant])],
      stateFolder: room.stateFolder,
    })
    const to = { reference: 'x/y', artifact: id }
    expect(await codeOf(elsewhere.does('image.load', { artifact: id }, as))).toBe('ARTIFACT_NOT_FOUND')
    expect(await codeOf(elsewhere.does('container.import', to, as))).toBe('ARTIFACT_NOT_FOUND')
    await elsewhere.close()
    expect(await room.does('artifact.show', { artifact: id })).toMatchObject({ id })
  })

  it('has links that are new each time, known by their hash alone, and end together', async () => {
    const { id } = await make(room, 'linked.tar', 10)
    const linkFor = async (who = owner) =>
      tokenIn((await room.does<{ url: string }>('artifact.link', { artifact: id }, { principal: who })).url)
    const tokens = [await linkFor(), await linkFor(), await linkFor(colleague)]
    expect(new Set(tokens).size).toBe(3)
    for (const token of tokens) expect(room.actions.artifacts.resolve(token)?.id).toBe(id)
    const rows = room.db.prepare('SELECT * FROM artifact_links WHERE artifact = ?').all(id)
    expect(rows).toHaveLength(3)
    for (const token of tokens) expect(JSON.stringify(rows)).not.toContain(token)

    expect(await room.does('artifact.revoke', { artifact: id })).toEqual({ artifact: id, links: 3 })
    for (const token of tokens) expect(room.actions.artifacts.resolve(token)).toBeUndefined()
    expect(await room.does('artifact.show', { artifact: id })).toMatchObject({ id })
  })

  it('is not given out by a link that another process has ended', async () => {
    const { id } = await make(room, 'shared.tar', 10)
    const link = () => tokenIn(room.actions.artifacts.link(id, owner))
    const first = link()
    expect(link()).toBe(first)
    const other = await openRoom({ stateFolder: room.stateFolder })
    await other.does('artifact.revoke', { artifact: id })
    await other.close()
    expect(room.actions.artifacts.resolve(link())?.id).toBe(id)
    expect(link()).not.toBe(first)
  })

  it('goes with its file and its links, once', async () => {
    const { id } = await make(room, 'gone.tar', 10)
    const token = tokenIn(room.actions.artifacts.link(id, owner))
    await room.does('artifact.remove', { artifact: id })
    expect(room.actions.artifacts.resolve(token)).toBeUndefined()
    expect(existsSync(join(room.stateFolder, 'artifacts', id))).toBe(false)
    expect(room.db.prepare('SELECT count(*) FROM artifact_links WHERE artifact = ?').pluck().get(id)).toBe(0)
    expect(await codeOf(room.does('artifact.remove', { artifact: id }))).toBe('ARTIFACT_NOT_FOUND')
  })

  it('is for a viewer to look at, for an operator to end links of at once, and to remove after a yes', async () => {
    const { id } = await make(room, 'ruled.tar', 10)
    const [viewer, operator] = [{ principal: principal(['viewer']) }, { principal: principal(['operator']) }]
    const input = { artifact: id }
    expect(await room.does('artifact.show', input, viewer)).toMatchObject({ id })
    for (const verb of ['link', 'revoke', 'remove']) {
      expect(await codeOf(room.call(`artifact.${verb}`, input, viewer))).toBe('FORBIDDEN')
    }
    expect(await room.call('artifact.revoke', input, operator)).toMatchObject({ status: 'done' })
    for (const verb of ['link', 'remove']) {
      expect(await room.call(`artifact.${verb}`, input, operator)).toMatchObject({ status: 'confirm' })
    }
  })
})

describe('the quota of all artifacts', () => {
  it('refuses what does not fit, before and during, keeps none of it, and says what of one’s own to remove', async () => {
    const room = await openRoom({ hosts: [dockerHost('local', socketPath)], quotaBytes: 3 * MIB })
    const files = () => [...readdirSync(join(room.stateFolder, 'artifacts')), ...readdirSync(room.actions.workFolder)]
    const theirs = await make(room, 'theirs.tar', MIB, stranger)
    expect(await codeOf(make(room, 'large.tar', 2 * MIB + 1))).toBe('QUOTA_REACHED')
    expect(files()).toEqual([theirs.id])
    const largest = await make(room, 'mine.tar', 2 * MIB)

    // Nothing fits any more.
    const { jobId } = await room.does<{ jobId: string }>('image.save', { image: TEST_IMAGE }, { principal: owner })
    await room.actions.jobs.wait(jobId, 'local', AbortSignal.timeout(20_000))
    const job = await room.does<{ error: { code: string; message: string }; progress: object }>('job.status', {
      job: jobId,
    })
    expect(job).toMatchObject({ error: { code: 'QUOTA_REACHED' }, progress: { bytes: 0 } })
    expect(job.error.message).toContain(`mine.tar (${largest.id}, 2.0 MiB)`)
    expect(job.error.message).not.toContain('theirs')

    await room.does('artifact.remove', { artifact: largest.id })
    expect(await make(room, 'fits.tar', 2 * MIB)).toMatchObject({ sizeBytes: 2 * MIB })
    await room.close()
  })

  it('counts what is still being written', async () => {
    const room = await openRoom({ quotaBytes: 3 * MIB })
    const slow = new PassThrough()
    let written = 0
    const request = { owner, mediaType: 'x/y', signal: new AbortController().signal }
    const writing = room.actions.artifacts.create(bytesOf(slow), {
      ...request,
      name: 'slow',
      onBytes: (bytes) => (written = bytes),
    })
    slow.write(Buffer.alloc(2 * MIB))
    await expect.poll(() => written).toBe(2 * MIB)
    expect(await codeOf(make(room, 'other.tar', 2 * MIB))).toBe('QUOTA_REACHED')
    slow.end(randomBytes(MIB))
    expect(await writing).toMatchObject({ sizeBytes: 3 * MIB })
    let closed = false
    const unread = {
      flow: () => Promise.reject(new Error('it was read')),
      close: () => {
        closed = true
      },
    }
    expect(await codeOf(room.actions.artifacts.create(unread, { ...request, name: 'more' }))).toBe('QUOTA_REACHED')
    expect(closed).toBe(true)
    await room.close()
  })
})

describe('jobs', () => {
  it('are listed to the one who began them, with all to the whole tenant, and to no other', async () => {
    const room = await openRoom({ hosts: [dockerHost('local', socketPath)] })
    const save = async (who: typeof owner) => {
      const { jobId } = await room.does<{ jobId: string }>('image.save', { image: TEST_IMAGE }, { principal: who })
      await room.actions.jobs.wait(jobId, 'local', AbortSignal.timeout(20_000))
      return jobId
    }
    const [first, second, other] = [await save(owner), await save(owner), await save(colleague)]
    const listed = async (input: object, who: typeof owner) =>
      (await room.does<{ jobs: { job: string }[] }>('job.list', input, { principal: who })).jobs.map(({ job }) => job)
    expect(await listed({}, owner)).toEqual([second, first])
    expect(await listed({ limit: 1 }, owner)).toEqual([second])
    expect(await listed({ all: true }, owner)).toEqual([other, second, first])
    expect(await listed({ all: true }, stranger)).toEqual([])
    await room.close()
  })
})

describe('over HTTP', () => {
  let server: TestServer
  let admin: ReturnType<TestServer['as']>
  beforeAll(async () => {
    server = await startServer({ DOCKER_HOST: `unix://${socketPath}` })
    admin = server.as('admin')
  })
  afterAll(() => server.close())

  /** Sends a form, and sends it again with the confirmation that was asked for. */
  async function does<T>(path: string, fields: Readonly<Record<string, string>>, file?: Blob): Promise<T> {
    const send = (confirm?: string) => {
      const form = new FormData()
      for (const [name, value] of Object.entries({ ...fields, ...(confirm ? { confirm } : {}) })) form.set(name, value)
      if (file) form.set('file', file, 'images.tar')
      return admin(path, { method: 'POST', body: form })
    }
    const first = await send()
    if (first.status !== 409) return (await first.json()) as T
    const { error } = (await first.json()) as { error: { details: { confirm: string } } }
    return (await (await send(error.details.confirm)).json()) as T
  }

  interface JobBody {
    readonly state: string
    readonly artifact: { readonly id: string; readonly url: string }
    readonly result: { readonly images: readonly { readonly tags: readonly string[] }[] }
  }
  async function finished(jobId: string): Promise<JobBody> {
    for (;;) {
      const job = (await (await admin(`/api/v1/job/status?job=${jobId}`)).json()) as JobBody
      if (job.state !== 'queued' && job.state !== 'running') return job
      await sleep(50)
    }
  }

  /** Without fetch, which asks every cache on the way to look again when it is given a condition. */
  const statusOf = (url: string, headers: Readonly<Record<string, string>> = {}): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      get(url, { headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      }).on('error', reject)
    })

  it('a saved image is downloaded, loaded from an upload that is gone when the job reads it, and its ended link is 404', async () => {
    const { jobId } = await does<{ jobId: string }>('/api/v1/image/save', { image: TEST_IMAGE })
    const { artifact } = await finished(jobId)
    const bytes = await (await fetch(artifact.url)).blob()
    expect(await statusOf(artifact.url, { range: 'bytes=0-9' })).toBe(206)
    expect(await statusOf(artifact.url, { range: 'bytes=0-9', 'if-range': '"another"' })).toBe(200)
    expect(await statusOf(artifact.url, { range: `bytes=${bytes.size}-` })).toBe(416)

    const loading = await does<{ jobId: string }>('/api/v1/image/load', {}, bytes)
    const loaded = await finished(loading.jobId)
    expect(loaded).toMatchObject({ state: 'done', result: { images: [{ tags: [TEST_IMAGE] }] } })

    const { url } = await does<{ url: string }>('/api/v1/artifact/link', { artifact: artifact.id })
    expect(await statusOf(url)).toBe(200)
    await does('/api/v1/artifact/revoke', { artifact: artifact.id })
    expect([await statusOf(url), await statusOf(artifact.url)]).toEqual([404, 404])
    expect(await statusOf((await finished(jobId)).artifact.url)).toBe(200)
  })
})
