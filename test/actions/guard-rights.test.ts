// What a call takes, as policy is asked about it; what it would take; and how often it may be made.
import { describe, expect, it } from 'vitest'
import { AppError } from '../../src/actions/errors.js'
import { createExplain, type Supposed } from '../../src/actions/guard/explain.js'
import { createLimits, openCounter } from '../../src/actions/guard/limits.js'
import { loadPolicy } from '../../src/actions/guard/policy/policy.js'
import { policySchema, type Question } from '../../src/actions/guard/policy/schema.js'
import { besideOf, circumstancesOf, questionOf } from '../../src/actions/guard/questions.js'
import { type Beside, requireRight } from '../../src/actions/guard/rights.js'
import type { Target } from '../../src/actions/targets.js'
import { principal } from '../helpers/caller.js'
import { verbs } from '../helpers/verbs.js'
import { BOX, FAR, INSTANCE } from '../helpers/world.js'

const registry = verbs()
const load = (source: string) => loadPolicy(source, policySchema(registry.actions))
const permit = (verb: string, annotations = '', condition = '') =>
  `@id("${verb}${annotations === '' ? '' : '!'}") ${annotations} permit (principal, action == Action::"${verb}", resource)${condition};\n`
const asker = { principal: principal(['ops'], { kind: 'user', id: 'ann' }), surface: 'discord' } as const

const said = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, details: error.details }
    throw error
  }
}

describe('a call as policy is asked about it', () => {
  const at = Date.UTC(2026, 10, 28, 23, 59, 59)
  const action = registry.get('container.start')

  it('has the hour of its moment, and what is known of where it comes from', () => {
    expect(circumstancesOf(asker, at)).toEqual({ ...asker, hour: 23 })
    expect(circumstancesOf({ ...asker, channel: '42' }, at + 1000)).toEqual({ ...asker, channel: '42', hour: 0 })
  })

  it('has what its input and its target say, and nothing that they do not', () => {
    const facts = { kind: 'host', host: BOX } as const
    const ask = (input: object, target: object = {}) =>
      questionOf(asker, action, input as never, { facts, ...target } as Target, at)
    const base = { ...asker, hour: 23, action, resource: facts }
    expect(ask({})).toEqual(base)
    expect(Object.keys(ask({ path: 5, image: 5 }))).toEqual(['principal', 'surface', 'hour', 'action', 'resource'])
    expect(ask({ path: '/x', image: 'i', other: 'y' })).toEqual({ ...base, path: '/x', image: 'i' })
    expect(ask({}, { destination: FAR, copyRisk: false })).toEqual({ ...base, destination: FAR, copyRisk: false })
  })

  it('takes the mode and the other verbs that it asks for', () => {
    const copy = registry.get('container.copy-in')
    const at = { instance: INSTANCE } as unknown as Target
    expect(besideOf({}, copy, at, registry)).toEqual({ mode: undefined, also: [] })
    expect(besideOf({ mode: 5 }, copy, at, registry)).toEqual({ mode: undefined, also: [] })
    expect(besideOf({ mode: '4755', also: 'container.copy-out' }, copy, at, registry)).toEqual({
      mode: '4755',
      also: [{ action: registry.get('container.copy-out'), path: '/also' }],
    })
    expect(besideOf({ also: 'container.copy-out' }, copy, {} as Target, registry).also).toEqual([])
    expect(besideOf({ also: 'container.copy-out' }, action, at, registry).also).toEqual([])
  })
})

describe('what a call takes', () => {
  const question: Question = {
    principal: asker.principal,
    action: registry.get('container.copy-in'),
    resource: { kind: 'host', host: BOX },
    surface: 'discord',
    hour: 9,
    path: '/asked',
  }
  const takes = (source: string, beside: Beside = {}, more: Partial<Question> = {}) => {
    const decided: string[][] = []
    const demand = said(() =>
      requireRight(load(source), { ...question, ...more }, beside, ({ policies }) => void decided.push([...policies])),
    )
    return { demand, decided }
  }
  const FREE = { approvals: [], reason: false }

  it('is nothing where it is free, and no where nothing lets it', () => {
    expect(takes(permit('container.copy-in'))).toEqual({ demand: FREE, decided: [['container.copy-in']] })
    expect(takes('')).toEqual({
      demand: { code: 'FORBIDDEN', details: { action: 'container.copy-in' } },
      decided: [[]],
    })
  })

  it.each(['4755', '2755', '1777'])('is a right of its own for the mode %s', (mode) => {
    const own = permit('container.copy-in')
    expect(takes(own, { mode })).toEqual({
      demand: { code: 'MODE_REFUSED', details: { mode } },
      decided: [['container.copy-in'], []],
    })
    expect(takes(own + permit('set-special-mode', '@confirm("special")'), { mode }).demand).toEqual({
      ...FREE,
      why: { en: 'special', zh: 'special' },
    })
    expect(takes(own, { mode: '0755' }).demand).toEqual(FREE)
    expect(takes(own, { mode: undefined }).demand).toEqual(FREE)
  })

  it('is every other verb as well, where that would act', () => {
    const also = [
      { action: registry.get('container.copy-out'), path: '/a' },
      { action: registry.get('container.export'), path: '/b' },
    ]
    const own = permit('container.copy-in')
    expect(takes(own + permit('container.copy-out'), { also }).demand).toEqual({
      code: 'FORBIDDEN',
      details: { action: 'container.export' },
    })
    const there = ` when { context has path && context.path == "/a" }`
    const both = own + permit('container.copy-out', '', there) + permit('container.export')
    expect(takes(both, { also })).toEqual({
      demand: FREE,
      decided: [['container.copy-in'], ['container.copy-out'], ['container.export']],
    })
  })

  it('is the same at the host that it sends to', () => {
    const here = `@id("here") permit (principal, action, resource == Host::"box");\n`
    expect(takes(here, {}, { destination: FAR })).toEqual({
      demand: { code: 'FORBIDDEN', details: { action: 'container.copy-in' } },
      decided: [['here'], []],
    })
    const there = `@id("there") @reason("required") permit (principal, action in Action::"change", resource == Host::"far");`
    expect(takes(here + there, {}, { destination: FAR })).toEqual({
      demand: { approvals: [], reason: true },
      decided: [['here'], ['there']],
    })
  })

  it('is what each of them wants, said once, and of each role the most', () => {
    const also = ['container.copy-out', 'container.export', 'container.stop'].map((name) => ({
      action: registry.get(name),
      path: '/x',
    }))
    const source =
      permit('container.copy-in', '@confirm("One.") @confirm_zh("一。")') +
      permit('container.copy-out', '@confirm("Two.") @confirm_zh("二。") @approve("role:ops:3")') +
      permit('container.export', '@confirm("One.") @confirm_zh("一。") @approve("role:ops:2")') +
      permit('container.stop', '@confirm("Two.") @confirm_zh("二。") @approve("role:owner") @reason("required")')
    expect(takes(source, { also }).demand).toEqual({
      why: { en: 'One. Two.', zh: '一。二。' },
      approvals: [
        { role: 'ops', count: 3 },
        { role: 'owner', count: 1 },
      ],
      reason: true,
    })
  })

  it('is the most that it or the verb beside it asks for', () => {
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
})

describe('explaining', () => {
  const LOOKS = permit('container.inspect') + permit('host.status') + permit('image.inspect')
  const card = { facts: { kind: 'card', card: { id: 'x', tags: [], shipped: false } } } as const
  const box = { facts: { kind: 'instance', host: BOX, instance: INSTANCE }, host: BOX, instance: INSTANCE } as const
  const explained = async (source: string, action: string, input: object, more: Partial<Supposed> = {}) => {
    const explain = createExplain({
      registry,
      policy: () => load(source),
      resolve: async ({ target }) => {
        if (input && 'missing' in input) throw new AppError('INSTANCE_NOT_FOUND', { instance: 'x', host: 'box' })
        return (target === 'card'
          ? card
          : target === 'none'
            ? { facts: { kind: 'service' } }
            : box) as unknown as Target
      },
      now: () => Date.UTC(2026, 10, 28, 9),
    })
    const caller = { principal: principal(['dev']), surface: 'rest' } as const
    try {
      const { signal } = new AbortController()
      return await explain({ asker, caller, action, input: input as Supposed['input'], signal, ...more })
    } catch (error) {
      if (error instanceof AppError) return { code: error.code, details: error.details }
      throw error
    }
  }
  const FREE = { approvals: [], reason: false }

  it('says what would decide, and what it would take', async () => {
    const source = LOOKS + permit('container.start', '@confirm("Sure?")')
    expect(await explained(source, 'container.start', { container: 'web' })).toEqual({
      allowed: true,
      policies: ['container.start!'],
      demand: { ...FREE, why: { en: 'Sure?', zh: 'Sure?' } },
    })
    expect(await explained(LOOKS, 'container.start', { container: 'web' })).toEqual({ allowed: false, policies: [] })
    expect(await explained(permit('ask'), 'ask', {})).toEqual({ allowed: true, policies: ['ask'], demand: FREE })
  })

  it('names each policy once, of all that it takes, also where it is refused in the end', async () => {
    const all = '@id("all") permit (principal, action, resource);'
    const input = { container: 'web', also: 'container.copy-out' }
    expect(await explained(all, 'container.copy-in', input)).toMatchObject({ allowed: true, policies: ['all'] })
    const most = LOOKS + permit('container.copy-in')
    expect(await explained(most, 'container.copy-in', input)).toEqual({
      allowed: false,
      policies: ['container.copy-in'],
    })
  })

  it('looks with the eyes of who asks, and supposes the rights of who would call', async () => {
    const source = `@id("eyes") permit (principal in Role::"ops", action == Action::"container.inspect", resource);
      @id("hands") permit (principal in Role::"dev", action == Action::"container.start", resource);`
    expect(await explained(source, 'container.start', { container: 'web' })).toMatchObject({ policies: ['hands'] })
    const swapped = { asker: { principal: principal(['dev']), surface: 'rest' }, caller: asker } as const
    expect(await explained(source, 'container.start', { container: 'web' }, swapped)).toEqual({
      code: 'FORBIDDEN',
      details: { action: 'container.inspect' },
    })
  })

  it.each([
    ['container.start', { container: 'web' }, 'container.inspect'],
    ['host.prune', {}, 'host.status'],
    ['image.remove', { image: 'i' }, 'image.inspect'],
    ['knowledge.save', { card: 'x' }, 'knowledge.show'],
    ['artifact.remove', { artifact: 'x' }, 'artifact.show'],
  ])('tells nothing of what %s acts on to those who may not look', async (action, input, look) => {
    const blind = permit(action)
    expect(await explained(blind, action, input)).toEqual({ code: 'FORBIDDEN', details: { action: look } })
    expect(await explained(blind + permit(look), action, input)).toMatchObject({ allowed: true })
    const missing = { ...input, missing: 'x' }
    expect(await explained(blind, action, missing)).toEqual({ code: 'FORBIDDEN', details: { action: look } })
    expect(await explained(permit(look), action, missing)).toMatchObject({ code: 'INSTANCE_NOT_FOUND' })
  })

  it('asks about a host of no name where nothing was found', async () => {
    const named = permit('container.inspect', '', ' when { resource is Host && resource.name == "" }')
    expect(await explained(named, 'container.start', { container: 'x', missing: 'x' })).toMatchObject({
      code: 'INSTANCE_NOT_FOUND',
    })
    const labelled = permit('container.inspect', '', ' unless { resource is Host && resource.hasTag("env") }')
    expect(await explained(labelled, 'container.start', { container: 'x', missing: 'x' })).toMatchObject({
      code: 'INSTANCE_NOT_FOUND',
    })
  })

  it('wants what it would act on to be named, and nothing else', async () => {
    const missing = (action: string, names: string) => ({
      code: 'INVALID_INPUT',
      details: { problem: { en: `for ${action}, say also: ${names}`, zh: `对于 ${action}，还需指定：${names}` } },
    })
    const source = '@id("all") permit (principal, action, resource);'
    expect(await explained(source, 'container.transfer', {})).toEqual(missing('container.transfer', 'container, to'))
    expect(await explained(source, 'container.transfer', { to: 'x' })).toEqual(
      missing('container.transfer', 'container'),
    )
    expect(await explained(source, 'image.remove', {})).toEqual(missing('image.remove', 'image'))
    expect(await explained(source, 'knowledge.save', {})).toEqual(missing('knowledge.save', 'card'))
    expect(await explained(source, 'artifact.remove', {})).toEqual(missing('artifact.remove', 'artifact'))
    expect(await explained(source, 'container.copy-in', { container: 'x' })).toMatchObject({ allowed: true })
    expect(await explained(source, 'no.such', {})).toMatchObject({ code: 'ACTION_UNKNOWN' })
  })

  it('does not take a bug for a no', async () => {
    const source = LOOKS + permit('container.copy-in')
    const also = { container: 'web', path: 5, mode: '4755', also: 'no.such' }
    await expect(explained(source, 'container.copy-in', also)).resolves.toMatchObject({ allowed: false })
    const odd = { principal: { ...principal([]), kind: 'ghost' as never }, surface: 'rest' } as const
    await expect(explained(source, 'container.copy-in', { container: 'web' }, { caller: odd })).rejects.toThrow()
  })
})

describe('calls a minute', () => {
  const seconds = async (call: Promise<void>): Promise<number> => {
    try {
      await call
    } catch (error) {
      const { code, details } = error as AppError
      expect(code).toBe('RATE_LIMITED')
      return Number(details.seconds)
    }
    return 0
  }
  const take = { name: 'x', effect: 'read' } as const

  it('are counted by key, and the refusal says when to come back', async () => {
    const count = openCounter(2)
    expect([await seconds(count('a')), await seconds(count('a'))]).toEqual([0, 0])
    const wait = await seconds(count('a'))
    expect(wait).toBeGreaterThan(50)
    expect(wait).toBeLessThanOrEqual(60)
    expect(Number.isInteger(wait)).toBe(true)
    expect(await seconds(count('b'))).toBe(0)
  })

  it.each(['read', 'change', 'destroy', 'disclose'] as const)('are counted for %s by itself', async (effect) => {
    const limits = createLimits({ read: 9, change: 9, destroy: 9, disclose: 9, ask: 9, [effect]: 0 })
    for (const other of ['read', 'change', 'destroy', 'disclose'] as const) {
      const wait = await seconds(limits.take(asker.principal, { name: 'x', effect: other }))
      expect([other, wait > 0]).toEqual([other, other === effect])
    }
  })

  it('are counted for each caller by itself', async () => {
    const limits = createLimits({ read: 1, change: 9, destroy: 9, disclose: 9, ask: 9 })
    expect(await seconds(limits.take(asker.principal, take))).toBe(0)
    expect(await seconds(limits.take({ ...asker.principal, tenant: '2' }, take))).toBe(0)
    expect(await seconds(limits.take(asker.principal, take))).toBeGreaterThan(0)
  })

  it.each(['ask', 'compare', 'choose', 'knowledge.search'])('are fewer for %s', async (name) => {
    const limits = createLimits({ read: 9, change: 9, destroy: 9, disclose: 9, ask: 0 })
    expect(await seconds(limits.take(asker.principal, { name, effect: 'read' }))).toBeGreaterThan(0)
    expect(await seconds(limits.take(asker.principal, take))).toBe(0)
  })
})
