// Making a container from chat: what it may be given, and what it can never be.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { bindProblems } from '../../src/actions/hosts/binds.js'
import { HostFileError, readHostFile } from '../../src/actions/index.js'
import { wordsOf } from '../../src/actions/words.js'
import { renderText } from '../../src/bot/cli-render.js'
import { makeContainer, TEST_IMAGE } from '../helpers/engine.js'
import { codeOf, dockerHost, openRoom, type Room } from '../helpers/room.js'

const socketPath = inject('engineSocket')
const docker = new Docker({ socketPath })
const unique = `hc-run-${process.pid}-${Date.now().toString(36)}`
const folder = mkdtempSync(join(tmpdir(), 'hc-binds-'))
const MADE_BY = 'hypercall.made-by'
const SLEEP = 'sleep 1000'
let room: Room

beforeAll(async () => {
  for (const name of ['given', 'given-not', 'each/one']) mkdirSync(join(folder, name), { recursive: true })
  const binds = [join(folder, 'given'), join(folder, 'each/*')]
  room = await openRoom({ hosts: [{ ...dockerHost('local', socketPath), binds }] })
})

/** Those of this run of the tests: each has a name of ours or is removed by its test. */
async function left(): Promise<Docker.ContainerInfo[]> {
  const all = await docker.listContainers({ all: true, filters: { label: [MADE_BY] } })
  return all.filter(({ Names }) => Names.some((name) => name.startsWith(`/${unique}`)))
}
afterEach(async () => {
  for (const { Id } of await left()) await docker.getContainer(Id).remove({ force: true, v: true })
  expect(room.bugs).toEqual([])
})
afterAll(async () => {
  await room.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Ran {
  readonly id: string
  readonly name: string
  readonly image: string
  readonly state: string
  readonly exitCode?: number
  readonly environmentNames: readonly string[]
}

const run = (input: object = {}) =>
  room.does<Ran>('container.run', { image: TEST_IMAGE, name: unique, command: SLEEP, ...input })
const made = async () => docker.getContainer(unique).inspect()

describe('a new container', () => {
  it('is what was asked for', async () => {
    const ran = await run({
      command: `sh -c 'echo "$A|$B|$C" > /srv/f; sleep 1000'`,
      env: `A=1 B='two words' C="x=y"`,
      ports: '8080:80, 127.0.0.1:53:53/udp 9000 [::1]:81:81',
      volumes: `${unique}:/data:ro ${folder}/given:/given,${folder}/each/one/:/one:ro`,
      memory: '64m',
      cpus: '0.5',
      restart: 'on-failure',
    })
    try {
      expect(ran).toMatchObject({ name: unique, state: 'running', image: TEST_IMAGE })
      const { Config, HostConfig } = await made()
      expect(Config.Env).toEqual(expect.arrayContaining(['A=1', 'B=two words', 'C=x=y']))
      expect(Config.Labels).toMatchObject({ [MADE_BY]: 'local/token:test' })
      expect(HostConfig.PortBindings).toEqual({
        '80/tcp': [{ HostIp: '', HostPort: '8080' }],
        '53/udp': [{ HostIp: '127.0.0.1', HostPort: '53' }],
        '9000/tcp': [{ HostIp: '', HostPort: '' }],
        '81/tcp': [{ HostIp: '::1', HostPort: '81' }],
      })
      expect(HostConfig.Mounts).toMatchObject([
        { Type: 'volume', Source: unique, Target: '/data', ReadOnly: true },
        { Type: 'bind', Source: join(folder, 'given'), Target: '/given' },
        { Type: 'bind', Source: join(folder, 'each/one'), Target: '/one', ReadOnly: true },
      ])
      expect(HostConfig).toMatchObject({
        Memory: 64 * 1024 ** 2,
        NanoCpus: 5e8,
        RestartPolicy: { Name: 'on-failure' },
      })
    } finally {
      await docker.getContainer(unique).remove({ force: true })
      await docker.getVolume(unique).remove()
    }
  })

  it('says at once when it has ended, and with what', async () => {
    expect(await room.does<Ran>('container.run', { image: TEST_IMAGE, name: unique, command: 'false' })).toBeDefined()
    const ended = await room.does<{ exitCode?: number }>('container.wait', { container: unique })
    expect(ended.exitCode).toBe(1)
  })

  it('takes the defaults of its image, and a name of the engine, where none are given', async () => {
    const ran = await room.does<Ran>('container.run', { image: TEST_IMAGE })
    try {
      expect(ran.name).toMatch(/^[a-z]+_[a-z]+/)
      expect((await docker.getContainer(ran.id).inspect()).Config.Cmd).toEqual(['/bin/sh'])
    } finally {
      await docker.getContainer(ran.id).remove({ force: true })
    }
  })

  it('leaves nothing behind where it cannot be: no image, a name that is taken, a program that is not there', async () => {
    expect(await codeOf(run({ image: 'no-such-image' }))).toBe('IMAGE_NOT_FOUND')
    expect(await codeOf(run({ command: '/no/such/program' }))).toBe('ENGINE_REFUSED')
    expect(await left()).toEqual([])
    const other = await makeContainer(docker, { start: false })
    expect(await codeOf(run({ name: other.name }))).toBe('NAME_TAKEN')
    expect(await docker.getContainer(other.id).inspect()).toMatchObject({ Id: other.id })
  })

  it('is of the very image that was confirmed, or is not made', async () => {
    const tag = { repo: unique, tag: '1' }
    await docker.getImage(TEST_IMAGE).tag(tag)
    const source = await makeContainer(docker, { command: 'touch /srv/other' })
    await source.wait()
    try {
      const input = { image: `${unique}:1`, name: unique, command: SLEEP }
      const first = await room.call('container.run', input)
      if (first.status !== 'confirm') throw new Error('nobody asked')
      await source.commit(tag)
      expect(await codeOf(room.call('container.run', input, { confirm: first.token }))).toBe('TARGET_CHANGED')
      expect(await left()).toEqual([])
    } finally {
      await docker.getImage(`${unique}:1`).remove({ force: true })
    }
  })
})

describe('what a new container can never be', () => {
  const PLAIN = {
    Privileged: false,
    CapAdd: null,
    Devices: null,
    DeviceRequests: null,
    DeviceCgroupRules: null,
    PidMode: '',
    UTSMode: '',
    UsernsMode: '',
    NetworkMode: 'default',
    SecurityOpt: null,
    VolumesFrom: null,
    Binds: null,
    GroupAdd: null,
    CgroupParent: '',
    Runtime: 'runc',
    PublishAllPorts: false,
  }

  it.each([
    'privileged',
    'cap-add',
    'device',
    'devices',
    'pid',
    'ipc',
    'network',
    'userns',
    'security-opt',
    'runtime',
    'volumes-from',
    'HostConfig',
    'labels',
    'user',
  ])('has no field %j', async (field) => {
    expect(await codeOf(run({ [field]: 'host' }))).toBe('INVALID_INPUT')
  })

  it.each([
    ['environment', { env: `Privileged=true HostConfig='{"Privileged":true}' __proto__=x` }],
    ['name and ports', { name: `${unique}-privileged`, ports: '1:1' }],
    ['volumes', { volumes: `${folder}/given:/x:ro` }],
    ['command', { command: 'sh -c "sleep 1000" --privileged --pid=host' }],
  ])('is a plain one whatever its %s says', async (_, input) => {
    const { id } = await run(input)
    expect((await docker.getContainer(id).inspect()).HostConfig).toMatchObject(PLAIN)
  })

  it.each([
    ['ports', '0:80'],
    ['ports', '80:70000'],
    ['ports', '1.2.3:80:80'],
    ['ports', '80/sctp'],
    ['ports', '80:80;'],
    ['volumes', 'data'],
    ['volumes', 'data:/x:rw:z'],
    ['volumes', 'data:/x:rshared'],
    ['volumes', '../data:/x'],
    ['volumes', ':/x'],
    ['memory', '1k'],
    ['memory', '-1'],
    ['memory', '9999999999999g'],
    ['cpus', '0'],
    ['cpus', '1e3'],
    ['env', 'A'],
    ['env', 'A=1 -B=2'],
    ['env', "A='open"],
    ['command', "'open"],
    ['restart', 'sometimes'],
    ['name', '-x'],
    ['image', '-x'],
  ])('refuses %s %j', async (field, value) => {
    expect(await codeOf(run({ [field]: value }))).toBe('INVALID_INPUT')
  })
})

describe('folders of the host', () => {
  it('are given only where the operator lists them, and an error says which ones are', async () => {
    const refused = (path: string) => codeOf(run({ volumes: `${path}:/x` }))
    for (const path of ['/', '/etc', '/var/run/docker.sock', folder, `${folder}/given-not`, `${folder}/given/sub`]) {
      expect([path, await refused(path)]).toEqual([path, 'BIND_NOT_ALLOWED'])
    }
    for (const path of [`${folder}/each`, `${folder}/each/one/two`, `${folder}/each/./.`]) {
      expect([path, await refused(path)]).toEqual([path, 'BIND_NOT_ALLOWED'])
    }
    expect(await refused(`${folder}/given/../given-not`)).toBe('PATH_INVALID')
    await expect(run({ volumes: '/etc:/x' })).rejects.toThrow(`It allows: ${folder}/given, ${folder}/each/*.`)
    const bare = await openRoom({ hosts: [dockerHost('local', socketPath)] })
    await expect(bare.does('container.run', { image: TEST_IMAGE, volumes: '/etc:/x' })).rejects.toThrow('nothing')
    await bare.close()
  })

  it('cannot be reached by a link that a container planted in one of them', async () => {
    symlinkSync('/etc', join(folder, 'given/link'))
    symlinkSync('/etc', join(folder, 'each/one/link'))
    for (const path of [`${folder}/given/link`, `${folder}/each/one/link`]) {
      expect(await codeOf(run({ volumes: `${path}:/x:ro` }))).toBe('BIND_NOT_ALLOWED')
    }
  })

  it('are listed as folders that do not lie in each other', () => {
    expect(bindProblems(['/srv/a', '/srv/b', '/data/*', '/srv/ab'])).toEqual([])
    for (const wrong of ['/', '/*', 'srv', '/srv/', '/srv/../etc', '/srv/*/x', '', '/srv//a']) {
      expect([wrong, bindProblems([wrong]).length]).toEqual([wrong, 1])
    }
    for (const nested of [
      ['/srv', '/srv/a'],
      ['/srv', '/srv/*'],
      ['/srv/*', '/srv/a/b'],
      ['/srv/*', '/srv/a/*'],
    ]) {
      expect([nested, bindProblems(nested).length]).toEqual([nested, 1])
    }
    const file = join(folder, 'hosts.yaml')
    const write = (binds: string) =>
      writeFileSync(file, `hosts:\n  - {name: a, endpoint: 'unix:///x.sock', binds: ${binds}}\n`)
    write('[/srv/site]')
    expect(readHostFile(file, () => undefined)[0]?.binds).toEqual(['/srv/site'])
    write('[srv]')
    expect(() => readHostFile(file, () => undefined)).toThrow(HostFileError)
  })
})

describe('the environment', () => {
  const SECRET = 'hunter2-Zq9'

  it('reaches the container, and nobody else: no reply, no confirmation, no log, no table', async () => {
    const input = {
      image: TEST_IMAGE,
      name: unique,
      command: SLEEP,
      env: `TOKEN=${SECRET} REST='two ${SECRET}'`,
    }
    const first = await room.call('container.run', input)
    if (first.status !== 'confirm') throw new Error('nobody asked')
    expect(JSON.stringify(first.view)).toContain('TOKEN=… REST=…')
    const recalled = room.actions.gate.recall(first.token, {
      principal: { kind: 'token', id: 'test', name: 'test', tenant: 'local', roles: ['admin'] },
      surface: 'rest',
      requestId: 'r',
    })
    expect(recalled.input).toEqual(input)
    const done = await room.call('container.run', input, { confirm: first.token })
    if (done.status !== 'done') throw new Error('asked twice')
    expect((await made()).Config.Env).toContain(`TOKEN=${SECRET}`)
    expect((done.output as Ran).environmentNames).toContain('TOKEN')
    const { rows } = await room.does<{ rows: unknown[] }>('audit.list', { action: 'container.run' })
    expect(JSON.stringify(rows)).toContain('TOKEN=…')
    const tables = room.db.prepare<[], { name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").all()
    const everything = tables.map(({ name }) => JSON.stringify(room.db.prepare(`SELECT * FROM "${name}"`).all()))
    const told = [
      JSON.stringify(first),
      JSON.stringify(done),
      renderText(done.view),
      JSON.stringify(rows),
      ...everything,
    ]
    expect(told.filter((text) => text.includes(SECRET))).toEqual([])
  })

  it.each([`A=1 ${SECRET}`, `A='${SECRET}`, `A=${SECRET}\u0000`, `9=${SECRET}`, `A=1 B ${SECRET}=x`])(
    'is not repeated when it is wrong: %j',
    async (env) => {
      const failing = run({ env })
      expect(await codeOf(failing)).toBe('INVALID_INPUT')
      const { rows } = await room.does<{ rows: object[] }>('audit.list', { action: 'container.run' })
      const failure = await failing.catch((error: Error) => error)
      expect(`${JSON.stringify(rows)} ${(failure as Error).message}`).not.toContain(SECRET)
    },
  )
})

describe('the words of a line', () => {
  it.each([
    ['a  b', ['a', 'b']],
    [`'a b' "c d"e`, ['a b', 'c de']],
    [`a\\ b "\\"" '\\' "\\n"`, ['a b', '"', '\\', '\\n']],
    [`'' ""`, ['', '']],
    ['$(id) `id` ; * ~', ['$(id)', '`id`', ';', '*', '~']],
    ['', []],
    [`"open`, undefined],
    [`it's`, undefined],
    ['end\\', undefined],
  ])('of %j are %j', (line, words) => {
    expect(wordsOf(line)).toEqual(words)
  })
})
