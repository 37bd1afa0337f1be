// The daily verbs of containers, through the gate, against a real engine.
import { readFileSync } from 'node:fs'
import Docker from 'dockerode'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { chartPicture, scaleTop } from '../../src/actions/chart-picture.js'
import { dockerDriver } from '../../src/actions/hosts/docker/driver.js'
import { openSampler } from '../../src/actions/hosts/sampler.js'
import type { View } from '../../src/actions/index.js'
import { renderText } from '../../src/bot/cli-render.js'
import { render } from '../../src/bot/discord/render.js'
import { makeContainer, TEST_IMAGE } from '../helpers/engine.js'
import { codeOf, dockerHost, openRoom, type Room } from '../helpers/room.js'

const socketPath = inject('engineSocket')
const docker = new Docker({ socketPath })
let room: Room

beforeAll(async () => {
  room = await openRoom({ hosts: [dockerHost('local', socketPath)] })
})
afterAll(() => room.close())
afterEach(() => expect(room.bugs).toEqual([]))

const stateOf = async (container: Docker.Container) => (await container.inspect()).State.Status
const on = (verb: string, container: { name: string }, input: object = {}) =>
  room.does<Record<string, unknown>>(`container.${verb}`, { container: container.name, ...input })

/** What is shown once yes has been said. */
async function viewOf(name: string, input: object, lang: 'en' | 'zh' = 'en'): Promise<View> {
  const first = await room.call(name, input, { lang })
  const outcome = first.status === 'confirm' ? await room.call(name, input, { lang, confirm: first.token }) : first
  return outcome.view
}
const inDiscord = (view: View): string => render({ view, lang: 'en' }).body.embeds[0]?.description ?? ''

/** A line break that starts a line of one's own, colours, an override of direction, and everyone. */
const HOSTILE = 'a\n**b** \u001b[31m\u202e @everyone ```'
const steering = (text: string): string[] => ['\u001b', '\u202e'].filter((sign) => text.includes(sign))

describe('the life of a container', () => {
  it('restarts, holds still, lets go on, renames and removes', async () => {
    const made = await makeContainer(docker)
    const { StartedAt } = (await made.inspect()).State
    expect(await on('restart', made, { grace: 0 })).toMatchObject({ state: 'running' })
    expect((await made.inspect()).State.StartedAt).not.toBe(StartedAt)
    expect(await on('pause', made)).toMatchObject({ state: 'paused' })
    expect(await on('pause', made)).toMatchObject({ state: 'paused' })
    expect(await on('unpause', made)).toMatchObject({ state: 'running' })
    expect(await on('unpause', made)).toMatchObject({ state: 'running' })
    const name = `${made.name}-new`
    expect(await on('rename', made, { name })).toMatchObject({ name })
    expect(await on('rename', { name }, { name })).toMatchObject({ name, id: made.id })
    expect(await codeOf(on('remove', { name }))).toBe('INSTANCE_RUNS')
    expect(await on('remove', { name }, { force: true })).toMatchObject({ id: made.id, container: name })
    expect(await codeOf(on('restart', { name }))).toBe('INSTANCE_NOT_FOUND')
  })

  it('refuses what cannot be: a stopped one, a name that is taken or none', async () => {
    const [made, other] = [await makeContainer(docker, { start: false }), await makeContainer(docker, { start: false })]
    for (const verb of ['pause', 'unpause', 'stats', 'top', 'wait']) {
      expect([verb, await codeOf(on(verb, made))]).toEqual([verb, 'INSTANCE_NOT_RUNNING'])
    }
    expect(await codeOf(on('exec', made, { command: 'true' }))).toBe('INSTANCE_NOT_RUNNING')
    expect(await codeOf(on('rename', made, { name: other.name }))).toBe('NAME_TAKEN')
    expect(await codeOf(on('rename', made, { name: '-x' }))).toBe('INVALID_INPUT')
    await on('start', made)
    await on('pause', made)
    expect(await codeOf(on('exec', made, { command: 'true' }))).toBe('INSTANCE_NOT_RUNNING')
  })

  it('removes unnamed volumes only when told to, and says which ones are left', async () => {
    const withVolume = async () => {
      const made = await docker.createContainer({
        Image: TEST_IMAGE,
        Labels: { 'hypercall.test': inject('run') },
        HostConfig: { NetworkMode: 'none', Mounts: [{ Type: 'volume', Source: '', Target: '/data' }] },
      })
      return { made, volume: (await made.inspect()).Mounts[0]?.Name ?? '' }
    }
    const [kept, gone] = [await withVolume(), await withVolume()]
    expect(await room.does('container.remove', { container: kept.made.id })).toMatchObject({
      keptVolumes: [kept.volume],
    })
    await docker.getVolume(kept.volume).remove()
    expect(await room.does('container.remove', { container: gone.made.id, volumes: true })).toMatchObject({
      keptVolumes: [],
    })
    expect(await codeOf(docker.getVolume(gone.volume).inspect())).not.toBe('OK')
  })

  it('asks an operator before it changes, and lets only an admin remove', async () => {
    const made = await makeContainer(docker)
    const as = (role: string) => ({
      principal: { kind: 'token', id: role, name: role, tenant: 'local', roles: [role] } as const,
    })
    const call = (verb: string, role: string) => room.call(`container.${verb}`, { container: made.name }, as(role))
    for (const verb of ['restart', 'pause', 'logs', 'top']) {
      expect([verb, (await call(verb, 'operator')).status]).toEqual([verb, 'confirm'])
      expect([verb, await codeOf(call(verb, 'viewer'))]).toEqual([verb, 'FORBIDDEN'])
    }
    expect(await codeOf(call('remove', 'operator'))).toBe('FORBIDDEN')
    expect((await call('remove', 'admin')).status).toBe('confirm')
    for (const verb of ['mounts', 'diff', 'stats']) expect((await call(verb, 'viewer')).status).toBe('done')
    expect(await stateOf(made)).toBe('running')
  })

  it('offers what helps next: to let a paused one go on, to read the log of one that runs', async () => {
    const made = await makeContainer(docker)
    const offered = async (verb: string) =>
      (await viewOf(`container.${verb}`, { container: made.name })).choices?.map(({ action }) => action)
    expect(await offered('pause')).toEqual([
      'container.stop',
      'container.unpause',
      'container.logs',
      'container.inspect',
    ])
    expect(await offered('unpause')).toContain('container.restart')
  })
})

describe('mounts', () => {
  it('are shown with what may be done to them, and their absence is said', async () => {
    const made = await makeContainer(docker, { start: false, binds: ['/tmp:/given:ro'] })
    expect(await on('mounts', made)).toMatchObject({
      mounts: [{ kind: 'bind', source: '/tmp', destination: '/given', readOnly: true }],
    })
    const bare = await makeContainer(docker, { start: false })
    expect(inDiscord(await viewOf('container.mounts', { container: bare.name }))).toContain('No mounts')
    expect(inDiscord(await viewOf('container.mounts', { container: bare.name }, 'zh'))).toContain('没有挂载')
  })
})

interface Log {
  readonly text: string
  readonly shownLines: number
  readonly lines: number
  readonly sizeBytes: number
  readonly artifact?: { readonly id: string; readonly name: string; readonly url?: string }
}

/** One that has written this and ended. */
async function written(command: string) {
  const made = await makeContainer(docker, { command })
  await made.wait()
  return made
}
const logsOf = (container: { name: string }, input: object = {}) =>
  room.does<Log>('container.logs', { container: container.name, ...input })

describe('logs', () => {
  it('are shown whole where they fit, both outputs in their order, from the end and since a time', async () => {
    const made = await written('echo one; sleep 0.1; echo two >&2; sleep 0.1; echo three')
    expect(await logsOf(made)).toMatchObject({ text: 'one\ntwo\nthree', lines: 3, shownLines: 3 })
    expect((await logsOf(made)).artifact).toBeUndefined()
    expect(await logsOf(made, { tail: 1 })).toMatchObject({ text: 'three', lines: 1 })
    expect(await logsOf(made, { since: '1h' })).toMatchObject({ lines: 3 })
    expect(await logsOf(made, { since: '2100-01-01' })).toMatchObject({ text: '', lines: 0 })
    expect((await logsOf(made, { timestamps: true })).text).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z one\n/)
    expect(await codeOf(logsOf(made, { since: 'yesterday' }))).toBe('INVALID_INPUT')
    expect(await codeOf(logsOf(made, { since: '2026-13-45' }))).toBe('INVALID_INPUT')
    expect(await codeOf(logsOf(made, { tail: 10_001 }))).toBe('INVALID_INPUT')
  })

  it.each([
    ['many lines', 'seq 1 5000', 3000, 3000],
    ['few long ones', 'for i in 1 2 3; do head -c 9000 /dev/zero | tr "\\0" $i; echo; done', 200, 3],
    ['just too many', 'seq 1 41', 200, 41],
  ])(
    'that are long, %s, become a file with all of it, and the reply says how much it shows',
    async (_, command, tail, lines) => {
      const made = await written(command)
      const log = await logsOf(made, { tail })
      const { artifact = { id: '', name: '', url: '' } } = log
      const file = readFileSync(room.actions.artifacts.get(artifact.id, 'local')?.path ?? '')
      const raw = (await made.logs({ stdout: true, stderr: true, tail })) as Buffer
      // What the engine's client gives has a header of eight bytes before each piece.
      const pieces: Buffer[] = []
      for (let at = 0; at < raw.length; at += 8 + raw.readUInt32BE(at + 4)) {
        pieces.push(raw.subarray(at + 8, at + 8 + raw.readUInt32BE(at + 4)))
      }
      expect(file.equals(Buffer.concat(pieces))).toBe(true)
      expect(log).toMatchObject({ lines, sizeBytes: file.length })
      expect(log.shownLines).toBeLessThanOrEqual(40)
      expect(log.text.length).toBeLessThanOrEqual(1501)
      const end = file.toString().trimEnd()
      expect(end.endsWith(log.text.replace(/^…/, ''))).toBe(true)
      expect(artifact.url).toMatch(/^http:\/\/hypercall\.test\/d\//)
      const shown = inDiscord(await viewOf('container.logs', { container: made.name, tail }))
      expect(shown).toContain(`The last ${log.shownLines} of ${lines} lines`)
    },
  )

  it('come out harmless, whatever is in them', async () => {
    const made = await makeContainer(docker, { command: 'printf "%s" "$TEXT"', env: [`TEXT=${HOSTILE}`] })
    await made.wait()
    const view = await viewOf('container.logs', { container: made.name })
    const shown = inDiscord(view)
    expect([shown, renderText(view)].flatMap(steering)).toEqual([])
    expect(shown).not.toContain('@everyone')
    expect(shown.match(/```/g)).toHaveLength(2)
  })
})

describe('stats', () => {
  it('tell what it uses, and after a second look how it went, as a table and as a picture', async () => {
    const made = await makeContainer(docker, { command: 'while :; do :; done' })
    type Stats = { samples: { cpuPercent: number; memoryBytes: number; processes: number }[] }
    const first = (await on('stats', made)) as unknown as Stats
    expect(first.samples).toHaveLength(1)
    expect(first.samples[0]?.cpuPercent).toBeGreaterThan(5)
    expect(first.samples[0]?.processes).toBe(1)
    const view = await viewOf('container.stats', { container: made.name })
    expect(view.blocks.map(({ kind }) => kind)).toEqual(['facts', 'table', 'picture'])
    await made.kill()
    expect(await codeOf(on('stats', made))).toBe('INSTANCE_NOT_RUNNING')
  })

  it('are kept for a bounded number of containers, and forgotten when one stops', async () => {
    const sampler = openSampler(Date.now, { everyMs: 20, keptMs: 60_000, most: 1 })
    const driver = dockerDriver('local', { kind: 'unix', path: socketPath })
    const { signal } = new AbortController()
    const [one, two] = [await makeContainer(docker), await makeContainer(docker)]
    const look = async ({ id }: { id: string }) => (await sampler.look('local', driver, id, signal)).length
    expect(await look(one)).toBe(1)
    expect(await look(one)).toBeGreaterThan(1)
    expect(await look(two)).toBe(1)
    expect(await look(one)).toBe(1)
    sampler.close()
    expect(await look(one)).toBe(1)
    sampler.close()
  })

  it('are drawn to a scale that can be read, and say nothing but text', () => {
    expect([0, 0.3, 1, 37, 201, 4096].map((value) => scaleTop(value))).toEqual([1, 0.5, 1, 50, 500, 5000])
    expect([1023, 1024, 281 * 1024 ** 2].map((size) => scaleTop(size, true))).toEqual([2000, 1024, 500 * 1024 ** 2])
    const points = [0, 1000, 4000].map((at) => ({ at, value: at / 100 }))
    const panel = { label: '<b>&', points, format: String }
    const svg = chartPicture({ title: HOSTILE, from: 'a', to: 'b', panels: [panel, { ...panel, points: [] }] })
    expect(svg).toContain('&lt;b&gt;&amp;')
    expect(steering(svg)).toEqual([])
    expect(svg).not.toContain('NaN')
    // From the left end of the panel to the right one, at a quarter of the way and at four fifths of the scale.
    expect(svg).toContain('d="M48.0,374.0 L324.0,330.0 L1152.0,198.0"')
  })
})

describe('top', () => {
  it('lists the processes for its asker alone', async () => {
    const made = await makeContainer(docker, { command: 'sleep 4321' })
    const { columns, rows, total } = (await on('top', made)) as { columns: string[]; rows: string[][]; total: number }
    expect(total).toBe(rows.length)
    expect(rows.some((row) => row[columns.indexOf('CMD')]?.includes('sleep 4321'))).toBe(true)
    expect(room.actions.gate.registry.get('container.top')).toMatchObject({ private: true, effect: 'disclose' })
  })
})

interface Executed {
  readonly exitCode?: number
  readonly stdout: { readonly text: string; readonly totalBytes: number }
  readonly stderr: { readonly text: string; readonly totalBytes: number }
}

describe('exec', () => {
  let made: Awaited<ReturnType<typeof makeContainer>>
  beforeAll(async () => {
    made = await makeContainer(docker)
  })
  const exec = (command: string, more: object = {}) =>
    room.does<Executed>('container.exec', { container: made.name, command, ...more })

  it('hands words over as they are: no shell reads them unless told to', async () => {
    const plain = await exec(`echo '$HOME' "a  b" c\\ d ; * | cat`)
    expect(plain).toMatchObject({ exitCode: 0, stdout: { text: '$HOME a  b c d ; * | cat' } })
    const shell = await exec('echo $((6*7)) | cat; echo no >&2; exit 3', { shell: true })
    expect(shell).toMatchObject({ exitCode: 3, stdout: { text: '42' }, stderr: { text: 'no', totalBytes: 3 } })
    expect(await codeOf(exec('echo "open'))).toBe('INVALID_INPUT')
    expect(await codeOf(exec('   '))).toBe('INVALID_INPUT')
  })

  it('runs as whom and where it is told to', async () => {
    expect((await exec('id -u', { user: '1234:5' })).stdout.text).toBe('1234')
    expect((await exec('pwd', { workdir: '/srv/' })).stdout.text).toBe('/srv')
    expect(await codeOf(exec('pwd', { workdir: '../etc' }))).toBe('PATH_INVALID')
    expect(await codeOf(exec('id', { user: 'root; id' }))).toBe('INVALID_INPUT')
    expect(await codeOf(exec('id', { user: 'nobody-here' }))).toBe('ENGINE_REFUSED')
    await expect(exec('no-such-program')).rejects.toThrow(/no-such-program.*not found/)
  })

  it('keeps the first 64 KiB of what is written, and says how much there was', async () => {
    const { stdout, exitCode } = await exec('head -c 300000 /dev/zero')
    expect([stdout.totalBytes, stdout.text.length, exitCode]).toEqual([300_000, 65_536, 0])
    const view = await viewOf('container.exec', { container: made.name, command: 'yes', timeout: 1 })
    expect(view.blocks.some((block) => block.kind === 'text' && /Cut: the first 64\.0 KiB/.test(block.text))).toBe(true)
  })

  it('stops waiting in time, with what there is until then, and says that the program may go on', async () => {
    const input = { container: made.name, command: 'echo early; sleep 30', shell: true, timeout: 1 }
    const done = await room.does<Executed>('container.exec', input)
    expect(done.exitCode).toBeUndefined()
    expect(done.stdout.text).toBe('early')
    expect(inDiscord(await viewOf('container.exec', input))).toContain('may still run')
  })

  it('waits for a program that closes its output and goes on', async () => {
    expect((await exec('exec >&- 2>&-; sleep 1; exit 7', { shell: true })).exitCode).toBe(7)
  })
})

describe('wait', () => {
  it('tells the exit code, or that it still runs', async () => {
    const made = await makeContainer(docker)
    expect(await on('wait', made, { seconds: 1 })).not.toHaveProperty('exitCode')
    expect((await viewOf('container.wait', { container: made.name, seconds: 1 })).choices?.[0]?.action).toBe(
      'container.wait',
    )
    const ends = await makeContainer(docker, { command: 'sleep 0.3; exit 9' })
    expect(await on('wait', ends)).toMatchObject({ exitCode: 9 })
    expect(await on('wait', ends)).toMatchObject({ exitCode: 9 })
  })
})

describe('diff and commit', () => {
  it('lists what changed, counted whole where the list is cut, and draws hostile names harmless', async () => {
    const bare = await makeContainer(docker, { start: false })
    expect(await on('diff', bare)).toMatchObject({ added: 0, changed: 0, deleted: 0, changes: [] })
    const made = await makeContainer(docker, {
      command: 'cd /srv; touch "$NAME"; rm /etc/group; i=0; while [ $i -lt 1200 ]; do : > f$i; i=$((i+1)); done',
      env: [`NAME=${HOSTILE}`],
    })
    await made.wait()
    const diff = (await on('diff', made)) as { added: number; deleted: number; changes: { path: string }[] }
    expect(diff).toMatchObject({ added: 1201, deleted: 1 })
    expect(diff.changes).toHaveLength(1000)
    const named = await makeContainer(docker, { command: 'touch "/srv/$NAME"', env: [`NAME=${HOSTILE}`] })
    await named.wait()
    const view = await viewOf('container.diff', { container: named.name })
    const shown = inDiscord(view)
    expect(shown).toContain('**b**')
    const everywhere = [shown, renderText(view)]
    expect(everywhere.flatMap(steering)).toEqual([])
    expect(everywhere.join('')).not.toContain('\n**b')
    expect(shown).not.toContain('@everyone')
    expect(shown.match(/```/g)).toHaveLength(2)
  })

  it('makes an image of it, and says which mounts are not in it', async () => {
    const made = await makeContainer(docker, { command: 'echo kept > /srv/f', binds: ['/tmp:/given:ro'] })
    await made.wait()
    const repository = `hypercall-test/commit-${process.pid}`
    const input = { reference: `${repository}:v1`, comment: 'why' }
    const image = (await on('commit', made, input)) as { id: string; reference: string }
    try {
      expect(image).toMatchObject({ reference: `${repository}:v1`, leftOut: ['/given'] })
      const info = await docker.getImage(`${repository}:v1`).inspect()
      expect([info.Id, info.Comment]).toEqual([image.id, 'why'])
      const copy = await docker.createContainer({ Image: image.id, Labels: { 'hypercall.test': inject('run') } })
      expect(await room.does('container.inspect', { container: copy.id })).toMatchObject({ imageId: image.id })
      await copy.remove()
    } finally {
      await docker.getImage(`${repository}:v1`).remove({ force: true })
    }
    for (const wrong of ['Team/Web', '../x', 'a//b', '-x']) {
      expect(await codeOf(on('commit', made, { reference: wrong }))).toBe('REFERENCE_INVALID')
    }
  })
})
