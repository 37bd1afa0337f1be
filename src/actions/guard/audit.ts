// Who did what, where, by which policy, and how it ended: an intent before, an outcome after, for every call.
import { setImmediate } from 'node:timers/promises'
import { type Effect, type Principal, principalKey, type Surface } from '../action.js'
import { AppError } from '../errors.js'
import type { Bilingual } from '../text.js'
import { BEGINNING, type Broken, createFollower, type Known } from './audit-chain.js'
import { SEALS, type Seal, type Sealer } from './audit-seal.js'
import type { AuditFilter, AuditRow, AuditStore, NewAuditRow } from './audit-store.js'
import { canonicalJson, redactInput, sha256 } from './redact.js'

/** So many rows are checked, or removed, in a few milliseconds. */
const PAGE = 500

const NOTHING_REMOVED: Bilingual = { en: 'No row was removed for its age.', zh: '未按保留期移除任何记录。' }

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
  /** In hex. */
  readonly hash: string
}

export interface AuditCheck {
  readonly rows: number
  /** Number and hash of the last row. */
  readonly last: number
  readonly head: string
  /** How far it went when it was last signed, and up to where rows were removed for their age. */
  readonly sealed: number
  readonly removed: number
  /** Of the key that signs, raw, in base64url. */
  readonly publicKey: string
  readonly broken: readonly Broken[]
}

export interface AuditLog {
  /**
   * @param agree uses up what others and the asker have agreed to; as one with the row, so that neither is without the other
   * @throws AppError AUDIT_UNAVAILABLE, or what `agree` throws: then the call must not run, and nothing was used up
   */
  intent(entry: AuditEntry, agree?: () => readonly string[]): void
  outcome(entry: AuditEntry, outcome: AuditOutcome): void
  /** A call that was refused before it ran: both rows at once. @throws AppError AUDIT_UNAVAILABLE */
  refused(entry: AuditEntry, code: string): void
  /** Newest first. */
  list(filter: AuditFilter): AuditRecord[]
  /**
   * Follows the chain from the first row to the last, of every tenant.
   * @param known rows as they were noted elsewhere
   */
  verify(known: readonly Known[], signal: AbortSignal): Promise<AuditCheck>
  /** Oldest first, a page at a time. */
  pages(filter: Omit<AuditFilter, 'limit' | 'before'>, signal: AbortSignal): AsyncGenerator<readonly AuditRecord[]>
  /** Signs how far the log goes, unless that was done. @returns what was signed */
  seal(): Seal | undefined
  /** Removes rows that are older, behind a signed base; what has not ended yet stays. @returns how many were removed */
  removeBefore(at: number, signal: AbortSignal): Promise<number>
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
  hash: row.hash,
})

export interface AuditOptions {
  readonly store: AuditStore
  readonly sealer: Sealer
  /** The name of this process in the liveness register. */
  readonly process: string
  /** Epoch ms. */
  readonly now: () => number
}

export function openAudit({ store, sealer, process, now }: AuditOptions): AuditLog {
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
      throw cause instanceof AppError ? cause : new AppError('AUDIT_UNAVAILABLE', {}, { cause })
    }
  }
  return {
    intent: (entry, agree) =>
      orUnavailable(() =>
        store.atomically(() => store.insert(row(agree ? { ...entry, approvals: agree() } : entry, 'intent'))),
      ),
    outcome: (entry, outcome) => orUnavailable(() => store.insert(row(entry, 'outcome', outcome))),
    refused: (entry, code) =>
      orUnavailable(() =>
        store.atomically(() => {
          store.insert(row(entry, 'intent'))
          store.insert(row(entry, 'outcome', { code }))
        }),
      ),
    list: (filter) => store.list(filter).map(record),
    async verify(known, signal) {
      const seals = SEALS.flatMap((kind) => store.sealed(kind) ?? [])
      const [head, base] = SEALS.map((kind) => seals.find((seal) => seal.kind === kind))
      const foreign = seals.filter((seal) => !sealer.isOurs(seal))
      const follower = createFollower(base ?? BEGINNING, [...(head ? [head] : []), ...known])
      // Asked first: what is written meanwhile is not missed.
      const highest = store.highest()
      let rows = store.page(base?.seq ?? 0, PAGE)
      for (let last = rows.at(-1); last !== undefined; last = rows.at(-1)) {
        for (const one of rows) follower.next(one)
        // A long log keeps nobody waiting.
        await setImmediate()
        signal.throwIfAborted()
        rows = store.page(last.seq, PAGE)
      }
      const followed = follower.end(highest)
      const unsigned = foreign.map(({ seq }): Broken => ({ what: 'unsigned', from: seq, to: seq }))
      return {
        ...followed,
        sealed: head?.seq ?? 0,
        removed: base?.seq ?? 0,
        publicKey: sealer.publicKey,
        broken: [...unsigned, ...followed.broken],
      }
    },
    async *pages(filter, signal) {
      for (let after = 0; ; ) {
        signal.throwIfAborted()
        const rows = store.after(filter, after, PAGE)
        const last = rows.at(-1)
        if (last === undefined) return
        yield rows.map(record)
        after = last.seq
      }
    },
    seal: () =>
      store.atomically(() => {
        const last = store.last()
        if (last === undefined || store.sealed('head')?.seq === last.seq) return undefined
        const seal = sealer.seal({ kind: 'head', seq: last.seq, hash: last.hash, at: now() })
        store.seal(seal)
        return seal
      }),
    async removeBefore(at, signal) {
      // What has been begun is to be answered by its outcome, which needs its intent.
      const begun = store.open().map(({ seq }) => seq)
      const end = Math.min(store.firstSince(at) ?? store.highest() + 1, ...begun)
      let removed = 0
      for (;;) {
        signal.throwIfAborted()
        const base = store.sealed('base') ?? BEGINNING
        const rows = store.page(base.seq, PAGE).filter(({ seq }) => seq < end)
        const last = rows.at(-1)
        if (last === undefined) return removed
        const follower = createFollower(base, [])
        for (const row of rows) follower.next(row)
        // What was touched is evidence, and stays until somebody has looked at it.
        if (follower.end(last.seq).broken.length > 0) throw new AppError('AUDIT_BROKEN', { rows: NOTHING_REMOVED })
        store.atomically(() => {
          store.seal(sealer.seal({ kind: 'base', seq: last.seq, hash: last.hash, at: now() }))
          store.drop(last.seq)
        })
        removed += rows.length
        await setImmediate()
      }
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
