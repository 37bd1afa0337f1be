// "Are you sure?", bound to who asked, what exactly was asked and what it was asked about; good once, for two minutes.
import { randomBytes } from 'node:crypto'
import { type Principal, principalKey } from '../action.js'
import { AppError } from '../errors.js'
import type { ConfirmationStore } from './confirmation-store.js'
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
  create(call: Confirmable): PendingConfirmation
  /**
   * Uses the confirmation up, if it is this person's, for this call and this target.
   * @throws AppError CONFIRMATION_EXPIRED, CONFIRMATION_NOT_YOURS, CONFIRMATION_MISMATCH, TARGET_CHANGED
   */
  redeem(token: string, call: Confirmable): void
  /** Uses it up without running anything. @throws AppError CONFIRMATION_EXPIRED, CONFIRMATION_NOT_YOURS */
  withdraw(token: string, principal: Principal): void
  /** What was asked, for a surface whose click carries only the token. @throws as `withdraw` */
  recall(token: string, principal: Principal): Pick<Confirmable, 'action' | 'input' | 'file'>
}

/** @param now epoch ms */
export function openConfirmations(store: ConfirmationStore, now: () => number): Confirmations {
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
  const use = (tokenHash: string) => {
    if (!store.use(tokenHash, now())) throw new AppError('CONFIRMATION_EXPIRED')
  }

  return {
    create(call) {
      const token = randomBytes(24).toString('base64url')
      const expiresAt = now() + CONFIRMATION_MS
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
      })
      return { token, expiresAt }
    },
    redeem(token, call) {
      const row = find(token, call.principal)
      if (row.action !== call.action || row.input_digest !== inputDigest(token, call)) {
        throw new AppError('CONFIRMATION_MISMATCH')
      }
      if (row.target_digest !== targetDigest(call)) throw new AppError('TARGET_CHANGED')
      use(row.token_hash)
    },
    withdraw(token, principal) {
      use(find(token, principal).token_hash)
    },
    recall(token, principal) {
      const row = find(token, principal)
      return {
        action: row.action,
        input: JSON.parse(unseal(token, row.input)) as Record<string, unknown>,
        ...(row.file === null ? {} : { file: JSON.parse(row.file) as FileReference }),
      }
    },
  }
}
