// What policies can say, what is checked before one is used, and what it says of calls that are not made.
import { readFileSync } from 'node:fs'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  loadPolicy,
  loadRegistry,
  PolicyError,
  policySchema,
  type Registry,
  readPolicyCases,
  runPolicyCase,
} from '../../src/actions/index.js'
import { makeContainer } from '../helpers/engine.js'
import { codeOf, DEFAULT_POLICY, dockerHost, openRoom, POLICY, principal, type Room } from '../helpers/room.js'

const socketPath = inject('engineSocket')
const docker = new Docker({ socketPath })
const CASES = readFileSync(new URL('../../data/policy-cases.yaml', import.meta.url), 'utf8')

let registry: Registry
const load = (source: string) => loadPolicy(source, policySchema(registry.actions))
const problemsOf = (source: string): string[] => {
  try {
    return load(source).unreachable.map(({ line, message }) => `${line}: ${message}`)
  } catch (error) {
    if (error instanceof PolicyError) return error.problems.map(({ line, message }) => `${line}: ${message}`)
    throw error
  }
}

beforeAll(async () => {
  registry = await loadRegistry()
})

describe('the policies that ship', () => {
  it('mean what they are meant to mean', () => {
    const policy = load(DEFAULT_POLICY)
    const cases = readPolicyCases(CASES)
    expect(cases.length).toBeGreaterThan(30)
    expect(cases.map((one) => runPolicyCase(one, policy, registry)).filter(({ wrong }) => wrong !== undefined)).toEqual(
      [],
    )
  })

  it('hold no permit that never decides', () => {
    expect(problemsOf(DEFAULT_POLICY)).toEqual([])
    expect(problemsOf(POLICY)).toEqual([])
  })
})

describe('policy in force', () => {
  let room: Room
  let name: string
  beforeAll(async () => {
    room = await openRoom({ hosts: [dockerHost('local', socketPath)] })
    ;({ name } = await makeContainer(docker, { start: false }))
  })
  afterAll(() => room.close())
  const under = (source: string) => room.actions.replacePolicy(source)
  const ops = { principal: principal(['ops']) }

  it('is exchanged at once, and stays when the next one is broken', async () => {
    under('permit (principal, action == Action::"host.list", resource);')
    expect(await codeOf(room.call('host.list', {}, ops))).toBe('OK')
    under('')
    expect(await codeOf(room.call('host.list', {}, ops))).toBe('FORBIDDEN')
    expect(() => under('permit (principal, action, resource) when { resource.nmae == "x" };')).toThrow(PolicyError)
    expect(await codeOf(room.call('host.list', {}, ops))).toBe('FORBIDDEN')
  })

  it('knows the hour, the channel and the image that was named', async () => {
    const at = (hour: number) => Date.UTC(2026, 10, 28, hour, 30)
    under(
      'permit (principal, action == Action::"host.list", resource) when { context.hour >= 9 && context.hour < 17 };',
    )
    for (const [hour, code] of [
      [8, 'FORBIDDEN'],
      [9, 'OK'],
      [16, 'OK'],
      [17, 'FORBIDDEN'],
    ] as const) {
      room.now = () => at(hour)
      expect([hour, await codeOf(room.call('host.list', {}, ops))]).toEqual([hour, code])
    }
    room.now = Date.now
    under(
      'permit (principal, action == Action::"host.list", resource) when { context has channel && context.channel == "42" };',
    )
    expect(await codeOf(room.call('host.list', {}, { ...ops, channel: '42' }))).toBe('OK')
    expect(await codeOf(room.call('host.list', {}, { ...ops, channel: '43' }))).toBe('FORBIDDEN')
    expect(await codeOf(room.call('host.list', {}, ops))).toBe('FORBIDDEN')
    under(
      'permit (principal, action == Action::"image.inspect", resource) when { context has image && context.image like "hypercall-*" };',
    )
    expect(await codeOf(room.call('image.inspect', { image: 'other:1' }, ops))).not.toBe('OK')
  })

  it('knows a card by its tags, and whether it came with the product', async () => {
    const save = (card: string, tags: string) =>
      codeOf(
        room.call('knowledge.save', { card, text: `About ${card}, at length.`, title: card, tags, anyway: true }, ops),
      )
    under('permit (principal, action == Action::"knowledge.save", resource);')
    expect(await save('runbook', 'locked')).toBe('OK')
    under(
      'permit (principal, action == Action::"knowledge.save", resource is Card) unless { resource.tags.contains("locked") };',
    )
    expect(await save('runbook', 'open')).toBe('FORBIDDEN')
    expect(await save('another', 'open')).toBe('OK')
  })

  it('knows whose an artifact is', async () => {
    const [mine, hers] = [principal(['ops'], { id: 'me' }), principal(['ops'], { id: 'her' })]
    const policy = (condition: string) => `
      permit (principal, action in [Action::"knowledge.export", Action::"knowledge.save"], resource);
      permit (principal, action in Action::"read", resource);
      permit (principal, action == Action::"artifact.remove", resource is Artifact) when { ${condition} };`
    under(policy('resource.mine && resource.bytes < 1000000'))
    const { jobId } = await room.does<{ jobId: string }>('knowledge.export', {}, { principal: mine })
    await room.actions.jobs.wait(jobId, 'local', AbortSignal.timeout(10_000))
    const { artifacts } = await room.does<{ artifacts: { id: string }[] }>('artifact.list', {}, { principal: mine })
    const input = { artifact: artifacts[0]?.id }
    expect(await codeOf(room.call('artifact.remove', input, { principal: hers }))).toBe('FORBIDDEN')
    expect(await codeOf(room.call('artifact.remove', { artifact: 'ab' }, { principal: hers }))).toBe(
      'ARTIFACT_NOT_FOUND',
    )
    expect(
      await codeOf(room.call('artifact.remove', { artifact: 'ab' }, { principal: principal([], { tenant: 'x' }) })),
    ).toBe('ARTIFACT_NOT_FOUND')
    expect(await codeOf(room.call('artifact.remove', input, { principal: mine }))).toBe('OK')
  })

  it('asks for a reason, which every other verb than a look takes, and keeps it', async () => {
    under(
      '@reason("required") permit (principal, action == Action::"container.rename", resource); permit (principal, action in Action::"read", resource);',
    )
    const input = { container: name, name: `${name}-2` }
    expect(await codeOf(room.call('container.rename', input, ops))).toBe('REASON_REQUIRED')
    expect(await codeOf(room.call('container.rename', { ...input, reason: '  ' }, ops))).toBe('REASON_REQUIRED')
    expect(await codeOf(room.call('container.rename', { ...input, reason: 'a clearer name' }, ops))).toBe('OK')
    const { rows } = await room.does<{ rows: { action: string; input: string }[] }>('audit.list', {
      action: 'container.rename',
    })
    expect(JSON.stringify(rows)).toContain('a clearer name')
    for (const action of registry.actions) {
      expect([action.name, action.effect === 'read' || action.fields.some((field) => field.name === 'reason')]).toEqual(
        [action.name, true],
      )
    }
    await room.does('container.rename', { container: `${name}-2`, name, reason: 'back' }, ops)
  })
})

describe('explaining', () => {
  let room: Room
  let name: string
  beforeAll(async () => {
    room = await openRoom({ hosts: [dockerHost('local', socketPath)], policy: DEFAULT_POLICY })
    ;({ name } = await makeContainer(docker, { start: false }))
  })
  afterAll(() => room.close())
  const explained = (roles: string[], input: object) =>
    room.does<{ allowed: boolean; policies: string[]; confirm?: string; approvals: unknown[] }>(
      'policy.explain',
      input,
      { principal: principal(roles) },
    )

  it('says what would decide and what it would take, and does nothing', async () => {
    expect(await explained(['operator'], { action: 'container.start', container: name })).toMatchObject({
      allowed: true,
      policies: ['operators-change'],
      confirm: 'This changes what others may rely on.',
      approvals: [],
    })
    expect(await explained(['operator'], { action: 'container.export', container: name })).toMatchObject({
      allowed: true,
      policies: ['nobody-discloses-alone'],
      approvals: [{ role: 'admin', count: 1 }],
    })
    expect(await explained(['viewer'], { action: 'container.start', container: name })).toMatchObject({
      allowed: false,
      policies: [],
    })
    expect(await explained(['viewer'], { action: 'ask' })).toMatchObject({
      allowed: true,
      policies: ['everyone-asks'],
      approvals: [],
    })
    const { State } = await docker.getContainer(name).inspect()
    expect(State.Status).toBe('created')
  })

  it('tells nobody of what they may not see', async () => {
    const ask = (roles: string[], container: string) =>
      codeOf(room.call('policy.explain', { action: 'container.start', container }, { principal: principal(roles) }))
    expect(await ask([], name)).toBe('FORBIDDEN')
    expect(await ask([], 'no-such')).toBe('FORBIDDEN')
    expect(await ask(['viewer'], 'no-such')).toBe('INSTANCE_NOT_FOUND')
    expect(await codeOf(room.call('policy.explain', { action: 'container.start' }))).toBe('INVALID_INPUT')
    expect(await codeOf(room.call('policy.explain', { action: 'container.strat' }))).toBe('ACTION_UNKNOWN')
  })

  it('supposes somebody else for those alone who may', async () => {
    const input = { action: 'container.stop', container: name, roles: 'viewer, operator' }
    expect(await room.does('policy.simulate', input)).toMatchObject({
      who: ['viewer', 'operator'],
      allowed: true,
      policies: ['operators-change'],
    })
    expect(await room.does('policy.simulate', { ...input, roles: 'viewer' })).toMatchObject({ allowed: false })
    expect(await codeOf(room.call('policy.simulate', { ...input, roles: 'a"b' }))).toBe('INVALID_INPUT')
    expect(await codeOf(room.call('policy.simulate', input, { principal: principal(['operator']) }))).toBe('FORBIDDEN')
  })
})
