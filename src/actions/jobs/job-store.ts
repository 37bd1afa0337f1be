// Jobs as they survive a restart.
import type { Database } from 'better-sqlite3'
import { migrateStore } from '../migrate-store.js'

const STEPS = [
  `CREATE TABLE jobs (
     id TEXT PRIMARY KEY,
     process TEXT NOT NULL,
     tenant TEXT NOT NULL,
     principal TEXT NOT NULL,
     action TEXT NOT NULL,
     host TEXT,
     instance TEXT,
     state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
     bytes INTEGER NOT NULL DEFAULT 0,
     error_code TEXT,
     error_details TEXT,
     artifact TEXT,
     created_at INTEGER NOT NULL,
     started_at INTEGER,
     finished_at INTEGER
   ) STRICT;
   CREATE INDEX jobs_by_tenant ON jobs (tenant, created_at);
   CREATE INDEX jobs_unfinished ON jobs (state) WHERE state IN ('queued', 'running');`,
  'ALTER TABLE jobs ADD COLUMN result TEXT;',
  'ALTER TABLE jobs ADD COLUMN total_bytes INTEGER; ALTER TABLE jobs ADD COLUMN phase TEXT;',
]

export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled'

export interface JobRow {
  readonly id: string
  readonly process: string
  readonly tenant: string
  readonly principal: string
  readonly action: string
  readonly host: string | null
  readonly instance: string | null
  readonly state: JobState
  readonly bytes: number
  readonly total_bytes: number | null
  readonly phase: string | null
  readonly error_code: string | null
  readonly error_details: string | null
  readonly artifact: string | null
  /** JSON. */
  readonly result: string | null
  readonly created_at: number
  readonly started_at: number | null
  readonly finished_at: number | null
}

export interface JobEnd {
  readonly id: string
  readonly state: 'done' | 'failed' | 'cancelled'
  readonly bytes: number
  readonly error_code: string | null
  readonly error_details: string | null
  readonly artifact: string | null
  readonly result: string | null
  readonly finished_at: number
}

export type JobStore = ReturnType<typeof openJobStore>

export function openJobStore(db: Database) {
  migrateStore(db, 'jobs', STEPS)
  const insert = db.prepare<
    [Pick<JobRow, 'id' | 'process' | 'tenant' | 'principal' | 'action' | 'host' | 'instance' | 'state' | 'created_at'>]
  >(
    `INSERT INTO jobs (id, process, tenant, principal, action, host, instance, state, created_at)
     VALUES (@id, @process, @tenant, @principal, @action, @host, @instance, @state, @created_at)`,
  )
  const get = db.prepare<[string, string], JobRow>('SELECT * FROM jobs WHERE id = ? AND tenant = ?')
  const recent = db.prepare<[{ tenant: string; principal: string | null; limit: number }], JobRow>(
    `SELECT * FROM jobs WHERE tenant = @tenant AND (@principal IS NULL OR principal = @principal)
     ORDER BY created_at DESC, rowid DESC LIMIT @limit`,
  )
  const unfinished = db.prepare<[], JobRow>(`SELECT * FROM jobs WHERE state IN ('queued', 'running')`)
  const running = db.prepare<[number, string]>(`UPDATE jobs SET state = 'running', started_at = ? WHERE id = ?`)
  const progress = db.prepare<[number, number | null, string | null, string]>(
    'UPDATE jobs SET bytes = ?, total_bytes = ?, phase = ? WHERE id = ?',
  )
  const cancel = db.prepare<[string, string]>(
    `UPDATE jobs SET error_code = 'CANCELLED' WHERE id = ? AND tenant = ? AND state IN ('queued', 'running')`,
  )
  const cancelAsked = db.prepare<[string], { id: string }>(
    `SELECT id FROM jobs WHERE process = ? AND error_code = 'CANCELLED' AND state IN ('queued', 'running')`,
  )
  const end = db.prepare<[JobEnd]>(
    `UPDATE jobs SET state = @state, bytes = @bytes, error_code = @error_code, error_details = @error_details,
       artifact = @artifact, result = @result, finished_at = @finished_at
     WHERE id = @id AND state IN ('queued', 'running')`,
  )
  return {
    insert: (row: Parameters<typeof insert.run>[0]): void => void insert.run(row),
    get: (id: string, tenant: string): JobRow | undefined => get.get(id, tenant),
    /** Newest first. */
    recent: (tenant: string, limit: number, principal: string | undefined): JobRow[] =>
      recent.all({ tenant, principal: principal ?? null, limit }),
    unfinished: (): JobRow[] => unfinished.all(),
    setRunning: (id: string, at: number): void => void running.run(at, id),
    setProgress: (id: string, bytes: number, totalBytes: number | null, phase: string | null): void =>
      void progress.run(bytes, totalBytes, phase, id),
    /** Leaves a mark that the process which runs the job finds. @returns false when it has already ended */
    askCancel: (id: string, tenant: string): boolean => cancel.run(id, tenant).changes === 1,
    cancelAsked: (process: string): string[] => cancelAsked.all(process).map((row) => row.id),
    /** A job ends once. */
    end: (row: JobEnd): boolean => end.run(row).changes === 1,
  }
}
