// How much one caller may do at a time and in a minute.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codeOf, openRoom, principal, type Room } from '../helpers/room.js'

let room: Room
const [ann, bob] = ['ann', 'bob'].map((id) => ({ principal: principal(['admin'], { kind: 'user', id }) }))

describe('calls a minute', () => {
  beforeEach(async () => {
    room = await openRoom({ rates: { read: 3, ask: 1 } })
  })
  afterEach(() => room.close())

  it('are counted by caller and effect, whatever comes of them, and the refusal says when to come back', async () => {
    for (const input of [{}, { nonsense: 1 }, {}]) await codeOf(room.call('host.list', input, ann))
    const refused = room.call('host.list', {}, ann)
    expect(await codeOf(refused)).toBe('RATE_LIMITED')
    const { details } = (await refused.catch((error: unknown) => error)) as { details: { seconds: number } }
    expect(details.seconds).toBeGreaterThan(0)
    expect(details.seconds).toBeLessThanOrEqual(60)
    expect(await codeOf(room.call('host.list', {}, bob))).toBe('OK')
    expect(await codeOf(room.call('knowledge.save', { card: 'x', text: 'Some text.', title: 'x' }, ann))).toBe('OK')
  })

  it('are fewer for questions', async () => {
    expect(await codeOf(room.call('ask', { question: 'kvm' }, ann))).toBe('OK')
    expect(await codeOf(room.call('knowledge.search', { q: 'kvm' }, ann))).toBe('RATE_LIMITED')
    expect(await codeOf(room.call('host.list', {}, ann))).toBe('OK')
  })

  it('leave their trace when they are too many', async () => {
    for (let n = 0; n < 4; n += 1) await codeOf(room.call('host.list', {}, ann))
    const { rows } = await room.does<{ rows: { action: string; outcome?: string }[] }>('audit.list', { limit: 1 }, bob)
    expect(rows).toEqual([expect.objectContaining({ action: 'audit.list' })])
    const all = await room.does<{ rows: { outcome?: string }[] }>('audit.list', { outcome: 'RATE_LIMITED' }, bob)
    expect(all.rows).toHaveLength(1)
  })
})

describe('jobs', () => {
  beforeEach(async () => {
    room = await openRoom({ jobs: { perPrincipal: 1 } })
  })
  afterEach(() => room.close())

  it('of one caller leave room for those of others', async () => {
    const many = 'A card of its own. '.repeat(200)
    await room.does('knowledge.save', { card: 'x', title: 'x', text: many }, ann)
    const codes = await Promise.all([ann, ann, bob].map((who) => codeOf(room.does('knowledge.export', {}, who))))
    expect(codes).toEqual(['OK', 'JOBS_LIMIT', 'OK'])
    await expect.poll(() => codeOf(room.does('knowledge.export', {}, ann)), { timeout: 10_000 }).toBe('OK')
  })
})
