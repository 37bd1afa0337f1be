import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import Docker from 'dockerode'
import { extract } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { AppError, bytesOf, type FileSource } from '../../src/actions/index.js'
import { makeContainer } from '../helpers/engine.js'
import { codeOf, dockerHost, openRoom, POLICY, type Room } from '../helpers/room.js'

const socketPath = inject('engineSocket')
const docker = new Docker({ socketPath })

const fileOf = (name: string, content: Buffer): FileSource => ({
  name,
  sizeBytes: content.length,
  reference: { name, sizeBytes: content.length },
  open: async () => bytesOf(Readable.from([content], { objectMode: false })),
})

async function execText(container: Docker.Container, command: string): Promise<string> {
  const exec = await container.exec({
    Cmd: ['/bin/sh', '-c', command],
    AttachStdout: true,
    AttachStderr: true,
    Tty: true,
  })
  const stream = await exec.start({ Tty: true })
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString().trim()
}

interface JobAnswer {
  readonly state: string
  readonly progress: { readonly bytes: number; readonly totalBytes?: number }
  readonly error?: { readonly code: string }
  readonly artifact?: {
    readonly id: string
    readonly sizeBytes: number
    readonly sha256: string
    readonly url?: string
    readonly name: string
  }
  readonly result?: { readonly volumes?: readonly { readonly artifact: { readonly id: string } }[] }
}

let room: Room

beforeAll(async () => {
  room = await openRoom({ hosts: [dockerHost('local', socketPath)] })
})
afterAll(() => room.close())

async function finished(job: string): Promise<JobAnswer> {
  await room.actions.jobs.wait(job, 'local', AbortSignal.timeout(20_000))
  return room.does<JobAnswer>('job.status', { job })
}

const artifactBytes = (job: JobAnswer): Buffer =>
  readFileSync(room.actions.artifacts.get(job.artifact?.id ?? '', 'local')?.path ?? '')

describe('listing', () => {
  it('names every container with its host, state and image, and filters by name, label and state', async () => {
    const made = await makeContainer(docker, { labels: { team: 'blue' } })
    const stopped = await makeContainer(docker, { start: false })
    type Listed = { instances: { host: string; name: string; state: string; id: string }[]; unreachable: string[] }
    const all = await room.does<Listed>('container.list', { host: 'local' })
    expect(all.unreachable).toEqual([])
    expect(all.instances).toContainEqual(
      expect.objectContaining({ host: 'local', name: made.name, state: 'running', id: made.id }),
    )
    expect(all.instances).toContainEqual(expect.objectContaining({ name: stopped.name, state: 'created' }))
    const names = async (filter: object) =>
      (await room.does<Listed>('container.list', filter)).instances.map(({ name }) => name)
    expect(await names({ running: true })).not.toContain(stopped.name)
    expect(await names({ label: 'team=blue' })).toEqual([made.name])
    expect(await names({ label: 'team=red' })).toEqual([])
    expect(await names({ name: stopped.name })).toEqual([stopped.name])
    expect(await names({ status: 'created' })).toContain(stopped.name)
  })

  it('answers with what it has and names the host that is down', async () => {
    const two = await openRoom({ hosts: [dockerHost('up', socketPath), dockerHost('down', '/nowhere/docker.sock')] })
    const listed = await two.does<{ unreachable: string[] }>('container.list', {})
    expect(listed.unreachable).toEqual(['down'])
    expect(await codeOf(two.does('container.list', { host: 'down' }))).toBe('HOST_UNREACHABLE')
    expect(await codeOf(two.does('container.start', { container: 'x' }))).toBe('HOST_REQUIRED')
    await two.close()
  })
})

describe('inspecting', () => {
  it('shows mounts and the names of variables, never their values', async () => {
    const made = await makeContainer(docker, { binds: ['/tmp:/host-tmp:ro'], env: ['API_KEY=s3cr3t-value'] })
    const shown = await room.does<{ mounts: object[]; environmentNames: string[] }>('container.inspect', {
      container: made.name,
    })
    expect(shown.mounts).toEqual([{ kind: 'bind', source: '/tmp', destination: '/host-tmp', readOnly: true }])
    expect(shown.environmentNames).toContain('API_KEY')
    expect(JSON.stringify(shown)).not.toContain('s3cr3t-value')
  })

  it('finds a container by name, by full id and by the start of its id', async () => {
    const made = await makeContainer(docker, { start: false })
    for (const reference of [made.name, made.id, made.id.slice(0, 12)]) {
      expect(await room.does('container.inspect', { container: reference })).toMatchObject({ id: made.id })
    }
    expect(await codeOf(room.does('container.inspect', { container: 'no-such' }))).toBe('INSTANCE_NOT_FOUND')
  })
})

describe('starting and stopping', () => {
  it('starts what is stopped, and starting it again is no error', async () => {
    const made = await makeContainer(docker, { start: false })
    expect(await room.does('container.start', { host: 'local', container: made.name })).toMatchObject({
      state: 'running',
    })
    expect(await room.does('container.start', { container: made.name })).toMatchObject({ state: 'running' })
    expect(await room.does('container.stop', { container: made.name, grace: 1 })).toMatchObject({ state: 'exited' })
    expect(await room.does('container.stop', { container: made.name })).toMatchObject({ state: 'exited' })
  })

  it("tells the engine's reason when a container cannot start, without paths of the engine's machine", async () => {
    const made = await docker.createContainer({
      Image: 'hypercall-test/base:1',
      Cmd: ['/no/such/program'],
      Labels: { 'hypercall.test': inject('run') },
      HostConfig: { NetworkMode: 'none' },
    })
    const failing = room.does('container.start', { container: made.id })
    expect(await codeOf(failing)).toBe('ENGINE_REFUSED')
    await expect(failing).rejects.toThrow(/no such program|\/no\/such\/program/)
    await expect(failing).rejects.not.toThrow(/var\/lib/)
  })
})

describe('copying in', () => {
  const content = Buffer.from('hello\u0000\u001f\u008b binary')

  it('puts a file into an existing directory under its own name, owned like the directory', async () => {
    const made = await makeContainer(docker)
    await execText(made, 'mkdir /srv/mine && chown 1000:2000 /srv/mine')
    const done = await room.does<{ path: string; sizeBytes: number; sha256: string }>(
      'container.copy-in',
      { container: made.name, path: '/srv/mine' },
      { file: fileOf('note.bin', content) },
    )
    expect(done).toMatchObject({
      path: '/srv/mine/note.bin',
      sizeBytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
      uid: 1000,
      gid: 2000,
      mode: '0644',
    })
    expect(await execText(made, 'sha256sum /srv/mine/note.bin')).toContain(done.sha256)
    expect(await execText(made, "stat -c '%u:%g %a' /srv/mine/note.bin")).toBe('1000:2000 644')
  })

  it('takes a new name, a text, a mode and an owner, also while the container is stopped', async () => {
    const made = await makeContainer(docker, { start: false })
    await room.does('container.copy-in', {
      container: made.name,
      path: '/srv/new.txt',
      text: '你好',
      mode: '600',
      uid: 7,
      gid: 8,
    })
    await made.start()
    expect(await execText(made, "cat /srv/new.txt; stat -c ' %u:%g %a' /srv/new.txt")).toBe('你好 7:8 600')
  })

  it('keeps owner and mode of the file it replaces', async () => {
    const made = await makeContainer(docker)
    await execText(made, 'echo old > /srv/f && chown 5:6 /srv/f && chmod 640 /srv/f')
    await room.does('container.copy-in', { container: made.name, path: '/srv/f', text: 'new' })
    expect(await execText(made, "cat /srv/f; stat -c ' %u:%g %a' /srv/f")).toBe('new 5:6 640')
  })

  it('hands an archive over as the file it is, never to be unpacked', async () => {
    const made = await makeContainer(docker)
    const gz = Buffer.from([0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 3])
    await room.does('container.copy-in', { container: made.name, path: '/srv/' }, { file: fileOf('a.tar.gz', gz) })
    expect(await execText(made, 'wc -c < /srv/a.tar.gz')).toBe('10')
  })

  it.each([
    ['/srv/../etc/passwd', 'PATH_INVALID'],
    ['srv/x', 'PATH_INVALID'],
    ['/srv/\u0000x', 'PATH_INVALID'],
    ['/no/such/dir/x', 'DESTINATION_NOT_FOUND'],
    ['/no-such-dir/', 'DESTINATION_NOT_FOUND'],
    ['/bin/busybox/x', 'DESTINATION_NOT_FOUND'],
    ['/srv', 'PATH_INVALID'],
  ])('refuses %j as the place for a text with %s', async (path, code) => {
    const made = await makeContainer(docker, { start: false })
    expect(await codeOf(room.does('container.copy-in', { container: made.name, path, text: 'x' }))).toBe(code)
  })

  it('refuses neither and both of file and text, set-user-id modes, and a read-only file system', async () => {
    const made = await makeContainer(docker, { readOnly: true })
    const to = { container: made.name, path: '/srv/x' }
    expect(await codeOf(room.does('container.copy-in', to))).toBe('CONTENT_REQUIRED')
    expect(await codeOf(room.does('container.copy-in', { ...to, text: 'x' }, { file: fileOf('x', content) }))).toBe(
      'CONTENT_REQUIRED',
    )
    expect(await codeOf(room.does('container.copy-in', { ...to, text: 'x', mode: '4755' }))).toBe('MODE_REFUSED')
    expect(await codeOf(room.does('container.copy-in', { ...to, text: 'x' }))).toBe('DESTINATION_READ_ONLY')
  })

  it('puts in what an artifact holds, under its name, and asks policy how much that is', async () => {
    const made = await makeContainer(docker)
    await room.does('container.copy-in', { container: made.name, path: '/srv/one', text: '1234567890' })
    const { jobId } = await room.does<{ jobId: string }>('container.copy-out', {
      container: made.name,
      path: '/srv/one',
    })
    const { artifact } = await finished(jobId)
    const input = { container: made.name, path: '/tmp', artifact: artifact?.id }
    expect(await room.does('container.copy-in', input)).toMatchObject({
      ...{ path: '/tmp/one', sizeBytes: 10, sha256: artifact?.sha256 },
    })
    expect(await execText(made, 'cat /tmp/one')).toBe('1234567890')
    expect(await codeOf(room.does('container.copy-in', { ...input, text: 'x' }))).toBe('CONTENT_REQUIRED')
    expect(await codeOf(room.does('container.copy-in', { ...input, artifact: 'f00d' }))).toBe('ARTIFACT_NOT_FOUND')
    const policy = `${POLICY}\nforbid (principal, action == Action::"container.copy-in", resource) when { context has bytes && context.bytes > 9 };`
    const { stateFolder } = room
    const strict = await openRoom({ hosts: [dockerHost('local', socketPath)], policy, stateFolder })
    expect(await codeOf(strict.does('container.copy-in', input))).toBe('FORBIDDEN')
    await strict.close()
  })

  it('says so when the file is shorter or longer than it was said to be', async () => {
    const made = await makeContainer(docker)
    for (const sizeBytes of [content.length + 5, content.length - 5]) {
      const file = { ...fileOf('short', content), sizeBytes }
      expect(await codeOf(room.does('container.copy-in', { container: made.name, path: '/srv' }, { file }))).toBe(
        'UPLOAD_INCOMPLETE',
      )
    }
  })
})

describe('copying out and exporting', () => {
  it('gives a file as it is, a directory as a tar, and follows a link once inside the container', async () => {
    const made = await makeContainer(docker)
    await execText(made, 'mkdir -p /srv/d && echo one > /srv/d/a && ln -s /srv/d/a /srv/link')
    for (const name of ['d/a', 'link']) {
      const path = `/srv/${name}`
      const { jobId } = await room.does<{ jobId: string }>('container.copy-out', { container: made.name, path })
      const job = await finished(jobId)
      expect(job).toMatchObject({ state: 'done', artifact: { name: basename(name), sizeBytes: 4 } })
      expect(artifactBytes(job).toString()).toBe('one\n')
    }
    const { jobId } = await room.does<{ jobId: string }>('container.copy-out', {
      container: made.name,
      path: '/srv/d/',
    })
    const names: string[] = []
    const entries = extract()
    Readable.from([artifactBytes(await finished(jobId))], { objectMode: false }).pipe(entries)
    for await (const entry of entries) {
      names.push(entry.header.name)
      entry.resume()
    }
    expect(names).toEqual(['d/', 'd/a'])
    expect(await codeOf(room.does('container.copy-out', { container: made.name, path: '/srv/none' }))).toBe(
      'PATH_NOT_FOUND',
    )
  })

  it('exports the bytes that the engine exports, with their digest and a link', async () => {
    const made = await makeContainer(docker, { start: false })
    const { jobId } = await room.does<{ jobId: string }>('container.export', { container: made.name })
    const job = await finished(jobId)
    const hash = createHash('sha256')
    for await (const chunk of await made.export()) hash.update(chunk as Buffer)
    expect(job).toMatchObject({ state: 'done', artifact: { sha256: hash.digest('hex'), name: `${made.name}.tar` } })
    expect(job.artifact?.url).toMatch(/^http:\/\/hypercall\.test\/d\/[\w-]{32}\//)
    expect(createHash('sha256').update(artifactBytes(job)).digest('hex')).toBe(job.artifact?.sha256)
  })

  it('says which mounts an export leaves out', async () => {
    const made = await makeContainer(docker, { start: false, binds: ['/tmp:/data'] })
    expect(await room.does('container.export', { container: made.name })).toMatchObject({ leftOut: ['/data'] })
  })

  it('exports what its mounts hold as archives beside it, if asked to, and says what it cannot', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hc-mounted-'))
    writeFileSync(join(folder, 'kept'), 'kept')
    const made = await makeContainer(docker, { start: false, binds: [`${folder}:/data/in`] })
    const input = { container: made.name, 'with-volumes': true, gzip: true }
    const { jobId, leftOut } = await room.does<{ jobId: string; leftOut: string[] }>('container.export', input)
    expect(leftOut).toEqual([])
    const job = await finished(jobId)
    expect(job).toMatchObject({
      state: 'done',
      artifact: { name: `${made.name}.tar.gz` },
      result: {
        volumes: [
          { path: '/data/in', artifact: { name: `${made.name}-data-in.tar.gz`, url: expect.stringContaining('/d/') } },
        ],
      },
    })
    const volume = job.result?.volumes?.[0]?.artifact
    const { path = '' } = room.actions.artifacts.get(volume?.id ?? '', 'local') ?? {}
    expect(gunzipSync(readFileSync(path)).toString('latin1')).toContain('kept')
    const view = JSON.stringify((await room.call('job.status', { job: jobId })).view)
    expect(view).toContain(`${made.name}-data-in.tar.gz`)
    rmSync(folder, { recursive: true })
  })

  it('says how much there will be, and goes on without knowing', async () => {
    const host = dockerHost('local', socketPath)
    const { driver } = host
    for (const [size, total] of [
      [() => Promise.resolve(64_000_000), 64_000_000],
      [() => Promise.reject(new AppError('ENGINE_LOST', { host: 'local' })), undefined],
    ] as const) {
      let goOn = (): void => undefined
      const looked = new Promise<void>((resolve) => {
        goOn = resolve
      })
      const slow: typeof driver.export = async (id, signal) => {
        const source = await driver.export(id, signal)
        return {
          close: source.close,
          flow: (take, until) =>
            source.flow(async (pieces) => {
              await take(pieces)
              await looked
            }, until),
        }
      }
      const other = await openRoom({ hosts: [{ ...host, driver: { ...driver, export: slow, exportSize: size } }] })
      const made = await makeContainer(docker, { start: false })
      const { jobId } = await other.does<{ jobId: string }>('container.export', { container: made.name })
      const status = () => other.does<JobAnswer>('job.status', { job: jobId })
      await vi.waitFor(async () => expect((await status()).progress.bytes).toBeGreaterThan(0))
      expect((await status()).progress.totalBytes).toBe(total)
      goOn()
      expect(await other.actions.jobs.wait(jobId, 'local', AbortSignal.timeout(20_000))).toMatchObject({
        state: 'done',
      })
      await other.close()
    }
  })

  it('leaves no artifact of a mount whose copy failed, nor of the container', async () => {
    const mounted = await makeContainer(docker, { start: false, binds: ['/tmp:/data'] })
    const host = dockerHost('local', socketPath)
    const getArchive = () => Promise.reject(new AppError('ENGINE_LOST', { host: 'local' }))
    const broken = await openRoom({ hosts: [{ ...host, driver: { ...host.driver, getArchive } }] })
    const { jobId } = await broken.does<{ jobId: string }>('container.export', {
      ...{ container: mounted.name, 'with-volumes': true },
    })
    const job = await broken.actions.jobs.wait(jobId, 'local', AbortSignal.timeout(20_000))
    expect(job).toMatchObject({ state: 'failed', error: { code: 'ENGINE_LOST' } })
    expect(broken.actions.artifacts.list('local')).toEqual([])
    await broken.close()
  })

  it('exports mounts only for those who may copy them out', async () => {
    const policy = `${POLICY}\nforbid (principal, action == Action::"container.copy-out", resource) when { context has path && context.path like "/data*" };`
    const strict = await openRoom({ hosts: [dockerHost('local', socketPath)], policy })
    const mounted = await makeContainer(docker, { start: false, binds: ['/tmp:/data'] })
    const input = { container: mounted.name }
    expect(await codeOf(strict.does('container.export', input))).toBe('OK')
    expect(await codeOf(strict.does('container.export', { ...input, 'with-volumes': true }))).toBe('FORBIDDEN')
    await strict.close()
  })

  it('shows a job to its tenant, and its link only to the one who started it', async () => {
    const made = await makeContainer(docker, { start: false })
    const { jobId } = await room.does<{ jobId: string }>('container.export', { container: made.name })
    await finished(jobId)
    const other = { kind: 'token', id: 'other', name: 'other', tenant: 'local', roles: ['admin'] } as const
    const seen = await room.does<JobAnswer>('job.status', { job: jobId }, { principal: other })
    expect(seen.artifact?.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(seen.artifact?.url).toBeUndefined()
    const stranger = { ...other, tenant: '123456789' }
    expect(await codeOf(room.does('job.status', { job: jobId }, { principal: stranger }))).toBe('JOB_NOT_FOUND')
  })
})
