// Calls that wait for their asker's click.
import type { Database } from 'better-sqlite3'
import { migrateStore } from '../migrate-store.js'

const STEPS = [
  `CREATE TABLE confirmations (
     token_hash TEXT PRIMARY KEY,
     principal TEXT NOT NULL,
     action TEXT NOT NULL,
     input TEXT NOT NULL,
     file TEXT,
     input_digest TEXT NOT NULL,
     target_digest TEXT NOT NULL,
     expires_at INTEGER NOT NULL,
     used_at INTEGER
   ) STRICT, WITHOUT ROWID;`,
  // From here on an input is sealed; those that are not could not be read, and are two minutes old at most.
  'DELETE FROM confirmations;',
  'ALTER TABLE confirmations ADD COLUMN approval TEXT;',
]

export interface ConfirmationRow {
  readonly token_hash: string
  readonly principal: string
  readonly action: string
  /** Sealed with the token. */
  readonly input: string
  readonly file: string | null
  readonly input_digest: string
  readonly target_digest: string
  readonly expires_at: number
  readonly used_at: number | null
  /** What others must have agreed to first. */
  readonly approval: string | null
}

export type ConfirmationStore = ReturnType<typeof openConfirmationStore>

export function openConfirmationStore(db: Database) {
  migrateStore(db, 'confirmations', STEPS)
  const insert = db.prepare<[ConfirmationRow]>(
    `INSERT INTO confirmations
     VALUES (@token_hash, @principal, @action, @input, @file, @input_digest, @target_digest, @expires_at, @used_at,
             @approval)`,
  )
  const get = db.prepare<[string], ConfirmationRow>('SELECT * FROM confirmations WHERE token_hash = ?')
  const use = db.prepare<[{ token_hash: string; now: number }]>(
    `UPDATE confirmations SET used_at = @now
     WHERE token_hash = @token_hash AND used_at IS NULL AND expires_at > @now`,
  )
  const sweep = db.prepare<[number]>('DELETE FROM confirmations WHERE expires_at <= ?')
  return {
    insert: (row: ConfirmationRow): void => void insert.run(row),
    get: (tokenHash: string): ConfirmationRow | undefined => get.get(tokenHash),
    /** One statement, so that of any number of clicks at once exactly one gets `true`. */
    use: (tokenHash: string, now: number): boolean => use.run({ token_hash: tokenHash, now }).changes === 1,
    sweep: (now: number): void => void sweep.run(now),
  }
}
