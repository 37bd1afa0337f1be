// Votes and clicks as their stores keep them, to the millisecond and the seat.
import Sqlite, { type Database } from 'better-sqlite3'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Principal } from '../../src/actions/action.js'
import { type NoticeRow, openApprovalNoticeStore } from '../../src/actions/guard/approval-notice-store.js'
import { openApprovalStore } from '../../src/actions/guard/approval-store.js'
import {
  APPROVAL_MS,
  type ApprovalRequest,
  type Approvals,
  becauseOf,
  openApprovals,
  pendingError,
  peopleOf,
  type Requirement,
} from '../../src/actions/guard/approvals.js'
import { openConfirmationStore } from '../../src/actions/guard/confirmation-store.js'
import {
  CONFIRMATION_MS,
  type Confirmable,
  type Confirmations,
  openConfirmations,
} from '../../src/actions/guard/confirmations.js'
import { principal } from '../helpers/caller.js'

const START = Date.UTC(2026, 10, 28)
const person = (id: string, ...roles: string[]) =>
  principal(roles, { kind: 'user', id, name: `${id} N`, tenant: '100' })
const ann = person('ann', 'dev')
const [bea, cem, dov] = [person('bea', 'ops'), person('cem', 'ops'), person('dov', 'ops', 'owner')]
const TWO: readonly Requirement[] = [{ role: 'ops', count: 2 }]
const YES = { agrees: true } as const
const no = (reason: string) => ({ agrees: false, reason }) as const

let db: Database
let clock: number
let approvals: Approvals
let confirmations: Confirmations
beforeEach(() => {
  db = new Sqlite(':memory:')
  db.pragma('foreign_keys = ON')
  clock = START
  approvals = openApprovals(openApprovalStore(db), () => clock)
  confirmations = openConfirmations(openConfirmationStore(db), approvals, () => clock)
})

const said = (work: () => unknown): { readonly code: string; readonly details: Readonly<Record<string, unknown>> } => {
  try {
    work()
  } catch (error) {
    return error as never
  }
  return { code: 'OK', details: {} }
}
const code = (work: () => unknown): string => said(work).code
const rows = (table: string) => db.prepare<[], Record<string, unknown>>(`SELECT * FROM ${table}`).all()

const SHOWN = {
  what: { en: 'Remove it', zh: '删除' },
  why: { en: 'It is gone.', zh: '将删除。' },
  facts: [{ label: 'card', value: 'x' }],
}
const ask = (needed = TWO, more: Partial<ApprovalRequest> = {}) =>
  approvals.ask({ principal: ann, action: 'knowledge.remove', needed, ...SHOWN, ...more })

describe('a request', () => {
  it('says all that was asked, by whom, of whom and until when', () => {
    const asked = ask()
    expect(asked).toEqual({
      ...SHOWN,
      id: expect.stringMatching(/^[0-9a-f]{12}$/),
      action: 'knowledge.remove',
      asker: '100/user:ann',
      askerName: 'ann N',
      needed: TWO,
      missing: TWO,
      givenBy: [],
      state: 'open',
      askedAt: START,
      expiresAt: START + 60 * 60_000,
    })
    expect(approvals.show(asked.id, ann)).toEqual(asked)
    expect(APPROVAL_MS).toBe(3_600_000)
  })

  it('is over at the moment it ends, and not before', () => {
    const { id, expiresAt } = ask()
    clock = expiresAt - 1
    expect(approvals.show(id, ann).state).toBe('open')
    expect(approvals.list(ann)).toHaveLength(1)
    expect(code(() => approvals.decide(id, bea, YES))).toBe('OK')
    clock = expiresAt
    expect(approvals.show(id, ann).state).toBe('over')
    expect(approvals.list(ann)).toHaveLength(0)
    expect(code(() => approvals.decide(id, cem, YES))).toBe('APPROVAL_OVER')
    expect(code(() => approvals.require(id, []))).toBe('APPROVAL_OVER')
  })

  it('is over once it was used, also for those who would have agreed', () => {
    const { id } = ask()
    approvals.decide(id, bea, YES)
    approvals.decide(id, cem, YES)
    clock += 5
    approvals.close(id, 'used')
    expect(approvals.show(id, bea).state).toBe('over')
    expect(approvals.list(bea)).toEqual([])
    expect(code(() => approvals.decide(id, bea, YES))).toBe('APPROVAL_OVER')
    expect(code(() => approvals.decide(id, dov, YES))).toBe('APPROVAL_OVER')
    expect(code(() => approvals.require(id, TWO))).toBe('APPROVAL_OVER')
    clock += 5
    approvals.close(id, 'used')
    expect(rows('approvals')).toMatchObject([{ closed_at: START + 5 }])
  })

  it('is kept for a day after it ended, and its votes with it', () => {
    const { id, expiresAt } = ask()
    approvals.decide(id, bea, YES)
    clock = expiresAt + 24 * 60 * 60_000 - 1
    ask()
    expect(approvals.show(id, ann).givenBy).toEqual(['bea N'])
    clock += 1
    ask()
    expect(code(() => approvals.show(id, ann))).toBe('APPROVAL_NOT_FOUND')
    expect(rows('approval_votes')).toEqual([])
  })

  it('is listed with those that wait longer before it, for whoever has to do with it', () => {
    const first = ask(TWO, { action: 'a' })
    clock += 1
    const second = ask([{ role: 'owner', count: 1 }], { action: 'b', principal: bea })
    const ids = (who: Principal) => approvals.list(who).map(({ id }) => id)
    expect(ids(ann)).toEqual([first.id])
    expect(ids(bea)).toEqual([first.id, second.id])
    expect(ids(cem)).toEqual([first.id])
    expect(ids(dov)).toEqual([first.id, second.id])
    expect(ids({ ...dov, kind: 'token' })).toEqual([])
    expect(ids({ ...dov, tenant: '200' })).toEqual([])
  })

  it.each([
    ['its asker', ann, 'OK', 'APPROVAL_NOT_YOURS'],
    ['its asker with the role', { ...ann, roles: ['ops'] }, 'OK', 'APPROVAL_NOT_YOURS'],
    ['somebody of the role', bea, 'OK', 'OK'],
    ['somebody without it', { ...bea, roles: ['dev'] }, 'APPROVAL_NOT_FOUND', 'APPROVAL_NOT_FOUND'],
    ['a token', { ...bea, kind: 'token' as const }, 'APPROVAL_NOT_FOUND', 'APPROVAL_NOT_FOUND'],
    ['the owner of the machine', { ...bea, kind: 'local' as const }, 'OK', 'OK'],
    ['another tenant', { ...bea, tenant: '200' }, 'APPROVAL_NOT_FOUND', 'APPROVAL_NOT_FOUND'],
    ['its asker from elsewhere', { ...ann, tenant: '200' }, 'APPROVAL_NOT_FOUND', 'APPROVAL_NOT_FOUND'],
  ])('is there for %s as it should be', (_, who, seen, decided) => {
    const { id } = ask()
    expect(code(() => approvals.show(id, who))).toBe(seen)
    expect(code(() => approvals.decide(id, who, YES))).toBe(decided)
    expect(rows('approval_votes')).toHaveLength(decided === 'OK' ? 1 : 0)
  })

  it('names itself, and whom it takes, to those it refuses', () => {
    const { id } = ask()
    expect(said(() => approvals.show('nope', ann))).toMatchObject({ details: { approval: 'nope' } })
    expect(said(() => approvals.require('nope', []))).toMatchObject({ code: 'APPROVAL_NOT_FOUND' })
    expect(said(() => approvals.show(id, person('eve')))).toMatchObject({ details: { approval: id } })
    expect(said(() => approvals.decide(id, ann, YES))).toMatchObject({ details: { needed: '2 × ops' } })
  })
})

describe('a vote', () => {
  it('is kept with who, in which roles, when and why', () => {
    const { id } = ask()
    clock += 7
    approvals.decide(id, dov, YES)
    approvals.decide(id, bea, no('not today'))
    expect(rows('approval_votes')).toEqual(
      expect.arrayContaining([
        {
          approval: id,
          principal: '100/user:dov',
          principal_name: 'dov N',
          roles: '["ops","owner"]',
          agrees: 1,
          reason: null,
          at: START + 7,
        },
        expect.objectContaining({ principal: '100/user:bea', agrees: 0, reason: 'not today' }),
      ]),
    )
  })

  it('counts once; the same again is no harm, and the opposite is too late', () => {
    const { id } = ask()
    expect(approvals.decide(id, bea, YES)).toMatchObject({ missing: [{ role: 'ops', count: 1 }], state: 'open' })
    clock += 1
    expect(approvals.decide(id, { ...bea, name: 'B' }, YES)).toMatchObject({ givenBy: ['bea N'], state: 'open' })
    expect(code(() => approvals.decide(id, bea, no('x')))).toBe('APPROVAL_OVER')
    clock += 1
    expect(approvals.decide(id, cem, YES)).toMatchObject({ missing: [], givenBy: ['bea N', 'cem N'], state: 'given' })
    expect(approvals.require(id, TWO)).toEqual(['100/user:bea', '100/user:cem'])
  })

  it('against it ends it, whoever else agreed, and says who and why', () => {
    const { id } = ask()
    approvals.decide(id, bea, YES)
    approvals.decide(id, cem, YES)
    expect(approvals.decide(id, dov, no('we need it'))).toMatchObject({
      state: 'declined',
      declined: { by: 'dov N', reason: 'we need it' },
      givenBy: ['bea N', 'cem N'],
    })
    const refused = said(() => approvals.require(id, TWO))
    expect(refused.code).toBe('APPROVAL_DECLINED')
    expect(refused.details).toEqual({ by: 'dov N', because: { en: ': we need it', zh: '：we need it' } })
    // One that is declined still waits for what its asker makes of it.
    expect(code(() => approvals.decide(id, dov, no('again')))).toBe('OK')
    expect(code(() => approvals.decide(id, dov, YES))).toBe('APPROVAL_OVER')
  })

  it('needs no reason', () => {
    const { id } = ask()
    expect(approvals.decide(id, bea, no(''))).toMatchObject({ declined: { by: 'bea N', reason: '' }, missing: TWO })
    db.prepare('UPDATE approval_votes SET reason = NULL').run()
    expect(approvals.show(id, ann).declined).toEqual({ by: 'bea N', reason: '' })
    expect(becauseOf({ by: 'x', reason: '' })).toEqual({ en: '', zh: '' })
  })

  // Another process closes the request between the look and the vote.
  it('that comes too late by a moment is none', () => {
    const late = openApprovals({ ...openApprovalStore(db), vote: () => undefined }, () => clock)
    expect(code(() => late.decide(ask().id, bea, YES))).toBe('APPROVAL_OVER')
  })

  it('of a request that waits is none of another', () => {
    const [one, other] = [ask(), ask()]
    approvals.decide(one.id, bea, YES)
    approvals.close(one.id, 'used')
    expect(approvals.show(other.id, bea)).toMatchObject({ state: 'open', givenBy: [] })
    expect(code(() => approvals.decide(other.id, bea, YES))).toBe('OK')
  })

  it('counts by what is needed when the call runs', () => {
    const { id } = ask()
    approvals.decide(id, bea, YES)
    expect(approvals.require(id, [{ role: 'ops', count: 1 }])).toEqual(['100/user:bea'])
    expect(approvals.require(id, [])).toEqual(['100/user:bea'])
    const refused = said(() => approvals.require(id, [...TWO, { role: 'owner', count: 1 }]))
    expect(refused).toMatchObject({
      code: 'APPROVAL_PENDING',
      details: { approval: id, missing: '1 × ops, 1 × owner' },
    })
  })
})

describe('seats', () => {
  const needed: readonly Requirement[] = [
    { role: 'ops', count: 1 },
    { role: 'owner', count: 1 },
  ]
  const missing = (wanted: readonly Requirement[], ...votes: readonly Principal[]) => {
    const { id } = ask(wanted)
    for (const [at, by] of votes.entries()) {
      clock += 1
      approvals.decide(id, { ...by, id: `${by.id}${at}` }, YES)
    }
    return peopleOf(approvals.show(id, ann).missing)
  }

  it.each([
    ['one who holds both takes one of them', needed, [dov], '1 × owner'],
    ['and moves for one who holds the other alone', needed, [dov, bea], ''],
    ['in whatever order they come', needed, [bea, dov], ''],
    ['one of a role leaves the other', needed, [bea, cem], '1 × owner'],
    ['two of both are enough', needed, [dov, dov], ''],
    ['three seats want three', [...needed, { role: 'dev', count: 1 }], [dov, dov], '1 × dev'],
    ['a count is a count', [{ role: 'ops', count: 3 }], [bea, cem], '1 × ops'],
    ['more than enough is enough', TWO, [bea, cem, dov], ''],
    [
      'a chain of three moves along',
      [
        { role: 'a', count: 1 },
        { role: 'b', count: 1 },
        { role: 'c', count: 1 },
      ],
      [person('p', 'a', 'b'), person('q', 'b', 'c'), person('r', 'a')],
      '',
    ],
    [
      'and stays where it cannot',
      [
        { role: 'a', count: 2 },
        { role: 'b', count: 1 },
      ],
      [person('p', 'a', 'b'), person('q', 'a', 'b')],
      '1 × b',
    ],
  ])('%s', (_, wanted, votes, left) => {
    expect(missing(wanted, ...votes)).toBe(left)
  })

  it('are written as people are counted', () => {
    expect(peopleOf([])).toBe('')
    expect(peopleOf(needed)).toBe('1 × ops, 1 × owner')
    expect(pendingError({ id: 'x', missing: TWO })).toMatchObject({
      code: 'APPROVAL_PENDING',
      details: { approval: 'x', missing: '2 × ops' },
    })
  })
})

describe('a click', () => {
  const target = { host: 'box', id: 'i1', state: 'running' }
  const call: Confirmable = { principal: ann, action: 'container.stop', input: { container: 'web', grace: 5 }, target }
  const withFile: Confirmable = { ...call, file: { sha256: 'ab', size: 3 } }

  it('is good for two minutes, and not at the end of them', () => {
    const first = confirmations.create(call)
    const second = confirmations.create(call)
    expect(first.expiresAt).toBe(START + 120_000)
    expect(CONFIRMATION_MS).toBe(120_000)
    expect(first.token).toMatch(/^[\w-]{32}$/)
    clock = first.expiresAt - 1
    expect(confirmations.redeem(first.token, call, [])).toEqual([])
    clock += 1
    expect(code(() => confirmations.redeem(second.token, call, []))).toBe('CONFIRMATION_EXPIRED')
    expect(code(() => confirmations.withdraw(second.token, ann))).toBe('CONFIRMATION_EXPIRED')
    expect(code(() => confirmations.recall(second.token, ann))).toBe('CONFIRMATION_EXPIRED')
  })

  it('is used once', () => {
    const { token } = confirmations.create(call)
    clock += 3
    confirmations.redeem(token, call, [])
    expect(rows('confirmations')).toMatchObject([{ used_at: START + 3 }])
    expect(code(() => confirmations.redeem(token, call, []))).toBe('CONFIRMATION_EXPIRED')
    expect(code(() => confirmations.recall(token, ann))).toBe('CONFIRMATION_EXPIRED')
    const other = confirmations.create(call).token
    confirmations.withdraw(other, ann)
    expect(code(() => confirmations.redeem(other, call, []))).toBe('CONFIRMATION_EXPIRED')
  })

  it('is taken by one of two at the same moment', () => {
    const store = openConfirmationStore(db)
    confirmations.create(call)
    const [row] = rows('confirmations')
    const hash = String(row?.token_hash)
    expect([store.use(hash, START), store.use(hash, START)]).toEqual([true, false])
    expect(store.use('nope', START)).toBe(false)
    confirmations.create(call)
    const late = String(rows('confirmations').find(({ used_at }) => used_at === null)?.token_hash)
    expect(store.use(late, START + CONFIRMATION_MS)).toBe(false)
    expect(store.use(late, START + CONFIRMATION_MS - 1)).toBe(true)
  })

  // Another process comes in between the look and the use.
  it('is not used by the slower of two, and what others agreed to stays open', () => {
    const store = openConfirmationStore(db)
    const lost = openConfirmations({ ...store, use: () => false }, approvals, () => clock)
    const approval = ask()
    const { token } = lost.create(call, approval)
    expect(code(() => lost.withdraw(token, ann))).toBe('CONFIRMATION_EXPIRED')
    expect(approvals.show(approval.id, ann).state).toBe('open')
  })

  it.each([
    ['another verb', { action: 'container.start' }, 'CONFIRMATION_MISMATCH'],
    ['another input', { input: { container: 'web', grace: 6 } }, 'CONFIRMATION_MISMATCH'],
    ['more input', { input: { container: 'web', grace: 5, reason: 'x' } }, 'CONFIRMATION_MISMATCH'],
    ['a file', { file: { sha256: 'ab' } }, 'CONFIRMATION_MISMATCH'],
    ['another state', { target: { ...target, state: 'exited' } }, 'TARGET_CHANGED'],
    ['somebody else', { principal: bea }, 'CONFIRMATION_NOT_YOURS'],
    ['the same person elsewhere', { principal: { ...ann, tenant: '200' } }, 'CONFIRMATION_NOT_YOURS'],
    ['the same in another order', { input: { grace: 5, container: 'web' } }, 'OK'],
  ])('for %s is as it should be', (_, more, expected) => {
    const { token } = confirmations.create(call)
    expect(code(() => confirmations.redeem(token, { ...call, ...more }, []))).toBe(expected)
    expect(code(() => confirmations.redeem(token, call, []))).toBe(expected === 'OK' ? 'CONFIRMATION_EXPIRED' : 'OK')
  })

  it('is bound to its file', () => {
    const { token } = confirmations.create(withFile)
    expect(code(() => confirmations.redeem(token, call, []))).toBe('CONFIRMATION_MISMATCH')
    const other = { ...withFile, file: { sha256: 'cd', size: 3 } }
    expect(code(() => confirmations.redeem(token, other, []))).toBe('CONFIRMATION_MISMATCH')
    expect(code(() => confirmations.redeem(token, withFile, []))).toBe('OK')
  })

  it('is recalled by its asker as it was asked', () => {
    const plain = confirmations.create(call)
    expect(confirmations.recall(plain.token, ann)).toEqual({ action: 'container.stop', input: call.input })
    const full = confirmations.create(withFile, ask())
    expect(confirmations.recall(full.token, ann)).toEqual({
      action: 'container.stop',
      input: call.input,
      file: withFile.file,
      approval: expect.stringMatching(/^[0-9a-f]{12}$/),
    })
    expect(code(() => confirmations.recall(plain.token, bea))).toBe('CONFIRMATION_NOT_YOURS')
    expect(code(() => confirmations.withdraw(plain.token, bea))).toBe('CONFIRMATION_NOT_YOURS')
    expect(code(() => confirmations.recall('nope', ann))).toBe('CONFIRMATION_EXPIRED')
  })

  it('leaves nothing in the database that can be read without it', () => {
    const { token } = confirmations.create({ ...call, input: { text: 'hunter2' } })
    const [row] = rows('confirmations')
    expect(JSON.stringify(row)).not.toContain(token)
    expect(JSON.stringify(row)).not.toContain('hunter2')
    expect(row).toMatchObject({ principal: '100/user:ann', file: null, used_at: null, approval: null })
    expect(row?.token_hash).toMatch(/^[0-9a-f]{64}$/)
    expect(row?.input_digest).toMatch(/^[0-9a-f]{64}$/)
    expect(row?.input_digest).not.toBe(row?.target_digest)
    // The same call again has another digest: nobody can try whether two are alike.
    confirmations.create({ ...call, input: { text: 'hunter2' } })
    expect(new Set(rows('confirmations').map(({ input_digest }) => input_digest)).size).toBe(2)
  })

  it('is swept two minutes after it ended', () => {
    const { expiresAt } = confirmations.create(call)
    clock = expiresAt + CONFIRMATION_MS - 1
    confirmations.create(call)
    expect(rows('confirmations')).toHaveLength(2)
    clock += 1
    confirmations.create(call)
    expect(rows('confirmations')).toHaveLength(2)
  })

  it('that others have to agree to waits for them, as long as they may take', () => {
    const approval = ask()
    const { token, expiresAt } = confirmations.create(call, approval)
    expect(expiresAt).toBe(approval.expiresAt)
    clock += CONFIRMATION_MS
    expect(code(() => confirmations.redeem(token, call, TWO))).toBe('APPROVAL_PENDING')
    approvals.decide(approval.id, bea, YES)
    approvals.decide(approval.id, cem, YES)
    expect(confirmations.redeem(token, call, TWO)).toEqual(['100/user:bea', '100/user:cem'])
    expect(approvals.show(approval.id, ann).state).toBe('over')
  })

  it('ends what others were asked when it is taken back', () => {
    const approval = ask()
    confirmations.withdraw(confirmations.create(call, approval).token, ann)
    expect(approvals.show(approval.id, ann).state).toBe('over')
  })

  it('that nobody else was asked about does not do where somebody has to be by now', () => {
    const { token } = confirmations.create(call)
    expect(code(() => confirmations.redeem(token, call, TWO))).toBe('CONFIRMATION_EXPIRED')
    expect(code(() => confirmations.redeem(token, call, []))).toBe('OK')
  })
})

describe('the end of a request', () => {
  it('is said once it is over, and looked up as it is by whoever keeps others informed', () => {
    const [open, used, back] = [ask(), ask(), ask()]
    approvals.close(used.id, 'used')
    approvals.close(back.id, 'withdrawn')
    const end = (id: string) => approvals.get(id)?.ended
    expect(approvals.get(open.id)).toEqual(open)
    expect(Object.keys(open)).not.toContain('ended')
    expect([end(used.id), end(back.id)]).toEqual(['used', 'withdrawn'])
    clock = open.expiresAt
    expect(approvals.get(open.id)).toMatchObject({ state: 'over', ended: 'expired' })
    approvals.close(used.id, 'withdrawn')
    expect(end(used.id)).toBe('used')
    expect(approvals.get('nope')).toBeUndefined()
  })

  it('is told apart by what its asker made of it', () => {
    const call: Confirmable = { principal: ann, action: 'a', input: {}, target: {} }
    const [used, back] = [ask(), ask()]
    approvals.decide(used.id, bea, YES)
    approvals.decide(used.id, cem, YES)
    confirmations.redeem(confirmations.create(call, used).token, call, TWO)
    confirmations.withdraw(confirmations.create(call, back).token, ann)
    expect([used, back].map(({ id }) => approvals.get(id)?.ended)).toEqual(['used', 'withdrawn'])
  })
})

describe('where a request is shown', () => {
  it('is kept until it is removed, or the request is', () => {
    const notices = openApprovalNoticeStore(db)
    const [one, other] = [ask(), ask()]
    const row: NoticeRow = {
      approval: one.id,
      tenant: '100',
      lang: 'zh',
      channel: null,
      message: null,
      shown: 'a',
      asker: 'ann',
      asker_lang: 'en',
      asked_in: 'c0',
      told: 0,
    }
    const second = { ...row, approval: other.id, asked_in: null }
    notices.insert(row)
    notices.insert(second)
    const all = () => new Map(notices.all().map((notice) => [notice.approval, notice]))
    expect(all()).toEqual(
      new Map([
        [one.id, row],
        [other.id, second],
      ]),
    )
    notices.place(one.id, { channel: 'c1', message: 'm1' })
    notices.shows(one.id, 'b')
    notices.told(one.id)
    expect(all().get(one.id)).toEqual({ ...row, channel: 'c1', message: 'm1', shown: 'b', told: 1 })
    expect(all().get(other.id)).toEqual(second)
    notices.place(one.id, undefined)
    expect(all().get(one.id)).toMatchObject({ channel: null, message: null })
    notices.remove(one.id)
    expect(notices.all()).toEqual([second])
    clock = other.expiresAt + 24 * 60 * 60_000
    ask()
    expect(notices.all()).toEqual([])
    expect(rows('store_versions')).toContainEqual({ store: 'approval-notices', version: 1 })
  })
})

describe('what is kept', () => {
  it('knows its own version, and lets go of clicks of before, which could not be read', () => {
    expect(rows('store_versions')).toEqual(
      expect.arrayContaining([
        { store: 'approvals', version: 2 },
        { store: 'confirmations', version: 3 },
      ]),
    )
    const call: Confirmable = { principal: ann, action: 'a', input: {}, target: {} }
    confirmations.create(call)
    db.exec(`ALTER TABLE confirmations DROP COLUMN approval;
      UPDATE store_versions SET version = 1 WHERE store = 'confirmations'`)
    openConfirmationStore(db)
    expect(rows('confirmations')).toEqual([])
  })
})
