// A file of policy cases: what may stand in it, how a case becomes a question, and how its answer is held against it.
import { describe, expect, it } from 'vitest'
import { PolicyCasesError, readPolicyCases, runPolicyCase } from '../../src/actions/guard/policy/cases.js'
import { loadPolicy } from '../../src/actions/guard/policy/policy.js'
import { policySchema } from '../../src/actions/guard/policy/schema.js'
import { verbs } from '../helpers/verbs.js'

const registry = verbs()
const load = (source: string) => loadPolicy(source, policySchema(registry.actions))
const ANY = 'permit (principal, action, resource);'

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

describe('how a case is put', () => {
  const ran = (yaml: string, source: string) =>
    readPolicyCases(yaml).map((one) => runPolicyCase(one, load(source), registry).wrong)
  const one = (rest: string, does = 'container.start') => `- name: x\n  who: {}\n  does: ${does}\n${rest}`
  /** A case that is expected to be allowed by a permit with this condition, and by no other. */
  const holds = (condition: string, rest: string) =>
    ran(one(`${rest}\n  expect: allow`), `permit (principal, action, resource) when { ${condition} };`)

  it.each([
    [
      'nobody in particular',
      'principal == User::"somebody" && principal.name == "somebody" && principal in Guild::"local"',
      '',
    ],
    ['at noon in Discord', 'context.hour == 12 && context.surface == "discord"', ''],
    ['nothing in particular', 'resource == Service::"hypercall"', ''],
    ['no more than is said', '!(context has path) && !(context has destination) && !(context has bytes)', ''],
    [
      'an hour and surface that are said',
      'context.hour == 0 && context.surface == "rest"',
      '  with: { hour: 0, surface: rest }',
    ],
    ['a path', 'context has path && context.path == "/x"', '  with: { path: /x }'],
    [
      'bytes, an image, a channel, a risk',
      'context has bytes && context.bytes == 0 && context has image && context.image == "i" && context has channel && context.channel == "c" && context has copyRisk && !context.copyRisk',
      '  with: { bytes: 0, image: i, channel: c, copyRisk: false }',
    ],
    [
      'a destination',
      'context has destination && context.destination == Host::"far" && context.destination.hasTag("env")',
      '  with: { destination: { name: far, labels: { env: prod } } }',
    ],
    [
      'a destination of no name',
      'context has destination && context.destination == Host::"host"',
      '  with: { destination: {} }',
    ],
    ['a host', 'resource == Host::"host"', '  to: { host: {} }'],
    [
      'a host by name',
      'resource == Host::"h" && resource is Host && resource.hasTag("a")',
      '  to: { host: { name: h, labels: { a: b } } }',
    ],
    [
      'a container',
      'resource is Instance && resource in Host::"host" && resource.id == "0000000000000000000000000000000000000000000000000000000000000000" && resource.name == "container" && resource.image == "image" && resource.state == "running" && resource.mounts == 0 && !resource.privileged && !resource.hostNetwork && !resource.engineSocketMounted && !resource.hasTag("a")',
      '  to: { container: {} }',
    ],
    [
      'a container as it is said',
      'resource is Instance && resource in Host::"h" && resource.name == "web" && resource.image == "i" && resource.state == "exited" && resource.mounts == 3 && resource.privileged && resource.hostNetwork && resource.engineSocketMounted && resource.hasTag("a")',
      '  to: { host: { name: h }, container: { name: web, image: i, state: exited, mounts: 3, privileged: true, hostNetwork: true, engineSocketMounted: true, labels: { a: b } } }',
    ],
    [
      'an image',
      'resource == Image::"host/sha256:0" && resource is Image && resource.references.isEmpty() && resource.bytes == 0 && !resource.hasTag("a")',
      '  to: { image: {} }',
    ],
    [
      'an image as it is said',
      'resource is Image && resource in Host::"h" && resource.references == ["t:1"] && resource.bytes == 4 && resource.hasTag("a")',
      '  to: { host: { name: h }, image: { tags: ["t:1"], bytes: 4, labels: { a: b } } }',
    ],
    [
      'a card',
      'resource is Card && resource.id == "card" && resource.tags.isEmpty() && !resource.shipped',
      '  to: { card: {} }',
    ],
    [
      'a card as it is said',
      'resource is Card && resource.id == "c" && resource.tags == ["t"] && resource.shipped',
      '  to: { card: { id: c, tags: [t], shipped: true } }',
    ],
    [
      'an artifact',
      'resource is Artifact && resource == Artifact::"artifact" && resource.name == "artifact" && resource.mediaType == "application/x-tar" && resource.bytes == 0 && resource.mine',
      '  to: { artifact: {} }',
    ],
    [
      'an artifact as it is said',
      'resource is Artifact && resource.name == "n" && resource.mediaType == "text/plain" && resource.bytes == 6 && !resource.mine',
      '  to: { artifact: { name: n, mediaType: text/plain, bytes: 6, mine: false } }',
    ],
  ])('as %s', (_, condition, rest) => {
    expect(holds(condition, rest)).toEqual([undefined])
    expect(holds(`!(${condition})`, rest)).toEqual(['deny instead of allow'])
  })

  it('of whoever is said', () => {
    const source =
      'permit (principal == Token::"ci", action, resource) when { principal in Guild::"7" && principal in Role::"r" };'
    const yaml = '- name: x\n  who: { kind: token, id: ci, guild: "7", roles: [r] }\n  does: ask\n  expect: allow'
    expect(ran(yaml, source)).toEqual([undefined])
  })

  it('also of a right that is no verb, and of no verb that there is not', () => {
    const source = 'permit (principal, action == Action::"set-special-mode", resource);'
    expect(ran(one('  expect: allow', 'set-special-mode'), source)).toEqual([undefined])
    expect(ran(one('  expect: deny'), source)).toEqual([undefined])
    expect(() => ran(one('  expect: deny', 'no.such'), source)).toThrow(
      expect.objectContaining({ code: 'ACTION_UNKNOWN' }),
    )
  })

  const asks = (annotation: string) =>
    `@id("it") ${annotation} permit (principal, action == Action::"container.start", resource);`
  it.each([
    ['allow', asks(''), '  expect: allow', undefined],
    ['deny', '', '  expect: confirm', 'deny instead of confirm'],
    ['confirm', asks('@confirm("x")'), '  expect: confirm', undefined],
    ['approve', asks('@approve("role:a")'), '  expect: confirm', 'approve by it instead of confirm'],
    ['the people it takes', asks('@approve("role:a:2")'), '  expect: approve\n  approvals: { a: 2 }', undefined],
    ['nobody', asks('@confirm("x")'), '  expect: confirm\n  approvals: { a: 1 }', 'it takes nobody instead of 1 × a'],
    ['a reason', asks('@reason("required")'), '  expect: allow\n  reason: true', undefined],
    ['no reason', asks(''), '  expect: allow\n  reason: false', undefined],
    ['a reason too many', asks('@reason("required")'), '  expect: allow\n  reason: false', 'a reason is asked for'],
    ['a reason too few', asks(''), '  expect: allow\n  reason: true', 'no reason is asked for'],
    ['by whom', asks(''), '  expect: allow\n  by: [it]', undefined],
    ['by another', asks(''), '  expect: allow\n  by: [it, a, b]', 'decided by it, not by a, b'],
    ['by nothing', '', '  expect: deny\n  by: [it]', 'decided by nothing, not by it'],
    ['by several', `${asks('')}\n@id("too") ${ANY}`, '  expect: deny', 'allow by it, too instead of deny'],
  ])('and held against %s', (_, source, rest, wrong) => {
    expect(ran(one(rest), source)).toEqual([wrong])
  })

  it('with its name and its line', () => {
    const [first, second] = readPolicyCases(
      `${one('  expect: deny')}\n- name: y\n  who: {}\n  does: ask\n  expect: deny`,
    )
    expect(first).toMatchObject({ name: 'x', line: 1 })
    expect(second).toMatchObject({ name: 'y', line: 5 })
    if (first) expect(runPolicyCase(first, load(''), registry)).toEqual({ name: 'x', line: 1 })
  })

  it.each([
    ['nothing', ''],
    ['no list', 'name: x'],
    ['a name of nothing', '- name: ""\n  who: {}\n  does: ask\n  expect: deny'],
    ['no who', '- name: x\n  does: ask\n  expect: deny'],
    ['no expectation', '- name: x\n  who: {}\n  does: ask'],
    ['a kind that is none', '- name: x\n  who: { kind: bot }\n  does: ask\n  expect: deny'],
    ['an unknown field', one('  expect: deny\n  wiht: {}')],
    ['an unknown field of who', '- name: x\n  who: { rolls: [] }\n  does: ask\n  expect: deny'],
    ['an unknown field of to', one('  to: { box: {} }\n  expect: deny')],
    ['an unknown field of a host', one('  to: { host: { nmae: x } }\n  expect: deny')],
    ['an unknown field of a container', one('  to: { container: { nmae: x } }\n  expect: deny')],
    ['an unknown field of an image', one('  to: { image: { nmae: x } }\n  expect: deny')],
    ['an unknown field of a card', one('  to: { card: { nmae: x } }\n  expect: deny')],
    ['an unknown field of an artifact', one('  to: { artifact: { nmae: x } }\n  expect: deny')],
    ['an unknown field of the circumstances', one('  with: { nmae: x }\n  expect: deny')],
    ['an hour too late', one('  with: { hour: 24 }\n  expect: deny')],
    ['an hour too early', one('  with: { hour: -1 }\n  expect: deny')],
    ['less than nothing', one('  with: { bytes: -1 }\n  expect: deny')],
    ['a surface that is none', one('  with: { surface: fax }\n  expect: deny')],
    ['a state that is none', one('  to: { container: { state: asleep } }\n  expect: deny')],
    ['nobody who approves', one('  expect: approve\n  approvals: { a: 0 }')],
    ['a flag that is none', one('  expect: deny\n  reason: maybe')],
    ['a list that is none', one('  expect: deny\n  by: it')],
  ])('and refused with %s', (_, yaml) => {
    expect(() => readPolicyCases(yaml)).toThrow(PolicyCasesError)
    expect(() => readPolicyCases(yaml)).toThrow(/^line 1: ./)
  })

  it.each(['user', 'token', 'local'])('and put as a %s', (kind) => {
    const type = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`
    const yaml = `- name: x\n  who: { kind: ${kind} }\n  does: ask\n  expect: allow`
    expect(ran(yaml, `permit (principal is ${type}, action, resource);`)).toEqual([undefined])
  })

  it('and refused where YAML itself has a word to say', () => {
    const yaml = '- name: x\n  name: y\n  who: {}\n  does: ask\n  expect: deny'
    expect(() => readPolicyCases(yaml)).toThrow(/^line 2: Map keys must be unique[^\n]*$/)
  })

  it('and every problem is named once, with where it is', () => {
    const yaml = `${one('  to: { container: { mounts: -1 } }\n  expect: deny')}\n${one('  expect: maybe')}`
    expect(() => readPolicyCases(yaml)).toThrow(/^line 1: to\.container\.mounts .*\nline 6: expect [^\n]*$/)
    expect(() => readPolicyCases('- {')).toThrow(/^line \d: [^\n]+$/)
    expect(() => readPolicyCases('a: b')).toThrow(expect.objectContaining({ name: 'PolicyCasesError' }))
  })
})
