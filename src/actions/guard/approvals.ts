// "Somebody else must agree": calls that policy lets through only once other people of a role have said yes to just that.
import { randomBytes } from 'node:crypto'
import { type Principal, principalKey } from '../action.js'
import { AppError } from '../errors.js'
import type { Bilingual } from '../text.js'
import type { Fact } from '../view.js'
import type { ApprovalRow, ApprovalStore, VoteRow } from './approval-store.js'

/** People need longer than a click; what they agree to is checked again when it runs. */
export const APPROVAL_MS = 60 * 60_000
/** What is over can be looked at for a while. */
const KEPT_MS = 24 * 60 * 60_000

/** `count` people who hold `role`. */
export interface Requirement {
  readonly role: string
  readonly count: number
}

/** A label that is the same in both languages is one text. */
export interface ShownFact extends Omit<Fact, 'label'> {
  readonly label: string | Bilingual
}

/** What exactly would run, as those see it who decide. */
export interface Shown {
  readonly what: Bilingual
  /** The policy author's words. */
  readonly why: Bilingual
  readonly facts: readonly ShownFact[]
}

export interface ApprovalRequest extends Shown {
  readonly principal: Principal
  readonly action: string
  readonly needed: readonly Requirement[]
}

export type ApprovalState = 'open' | 'given' | 'declined' | 'over'

/** How one came to be over: its asker used it or took it back, or nobody did before its time was up. */
export type ApprovalEnd = 'used' | 'withdrawn' | 'expired'

export interface Approval extends Shown {
  readonly id: string
  readonly action: string
  /** The asker, as the audit log names them. */
  readonly asker: string
  readonly askerName: string
  readonly needed: readonly Requirement[]
  /** How many of each requirement's people are still missing: none once the state is `given`. */
  readonly missing: readonly Requirement[]
  readonly givenBy: readonly string[]
  readonly declined?: { readonly by: string; readonly reason: string }
  readonly state: ApprovalState
  /** Of one that is over. */
  readonly ended?: ApprovalEnd
  /** Epoch ms. */
  readonly askedAt: number
  readonly expiresAt: number
}

export interface Approvals {
  ask(request: ApprovalRequest): Approval
  /** Those that wait for this person, or that they asked for. */
  list(principal: Principal): Approval[]
  /** @throws AppError APPROVAL_NOT_FOUND, also for whoever has nothing to do with it */
  show(id: string, principal: Principal): Approval
  /** @throws AppError APPROVAL_NOT_FOUND, APPROVAL_NOT_YOURS, APPROVAL_OVER */
  decide(id: string, principal: Principal, verdict: Verdict): Approval
  /**
   * Whether a call may run now.
   * @param needed by the policy of this moment @returns who agreed, as the audit log names them
   * @throws AppError APPROVAL_PENDING, APPROVAL_DECLINED, APPROVAL_OVER
   */
  require(id: string, needed: readonly Requirement[]): string[]
  /** As it is, for what keeps others informed: nobody's right to see it is asked for. */
  get(id: string): Approval | undefined
  /** It was used, or its asker took it back. */
  close(id: string, as: 'used' | 'withdrawn'): void
}

export type Verdict = { readonly agrees: true } | { readonly agrees: false; readonly reason: string }

/** @returns each requirement with the people that are still missing from it; nobody counts for two of them */
function missingOf(needed: readonly Requirement[], votes: readonly VoteRow[]): Requirement[] {
  const holders = votes.filter(({ agrees }) => agrees === 1).map(({ roles }) => new Set(JSON.parse(roles) as string[]))
  const seats = needed.flatMap(({ role, count }) => Array.from({ length: count }, () => role))
  const seatOf = new Map<number, number>()
  /** Finds this seat somebody, and whoever has to move for that another one. */
  const seat = (at: number, asked: Set<number>): boolean =>
    holders.some((roles, person) => {
      if (asked.has(person) || !roles.has(seats[at] ?? '')) return false
      asked.add(person)
      const other = seatOf.get(person)
      if (other !== undefined && !seat(other, asked)) return false
      seatOf.set(person, at)
      return true
    })
  const empty = seats.filter((_, at) => !seat(at, new Set()))
  return needed
    .map(({ role }) => ({ role, count: empty.filter((other) => other === role).length }))
    .filter(({ count }) => count > 0)
}

/** For example `2 × ops, 1 × owner`. */
export const peopleOf = (needed: readonly Requirement[]): string =>
  needed.map(({ role, count }) => `${count} × ${role}`).join(', ')

/** What follows "somebody said no": a button has no room for a reason. */
export const becauseOf = ({ reason }: NonNullable<Approval['declined']>): Bilingual =>
  reason === '' ? { en: '', zh: '' } : { en: `: ${reason}`, zh: `：${reason}` }

export const pendingError = ({ id, missing }: Pick<Approval, 'id' | 'missing'>): AppError =>
  new AppError('APPROVAL_PENDING', { approval: id, missing: peopleOf(missing) })

/** @param now epoch ms */
export function openApprovals(store: ApprovalStore, now: () => number): Approvals {
  function read(row: ApprovalRow): Approval {
    const votes = store.votes(row.id)
    const needed = JSON.parse(row.needed) as Requirement[]
    const missing = missingOf(needed, votes)
    const no = votes.find(({ agrees }) => agrees === 0)
    const isOver = row.closed_at !== null || row.expires_at <= now()
    return {
      ...(JSON.parse(row.shown) as Shown),
      id: row.id,
      action: row.action,
      asker: row.principal,
      askerName: row.principal_name,
      needed,
      missing,
      givenBy: votes.filter(({ agrees }) => agrees === 1).map(({ principal_name }) => principal_name),
      ...(no ? { declined: { by: no.principal_name, reason: no.reason ?? '' } } : {}),
      ...(isOver ? { ended: row.ended ?? 'expired' } : {}),
      state: isOver ? 'over' : no ? 'declined' : missing.length === 0 ? 'given' : 'open',
      askedAt: row.asked_at,
      expiresAt: row.expires_at,
    }
  }
  /** A token is no person, and nobody agrees with themselves. */
  const mayDecide = (row: ApprovalRow, principal: Principal): boolean =>
    principal.kind !== 'token' &&
    principal.tenant === row.tenant &&
    principalKey(principal) !== row.principal &&
    (JSON.parse(row.needed) as Requirement[]).some(({ role }) => principal.roles.includes(role))
  const maySee = (row: ApprovalRow, principal: Principal): boolean =>
    principalKey(principal) === row.principal || mayDecide(row, principal)
  const find = (id: string): ApprovalRow => {
    const row = store.get(id)
    if (!row) throw new AppError('APPROVAL_NOT_FOUND', { approval: id })
    return row
  }
  const seen = (id: string, principal: Principal): ApprovalRow => {
    const row = find(id)
    if (!maySee(row, principal)) throw new AppError('APPROVAL_NOT_FOUND', { approval: id })
    return row
  }

  return {
    ask({ principal, action, needed, what, why, facts }) {
      store.sweep(now() - KEPT_MS)
      const row: ApprovalRow = {
        id: randomBytes(6).toString('hex'),
        tenant: principal.tenant,
        principal: principalKey(principal),
        principal_name: principal.name,
        action,
        shown: JSON.stringify({ what, why, facts } satisfies Shown),
        needed: JSON.stringify(needed),
        asked_at: now(),
        expires_at: now() + APPROVAL_MS,
        closed_at: null,
        ended: null,
      }
      store.insert(row)
      return read(row)
    },
    list: (principal) =>
      store
        .open(principal.tenant, now())
        .filter((row) => maySee(row, principal))
        .map(read),
    show: (id, principal) => read(seen(id, principal)),
    decide(id, principal, verdict) {
      const row = seen(id, principal)
      if (!mayDecide(row, principal)) {
        throw new AppError('APPROVAL_NOT_YOURS', { needed: peopleOf(JSON.parse(row.needed) as Requirement[]) })
      }
      if (read(row).state === 'over') throw new AppError('APPROVAL_OVER')
      store.vote({
        approval: id,
        principal: principalKey(principal),
        principal_name: principal.name,
        roles: JSON.stringify(principal.roles),
        agrees: verdict.agrees ? 1 : 0,
        reason: verdict.agrees ? null : verdict.reason,
        at: now(),
      })
      const said = store.votes(id).find((vote) => vote.principal === principalKey(principal))
      // It ended in between, or this person had said something else before.
      if (said?.agrees !== (verdict.agrees ? 1 : 0)) throw new AppError('APPROVAL_OVER')
      return read(row)
    },
    require(id, needed) {
      const { state, declined } = read(find(id))
      if (state === 'over') throw new AppError('APPROVAL_OVER')
      if (declined) throw new AppError('APPROVAL_DECLINED', { by: declined.by, because: becauseOf(declined) })
      const votes = store.votes(id)
      const missing = missingOf(needed, votes)
      if (missing.length > 0) throw pendingError({ id, missing })
      return votes.map(({ principal }) => principal)
    },
    get(id) {
      const row = store.get(id)
      return row && read(row)
    },
    close: (id, as) => store.close(id, now(), as),
  }
}
