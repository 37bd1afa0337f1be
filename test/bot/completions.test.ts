// What is offered while somebody types: from memory that engines keep fresh, by the rights of who asks, and in time.
import { Readable } from 'node:stream'
import Docker from 'dockerode'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { bytesOf, type Principal } from '../../src/actions/index.js'
import { type CompletionRequest, type Completions, createCompletions } from '../../src/bot/completions.js'
import { suggestionsOf } from '../../src/bot/discord/complete.js'
import { type Door, openDoor } from '../helpers/door.js'
import { makeContainer } from '../helpers/engine.js'
import { dockerHost, openRoom, POLICY, principal, type Room } from '../helpers/room.js'

const docker = new Docker({ socketPath: inject('engineSocket') })
const SOON = { timeout: 15_000, interval: 60 }
const BLUE = principal(['viewer'], { tenant: 'blue', id: 'bea' })
const GREEN = principal(['viewer'], { tenant: 'green', id: 'gus' })
const FREE = { mostAtOnce: 1e6 }

let door: Door
let room: Room
let completions: Completions
/** Moved by hand, so that time alone never brings what a test waits for. */
let clock: number

beforeAll(async () => {
  door = await openDoor(inject('engineSocket'), FREE.mostAtOnce)
})
afterAll(() => door.close())

async function open(): Promise<void> {
  room = await openRoom({
    hosts: [
      dockerHost('near', inject('engineSocket'), ['blue']),
      dockerHost('far', door.path, ['blue']),
      dockerHost('theirs', inject('engineSocket'), ['green']),
    ],
  })
  clock = Date.now()
  room.now = () => clock
  const { gate, changes } = room.actions
  const log = pino({ level: 'silent' })
  completions = createCompletions({ gate, changes, surface: 'discord', log, now: () => clock })
}
afterEach(async () => {
  door.release()
  await room.close()
  expect(room.bugs).toEqual([])
})

type Asked = Partial<CompletionRequest>

const find = (kind: CompletionRequest['kind'], typed: string, more: Asked = {}) =>
  completions.find({ principal: BLUE, lang: 'en', kind, typed, ...more })
const valuesOf = async (kind: CompletionRequest['kind'], typed: string, more: Asked = {}) =>
  (await find(kind, typed, more)).map(({ value }) => value)
/** As somebody sees it who types on: a little later, again. */
const typingOn = <T>(look: () => Promise<T>) =>
  expect.poll(() => {
    clock += 1_100
    return look()
  }, SOON)
const hostsOffering = async (name: string, more: Asked = {}) =>
  (await find('container', name, more)).map(({ label }) => label.split(' · ').at(-1)).sort()

async function rows(action: string): Promise<number> {
  const owner: Principal = { kind: 'local', id: 'owner', name: 'owner', tenant: 'blue', roles: ['admin'] }
  const listed = await room.does<{ rows: object[] }>('audit.list', { action, limit: 100 }, { principal: owner })
  return listed.rows.length
}

describe('a host that says nothing', () => {
  it('keeps nobody waiting for the others, and is offered from what is known of it', async () => {
    await open()
    const { name } = await makeContainer(docker)
    door.hold()
    await typingOn(() => hostsOffering(name)).toEqual(['near'])
    door.release()
    await typingOn(() => hostsOffering(name)).toEqual(['far', 'near'])
    door.hold()
    clock += 61_000
    expect(await hostsOffering(name)).toEqual(['far', 'near'])
    expect(await hostsOffering(name, { host: 'far' })).toEqual(['far'])
  })

  it('is an empty list for whoever names it, until it has been heard of', async () => {
    await open()
    const { name } = await makeContainer(docker)
    door.hold()
    expect(await hostsOffering(name, { host: 'far' })).toEqual([])
    door.release()
    await typingOn(() => hostsOffering(name, { host: 'far' })).toEqual(['far'])
  })
})

describe('what is known', () => {
  it('follows the engine by its events', async () => {
    await open()
    const before = await makeContainer(docker)
    await typingOn(() => hostsOffering(before.name)).toEqual(['far', 'near'])
    const begun = clock
    const { name, id } = await makeContainer(docker)
    await typingOn(() => hostsOffering(name)).toEqual(['far', 'near'])
    await docker.getContainer(id).remove({ force: true })
    await typingOn(() => hostsOffering(name)).toEqual([])
    await docker.getImage('hypercall-test/base:1').tag({ repo: 'hypercall-test/followed', tag: '1' })
    await typingOn(() => valuesOf('image', 'followed', { host: 'near' })).toEqual(['hypercall-test/followed:1'])
    await docker.getImage('hypercall-test/followed:1').remove()
    await typingOn(() => valuesOf('image', 'followed', { host: 'near' })).toEqual([])
    // Sooner than it would be looked up again by itself.
    expect(clock - begun).toBeLessThan(60_000)
  })

  it('follows it again after the connection was cut', async () => {
    await open()
    const before = await makeContainer(docker)
    await typingOn(() => hostsOffering(before.name, { host: 'far' })).toEqual(['far'])
    const cut = room.actions.changes()
    door.slam()
    // It begins again, and tells that nobody knows what happened meanwhile.
    await expect.poll(() => room.actions.changes(), SOON).toBeGreaterThan(cut)
    const begun = clock
    const { name } = await makeContainer(docker)
    await typingOn(() => hostsOffering(name, { host: 'far' })).toEqual(['far'])
    expect(clock - begun).toBeLessThan(60_000)
  })

  it('is let go of when the server closes', async () => {
    await open()
    const { name } = await makeContainer(docker)
    await typingOn(() => hostsOffering(name)).toEqual(['far', 'near'])
    expect(door.connections()).toBeGreaterThan(0)
    await room.close()
    await expect.poll(() => door.connections(), SOON).toBe(0)
    await open()
  })

  it('is let go of when the host is unlinked', async () => {
    await open()
    const owner: Principal = { kind: 'local', id: 'owner', name: 'owner', tenant: 'local', roles: ['admin'] }
    const reason = 'a test'
    const { name } = await makeContainer(docker)
    const link = { name: 'lent', endpoint: `unix://${door.path}`, reason }
    await room.does('host.link', link, { principal: owner, surface: 'page' })
    await typingOn(() => hostsOffering(name, { principal: owner })).toEqual(['lent'])
    await room.does('host.unlink', { host: 'lent', reason }, { principal: owner, surface: 'page' })
    await typingOn(() => hostsOffering(name, { principal: owner })).toEqual([])
    await expect.poll(() => door.connections(), SOON).toBe(0)
  })

  it('is not watched before somebody types', async () => {
    await open()
    await room.does('container.list', {}, { principal: BLUE })
    await expect.poll(() => door.connections(), SOON).toBe(0)
  })
})

describe('what one may not see', () => {
  it('is not offered once a role is taken away, nor once the policy says so', async () => {
    await open()
    const { name } = await makeContainer(docker)
    await typingOn(() => hostsOffering(name)).toEqual(['far', 'near'])
    expect(await hostsOffering(name, { principal: { ...BLUE, roles: [] } })).toEqual([])
    const before = room.actions.changes()
    room.actions.replacePolicy(`${POLICY}\nforbid (principal, action == Action::"container.list", resource);`)
    // By itself, whatever happens on the hosts.
    expect(room.actions.changes()).toBeGreaterThan(before)
    clock += 1_000
    expect(await hostsOffering(name)).toEqual([])
  })

  it('is what another guild has', async () => {
    await open()
    const { name } = await makeContainer(docker)
    await typingOn(() => hostsOffering(name)).toEqual(['far', 'near'])
    expect(await hostsOffering(name, { principal: GREEN })).not.toContain('near')
    await typingOn(() => hostsOffering(name, { principal: GREEN })).toEqual(['theirs'])
    expect(await hostsOffering(name)).not.toContain('theirs')
    expect(await hostsOffering(name, { principal: GREEN, host: 'near' })).toEqual([])
    expect(await valuesOf('host', '', { principal: GREEN })).toEqual(['theirs'])
    const owner = { ...GREEN, roles: ['admin'] }
    const made = { owner, name: 'theirs.tar', mediaType: 'application/x-tar', signal: new AbortController().signal }
    const { id } = await room.actions.artifacts.create(bytesOf(Readable.from([Buffer.from('x')])), made)
    await typingOn(() => valuesOf('artifact', 'theirs', { principal: GREEN })).toEqual([id])
    await typingOn(() => valuesOf('artifact', 'theirs')).toEqual([])
  })

  it('depends on the channel where policy does', async () => {
    await open()
    const { name } = await makeContainer(docker)
    room.actions.replacePolicy(
      'permit (principal, action, resource) when { context has channel && context.channel == "1" };',
    )
    await typingOn(() => hostsOffering(name, { channel: '1' })).toEqual(['far', 'near'])
    expect(await hostsOffering(name, { channel: '2' })).toEqual([])
    expect(await hostsOffering(name)).toEqual([])
  })
})

it('is one call for a name that is being typed', async () => {
  await open()
  const { name } = await makeContainer(docker)
  await typingOn(() => hostsOffering(name)).toEqual(['far', 'near'])
  const before = await rows('container.list')
  clock += 20_000
  for (let length = 1; length <= name.length; length++) await hostsOffering(name.slice(0, length))
  // Its intent and its outcome.
  expect(await rows('container.list')).toBe(before + 2)
})

describe('cards', () => {
  const SAID = { author: 'ann', at: 0, reason: '' }
  const save = async (tenant: string, id: string, title: string) =>
    expect(await room.knowledge.save({ id, title, text: `${title}.` }, tenant, SAID, true)).toMatchObject({
      saved: true,
    })

  it("are a team's own and the shipped ones, by title, id and pinyin, in the language of who asks", async () => {
    await open()
    await room.knowledge.ingest('data/knowledge')
    await save('blue', 'night-shift', 'Who is on call at night')
    await save('blue', 'huigun', '回滚步骤')
    await save('green', 'night-watch', 'Their own night')
    await typingOn(() => valuesOf('card', 'night')).toEqual(['night-shift'])
    expect(await valuesOf('card', 'on call')).toEqual(['night-shift'])
    expect(await valuesOf('card', 'hgbz')).toEqual(['huigun'])
    const [first] = await find('card', 'hypervisor', { lang: 'zh' })
    expect(first?.label).toMatch(/\p{Script=Han}.* · shipped$/u)
    expect(await valuesOf('card', 'night', { principal: { ...BLUE, roles: [] } })).not.toContain('night-watch')
    const values = await valuesOf('card', '')
    expect(new Set(values).size).toBe(values.length)
  })

  it('are asked for by what is typed where there are too many, and not at every key', async () => {
    await open()
    async function* lines() {
      const row = (n: number) => ({ id: `note-${n}`, title: `Runbook ${n} of the east wing`, text: `Step ${n}.` })
      yield Buffer.from(Array.from({ length: 1_200 }, (_, n) => `${JSON.stringify(row(n))}\n`).join(''))
    }
    await room.knowledge.import(lines(), { tenant: 'blue', collection: 'notes', author: 'ann', file: 'notes.jsonl' })
    await typingOn(() => valuesOf('card', 'runbook 117')).toEqual([
      'note-117',
      ...Array.from({ length: 10 }, (_, n) => `note-${1170 + n}`),
    ])
    const before = await rows('knowledge.list')
    expect(await valuesOf('card', 'runbook 1177')).toEqual(['note-1177'])
    expect(await valuesOf('card', 'runbook 1177 of')).toEqual(['note-1177'])
    expect(await rows('knowledge.list')).toBe(before)
  })
})

it('speaks the language of who asks', async () => {
  await open()
  const { name } = await makeContainer(docker)
  await typingOn(async () => (await find('container', name, { lang: 'zh' }))[0]?.label).toMatch(/^运行中 · /)
  expect((await find('action', '容器', { lang: 'zh' })).map(({ value }) => value)).toContain('container.start')
  expect((await find('action', 'container.start', { lang: 'zh' }))[0]?.label).toMatch(/\p{Script=Han}/u)
})

it('keeps to what Discord takes: 25 of 100 units each, and no half character', async () => {
  await open()
  const candidate = (value: string, label: string, ids: string[] = []) => ({ value, label, names: [value], ids })
  const emoji = '🐳'.repeat(60)
  const suggestions = suggestionsOf([
    candidate('v', emoji),
    candidate('vv', emoji),
    candidate('x'.repeat(101), 'long', ['an-id']),
    candidate('y'.repeat(101), 'long, and without an id'),
    ...Array.from({ length: 40 }, (_, n) => candidate(`${n}`, '')),
  ])
  expect(suggestions).toHaveLength(25)
  for (const { name, value } of suggestions) {
    expect(name.length).toBeLessThanOrEqual(100)
    expect(name).not.toMatch(/\p{Surrogate}/u)
    expect(String(value).length).toBeLessThanOrEqual(100)
  }
  expect(suggestions.slice(2, 4).map(({ value }) => value)).toEqual(['an-id', '0'])
})
