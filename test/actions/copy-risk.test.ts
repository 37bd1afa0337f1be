import Docker from 'dockerode'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { COPY_FLAWS, copyRisk } from '../../src/actions/hosts/copy-risk.js'
import type { Host } from '../../src/actions/index.js'
import { makeContainer } from '../helpers/engine.js'
import { codeOf, dockerHost, openRoom, POLICY, principal, type Room } from '../helpers/room.js'

const socketPath = inject('engineSocket')
const docker = new Docker({ socketPath })
const ids = COPY_FLAWS.map(({ id }) => id)
const [SWAP, , ...LATE] = ids

describe('the table of known flaws', () => {
  it.each([
    ['18.06.1-ce', [SWAP, ...LATE]],
    ['18.09.6', [SWAP, ...LATE]],
    ['18.09.7', LATE],
    ['19.03.0', ids],
    ['19.03.4', [SWAP, ...LATE]],
    ['19.03.5', LATE],
    ['20.10.24+dfsg1', LATE],
    ['28.5.2', LATE],
    ['28.6.0', LATE],
    ['29.5.0', LATE],
    ['29.5.1-rc.1', ids],
    ['29.5.1', []],
    ['29.5.1-ce', []],
    ['29.10.0', []],
    ['30.0.0', []],
    ['master-dockerproject', ids],
    [undefined, ids],
  ])('finds in %s exactly %j', (version, found) => {
    expect(copyRisk(version).reasons.map(({ id }) => id)).toEqual(found)
  })

  it('leaves out what the operator asserts, and nothing else', () => {
    expect(copyRisk('28.5.2', ['CVE-2026-41568']).reasons.map(({ id }) => id)).toEqual([
      'CVE-2026-41567',
      'CVE-2026-42306',
    ])
    expect(copyRisk(undefined, ids)).toEqual({ at: false, reasons: [] })
  })
})

/** The real engine, which says that it is of another version; and how often it was asked. */
function hostOf(version: string, backports: readonly string[] = []): { host: Host; asked: () => number } {
  const host = dockerHost('local', socketPath)
  let asked = 0
  const probe: typeof host.driver.probe = async (signal) => {
    asked++
    return { ...(await host.driver.probe(signal)), version }
  }
  return { host: { ...host, backports, driver: { ...host.driver, probe } }, asked: () => asked }
}

const rooms: Room[] = []
const roomOf = async (...options: Parameters<typeof openRoom>) => {
  const room = await openRoom(...options)
  rooms.push(room)
  return room
}
afterAll(() => Promise.all(rooms.map((room) => room.close())))

const RISKY = /known holes/

const INPUTS: Readonly<Record<string, object>> = {
  'container.copy-in': { path: '/srv/x', text: 'x' },
  'container.copy-out': { path: '/etc' },
  'container.export': { 'with-volumes': true },
}

async function question(room: Room, container: string, action = 'container.copy-in'): Promise<string> {
  const input = { container, ...INPUTS[action] }
  const outcome = await room.call(action, input)
  if (outcome.status !== 'confirm') throw new Error('it was not asked for a confirmation')
  return outcome.why.en
}

describe('an engine with known flaws', () => {
  it('asks in plain words before it copies where the container runs and has mounts, and nowhere else', async () => {
    const room = await roomOf({ hosts: [hostOf('28.5.2').host] })
    const mounted = await makeContainer(docker, { binds: ['/tmp:/data:ro'] })
    expect(await question(room, mounted.name)).toMatch(RISKY)
    expect(await question(room, mounted.name, 'container.copy-out')).toMatch(RISKY)
    // An export with volumes copies: it says what an export lets out, and what a copy risks.
    expect(await question(room, mounted.name, 'container.export')).toMatch(/acts on what others.*known holes/)
    const stopped = await makeContainer(docker, { binds: ['/tmp:/data:ro'], start: false })
    expect(await question(room, stopped.name)).not.toMatch(RISKY)
    const plain = await makeContainer(docker)
    expect(await question(room, plain.name)).not.toMatch(RISKY)
    const fixed = await roomOf({ hosts: [hostOf('29.5.1').host] })
    expect(await question(fixed, mounted.name)).not.toMatch(RISKY)
    const backported = await roomOf({ hosts: [hostOf('28.5.2', ids).host] })
    expect(await question(backported, mounted.name)).not.toMatch(RISKY)
  })

  it('copies there once an admin has agreed, or the owner of the machine says yes', async () => {
    const room = await roomOf({ hosts: [hostOf('28.5.2').host] })
    const mounted = await makeContainer(docker, { binds: ['/tmp:/data:ro'] })
    const input = { container: mounted.name, path: '/srv/x', text: 'x' }
    const asked = await room.call('container.copy-in', input)
    if (asked.status !== 'confirm') throw new Error('it was not asked for')
    expect(asked.approval?.needed).toEqual([{ role: 'admin', count: 1 }])
    const confirm = asked.token
    expect(await codeOf(room.call('container.copy-in', input, { confirm }))).toBe('APPROVAL_PENDING')
    const owner = principal(['admin'], { kind: 'local', id: 'owner' })
    await room.does('approval.give', { approval: asked.approval?.id }, { principal: owner })
    expect(await codeOf(room.call('container.copy-in', input, { confirm }))).toBe('OK')
    const own = await room.call('container.copy-in', input, { principal: owner })
    expect(own).toMatchObject({ status: 'confirm', why: { en: expect.stringMatching(RISKY) } })
    expect(own).not.toHaveProperty('approval')
  })

  it('can be kept from copying by a policy', async () => {
    const policy = `${POLICY}\nforbid (principal, action == Action::"container.copy-in", resource) when { context has copyRisk && context.copyRisk };`
    const made = await makeContainer(docker)
    const input = { container: made.name, path: '/srv/x', text: 'x' }
    expect(
      await codeOf((await roomOf({ policy, hosts: [hostOf('28.5.2').host] })).does('container.copy-in', input)),
    ).toBe('FORBIDDEN')
    expect(
      await codeOf((await roomOf({ policy, hosts: [hostOf('29.5.1').host] })).does('container.copy-in', input)),
    ).toBe('OK')
  })

  it('is asked for its version once a minute at most', async () => {
    const { host, asked } = hostOf('28.5.2')
    const room = await roomOf({ hosts: [host] })
    const made = await makeContainer(docker, { start: false })
    let now = Date.now()
    room.now = () => now
    for (let times = 0; times < 3; times++) await room.does('container.inspect', { container: made.name })
    expect(asked()).toBe(1)
    now += 61_000
    await room.does('container.inspect', { container: made.name })
    expect(asked()).toBe(2)
  })

  it('is told by its status, with what to do', async () => {
    const room = await roomOf({ hosts: [hostOf('28.5.2', ['CVE-2026-41567']).host] })
    const outcome = await room.call('host.status', {})
    expect(outcome).toMatchObject({ output: { copyRisk: [{ id: 'CVE-2026-41568' }, { id: 'CVE-2026-42306' }] } })
    expect(JSON.stringify(outcome.view)).toMatch(/29\.5\.1.*CVE-2026-41568/)
    const fixed = await (await roomOf({ hosts: [hostOf('29.5.1').host] })).call('host.status', {})
    expect(JSON.stringify(fixed.view)).not.toContain('CVE-')
  })
})
