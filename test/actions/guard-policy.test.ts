// How the facts of a call reach Cedar, and what its answer means.
import { describe, expect, it } from 'vitest'
import { demandOf, PolicyError } from '../../src/actions/guard/policy/file.js'
import { loadPolicy, openPolicy } from '../../src/actions/guard/policy/policy.js'
import { policySchema, type Question, type ResourceFacts } from '../../src/actions/guard/policy/schema.js'
import { principal } from '../helpers/caller.js'
import { verbs } from '../helpers/verbs.js'

const registry = verbs()
const load = (source: string) => loadPolicy(source, policySchema(registry.actions))
const ANY = 'permit (principal, action, resource);'
const [HOST, AWAY] = [
  { name: 'box', labels: { env: 'prod' } },
  { name: 'far', labels: { env: 'dev' } },
]
const INSTANCE = {
  id: 'i1',
  name: 'web',
  image: 'nginx:1',
  state: 'running',
  labels: { team: 'a' },
  privileged: false,
  hostNetwork: false,
  engineSocketMounted: false,
  mounts: ['one', 'two'],
} as const
const IMAGE = { id: 'sha256:1', tags: ['nginx:1'], digests: ['nginx@sha256:2'], labels: { a: 'b' }, sizeBytes: 7 }
const CARD = { id: 'kvm', tags: ['locked'], shipped: true }
const ARTIFACT = { id: 'a1', name: 'web.tar', mediaType: 'application/x-tar', sizeBytes: 9, mine: true }
const RESOURCES = {
  service: { kind: 'service' },
  host: { kind: 'host', host: HOST },
  instance: { kind: 'instance', host: HOST, instance: INSTANCE },
  image: { kind: 'image', host: HOST, image: IMAGE },
  card: { kind: 'card', card: CARD },
  artifact: { kind: 'artifact', artifact: ARTIFACT },
} as const satisfies Record<string, ResourceFacts>

const question = (more: Partial<Question> = {}): Question => ({
  principal: principal(['ops'], { kind: 'user', id: 'ann', name: 'Ann', tenant: '100' }),
  action: registry.get('container.start'),
  resource: RESOURCES.service,
  surface: 'discord',
  hour: 9,
  ...more,
})
const allows = (source: string, more: Partial<Question> = {}): boolean => load(source).decide(question(more)).allowed

describe('what a policy can ask', () => {
  const BOTH_FLAGS = ['privileged', 'hostNetwork', 'engineSocketMounted'] as const
  it.each([
    ['who it is', 'principal == User::"ann" && principal.name == "Ann"', {}],
    ['whose guild', 'principal in Guild::"100"', {}],
    ['the role', 'principal in Role::"ops"', {}],
    ['the surface and the hour', 'context.surface == "discord" && context.hour == 9', {}],
    ['the channel', 'context has channel && context.channel == "42"', { channel: '42' }],
    ['the path', 'context has path && context.path like "/srv/*"', { path: '/srv/x' }],
    ['the image that is named', 'context has image && context.image == "x"', { image: 'x' }],
    ['how much', 'context has bytes && context.bytes == 5', { bytes: 5 }],
    ['the risk of copying', 'context has copyRisk && context.copyRisk', { copyRisk: true }],
    [
      'where to, by name and label',
      'context has destination && context.destination == Host::"far" && context.destination.name == "far" && context.destination.hasTag("env") && context.destination.getTag("env") == "dev"',
      { resource: RESOURCES.host, destination: AWAY },
    ],
    [
      'where to, when it is the host itself',
      'context has destination && context.destination.hasTag("env") && context.destination.getTag("env") == "prod"',
      { resource: RESOURCES.instance, destination: HOST },
    ],
    ['the service', 'resource == Service::"hypercall"', {}],
    [
      'a host',
      'resource is Host && resource == Host::"box" && resource.name == "box" && resource.hasTag("env") && resource.getTag("env") == "prod"',
      { resource: RESOURCES.host },
    ],
    [
      'a container',
      'resource is Instance && resource == Instance::"box/i1" && resource in Host::"box" && resource.id == "i1" && resource.name == "web" && resource.image == "nginx:1" && resource.state == "running" && resource.mounts == 2 && resource.hasTag("team") && resource.getTag("team") == "a"',
      { resource: RESOURCES.instance },
    ],
    [
      'the host of a container',
      'resource is Instance && resource.host == Host::"box" && resource.host.name == "box" && resource.host.hasTag("env") && resource.host.getTag("env") == "prod"',
      { resource: RESOURCES.instance },
    ],
    [
      'an image',
      'resource is Image && resource == Image::"box/sha256:1" && resource in Host::"box" && resource.references.containsAll(["nginx:1", "nginx@sha256:2"]) && resource.bytes == 7 && resource.hasTag("a") && resource.host.name == "box" && resource.host.hasTag("env")',
      { resource: RESOURCES.image },
    ],
    [
      'a card',
      'resource is Card && resource == Card::"kvm" && resource.id == "kvm" && resource.tags == ["locked"] && resource.shipped',
      { resource: RESOURCES.card },
    ],
    [
      'an artifact',
      'resource is Artifact && resource == Artifact::"a1" && resource.name == "web.tar" && resource.mediaType == "application/x-tar" && resource.bytes == 9 && resource.mine',
      { resource: RESOURCES.artifact },
    ],
  ] as const)('%s', (_, condition, more) => {
    const policy = load(`permit (principal, action, resource) when { ${condition} };`)
    expect(policy.decide(question(more)).allowed).toBe(true)
    // The schema knows it as well: what it does not know could never be true.
    expect(policy.unreachable).toEqual([])
    expect(allows(`permit (principal, action, resource) unless { ${condition} };`, more)).toBe(false)
  })

  it.each(BOTH_FLAGS)('whether a container is %s', (flag) => {
    const source = `permit (principal, action, resource is Instance) when { resource.${flag} };`
    expect(allows(source, { resource: RESOURCES.instance })).toBe(false)
    const flagged = { ...RESOURCES.instance, instance: { ...INSTANCE, [flag]: true } }
    expect(allows(source, { resource: flagged })).toBe(true)
  })

  it.each([
    ['channel', 'context has channel'],
    ['path', 'context has path'],
    ['image', 'context has image'],
    ['bytes', 'context has bytes'],
    ['copyRisk', 'context has copyRisk'],
    ['destination', 'context has destination'],
  ])('whether there is a %s at all, and nothing of it before that', (name, condition) => {
    expect(allows(`permit (principal, action, resource) when { ${condition} };`)).toBe(false)
    const unasked = `permit (principal, action, resource) when { context.${name} == context.${name} };`
    expect(() => load(unasked)).toThrow(/optional/)
  })

  it('the kind of who asks, each by its own name', () => {
    for (const [kind, type] of [
      ['user', 'User'],
      ['token', 'Token'],
      ['local', 'Local'],
    ] as const) {
      const by = principal([], { kind, id: 'x' })
      expect(allows(`permit (principal is ${type}, action, resource);`, { principal: by })).toBe(true)
      expect(allows(`permit (principal == ${type}::"x", action, resource);`, { principal: by })).toBe(true)
      expect(allows(`permit (principal is ${type}, action, resource) when { principal in Role::"r" };`, {})).toBe(false)
    }
  })

  it('the effect of a verb, and a right of none', () => {
    const change = 'permit (principal, action in Action::"change", resource);'
    expect(allows(change)).toBe(true)
    const each = ['read', 'change', 'destroy', 'disclose'].map((effect) => `Action::"${effect}"`).join(', ')
    const known = load(
      `${change} permit (principal, action in [${each}, Action::"set-special-mode"], resource is Host);`,
    )
    expect(known.unreachable).toEqual([])
    for (const kind of ['User', 'Token', 'Local']) {
      expect(load(`permit (principal is ${kind} in Role::"r", action, resource);`).unreachable).toEqual([])
      expect(load(`permit (principal is ${kind} in Guild::"1", action, resource);`).unreachable).toEqual([])
    }
    expect(allows(change, { action: registry.get('container.export') })).toBe(false)
    expect(allows(change, { action: { name: 'set-special-mode' } })).toBe(false)
    expect(
      allows('permit (principal, action == Action::"set-special-mode", resource);', {
        action: { name: 'set-special-mode' },
      }),
    ).toBe(true)
  })
})

describe('a decision', () => {
  it('is no where nothing speaks for it, or a forbid speaks against it', () => {
    expect(load('').decide(question())).toEqual({ allowed: false, policies: [] })
    expect(load(`${ANY} @id("no") forbid (principal, action, resource);`).decide(question())).toEqual({
      allowed: false,
      policies: ['no'],
    })
  })

  it('names what decided, by @id or position, and asks for nothing where that asks for nothing', () => {
    expect(load(ANY).decide(question())).toEqual({ allowed: true, policies: ['policy1'] })
    expect(load(`forbid (principal, action, resource) when { context.hour > 20 };\n${ANY}`).decide(question())).toEqual(
      { allowed: true, policies: ['policy2'] },
    )
  })

  it('carries what the least demanding permit asks for, in the words of the last of equal ones', () => {
    const when = 'permit (principal, action, resource)'
    expect(load(`@confirm("Sure?") ${when};`).decide(question())).toEqual({
      allowed: true,
      policies: ['policy1'],
      confirm: { en: 'Sure?', zh: 'Sure?' },
    })
    expect(load(`@confirm("Sure?") @confirm_zh("确定？") ${when};`).decide(question()).confirm).toEqual({
      en: 'Sure?',
      zh: '确定？',
    })
    expect(load(`@approve("role:ops") ${when};`).decide(question())).toEqual({
      allowed: true,
      policies: ['policy1'],
      confirm: { en: 'Somebody else must agree to this.', zh: '此操作需经他人同意。' },
      approve: { role: 'ops', count: 1 },
    })
    expect(load(`@approve("role:a-b:9") @confirm("Why") ${when};`).decide(question())).toMatchObject({
      confirm: { en: 'Why' },
      approve: { role: 'a-b', count: 9 },
    })
    const changing = 'permit (principal, action in Action::"change", resource)'
    expect(load(`@reason("required") ${changing};`).decide(question())).toEqual({
      allowed: true,
      policies: ['policy1'],
      reason: true,
    })
    expect(load(`@confirm("a") ${when};\n@confirm("b") ${when};`).decide(question())).toMatchObject({
      policies: ['policy1', 'policy2'],
      confirm: { en: 'b' },
    })
    expect(load(`@confirm("a") ${when};\n@approve("role:ops") ${when};`).decide(question())).toMatchObject({
      policies: ['policy1'],
      confirm: { en: 'a' },
    })
  })

  it('is by those that apply alone, however little others ask for', () => {
    const source = `@confirm("a") permit (principal, action, resource);
      permit (principal in Role::"other", action, resource);
      permit (principal, action, resource) when { context.hour == 3 };`
    expect(load(source).decide(question())).toMatchObject({ policies: ['policy1'], confirm: { en: 'a' } })
    expect(load(source).decide(question({ hour: 3 }))).toEqual({ allowed: true, policies: ['policy3'] })
  })

  it('demands more the more people it takes, and a reason breaks a tie', () => {
    const approve = (count: number) => ({ id: 'x', confirm: { en: '', zh: '' }, approve: { role: 'r', count } })
    const asc = [
      { id: 'x' },
      { id: 'x', reason: true as const },
      { id: 'x', confirm: { en: 'a', zh: 'a' } },
      { id: 'x', confirm: { en: 'a', zh: 'a' }, reason: true as const },
      approve(1),
      { ...approve(1), reason: true as const },
      approve(2),
    ].map(demandOf)
    expect(asc).toEqual([0, 1, 2, 3, 4, 5, 6])
  })

  // Cedar would skip it: a forbid that cannot be evaluated would forbid nothing.
  it('is no where a forbid cannot be evaluated, and passes over a permit that cannot', () => {
    const overflow = 'when { context has bytes && context.bytes + 9223372036854775807 > 0 }'
    expect(allows(`${ANY} forbid (principal, action, resource) ${overflow};`, { bytes: 1 })).toBe(false)
    expect(allows(`${ANY} forbid (principal, action, resource) ${overflow};`)).toBe(true)
    expect(allows(`${ANY} permit (principal, action, resource) ${overflow};`, { bytes: 1 })).toBe(true)
  })

  it('is a bug where Cedar cannot be asked', () => {
    const half = () => allows(ANY, { bytes: 0.5 })
    expect(half).toThrow(Error)
    expect(half).not.toThrow(TypeError)
  })
})

describe('the policy in force', () => {
  it('is the one before until another is good', () => {
    const policy = openPolicy(ANY, policySchema(registry.actions))
    const first = policy.current()
    expect(() => policy.replace('permit')).toThrow(PolicyError)
    expect(policy.current()).toBe(first)
    const second = policy.replace('')
    expect(policy.current()).toBe(second)
    expect(first.decide(question()).allowed).toBe(true)
    expect(second.decide(question()).allowed).toBe(false)
  })
})
