// What a policy file may say, and what is told of one that must not be used or says what nothing comes of.
import { describe, expect, it } from 'vitest'
import { PolicyError } from '../../src/actions/guard/policy/file.js'
import { loadPolicy } from '../../src/actions/guard/policy/policy.js'
import { policySchema } from '../../src/actions/guard/policy/schema.js'
import { verbs } from '../helpers/verbs.js'

const registry = verbs()
const load = (source: string) => loadPolicy(source, policySchema(registry.actions))
const problemsOf = (source: string): string[] => {
  try {
    return load(source).unreachable.map(({ line, message }) => `${line}: ${message}`)
  } catch (error) {
    if (error instanceof PolicyError) return error.problems.map(({ line, message }) => `${line}: ${message}`)
    throw error
  }
}

const ANY = 'permit (principal, action, resource);'

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

describe('more that is wrong with a file', () => {
  const start = 'action == Action::"container.start", resource'
  it.each([
    [
      'an annotation of each name is known',
      `@id("a") @confirm("x") @confirm_zh("y") @approve("role:o:1") @reason("required") permit (principal, ${start});`,
      [],
    ],
    ['a tenth person', `@approve("role:ops:10") permit (principal, ${start});`, [/^1: @approve wants "role:NAME"/]],
    ['something before the role', `@approve("xrole:ops") permit (principal, ${start});`, [/^1: @approve wants/]],
    ['something behind it', `@approve("role:ops:2x") permit (principal, ${start});`, [/^1: @approve wants/]],
    ['a role with a space', `@approve("role:o ps") permit (principal, ${start});`, [/^1: @approve wants/]],
    ['a long role is none', `@approve("role:operators") permit (principal, ${start});`, []],
    [
      '@confirm on a forbid',
      `@confirm("x") forbid (principal, ${start});`,
      [/^1: @confirm stands on a forbid, where it means nothing$/],
    ],
    ['a forbid with a name alone', `@id("a") forbid (principal, ${start});`, []],
    [
      'a reason for reading',
      '@reason("required") permit (principal, action in Action::"read", resource);',
      [
        /^1: @reason stands on a permit of ask, host\.status, container\.list|^1: @reason stands on a permit of .*ask.*, which take none$/,
      ],
    ],
    [
      'a reason for looking at two things',
      '@reason("required") permit (principal, action in [Action::"ask", Action::"container.list"], resource);',
      [/^1: @reason stands on a permit of ask, container\.list, which take none$/],
    ],
    [
      'a reason for a right of no effect',
      '@reason("required") permit (principal, action == Action::"set-special-mode", resource);',
      [],
    ],
    [
      'a word that is nearly one',
      'permit (principal, action == Action::"container.strat", resource);',
      [/^1: policy1: .*container\.strat.* \(did you mean .*container\.start.*\)$/],
    ],
    [
      'a type that does not fit',
      'permit (principal, action, resource) when { context.hour > "9" };',
      [/^1: policy1: .*[^!]$/],
    ],
    ['a reason for changing', '@reason("required") permit (principal, action in Action::"change", resource);', []],
    [
      'a reason for several',
      '@reason("required") permit (principal, action in [Action::"ask", Action::"container.stop"], resource);',
      [/^1: @reason stands on a permit of ask, which take none$/],
    ],
    [
      'two at once',
      '\n@a("x") @b("y") permit (principal, action, resource);',
      [/^2: unknown annotation @a$/, /^2: unknown annotation @b$/],
    ],
    ['a syntax error further down', `${ANY}\n\npermit (princpal, action, resource);`, [/^3: .+/]],
    [
      'an action that is none further down',
      `${ANY}\n@id("x") permit (principal, action == Action::"nope", resource);`,
      [/^2: x: .*nope.*/],
    ],
    ['the same text twice', `${ANY}\n${ANY}`, [/^1: policy1: never decides, "policy2" permits/]],
  ] as const)('%s', (_, source, expected) => {
    const problems = problemsOf(source)
    expect(problems).toHaveLength(expected.length)
    for (const [at, pattern] of expected.entries()) expect(problems[at]).toMatch(pattern)
  })

  it('names the line of each of equal texts', () => {
    const source = `@confirm("x") permit (principal, action, resource);\n${ANY}\n@confirm("x") permit (principal, action, resource);`
    expect(problemsOf(source).map((problem) => problem.slice(0, 2))).toEqual(['1:', '3:'])
  })

  it('is told as lines', () => {
    const failing = () =>
      load('@a("x") permit (principal, action, resource);\n@b("x") permit (principal, action, resource);')
    expect(failing).toThrow('line 1: unknown annotation @a\nline 2: unknown annotation @b')
    expect(failing).toThrow(expect.objectContaining({ name: 'PolicyError' }))
  })
})

describe('a permit that another leaves nothing to', () => {
  const all = 'action, resource'
  it.each([
    ['one person', 'principal == User::"a"', 'principal', true],
    ['one person, of that kind', 'principal == User::"a"', 'principal is User', true],
    ['one person, of another kind', 'principal == User::"a"', 'principal is Token', false],
    ['the same person', 'principal == User::"a"', 'principal == User::"a"', true],
    ['another person', 'principal == User::"a"', 'principal == User::"b"', false],
    ['a role and one person', 'principal in Role::"r"', 'principal == User::"a"', false],
    ['the same role', 'principal in Role::"r"', 'principal in Role::"r"', true],
    ['another role', 'principal in Role::"r"', 'principal in Role::"s"', false],
    ['a kind within a role', 'principal is User in Role::"r"', 'principal in Role::"r"', true],
    ['a role and a kind within it', 'principal in Role::"r"', 'principal is User in Role::"r"', false],
    ['a kind and the same kind within a role', 'principal is User', 'principal is User in Role::"r"', false],
    ['everybody and a role', 'principal', 'principal in Role::"r"', false],
    ['everybody and a kind', 'principal', 'principal is User', false],
  ])('by who asks: %s', (_, narrow, wide, covered) => {
    const source = `@confirm("x") permit (${narrow}, ${all});\npermit (${wide}, ${all});`
    expect(problemsOf(source)).toEqual(
      covered ? ['1: policy1: never decides, "policy2" permits all of it and asks for no more'] : [],
    )
  })

  it.each([
    ['a card and all cards', 'resource == Card::"a"', 'resource is Card', true],
    ['a card and itself within', 'resource == Host::"h"', 'resource in Host::"h"', true],
    ['a host and another', 'resource in Host::"h"', 'resource in Host::"i"', false],
    ['all and cards', 'resource', 'resource is Card', false],
    ['a kind in a host', 'resource is Instance in Host::"h"', 'resource in Host::"h"', true],
  ])('by what it acts on: %s', (_, narrow, wide, covered) => {
    const source = `@confirm("x") permit (principal, action, ${narrow});\npermit (principal, action, ${wide});`
    expect(problemsOf(source).length).toBe(covered ? 1 : 0)
  })

  it.each([
    ['one of a group', 'action == Action::"container.start"', 'action in Action::"change"', true],
    ['a group and one of it', 'action in Action::"change"', 'action == Action::"container.start"', false],
    [
      'a group and each of it',
      'action in Action::"change"',
      'action in [Action::"container.start", Action::"container.stop", Action::"container.copy-in", Action::"knowledge.save"]',
      true,
    ],
    [
      'a group and most of it',
      'action in Action::"change"',
      'action in [Action::"container.start", Action::"container.stop"]',
      false,
    ],
    [
      'a list',
      'action in [Action::"container.stop"]',
      'action in [Action::"container.start", Action::"container.stop"]',
      true,
    ],
    [
      'all and every group',
      'action',
      'action in [Action::"read", Action::"change", Action::"destroy", Action::"disclose"]',
      false,
    ],
    [
      'all and every group and the right',
      'action',
      'action in [Action::"read", Action::"change", Action::"destroy", Action::"disclose", Action::"set-special-mode"]',
      true,
    ],
  ])('by what is done: %s', (_, narrow, wide, covered) => {
    const source = `@confirm("x") permit (principal, ${narrow}, resource);\npermit (principal, ${wide}, resource);`
    expect(problemsOf(source).length).toBe(covered ? 1 : 0)
  })

  it.each([
    ['the first of two that ask for nothing and are the same', `${ANY}\n${ANY}`, ['1: policy1']],
    ['the narrow one of two that ask for nothing', `permit (principal in Role::"a", ${all});\n${ANY}`, ['1: policy1']],
    ['the narrow one behind', `${ANY}\npermit (principal in Role::"a", ${all});`, ['2: policy2']],
    ['one behind that asks for more', `${ANY}\n@confirm("x") ${ANY}`, ['2: policy2']],
    [
      'none that asks for less',
      `@approve("role:a") ${ANY}\n@confirm("x") permit (principal in Role::"a", ${all});`,
      [],
    ],
    ['none of equal demand before', `@confirm("x") ${ANY}\n@confirm("y") permit (principal in Role::"a", ${all});`, []],
    [
      'one of equal demand behind',
      `@confirm("y") permit (principal in Role::"a", ${all});\n@confirm("x") ${ANY}`,
      ['1: policy1'],
    ],
    [
      'what a forbid leaves nothing of',
      `${ANY}\n@id("no") forbid (principal, action, resource);`,
      ['1: policy1: never applies, "no"'],
    ],
    ['but no forbid with a condition', `${ANY}\nforbid (principal, action, resource) when { context.hour > 9 };`, []],
    ['and no forbid itself', `forbid (principal in Role::"a", ${all});\nforbid (principal, action, resource);`, []],
  ])('is %s', (_, source, expected) => {
    const problems = problemsOf(source)
    expect(problems).toHaveLength(expected.length)
    for (const [at, start] of expected.entries()) expect(problems[at]?.startsWith(start)).toBe(true)
  })

  it('is only a permit: a forbid that never applies is no harm', () => {
    expect(
      problemsOf(
        'forbid (principal, action == Action::"ask", resource) when { resource is Card && resource is Host };',
      ),
    ).toEqual([])
  })
})
