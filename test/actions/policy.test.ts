// What policies can say, what is checked before one is used, and what it says of calls that are not made.
import { readFileSync } from 'node:fs'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { requireRight } from '../../src/actions/guard/rights.js'
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

describe('a case', () => {
  it('says what policy says instead of what is expected', () => {
    const policy = load(
      '@id("all") @approve("role:ops:2") permit (principal, action == Action::"container.stop", resource);',
    )
    const source = `
- name: a click
  who: { roles: [] }
  does: container.stop
  to: { container: {} }
  expect: confirm
- name: one of ops
  who: { roles: [] }
  does: container.stop
  to: { container: {} }
  expect: approve
  approvals: { ops: 1 }
  reason: true
  by: [other]
`
    expect(readPolicyCases(source).map((one) => runPolicyCase(one, policy, registry))).toEqual([
      { name: 'a click', line: 2, wrong: 'approve by all instead of confirm' },
      {
        name: 'one of ops',
        line: 7,
        wrong: 'it takes 2 × ops instead of 1 × ops; no reason is asked for; decided by all, not by other',
      },
    ])
  })

  it.each([
    ['a: b', /line 1: a file of cases is a list/],
    ['- {', /line \d+: /],
    ['- name: x\n  who: {}\n  does: ask\n  expect: maybe', /line 1: expect /],
    ['- name: x\n  who: {}\n  does: ask\n  expect: deny\n  wiht: {}', /line 1: /],
  ])('is refused with its line: %j', (source, message) => {
    expect(() => readPolicyCases(source)).toThrow(message)
  })
})

describe('a policy file', () => {
  it.each([
    ['permit (principal, action, resource)', /^1: /],
    ['permit (principal, action == Action::"container.strat", resource);', /^1: policy1: .*container\.strat/],
    ['\npermit (principal, action, resource) when { context.hour > "9" };', /^2: policy1: /],
    ['@confrim("x") permit (principal, action, resource);', /^1: unknown annotation @confrim/],
    ['@confirm_zh("x") permit (principal, action, resource);', /^1: @confirm_zh needs @confirm/],
    ['@approve("ops") permit (principal, action, resource);', /^1: @approve wants/],
    ['@reason("please") permit (principal, action == Action::"container.stop", resource);', /^1: @reason wants/],
    ['@reason("required") permit (principal, action == Action::"container.list", resource);', /which take none$/],
    ['@reason("required") forbid (principal, action, resource);', /@reason stands on a forbid/],
    [
      '@id("a") permit (principal, action, resource);\n@id("a") forbid (principal, action, resource);',
      /^2: two policies/,
    ],
  ])('is refused: %s', (source, message) => {
    expect(problemsOf(source).join('\n')).toMatch(message)
  })

  const start = 'action == Action::"container.start", resource'
  it.each([
    [
      'forbidden as a whole',
      `@id("a") permit (principal, ${start}); @id("no") forbid (principal, action in Action::"change", resource);`,
      ['1: a: never applies, "no" forbids all of it'],
    ],
    [
      'permitted for less',
      `@id("a") @confirm("x") permit (principal in Role::"ops", ${start});\n@id("b") permit (principal, action, resource);`,
      ['1: a: never decides, "b" permits all of it and asks for no more'],
    ],
    [
      'said again by one behind it',
      `@id("a") @confirm("x") permit (principal, ${start});\n@id("b") @confirm("y") permit (principal, ${start});`,
      ['1: a: never decides, "b" permits all of it and asks for no more'],
    ],
    [
      'part of a wider one',
      `@id("a") permit (principal, action, resource);\n@id("b") permit (principal is Token, ${start}) when { context.hour < 9 };`,
      ['2: b: never decides, "a" permits all of it and asks for no more'],
    ],
    [
      'never true',
      `@id("a") permit (principal, ${start}) when { resource is Card && resource is Host };`,
      [expect.stringMatching(/^1: a: .*impossible/i)],
    ],
  ])('names a permit that is %s', (_, source, expected) => {
    expect(problemsOf(source)).toEqual(expected)
  })

  it.each([
    [
      'one for others',
      `@confirm("x") permit (principal in Role::"ops", ${start}); permit (principal in Role::"dev", action, resource);`,
    ],
    ['one that is easier', `permit (principal in Role::"ops", ${start}); @confirm("x") permit (principal, ${start});`],
    [
      'a wider one with conditions',
      `permit (principal, ${start}); permit (principal, action, resource) when { context.hour < 9 };`,
    ],
    [
      'other words for a part',
      `@confirm("x") permit (principal, action, resource); @confirm("y") permit (principal, ${start});`,
    ],
    [
      'one of a kind of principal',
      `@confirm("x") permit (principal is User, ${start}); permit (principal is Token, ${start});`,
    ],
  ])('leaves alone %s', (_, source) => {
    expect(problemsOf(source)).toEqual([])
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

it('a call that does the work of another one takes the most that either asks for', () => {
  const policy = load(`
    @approve("role:ops:3") permit (principal, action == Action::"container.export", resource);
    @approve("role:ops:2") permit (principal, action == Action::"container.copy-out", resource);
    @reason("required") @approve("role:owner") permit (principal, action == Action::"container.copy-in", resource);`)
  const also = ['container.copy-out', 'container.copy-in'].map((name) => ({ action: registry.get(name), path: '/x' }))
  const question = {
    principal: principal([]),
    action: registry.get('container.export'),
    resource: { kind: 'service' },
    surface: 'rest',
    hour: 0,
  } as const
  expect(requireRight(policy, question, { also }, () => undefined)).toMatchObject({
    approvals: [
      { role: 'ops', count: 3 },
      { role: 'owner', count: 1 },
    ],
    reason: true,
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
