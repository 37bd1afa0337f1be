import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { SURFACES } from '../../src/actions/action.js'
import { makeContainer, TEST_IMAGE } from '../helpers/engine.js'
import { codeOf, dockerHost, openRoom, POLICY, principal, type Room } from '../helpers/room.js'

const socketPath = inject('engineSocket')
const docker = new Docker({ socketPath })
const local = dockerHost('local', socketPath)

interface AuditRows {
  readonly rows: readonly {
    readonly phase: string
    readonly outcome?: string
    readonly action: string
    readonly input: object
    readonly instance?: string
    readonly policies: readonly string[]
  }[]
}

let room: Room
let container: Awaited<ReturnType<typeof makeContainer>>

beforeAll(async () => {
  room = await openRoom({ hosts: [local] })
  container = await makeContainer(docker, { start: false })
})
afterAll(() => room.close())

const newest = async (limit = 2) => (await room.does<AuditRows>('audit.list', { limit: limit + 1 })).rows.slice(1)

describe('policy', () => {
  it('A76: refuses every action there is under an empty policy, whoever asks and wherever', async () => {
    const closed = await openRoom({ hosts: [local], policy: '' })
    const inputs: Record<string, object> = {
      ask: { question: 'x' },
      compare: { a: 'x', b: 'y' },
      'knowledge.search': { q: 'x' },
      'knowledge.save': { card: 'x', text: 'x' },
      'knowledge.remove': { card: 'x' },
      'knowledge.show': { card: 'x' },
      'knowledge.history': { card: 'x' },
      'knowledge.revert': { card: 'x', version: 1 },
      'knowledge.feedback': { asked: 1, helpful: true },
      'knowledge.assign': { gap: 1, to: 'ann' },
      'approval.show': { approval: 'a' },
      'approval.give': { approval: 'a' },
      'approval.decline': { approval: 'a' },
      'artifact.show': { artifact: 'a' },
      'artifact.link': { artifact: 'a' },
      'artifact.revoke': { artifact: 'a' },
      'artifact.remove': { artifact: 'a' },
      'image.inspect': { image: TEST_IMAGE },
      'image.history': { image: TEST_IMAGE },
      'image.tag': { image: TEST_IMAGE, reference: 'x' },
      'image.remove': { image: TEST_IMAGE },
      'image.save': { image: TEST_IMAGE },
      'image.pull': { reference: 'x' },
      'container.import': { reference: 'x' },
      'host.link': { name: 'x', endpoint: 'unix:///x' },
      'host.unlink': { host: 'local' },
      'job.status': { job: 'x' },
      'job.cancel': { job: 'x' },
      'policy.explain': { action: 'ask' },
      'policy.simulate': { action: 'ask', roles: 'admin' },
      'settings.map-role': { 'server-role': '310000000000000001', role: 'viewer' },
      'settings.unmap-role': { 'server-role': '310000000000000001', role: 'viewer' },
      'container.copy-in': { container: container.name, path: '/srv/x', text: 'x' },
      'container.copy-out': { container: container.name, path: '/srv' },
      'container.transfer': { container: container.name, to: 'x', reference: 'x' },
      'image.transfer': { image: 'x', to: 'x' },
      'container.commit': { container: container.name, reference: 'x' },
      'container.exec': { container: container.name, command: 'x' },
      'container.rename': { container: container.name, name: 'other' },
      'container.run': { image: TEST_IMAGE },
    }
    for (const action of closed.actions.gate.registry.actions) {
      const input = inputs[action.name] ?? (action.target === 'instance' ? { container: container.name } : {})
      for (const surface of SURFACES) {
        const kind = { cli: 'local', page: 'local', discord: 'user', rest: 'token' } as const
        const asker = principal(['admin', 'operator', 'viewer'], { kind: kind[surface] })
        const code = await codeOf(closed.call(action.name, input, { surface, principal: asker }))
        expect([action.name, surface, code]).toEqual([action.name, surface, 'FORBIDDEN'])
      }
    }
    expect((await container.inspect()).State.Status).toBe('created')
    await closed.close()
  })

  it('tells those who may do nothing here neither what exists nor what does not', async () => {
    const nobody = principal([])
    for (const name of [container.name, 'no-such-container']) {
      expect(await codeOf(room.call('container.inspect', { container: name }, { principal: nobody }))).toBe('FORBIDDEN')
    }
    expect(
      await codeOf(room.call('container.inspect', { host: 'no-such-host', container: 'x' }, { principal: nobody })),
    ).toBe('FORBIDDEN')
  })

  it('lets viewers look and not touch, and keeps every hand off a protected container', async () => {
    const viewer = { principal: principal(['viewer']) }
    expect(await codeOf(room.call('container.list', {}, viewer))).toBe('OK')
    expect(await codeOf(room.call('container.start', { container: container.name }, viewer))).toBe('FORBIDDEN')
    expect(await codeOf(room.call('audit.list', {}, viewer))).toBe('FORBIDDEN')
    const guarded = await makeContainer(docker, { start: false, labels: { 'hypercall.protected': 'true' } })
    expect(await codeOf(room.does('container.start', { container: guarded.name }))).toBe('FORBIDDEN')
    expect(await codeOf(room.does('container.inspect', { container: guarded.name }))).toBe('OK')
  })

  it('shows a host to the tenants it belongs to alone', async () => {
    const stranger = { principal: principal(['admin'], { tenant: '987654321' }) }
    expect(await room.does('container.list', {}, stranger)).toEqual({ instances: [], unreachable: [] })
    expect(await codeOf(room.call('container.inspect', { host: 'local', container: container.name }, stranger))).toBe(
      'HOST_NOT_FOUND',
    )
  })
})

describe('confirmation', () => {
  const start = () => ({ container: container.name })
  const ask = async () => {
    const outcome = await room.call('container.start', start())
    if (outcome.status !== 'confirm') throw new Error('it did not ask')
    return outcome
  }

  it('asks first, runs once with the token, and refuses the token a second time', async () => {
    const { token, why } = await ask()
    expect(why.zh).not.toBe(why.en)
    expect((await container.inspect()).State.Running).toBe(false)
    expect(await codeOf(room.call('container.start', start(), { confirm: token }))).toBe('OK')
    expect((await container.inspect()).State.Running).toBe(true)
    await container.kill()
    await container.wait()
    expect(await codeOf(room.call('container.start', start(), { confirm: token }))).toBe('CONFIRMATION_EXPIRED')
    expect((await container.inspect()).State.Running).toBe(false)
  })

  it('lets exactly one of many clicks at once through', async () => {
    const made = await makeContainer(docker, { start: false })
    const outcome = await room.call('container.copy-in', { container: made.name, path: '/srv/once', text: 'x' })
    if (outcome.status !== 'confirm') throw new Error('it did not ask')
    const input = { container: made.name, path: '/srv/once', text: 'x' }
    const clicks = Array.from({ length: 8 }, () =>
      codeOf(room.call('container.copy-in', input, { confirm: outcome.token })),
    )
    expect((await Promise.all(clicks)).filter((code) => code === 'OK')).toHaveLength(1)
  })

  it('is good for two minutes', async () => {
    const { token, expiresAt } = await ask()
    room.now = () => expiresAt
    expect(await codeOf(room.call('container.start', start(), { confirm: token }))).toBe('CONFIRMATION_EXPIRED')
    room.now = Date.now
  })

  it("is its asker's alone, for that input alone, on that target alone", async () => {
    const { token } = await ask()
    const other = { principal: principal(['admin'], { id: 'other' }), confirm: token }
    expect(await codeOf(room.call('container.start', start(), other))).toBe('CONFIRMATION_NOT_YOURS')
    expect(await codeOf(room.call('container.stop', start(), { confirm: token }))).toBe('CONFIRMATION_MISMATCH')
    await container.start()
    expect(await codeOf(room.call('container.start', start(), { confirm: token }))).toBe('TARGET_CHANGED')
    await container.kill()
    await container.wait()
  })

  it('is void once withdrawn, and asks policy again when it is used', async () => {
    const withdrawn = await ask()
    room.actions.gate.withdraw(withdrawn.token, { principal: principal(['admin']), surface: 'rest', requestId: 'r' })
    expect(await codeOf(room.call('container.start', start(), { confirm: withdrawn.token }))).toBe(
      'CONFIRMATION_EXPIRED',
    )
    const { token } = await ask()
    const demoted = { principal: principal(['viewer']), confirm: token }
    expect(await codeOf(room.call('container.start', start(), demoted))).toBe('FORBIDDEN')
  })

  it('survives a restart', async () => {
    const { token } = await ask()
    const again = await openRoom({ hosts: [local], stateFolder: room.stateFolder })
    expect(await codeOf(again.call('container.start', start(), { confirm: token }))).toBe('OK')
    await again.close()
    await container.kill()
    await container.wait()
  })
})

describe('audit', () => {
  it('has an intent and an outcome for what ran, what was refused and what made no sense', async () => {
    await room.does('container.list', {})
    expect(await newest()).toMatchObject([
      { phase: 'outcome', action: 'container.list', outcome: 'OK', policies: ['admins-read'] },
      { phase: 'intent', action: 'container.list' },
    ])
    await codeOf(room.call('container.start', { container: container.name }, { principal: principal([]) }))
    expect(await newest()).toMatchObject([{ phase: 'outcome', outcome: 'FORBIDDEN' }, { phase: 'intent' }])
    await codeOf(room.call('container.start', { container: 'no-such' }))
    expect(await newest()).toMatchObject([{ phase: 'outcome', outcome: 'INSTANCE_NOT_FOUND' }, { phase: 'intent' }])
    await codeOf(room.call('container.start', { nonsense: 1 }))
    expect(await newest()).toMatchObject([{ phase: 'outcome', outcome: 'INVALID_INPUT' }, { phase: 'intent' }])
    await codeOf(room.call('no.such', {}))
    expect(await newest()).toMatchObject([
      { phase: 'outcome', outcome: 'ACTION_UNKNOWN', action: 'no.such' },
      { phase: 'intent' },
    ])
  })

  it('keeps a copied text out of the log, and its digest in', async () => {
    await room.does('container.copy-in', { container: container.name, path: '/srv/t', text: 'hunter2' })
    const rows = await newest()
    expect(JSON.stringify(rows)).not.toContain('hunter2')
    expect(rows[0]).toMatchObject({ outcome: 'OK', instance: container.id, input: { text: { characters: 7 } } })
  })

  it("writes a job's outcome when the job has ended, once", async () => {
    const { jobId } = await room.does<{ jobId: string }>('container.export', { container: container.name })
    await room.actions.jobs.wait(jobId, 'local', AbortSignal.timeout(20_000))
    const { rows } = await room.does<AuditRows>('audit.list', { action: 'container.export', limit: 2 })
    expect(rows).toMatchObject([{ phase: 'outcome', outcome: 'OK' }, { phase: 'intent' }])
  })

  it('refuses to be changed, and nothing runs when it cannot be written', async () => {
    expect(() => room.db.prepare('DELETE FROM audit').run()).toThrow(/audit rows never go/)
    expect(() => room.db.prepare("UPDATE audit SET outcome = 'OK'").run()).toThrow(/audit rows never change/)
    const broken = await openRoom({ hosts: [local] })
    broken.db.exec("CREATE TRIGGER jam BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'jammed'); END")
    const outcome = codeOf(broken.does('container.start', { container: container.name }))
    expect(await outcome).toBe('AUDIT_UNAVAILABLE')
    expect((await container.inspect()).State.Running).toBe(false)
    await broken.close()
  })

  it('keeps a confirmation good whose use could not be written down', async () => {
    const started = await makeContainer(docker, { start: false })
    const input = { container: started.name }
    const asked = await room.call('container.start', input)
    if (asked.status !== 'confirm') throw new Error('it was to be confirmed first')
    room.db.exec("CREATE TRIGGER jam BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'jammed'); END")
    expect(await codeOf(room.call('container.start', input, { confirm: asked.token }))).toBe('AUDIT_UNAVAILABLE')
    room.db.exec('DROP TRIGGER jam')
    room.bugs.length = 0
    expect((await started.inspect()).State.Running).toBe(false)
    expect((await room.call('container.start', input, { confirm: asked.token })).status).toBe('done')
    expect(await codeOf(room.call('container.start', input, { confirm: asked.token }))).not.toBe('OK')
  })
})

describe('errors', () => {
  it('are told in both languages, and a bug tells only its request id', async () => {
    const failing = room.call('container.start', { container: 'no-such' })
    await expect(failing).rejects.toMatchObject({ code: 'INSTANCE_NOT_FOUND' })
    const error = (await failing.catch((caught: unknown) => caught)) as { describe(lang: string): string }
    expect(error.describe('zh')).toContain('没有容器“no-such”')
    const broken = { ...local, driver: { ...local.driver, list: () => Promise.reject(new Error('secret /etc/path')) } }
    const buggy = await openRoom({ hosts: [broken], policy: POLICY })
    const bug = (await buggy.call('container.inspect', { container: 'x' }).catch((caught: unknown) => caught)) as Error
    expect(bug).toMatchObject({ code: 'INTERNAL' })
    expect(bug.message).not.toContain('secret')
    expect(buggy.bugs).toHaveLength(1)
    await buggy.close()
  })
})
