// "Are you sure?", bound to who asked, what exactly was asked and what it was asked about; good once, for two minutes, or for
// as long as others may take to agree.
import { randomBytes } from 'node:crypto'
import { type Principal, principalKey } from '../action.js'
import { AppError } from '../errors.js'
import type { Approval, Approvals, Requirement } from './approvals.js'
import type { ConfirmationRow, ConfirmationStore } from './confirmation-store.js'
import { canonicalJson, sha256 } from './redact.js'
import { keyed, seal, unseal } from './seal.js'

export const CONFIRMATION_MS = 120_000

/** How a surface can find the file of a call again (an attachment's address); bytes are never stored here. */
export type FileReference = Readonly<Record<string, string | number>>

/** The call a confirmation stands for. */
export interface Confirmable {
  readonly principal: Principal
  readonly action: string
  readonly input: Readonly<Record<string, unknown>>
  readonly file?: FileReference
  /** What the target was when it was asked: a change of any of it voids the confirmation. */
  readonly target: Readonly<Record<string, unknown>>
}

export interface PendingConfirmation {
  /** Shown to the asker once; only its hash is kept. */
  readonly token: string
  /** Epoch ms. */
  readonly expiresAt: number
}

export interface Confirmations {
  /** @param approval what others must agree to before it can be used */
  create(call: Confirmable, approval?: Approval): PendingConfirmation
  /**
   * Uses the confirmation up, if it is this person's, for this call and this target, and others have agreed to it.
   * @param approvals who has to, by the policy of this moment @returns who did, as the audit log names them
   * @throws AppError CONFIRMATION_EXPIRED, CONFIRMATION_NOT_YOURS, CONFIRMATION_MISMATCH, TARGET_CHANGED, or as
   * `Approvals.require`: then it can still be used
   */
  redeem(token: string, call: Confirmable, approvals: readonly Requirement[]): readonly string[]
  /** Uses it up without running anything. @throws AppError CONFIRMATION_EXPIRED, CONFIRMATION_NOT_YOURS */
  withdraw(token: string, principal: Principal): void
  /** What was asked, for a surface whose click carries only the token. @throws as `withdraw` */
  recall(token: string, principal: Principal): Recalled
}

export interface Recalled extends Pick<Confirmable, 'action' | 'input' | 'file'> {
  /** What others have to agree to first. */
  readonly approval?: string
}

/** @param now epoch ms */
export function openConfirmations(store: ConfirmationStore, approvals: Approvals, now: () => number): Confirmations {
  const inputDigest = (token: string, call: Confirmable) =>
    keyed(token, `input ${canonicalJson({ input: call.input, file: call.file ?? null })}`).toString('hex')
  const targetDigest = (call: Confirmable) => sha256(canonicalJson(call.target))

  const find = (token: string, principal: Principal) => {
    const row = store.get(sha256(token))
    if (!row) throw new AppError('CONFIRMATION_EXPIRED')
    if (row.principal !== principalKey(principal)) throw new AppError('CONFIRMATION_NOT_YOURS')
    if (row.used_at !== null || row.expires_at <= now()) throw new AppError('CONFIRMATION_EXPIRED')
    return row
  }
  const use = ({ token_hash, approval }: ConfirmationRow, as: 'used' | 'withdrawn') => {
    if (!store.use(token_hash, now())) throw new AppError('CONFIRMATION_EXPIRED')
    if (approval !== null) approvals.close(approval, as)
  }

  return {
    create(call, approval) {
      const token = randomBytes(24).toString('base64url')
      const expiresAt = approval?.expiresAt ?? now() + CONFIRMATION_MS
      store.sweep(now() - CONFIRMATION_MS)
      store.insert({
        token_hash: sha256(token),
        principal: principalKey(call.principal),
        action: call.action,
        input: seal(token, JSON.stringify(call.input)),
        file: call.file ? JSON.stringify(call.file) : null,
        input_digest: inputDigest(token, call),
        target_digest: targetDigest(call),
        expires_at: expiresAt,
        used_at: null,
        approval: approval?.id ?? null,
      })
      return { token, expiresAt }
    },
    redeem(token, call, needed) {
      const row = find(token, call.principal)
      if (row.action !== call.action || row.input_digest !== inputDigest(token, call)) {
        throw new AppError('CONFIRMATION_MISMATCH')
      }
      if (row.target_digest !== targetDigest(call)) throw new AppError('TARGET_CHANGED')
      // It was a matter for its asker alone when it was asked for, and no longer is.
      if (row.approval === null && needed.length > 0) throw new AppError('CONFIRMATION_EXPIRED')
      const agreed = row.approval === null ? [] : approvals.require(row.approval, needed)
      use(row, 'used')
      return agreed
    },
    withdraw(token, principal) {
      use(find(token, principal), 'withdrawn')
    },
    recall(token, principal) {
      const row = find(token, principal)
      return {
        action: row.action,
        input: JSON.parse(unseal(token, row.input)) as Record<string, unknown>,
        ...(row.file === null ? {} : { file: JSON.parse(row.file) as FileReference }),
        ...(row.approval === null ? {} : { approval: row.approval }),
      }
    },
  }
}
