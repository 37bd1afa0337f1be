// Who did what, where, by which policy, and how it ended: an intent before, an outcome after, for every call.
import { setImmediate } from 'node:timers/promises'
import { type Effect, type Principal, principalKey, type Surface } from '../action.js'
import { AppError } from '../errors.js'
import { type Broken, createFollower } from './audit-chain.js'
import type { AuditFilter, AuditRow, AuditStore, NewAuditRow } from './audit-store.js'
import { canonicalJson, redactInput, sha256 } from './redact.js'

/** So many rows are checked in a few milliseconds. */
const PAGE = 500

/** One call as the log knows it. */
export interface AuditEntry {
  readonly requestId: string
  readonly principal: Principal
  readonly surface: Surface
  readonly action: string
  readonly effect: Effect
  readonly input: Readonly<Record<string, unknown>>
  readonly host?: string
  readonly instance?: string
  readonly policies: readonly string[]
  /** Who else agreed. */
  readonly approvals?: readonly string[]
  /** Epoch ms. */
  readonly startedAt: number
}

export interface AuditOutcome {
  /** `OK`, or an error's code. */
  readonly code: string
  readonly bytes?: number
}

export interface AuditRecord {
  readonly seq: number
  readonly at: number
  readonly requestId: string
  readonly phase: 'intent' | 'outcome'
  readonly principal: string
  readonly principalName: string
  readonly roles: readonly string[]
  readonly surface: string
  readonly action: string
  readonly effect: string
  readonly host?: string
  readonly instance?: string
  readonly input: Readonly<Record<string, unknown>>
  readonly digest: string
  readonly policies: readonly string[]
  readonly approvals: readonly string[]
  readonly outcome?: string
  readonly bytes?: number
  readonly durationMs?: number
}

export interface AuditCheck {
  readonly rows: number
  /** Number and hash of the last row. */
  readonly last: number
  readonly head: string
  readonly broken: readonly Broken[]
}

export interface AuditLog {
  /** @throws AppError AUDIT_UNAVAILABLE: then the call must not run */
  intent(entry: AuditEntry): void
  outcome(entry: AuditEntry, outcome: AuditOutcome): void
  /** A call that was refused before it ran: both rows at once. @throws AppError AUDIT_UNAVAILABLE */
  refused(entry: AuditEntry, code: string): void
  /** Newest first. */
  list(filter: AuditFilter): AuditRecord[]
  /** Follows the chain from the first row to the last, of every tenant. */
  verify(signal: AbortSignal): Promise<AuditCheck>
  /** Answers the intents of processes that are gone with INTERRUPTED. @returns how many there were */
  settleInterrupted(isAlive: (process: string) => boolean): number
  /** Everything inside happens as one, or not at all. */
  atomically<T>(work: () => T): T
}

const record = (row: AuditRow): AuditRecord => ({
  seq: row.seq,
  at: row.at,
  requestId: row.request_id,
  phase: row.phase,
  principal: row.principal,
  principalName: row.principal_name,
  roles: JSON.parse(row.roles) as string[],
  surface: row.surface,
  action: row.action,
  effect: row.effect,
  ...(row.host === null ? {} : { host: row.host }),
  ...(row.instance === null ? {} : { instance: row.instance }),
  input: JSON.parse(row.input) as Record<string, unknown>,
  digest: row.digest,
  policies: JSON.parse(row.policies) as string[],
  approvals: JSON.parse(row.approvals) as string[],
  ...(row.outcome === null ? {} : { outcome: row.outcome }),
  ...(row.bytes === null ? {} : { bytes: row.bytes }),
  ...(row.duration_ms === null ? {} : { durationMs: row.duration_ms }),
})

/** @param process the name of this process in the liveness register @param now epoch ms */
export function openAudit(store: AuditStore, process: string, now: () => number): AuditLog {
  const row = (entry: AuditEntry, phase: 'intent' | 'outcome', outcome?: AuditOutcome): NewAuditRow => {
    const at = now()
    return {
      at,
      request_id: entry.requestId,
      phase,
      process,
      tenant: entry.principal.tenant,
      principal: principalKey(entry.principal),
      principal_name: entry.principal.name,
      roles: JSON.stringify(entry.principal.roles),
      surface: entry.surface,
      action: entry.action,
      effect: entry.effect,
      host: entry.host ?? null,
      instance: entry.instance ?? null,
      input: JSON.stringify(redactInput(entry.input)),
      digest: sha256(canonicalJson(entry.input)),
      policies: JSON.stringify(entry.policies),
      approvals: JSON.stringify(entry.approvals ?? []),
      outcome: outcome?.code ?? null,
      bytes: outcome?.bytes ?? null,
      duration_ms: outcome ? at - entry.startedAt : null,
    }
  }
  const orUnavailable = (write: () => void): void => {
    try {
      write()
    } catch (cause) {
      throw new AppError('AUDIT_UNAVAILABLE', {}, { cause })
    }
  }
  return {
    intent: (entry) => orUnavailable(() => store.insert(row(entry, 'intent'))),
    outcome: (entry, outcome) => orUnavailable(() => store.insert(row(entry, 'outcome', outcome))),
    refused: (entry, code) =>
      orUnavailable(() =>
        store.atomically(() => {
          store.insert(row(entry, 'intent'))
          store.insert(row(entry, 'outcome', { code }))
        }),
      ),
    list: (filter) => store.list(filter).map(record),
    async verify(signal) {
      const follower = createFollower()
      // Asked first: what is written meanwhile is not missed.
      const highest = store.highest()
      let rows = store.page(0, PAGE)
      for (let last = rows.at(-1); last !== undefined; last = rows.at(-1)) {
        for (const one of rows) follower.next(one)
        // A long log keeps nobody waiting.
        await setImmediate()
        signal.throwIfAborted()
        rows = store.page(last.seq, PAGE)
      }
      return follower.end(highest)
    },
    settleInterrupted: (isAlive) =>
      store.atomically(() => {
        const gone = store.open().filter((intent) => !isAlive(intent.process))
        for (const { seq: _, hash: __, ...intent } of gone) {
          store.insert({
            ...intent,
            at: now(),
            phase: 'outcome',
            outcome: 'INTERRUPTED',
            duration_ms: now() - intent.at,
          })
        }
        return gone.length
      }),
    atomically: store.atomically,
  }
}
