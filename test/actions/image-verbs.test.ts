import { execFileSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import Docker from 'dockerode'
import { extract, pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { bytesOf, type FileSource } from '../../src/actions/index.js'
import { makeContainer } from '../helpers/engine.js'
import { openRegistry } from '../helpers/registry.js'
import { codeOf, dockerHost, openRoom, principal, type Room } from '../helpers/room.js'

const socketPath = inject('engineSocket')
const docker = new Docker({ socketPath })
/** Others may be using the same engine. */
const OWN = `hc-images/${randomUUID().slice(0, 8)}`

interface JobAnswer {
  readonly state: string
  readonly error?: { readonly code: string; readonly message: string }
  readonly artifact?: { readonly id: string; readonly name: string }
  readonly result?: {
    readonly images?: readonly { readonly id: string; readonly tags: readonly string[] }[]
    readonly leftOut?: readonly string[]
  }
}
type Listed = { images: { id: string; tags: string[]; host: string }[]; unreachable: string[] }

let room: Room
beforeAll(async () => {
  room = await openRoom({ hosts: [dockerHost('local', socketPath)] })
})
afterAll(async () => {
  const left = (await docker.listImages({ all: true })).filter(({ RepoTags }) =>
    RepoTags?.some((tag) => tag.includes(OWN)),
  )
  for (const tag of left.flatMap(({ RepoTags }) => RepoTags ?? [])) await docker.getImage(tag).remove({ force: true })
  for (const id of images) if (await idOf(id)) await docker.getImage(id).remove({ force: true })
  expect(room.bugs).toEqual([])
  await room.close()
})

const fileOf = (name: string, content: Buffer): FileSource => ({
  name,
  sizeBytes: content.length,
  reference: { name, sizeBytes: content.length },
  open: async () => bytesOf(Readable.from([content], { objectMode: false })),
})

async function bytesIn(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

async function tarOf(entries: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const archive = pack()
  for (const [name, content] of Object.entries(entries)) archive.entry({ name }, content)
  archive.finalize()
  return bytesIn(archive)
}

async function ended(verb: string, input: object, file?: FileSource): Promise<JobAnswer> {
  const { jobId } = await room.does<{ jobId: string }>(verb, input, file ? { file } : {})
  await room.actions.jobs.wait(jobId, 'local', AbortSignal.timeout(20_000))
  return room.does<JobAnswer>('job.status', { job: jobId })
}
const errorOf = async (...call: Parameters<typeof ended>): Promise<string | undefined> =>
  (await ended(...call)).error?.code

/** Some lose their names on the way, and would stay. */
const images = new Set<string>()

/** An image of its own, with content that no other has. */
async function makeImage(name: string): Promise<string> {
  const done = await ended(
    'container.import',
    { reference: `${OWN}/${name}:1` },
    fileOf('x.tar', await tarOf({ a: randomBytes(99) })),
  )
  const id = done.result?.images?.[0]?.id ?? ''
  images.add(id)
  return id
}
const idOf = async (reference: string): Promise<string | undefined> =>
  docker
    .getImage(reference)
    .inspect()
    .then(({ Id }) => Id)
    .catch(() => undefined)

describe('listing', () => {
  it('shows tagged images, with all also the left-over ones, and filters by name', async () => {
    const id = await makeImage('listed')
    const listed = async (filter: object) =>
      (await room.does<Listed>('image.list', filter)).images.filter((one) => one.id === id)
    expect(await listed({ host: 'local' })).toEqual([
      expect.objectContaining({ host: 'local', id, tags: [`${OWN}/listed:1`] }),
    ])
    expect(await listed({ name: `${OWN}/listed` })).toHaveLength(1)
    expect(await listed({ name: `${OWN}/other` })).toEqual([])
    await makeImage('listed')
    expect(await listed({})).toEqual([])
    expect(await listed({ all: true })).toEqual([expect.objectContaining({ id, tags: [] })])
    await room.does('image.remove', { image: id })
  })

  it('names the host that is down', async () => {
    const two = await openRoom({ hosts: [dockerHost('up', socketPath), dockerHost('down', '/nowhere/docker.sock')] })
    expect((await two.does<Listed>('image.list', {})).unreachable).toEqual(['down'])
    expect(await codeOf(two.does('image.list', { host: 'down' }))).toBe('HOST_UNREACHABLE')
    await two.close()
  })
})

describe('looking at one', () => {
  it('shows what it runs and the names of its variables, never their values, and the steps that made it', async () => {
    const container = await makeContainer(docker, { start: false })
    const changes = ['ENV API_KEY=s3cr3t-value', 'CMD ["/bin/echo", "hi"]', 'USER 7'].join('\n')
    await container.commit({ repo: `${OWN}/shown`, tag: '1', changes, comment: 'by hand' })
    const image = `${OWN}/shown:1`
    const shown = await room.does('image.inspect', { image })
    expect(shown).toMatchObject({ command: ['/bin/echo', 'hi'], user: '7', os: 'linux', tags: [image] })
    expect(shown).toMatchObject({ environmentNames: expect.arrayContaining(['API_KEY', 'PATH']) })
    expect(JSON.stringify(shown)).not.toContain('s3cr3t-value')
    const { steps } = await room.does<{ steps: { comment: string }[] }>('image.history', { image })
    expect(steps).toHaveLength(2)
    expect(steps[0]).toMatchObject({ comment: 'by hand', createdAt: expect.stringMatching(/^20\d\d-.*Z$/) })
  })

  it('refuses what is not there, and tells a stranger nothing', async () => {
    expect(await codeOf(room.does('image.inspect', { image: `${OWN}/none` }))).toBe('IMAGE_NOT_FOUND')
    const stranger = principal([], { id: 'stranger' })
    expect(await codeOf(room.does('image.inspect', { image: `${OWN}/none` }, { principal: stranger }))).toBe(
      'FORBIDDEN',
    )
  })
})

describe('tagging and removing', () => {
  it('gives another name, and says from which image it was taken', async () => {
    const [one, other] = [await makeImage('one'), await makeImage('other')]
    const reference = `localhost:5000/${OWN}/new`
    expect(await room.does('image.tag', { image: `${OWN}/one:1`, reference })).toMatchObject({
      id: one,
      reference: `${reference}:latest`,
      tags: expect.arrayContaining([`${reference}:latest`]),
    })
    expect(await room.does('image.tag', { image: other, reference })).toMatchObject({ id: other, takenFrom: one })
    expect(await idOf(reference)).toBe(other)
  })

  it.each([
    'Team/app',
    'team//app',
    'app:',
    'app:.x',
    `app:${'x'.repeat(129)}`,
    `${'a'.repeat(256)}:1`,
    'a'.repeat(64),
    '-a',
    'a__b..c',
    'a b',
    'a@sha256:1',
  ])('refuses the name %j as the engine would', async (reference) => {
    const image = `${OWN}/one:1`
    expect(await codeOf(room.does('image.tag', { image, reference }))).toBe('REFERENCE_INVALID')
    // The engine's own word on the same name.
    const args = ['-H', `unix://${socketPath}`, 'tag', image, reference]
    expect(() => execFileSync('docker', args, { stdio: 'pipe' })).toThrow()
  })

  it.each(['a__b', 'a--b/c.d_e', 'localhost/x', 'reg.example:5000/a/b:V1.2-x', '127.0.0.1:5000/a:_'])(
    'takes the name %j as the engine does',
    async (name) => {
      const reference = name.replace(/(:[^/:]*)?$/, (tag) => `/${OWN}${tag}`)
      const tagged = await room.does<{ reference: string }>('image.tag', { image: `${OWN}/one:1`, reference })
      expect(await idOf(tagged.reference)).toBe(await idOf(`${OWN}/one:1`))
    },
  )

  it('takes off one tag, keeps the image, and removes all of it by its id', async () => {
    const id = await makeImage('gone')
    await room.does('image.tag', { image: id, reference: `${OWN}/gone:2` })
    expect(await room.does('image.remove', { image: `${OWN}/gone:1` })).toMatchObject({
      untagged: [`${OWN}/gone:1`],
      deleted: [],
    })
    await room.does('image.tag', { image: id, reference: `${OWN}/elsewhere:1` })
    const refused = room.does('image.remove', { image: id })
    expect(await codeOf(refused)).toBe('IMAGE_IN_USE')
    expect(await room.does('image.remove', { image: id, force: true })).toMatchObject({
      deleted: expect.arrayContaining([id]),
    })
    expect(await idOf(id)).toBeUndefined()
  })

  it('does not remove what a container uses', async () => {
    const made = await makeContainer(docker)
    expect(await codeOf(room.does('image.remove', { image: (await made.inspect()).Image }))).toBe('IMAGE_IN_USE')
  })
})

describe('saving and loading', () => {
  it('brings back the same image under the tag it was saved by, and no other', async () => {
    const id = await makeImage('trip')
    await room.does('image.tag', { image: id, reference: `${OWN}/trip:2` })
    const saved = await ended('image.save', { image: `${OWN}/trip:1` })
    expect(saved).toMatchObject({ state: 'done', artifact: { name: expect.stringMatching(/-trip-1\.tar$/) } })
    await room.does('image.remove', { image: id, force: true })
    const loaded = await ended('image.load', { artifact: saved.artifact?.id })
    expect(loaded).toMatchObject({ state: 'done', result: { images: [{ id, tags: [`${OWN}/trip:1`] }] } })
    expect(await idOf(`${OWN}/trip:1`)).toBe(id)
  })

  it('keeps every tag of an image that is saved by its id, and loads one without any', async () => {
    const id = await makeImage('many')
    await room.does('image.tag', { image: id, reference: `${OWN}/many:2` })
    const saved = await ended('image.save', { image: id })
    await room.does('image.remove', { image: id, force: true })
    const file = fileOf(
      'many.tar',
      readFileSync(room.actions.artifacts.get(saved.artifact?.id ?? '', 'local')?.path ?? ''),
    )
    const loaded = await ended('image.load', { host: 'local' }, file)
    expect(loaded.result?.images?.[0]?.tags.toSorted()).toEqual([`${OWN}/many:1`, `${OWN}/many:2`])

    await makeImage('many')
    await room.does('image.remove', { image: `${OWN}/many:2` })
    expect(await idOf(id)).toBeUndefined()
  })

  it('does not save another image that has got the name meanwhile', async () => {
    const id = await makeImage('moved')
    const busy = await Promise.all(Array.from({ length: 8 }, () => occupied(room)))
    const { jobId } = await room.does<{ jobId: string }>('image.save', { image: `${OWN}/moved:1` })
    await makeDirectly('moved')
    for (const free of busy) free()
    await room.actions.jobs.wait(jobId, 'local', AbortSignal.timeout(20_000))
    expect(await room.does('job.status', { job: jobId })).toMatchObject({ error: { code: 'TARGET_CHANGED' } })
    await room.does('image.remove', { image: id })
  })

  it('wants an artifact or a file, and not both', async () => {
    const file = fileOf('x.tar', await tarOf({ a: 'b' }))
    expect(await codeOf(room.does('image.load', {}))).toBe('ARCHIVE_REQUIRED')
    expect(await codeOf(room.does('image.load', { artifact: 'ab' }, { file }))).toBe('ARCHIVE_REQUIRED')
    expect(await codeOf(room.does('image.load', { artifact: 'ab' }))).toBe('ARTIFACT_NOT_FOUND')
  })
})

/** A place among the running jobs that is held until it is given up. */
function occupied({ actions, bugs }: Room): () => void {
  let free: () => void = () => undefined
  const context = { tenant: 'local', principal: 'local/token:test', action: 'test', settle: () => undefined }
  actions.jobs.start({ ...context, onBug: (error) => bugs.push(error) }, async () => {
    await new Promise<void>((resolve) => {
      free = resolve
    })
    return {}
  })
  return free
}

/** Without a job: the queue may be what is tested. */
async function makeDirectly(name: string): Promise<void> {
  const archive = Readable.from([await tarOf({ a: randomBytes(99) })], { objectMode: false })
  const answer = await docker.importImage(archive, { fromSrc: '-', repo: `${OWN}/${name}`, tag: '1' })
  await new Promise((resolve) => docker.modem.followProgress(answer, resolve))
  images.add((await idOf(`${OWN}/${name}:1`)) ?? '')
}

describe('archives that are not what they should be', () => {
  const compressed = (magic: readonly number[]) => Buffer.concat([Buffer.from(magic), randomBytes(2000)])

  it.each([
    ['gzip', gzipSync(randomBytes(2000))],
    ['a gzip of a few bytes', gzipSync('x')],
    ['bzip2', compressed([0x42, 0x5a, 0x68, 0x39])],
    ['xz', compressed([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
    ['zstd', compressed([0x28, 0xb5, 0x2f, 0xfd])],
    ['zstd after a frame to be skipped', compressed([0x5f, 0x2a, 0x4d, 0x18])],
  ])('%s is refused before the engine sees it', async (_, content) => {
    expect(await errorOf('image.load', {}, fileOf('x.tar', content))).toBe('ARCHIVE_COMPRESSED')
    expect(await errorOf('container.import', { reference: `${OWN}/bad` }, fileOf('x.tar', content))).toBe(
      'ARCHIVE_COMPRESSED',
    )
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['noise', randomBytes(5000)],
    ['text', Buffer.from('no archive'.repeat(200))],
    ['zeros', Buffer.alloc(10_240)],
  ])('%s is no archive to load or to import', async (_, content) => {
    expect(await errorOf('image.load', {}, fileOf('x.tar', content))).toBe('ARCHIVE_INVALID')
    expect(await errorOf('container.import', { reference: `${OWN}/bad` }, fileOf('x.tar', content))).toBe(
      'ARCHIVE_INVALID',
    )
    expect(await idOf(`${OWN}/bad`)).toBeUndefined()
  })

  it('a tar without images, with broken lists or cut short is none to load, and no path of the engine is told', async () => {
    const manifest = (list: unknown) => ({ 'manifest.json': JSON.stringify(list) })
    const saved = await ended('image.save', { image: `${OWN}/trip:1` })
    const whole = readFileSync(room.actions.artifacts.get(saved.artifact?.id ?? '', 'local')?.path ?? '')
    for (const content of [
      await tarOf({ a: 'b' }),
      await tarOf({ 'manifest.json': 'no JSON' }),
      await tarOf(manifest({})),
      await tarOf(manifest([{ Config: 'none.json', RepoTags: [`${OWN}/bad:1`], Layers: [] }])),
      await tarOf(manifest([{ Config: '../../../etc/passwd', RepoTags: [`${OWN}/bad:1`], Layers: [] }])),
      whole.subarray(0, 700),
    ]) {
      const { error } = await ended('image.load', {}, fileOf('x.tar', content))
      expect(error?.code).toBe('ARCHIVE_INVALID')
      expect(error?.message).not.toMatch(/\/(tmp|var|etc)\//)
    }
  })

  it('a bomb of names is refused, however it is packed, and leaves none of them', async () => {
    const saved = await ended('image.save', { image: `${OWN}/trip:1` })
    const bytes = readFileSync(room.actions.artifacts.get(saved.artifact?.id ?? '', 'local')?.path ?? '')
    const names = Array.from({ length: 101 }, (_, index) => `${OWN}/bomb:${index}`)
    const bombOf = async (nameOf: (name: string) => object) => {
      const entries = extract()
      const bomb = pack()
      entries.end(bytes)
      for await (const entry of entries) {
        let content = await bytesIn(entry)
        if (entry.header.name === 'manifest.json') {
          const [image] = JSON.parse(content.toString()) as object[]
          content = Buffer.from(JSON.stringify([{ ...image, RepoTags: names }]))
        }
        if (entry.header.name !== 'repositories')
          bomb.entry({ ...entry.header, size: content.length, ...nameOf(entry.header.name) }, content)
      }
      bomb.finalize()
      return bytesIn(bomb)
    }
    for (const content of [
      await bombOf((name) => ({ name })),
      await bombOf((name) => ({ name: `./x/../${name}` })),
      await bombOf((name) => ({ name, pax: { path: name, comment: 'x'.repeat(300) } })),
    ]) {
      const { error } = await ended('image.load', {}, fileOf('x.tar', content))
      expect(error).toMatchObject({ code: 'ARCHIVE_INVALID', message: expect.stringContaining('more than 100') })
    }
    expect((await room.does<Listed>('image.list', { name: `${OWN}/bomb` })).images).toEqual([])
    names.pop()
    const many = await ended('image.load', {}, fileOf('x.tar', await bombOf((name) => ({ name }))))
    expect(many).toMatchObject({ state: 'done' })
  })
})

describe('exporting and importing', () => {
  it('makes an image that runs, and says in the end too which mounts the archive lacks', async () => {
    const made = await makeContainer(docker, { start: false, binds: ['/tmp:/data'] })
    const exported = await ended('container.export', { container: made.name })
    expect(exported.result).toEqual({ leftOut: ['/data'] })
    const reference = `${OWN}/imported:1`
    const imported = await ended('container.import', { reference, artifact: exported.artifact?.id })
    const id = imported.result?.images?.[0]?.id
    expect(imported).toMatchObject({
      state: 'done',
      result: { images: [{ id: await idOf(reference), tags: [reference] }] },
    })
    const container = await docker.createContainer({
      Image: id ?? '',
      Cmd: ['/bin/sh', '-c', 'exit 7'],
      Labels: { 'hypercall.test': inject('run') },
      HostConfig: { NetworkMode: 'none' },
    })
    await container.start()
    expect(await container.wait()).toMatchObject({ StatusCode: 7 })
    await container.remove()
  })

  it('takes no gzip export, and no name that is none', async () => {
    const made = await makeContainer(docker, { start: false })
    const { artifact } = await ended('container.export', { container: made.name, gzip: true })
    expect(await errorOf('container.import', { reference: `${OWN}/gz`, artifact: artifact?.id })).toBe(
      'ARCHIVE_COMPRESSED',
    )
    expect(await codeOf(room.does('container.import', { reference: 'NO/name', artifact: artifact?.id }))).toBe(
      'REFERENCE_INVALID',
    )
  })

  it('lets go of a file whose job never began', async () => {
    const busy = await Promise.all(Array.from({ length: 8 }, () => occupied(room)))
    const content = Readable.from([await tarOf({ a: 'b' })], { objectMode: false })
    const file = { ...fileOf('x.tar', Buffer.alloc(2048)), open: async () => bytesOf(content) }
    const { jobId } = await room.does<{ jobId: string }>('image.load', {}, { file })
    expect(content.destroyed).toBe(false)
    await room.does('job.cancel', { job: jobId })
    for (const free of busy) free()
    expect(content.destroyed).toBe(true)
  })
})

describe('pulling', () => {
  it('fetches one tag and no other, and says which image it is', async () => {
    const layer = await tarOf({ big: randomBytes(300_000) })
    const registry = await openRegistry(layer, ['latest', 'other'])
    const name = `${registry.address}/${OWN}/pulled`
    const pulled = await ended('image.pull', { reference: name })
    expect(pulled).toMatchObject({
      state: 'done',
      result: { images: [{ id: await idOf(name), tags: [`${name}:latest`] }] },
    })
    expect(registry.asked.some((path) => path.includes('tags/list'))).toBe(false)
    expect(await errorOf('image.pull', { reference: `${name}:none` })).toBe('IMAGE_NOT_FOUND')
    const { RepoDigests } = await docker.getImage(name).inspect()
    expect(await ended('image.pull', { reference: RepoDigests[0] })).toMatchObject({ state: 'done' })
    await registry.close()
    await docker.getImage(`${name}:latest`).remove({ force: true })
  })

  it('says what to do where no registry can be reached', async () => {
    const { error } = await ended('image.pull', { reference: `127.0.0.1:1/${OWN}/none:1` })
    expect(error).toMatchObject({ code: 'REGISTRY_UNREACHABLE', message: expect.stringContaining('/image load') })
    expect(await codeOf(room.does('image.pull', { reference: 'No:Thing' }))).toBe('REFERENCE_INVALID')
  })
})
