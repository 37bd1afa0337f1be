// Whatever order calls, clicks, votes, restarts, jumps of the clock and changes of roles come in, a call runs when a permit of
// that moment lets it and all that it asks for is there, and never otherwise. A model of the rules, kept as simple as they
// are told in docs/design.md, is held against the gate.
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { codeOf, openRoom, principal, type Room } from '../helpers/room.js'

const POLICY = `
@id("free") permit (principal in Role::"free", action == Action::"knowledge.save", resource);
@id("click") @confirm("Sure?") permit (principal in Role::"click", action == Action::"knowledge.save", resource);
@id("pair") @approve("role:ops:2") permit (principal in Role::"pair", action == Action::"knowledge.save", resource);
@id("votes") permit (principal, action in [Action::"approval.give", Action::"approval.decline"], resource);
@id("verify") permit (principal in Role::"auditor", action == Action::"audit.verify", resource);`

const CLICK_MS = 120_000
const VOTES_MS = 60 * 60_000
const PEOPLE = 4
const ROLES = ['free', 'click', 'pair', 'ops'] as const
type Role = (typeof ROLES)[number]

/** What was asked for and not run at once. */
interface Pending {
  readonly token: string
  readonly asker: number
  readonly card: string
  /** Of the card when it was asked for: what was changed since is another card. */
  readonly version: number | undefined
  readonly expiresAt: number
  readonly approval?: string
  readonly votes: Map<number, { readonly agrees: boolean; readonly ops: boolean }>
  over: boolean
}

type Step =
  | { readonly kind: 'call'; readonly who: number; readonly card: number }
  | {
      readonly kind: 'use'
      readonly who: number
      readonly pending: number
      readonly card: number
      readonly times: number
    }
  | { readonly kind: 'withdraw'; readonly who: number; readonly pending: number }
  | { readonly kind: 'vote'; readonly who: number; readonly pending: number; readonly agrees: boolean }
  | { readonly kind: 'roles'; readonly who: number; readonly roles: readonly Role[] }
  | { readonly kind: 'clock'; readonly ms: number }
  | { readonly kind: 'restart' }

const who = fc.nat({ max: PEOPLE - 1 })
const small = fc.nat({ max: 4 })
/** Mostly what was asked for, so that much of it gets through. */
const OWN = 0
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('call'), who, card: fc.nat({ max: 1 }) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('use'),
      who: fc.oneof({ weight: 4, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: who }),
      pending: small,
      card: fc.oneof({ weight: 6, arbitrary: fc.constant(OWN) }, { weight: 1, arbitrary: fc.constant(1) }),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('withdraw'), who, pending: small }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('vote'),
      who,
      pending: small,
      agrees: fc.oneof({ weight: 6, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('roles'), who, roles: fc.subarray([...ROLES]) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('clock'), ms: fc.constantFrom(1_000, 60_000, 121_000, 3_700_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart') }) },
) as fc.Arbitrary<Step>

let stateFolder: string
let room: Room
let run = 0
let clock = Date.UTC(2026, 10, 28)

const open = async (): Promise<void> => {
  room = await openRoom({ stateFolder, policy: POLICY })
  room.now = () => clock
}
beforeAll(async () => {
  stateFolder = await mkdtemp(join(tmpdir(), 'hc-properties-'))
  await open()
})
afterAll(async () => {
  await room.close()
  rmSync(stateFolder, { recursive: true, force: true })
})

/** One run of the model beside the gate. @returns how many calls ran */
async function play(first: readonly (readonly Role[])[], steps: readonly Step[]): Promise<number> {
  run += 1
  const prefix = `r${run}`
  const roles = first.map((held) => [...held])
  const pending: Pending[] = []
  let ran = 0

  const person = (at: number) => principal(roles[at] ?? [], { kind: 'user', id: `${prefix}-p${at}` })
  const cardOf = (at: number) => `${prefix}-c${at}`
  const holds = (at: number, role: Role) => (roles[at] ?? []).includes(role)
  const call = (at: number, card: string, confirm?: string) =>
    room.call(
      'knowledge.save',
      { card, title: card, text: `What ${card} is about.`, anyway: true },
      { principal: person(at), ...(confirm === undefined ? {} : { confirm }) },
    )

  const versionOf = async (card: string) => (await room.knowledge.show('local', card, undefined))?.version

  /** Whether the rules let this pending call run now. */
  async function isReady(one: Pending, at: number, card: string): Promise<boolean> {
    if (holds(at, 'free')) return true
    if (!holds(at, 'click') && !holds(at, 'pair')) return false
    if (one.asker !== at || one.card !== card || one.over || one.expiresAt <= clock) return false
    if ((await versionOf(card)) !== one.version) return false
    const votes = [...one.votes.values()]
    if (votes.some(({ agrees }) => !agrees)) return false
    if (holds(at, 'click')) return true
    return one.approval !== undefined && votes.filter(({ ops }) => ops).length >= 2
  }

  for (const step of steps) {
    if (step.kind === 'roles') roles[step.who] = [...step.roles]
    else if (step.kind === 'clock') clock += step.ms
    else if (step.kind === 'restart') {
      await room.close()
      await open()
    } else if (step.kind === 'call') {
      const card = cardOf(step.card)
      const outcome = await call(step.who, card).catch((error: { code: string }) => error.code)
      const expected = holds(step.who, 'free')
        ? 'done'
        : holds(step.who, 'click') || holds(step.who, 'pair')
          ? 'confirm'
          : 'FORBIDDEN'
      expect(typeof outcome === 'string' ? outcome : outcome.status).toBe(expected)
      if (typeof outcome === 'string') continue
      if (outcome.status === 'done') ran += 1
      else {
        pending.push({
          token: outcome.token,
          asker: step.who,
          card,
          version: await versionOf(card),
          expiresAt: clock + (outcome.approval ? VOTES_MS : CLICK_MS),
          ...(outcome.approval ? { approval: outcome.approval.id } : {}),
          votes: new Map(),
          over: false,
        })
        expect(outcome.approval !== undefined).toBe(!holds(step.who, 'click'))
      }
    } else {
      const one = pending[step.pending % Math.max(1, pending.length)]
      if (!one) continue
      if (step.kind === 'use') {
        const at = step.who === -1 ? one.asker : step.who
        const card = step.card === OWN ? one.card : cardOf(9)
        const ready = await isReady(one, at, card)
        const codes = await Promise.all(Array.from({ length: step.times }, () => codeOf(call(at, card, one.token))))
        const done = codes.filter((code) => code === 'OK').length
        // Who needs no click needs no token either, so nothing is used up.
        expect([step, codes]).toEqual([
          step,
          codes.map((code, i) => (ready && (holds(at, 'free') || i === codes.indexOf('OK')) ? 'OK' : code)),
        ])
        expect([step, done]).toEqual([step, !ready ? 0 : holds(at, 'free') ? step.times : 1])
        if (done > 0 && !holds(at, 'free')) one.over = true
        ran += done
      } else if (step.kind === 'withdraw') {
        const isOwn = step.who === one.asker && !one.over && one.expiresAt > clock
        const clicker = { principal: person(step.who), surface: 'discord', requestId: `${prefix}-w` } as const
        let code = 'OK'
        try {
          room.actions.gate.withdraw(one.token, clicker)
        } catch (error) {
          ;({ code } = error as { code: string })
        }
        expect([step, code === 'OK']).toEqual([step, isOwn])
        if (code === 'OK') one.over = true
      } else if (one.approval !== undefined) {
        const name = step.agrees ? 'approval.give' : 'approval.decline'
        const code = await codeOf(room.call(name, { approval: one.approval }, { principal: person(step.who) }))
        const mayVote = step.who !== one.asker && holds(step.who, 'ops')
        const before = one.votes.get(step.who)
        const isDeclined = [...one.votes.values()].some(({ agrees }) => !agrees)
        if (!mayVote) expect(code).not.toBe('OK')
        // Said before: the same again is no harm, and nothing changes.
        if (code === 'OK' && !before && !one.over && !isDeclined)
          one.votes.set(step.who, { agrees: step.agrees, ops: true })
        if (code === 'OK' && before) expect(before.agrees).toBe(step.agrees)
        if (code === 'OK') expect(one.expiresAt).toBeGreaterThan(clock)
      }
    }
  }
  return ran
}

describe('the gate', () => {
  it('runs what the rules let run, once, and nothing else', async () => {
    let ran = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.subarray([...ROLES]), { minLength: PEOPLE, maxLength: PEOPLE }),
        fc.array(step, { minLength: 5, maxLength: 40 }),
        async (roles, steps) => {
          ran += await play(roles, steps)
        },
      ),
      { numRuns: 400 },
    )
    // A model under which nothing ever runs would agree as well.
    expect(ran).toBeGreaterThan(100)
    expect(await codeOf(room.call('audit.verify', {}, { principal: principal(['auditor']) }))).toBe('OK')
  })
})
