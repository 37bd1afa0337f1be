// Hosts that are linked while the bot runs, and what is said of hosts through the gate.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { COPY_FLAWS } from '../../../src/actions/hosts/copy-risk.js'
import { dockerDriver } from '../../../src/actions/hosts/docker/driver.js'
import { makeContainer } from '../../helpers/engine.js'
import { makeAuthority } from '../../helpers/remote.js'
import { codeOf, dockerHost, openRoom, principal, type Room } from '../../helpers/room.js'

const socketPath = inject('engineSocket')
const folder = mkdtempSync(join(tmpdir(), 'hc-links-'))
const owner = principal(['admin'], { kind: 'local', id: 'owner', name: 'owner' })
const asOwner = { principal: owner }

interface Listed {
  readonly hosts: readonly { name: string; state: string; source: string; linkedBy?: string; exposed: boolean }[]
}

let room: Room
beforeAll(async () => {
  room = await openRoom({ hosts: [dockerHost('settled', socketPath)] })
})
afterAll(async () => {
  await room.close()
  rmSync(folder, { recursive: true, force: true })
})

const link = (input: object, on = room) => on.does<{ state: string }>('host.link', input, asOwner)

describe('linking a host', () => {
  it('makes it usable at once, says where it came from, and forgets it again', async () => {
    const endpoint = `unix://${socketPath}`
    expect(await link({ name: 'second', endpoint, labels: 'env=test, team=blue' })).toMatchObject({
      state: 'healthy',
      labels: { env: 'test', team: 'blue' },
      source: 'linked',
      exposed: false,
    })
    expect(await codeOf(room.does('container.list', { host: 'second' }))).toBe('OK')
    const { hosts } = await room.does<Listed>('host.list', {})
    expect(hosts).toMatchObject([
      { name: 'second', state: 'healthy', source: 'linked', linkedBy: 'owner' },
      { name: 'settled', state: 'healthy', source: 'settings' },
    ])
    for (const name of ['second', 'settled']) expect(await codeOf(link({ name, endpoint }))).toBe('HOST_NAME_TAKEN')
    await room.does('host.unlink', { host: 'second' }, asOwner)
    expect(await codeOf(room.does('container.list', { host: 'second' }))).toBe('HOST_NOT_FOUND')
    expect(await codeOf(room.does('host.unlink', { host: 'settled' }, asOwner))).toBe('HOST_NOT_LINKED')
  })

  it('knows which folders its containers may be given, and what its build has fixed', async () => {
    const endpoint = `unix://${socketPath}`
    const backports = COPY_FLAWS.map(({ id }) => id)
    await link({ name: 'trusted', endpoint, binds: '/srv/site, /srv/apps/*', backports: backports.join(' ') })
    const later = await openRoom({ stateFolder: room.stateFolder })
    const [host] = later.actions.hosts.visible(asOwner.principal).filter(({ name }) => name === 'trusted')
    expect(host).toMatchObject({ binds: ['/srv/site', '/srv/apps/*'], backports })
    expect(await later.does('host.status', { host: 'trusted' })).toMatchObject({ copyRisk: [] })
    await later.close()
    await room.does('host.unlink', { host: 'trusted' }, asOwner)
  })

  it('is for the owner of the machine alone, who is asked first, and for one tenant alone', async () => {
    const input = { name: 'mine', endpoint: `unix://${socketPath}` }
    for (const kind of ['token', 'user'] as const) {
      const admin = { principal: principal(['admin', 'operator'], { kind }) }
      expect(await codeOf(room.does('host.link', input, admin))).toBe('FORBIDDEN')
      expect(await codeOf(room.does('host.unlink', { host: 'settled' }, admin))).toBe('FORBIDDEN')
    }
    const asked = await room.call('host.link', input, asOwner)
    expect(asked).toMatchObject({ status: 'confirm', why: { en: expect.stringContaining('which engines') } })
    await link(input)
    const stranger = { principal: principal(['admin'], { tenant: '12345' }) }
    expect((await room.does<Listed>('host.list', {}, stranger)).hosts).toEqual([])
    await room.does('host.unlink', { host: 'mine' }, asOwner)
  })

  it('survives a restart, is seen by another process, and is there with its trouble when its files are gone', async () => {
    const stateFolder = mkdtempSync(join(folder, 'state-'))
    const authority = makeAuthority(folder)
    const { ca, cert, key } = authority.issue('client', 'clientAuth')
    const environment = { ENGINE_CA: ca, ENGINE_CERT: cert, ENGINE_KEY: key }
    const one = await openRoom({ stateFolder, environment })
    const other = await openRoom({ stateFolder, environment })
    const endpoint = 'tcp://127.0.0.1:9'
    await link({ name: 'tls', endpoint, 'tls-ca': 'ENGINE_CA', 'tls-cert': cert, 'tls-key': 'ENGINE_KEY' }, one)
    const seen = async (from: Room) => (await from.does<Listed>('host.list', {})).hosts
    expect(await seen(other)).toMatchObject([{ name: 'tls', state: 'unhealthy' }])
    await one.close()
    await other.close()

    const kept = readdirSync(stateFolder).flatMap((name) =>
      name.startsWith('hypercall.db') ? [readFileSync(join(stateFolder, name), 'latin1')] : [],
    )
    expect(kept.join('')).toContain('ENGINE_KEY')
    expect(kept.join('')).not.toMatch(/BEGIN (CERTIFICATE|EC PRIVATE KEY|PRIVATE KEY)/)
    const later = await openRoom({ stateFolder })
    expect(await seen(later)).toMatchObject([
      { name: 'tls', state: 'unhealthy', detail: { en: expect.stringContaining('variable ENGINE_CA is not set') } },
    ])
    await later.close()
  })

  it.each([
    [{ endpoint: 'tcp://10.0.0.1:2375' }, 'ENDPOINT_INVALID'],
    [{ endpoint: 'ssh://user@host' }, 'ENDPOINT_INVALID'],
    [{ endpoint: 'ssh://user@host', 'ssh-key': '/none', 'known-hosts': '/none' }, 'ENDPOINT_INVALID'],
    [{ endpoint: 'tcp://127.0.0.1:1', 'tls-ca': '/a' }, 'INVALID_INPUT'],
    [{ endpoint: 'unix:///x', labels: 'nothing' }, 'INVALID_INPUT'],
    [{ endpoint: 'unix:///x', name: 'No Name' }, 'INVALID_INPUT'],
    [{ endpoint: 'unix:///x', binds: 'srv' }, 'INVALID_INPUT'],
    [{ endpoint: 'unix:///x', binds: '/srv/*,/srv/a/b' }, 'INVALID_INPUT'],
    [{ endpoint: 'unix:///x', backports: 'CVE-1' }, 'INVALID_INPUT'],
  ])('refuses %j with %s', async (input, code) => {
    expect(await codeOf(link({ name: 'refused', ...input }))).toBe(code)
    expect(await codeOf(room.does('host.status', { host: 'refused' }))).toBe('HOST_NOT_FOUND')
  })
})

describe('looking at hosts', () => {
  it('shows plain TCP over a network in red, and says why', async () => {
    const far = { ...dockerHost('far', socketPath), isExposed: true }
    const exposed = await openRoom({ hosts: [far] })
    for (const verb of ['host.status', 'host.test']) {
      const outcome = await exposed.call(verb, {})
      expect(outcome).toMatchObject({ status: 'done', view: { tone: 'bad' }, output: { state: 'healthy' } })
      expect(JSON.stringify(outcome.view)).toContain('Plain TCP')
    }
    expect(await exposed.call('host.list', {})).toMatchObject({ view: { tone: 'bad' } })
    await exposed.close()
  })

  it('shows what fills a disk', async () => {
    const outcome = await room.call('host.usage', {})
    expect(outcome).toMatchObject({ output: { host: 'settled', images: { count: expect.any(Number) } } })
    expect(outcome.view.blocks).toMatchObject([{ kind: 'table', rows: { length: 4 } }])
  })

  it('reads SSH and TLS from a hosts file, and says all that is wrong with one', async () => {
    const { readHostFile } = await import('../../../src/actions/index.js')
    const file = join(folder, 'hosts.yaml')
    writeFileSync(file, 'x')
    const text = `hosts:
  - { name: a, endpoint: 'ssh://me@far', key: ${file}, known-hosts: KNOWN }
  - { name: b, endpoint: 'tcp://far:1', insecure: true }
`
    writeFileSync(file, text)
    const hosts = readHostFile(file, (name) => (name === 'KNOWN' ? file : undefined))
    expect(hosts).toMatchObject([
      { name: 'a', isExposed: false },
      { name: 'b', isExposed: true },
    ])
    writeFileSync(file, text.replace(', insecure: true', ''))
    expect(() => readHostFile(file, () => undefined)).toThrow(/a: the environment variable KNOWN.*\nb: .*plain TCP/)
  })
})

describe('a dead host', () => {
  let silent: Server
  beforeAll(async () => {
    silent = createServer()
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => silent.close())

  it('is named within the deadline, and the others answer', async () => {
    const { port } = silent.address() as { port: number }
    const dead = {
      ...dockerHost('dead', ''),
      driver: dockerDriver('dead', { kind: 'tcp', host: '127.0.0.1', port }),
    }
    const both = await openRoom({ hosts: [dead, dockerHost('well', socketPath)] })
    const made = await makeContainer(new Docker({ socketPath }), { start: false })
    const listed = await both.does<{ unreachable: string[]; instances: object[] }>('container.list', {})
    expect(listed.unreachable).toEqual(['dead'])
    expect(listed.instances).toContainEqual(expect.objectContaining({ host: 'well', id: made.id }))
    expect(await codeOf(both.does('container.list', { host: 'dead' }))).toBe('HOST_UNREACHABLE')
    expect((await both.does<Listed>('host.list', {})).hosts).toMatchObject([
      { name: 'dead', state: 'unhealthy' },
      { name: 'well', state: 'healthy' },
    ])
    await both.close()
  })
})
