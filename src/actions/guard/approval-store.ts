// Calls that wait for other people, and what each of these said.
import type { Database } from 'better-sqlite3'
import { migrateStore } from '../migrate-store.js'

const STEPS = [
  `CREATE TABLE approvals (
     id TEXT PRIMARY KEY,
     tenant TEXT NOT NULL,
     principal TEXT NOT NULL,
     principal_name TEXT NOT NULL,
     action TEXT NOT NULL,
     shown TEXT NOT NULL,
     needed TEXT NOT NULL,
     asked_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL,
     closed_at INTEGER
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX approvals_by_tenant ON approvals (tenant, asked_at);
   CREATE TABLE approval_votes (
     approval TEXT NOT NULL REFERENCES approvals (id) ON DELETE CASCADE,
     principal TEXT NOT NULL,
     principal_name TEXT NOT NULL,
     roles TEXT NOT NULL,
     agrees INTEGER NOT NULL,
     reason TEXT,
     at INTEGER NOT NULL,
     PRIMARY KEY (approval, principal)
   ) STRICT, WITHOUT ROWID;`,
  'ALTER TABLE approvals ADD COLUMN ended TEXT',
]

export interface ApprovalRow {
  readonly id: string
  readonly tenant: string
  readonly principal: string
  readonly principal_name: string
  readonly action: string
  /** What the others are shown. */
  readonly shown: string
  readonly needed: string
  readonly asked_at: number
  readonly expires_at: number
  /** Used or withdrawn. */
  readonly closed_at: number | null
  /** Which of the two. */
  readonly ended: 'used' | 'withdrawn' | null
}

export interface VoteRow {
  readonly approval: string
  readonly principal: string
  readonly principal_name: string
  readonly roles: string
  readonly agrees: 0 | 1
  readonly reason: string | null
  readonly at: number
}

export type ApprovalStore = ReturnType<typeof openApprovalStore>

export function openApprovalStore(db: Database) {
  migrateStore(db, 'approvals', STEPS)
  const insert = db.prepare<[ApprovalRow]>(
    `INSERT INTO approvals VALUES
       (@id, @tenant, @principal, @principal_name, @action, @shown, @needed, @asked_at, @expires_at, @closed_at,
        @ended)`,
  )
  const get = db.prepare<[string], ApprovalRow>('SELECT * FROM approvals WHERE id = ?')
  const open = db.prepare<[string, number], ApprovalRow>(
    `SELECT * FROM approvals WHERE tenant = ? AND closed_at IS NULL AND expires_at > ? ORDER BY asked_at`,
  )
  const close = db.prepare<[number, string, string]>(
    'UPDATE approvals SET closed_at = ?, ended = ? WHERE id = ? AND closed_at IS NULL',
  )
  // One statement: of a vote and the end of what it is about, exactly one comes first. What was said stays said.
  const vote = db.prepare<[VoteRow]>(
    `INSERT INTO approval_votes SELECT @approval, @principal, @principal_name, @roles, @agrees, @reason, @at
     WHERE EXISTS (SELECT 1 FROM approvals WHERE id = @approval AND closed_at IS NULL AND expires_at > @at)
     ON CONFLICT DO NOTHING`,
  )
  const votes = db.prepare<[string], VoteRow>('SELECT * FROM approval_votes WHERE approval = ? ORDER BY at')
  const sweep = db.prepare<[number]>('DELETE FROM approvals WHERE expires_at <= ?')
  return {
    insert: (row: ApprovalRow): void => void insert.run(row),
    get: (id: string): ApprovalRow | undefined => get.get(id),
    /** Those of a tenant that wait, oldest first. */
    open: (tenant: string, now: number): ApprovalRow[] => open.all(tenant, now),
    close: (id: string, now: number, as: 'used' | 'withdrawn'): void => void close.run(now, as, id),
    vote: (row: VoteRow): void => void vote.run(row),
    votes: (id: string): VoteRow[] => votes.all(id),
    sweep: (before: number): void => void sweep.run(before),
  }
}
