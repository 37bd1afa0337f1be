// The audit log's table. Rows are only ever added.
import type { Database } from 'better-sqlite3'
import { migrateStore } from '../migrate-store.js'

const STEPS = [
  `CREATE TABLE audit (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     at INTEGER NOT NULL,
     request_id TEXT NOT NULL,
     phase TEXT NOT NULL CHECK (phase IN ('intent', 'outcome')),
     process TEXT NOT NULL,
     tenant TEXT NOT NULL,
     principal TEXT NOT NULL,
     principal_name TEXT NOT NULL,
     roles TEXT NOT NULL,
     surface TEXT NOT NULL,
     action TEXT NOT NULL,
     effect TEXT NOT NULL,
     host TEXT,
     instance TEXT,
     input TEXT NOT NULL,
     digest TEXT NOT NULL,
     policies TEXT NOT NULL,
     outcome TEXT,
     bytes INTEGER,
     duration_ms INTEGER
   ) STRICT;
   CREATE INDEX audit_by_request ON audit (request_id, phase);
   CREATE INDEX audit_by_tenant ON audit (tenant, seq);
   CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows never change'); END;
   CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows never go'); END;`,
]

export interface AuditRow {
  readonly seq: number
  readonly at: number
  readonly request_id: string
  readonly phase: 'intent' | 'outcome'
  readonly process: string
  readonly tenant: string
  readonly principal: string
  readonly principal_name: string
  readonly roles: string
  readonly surface: string
  readonly action: string
  readonly effect: string
  readonly host: string | null
  readonly instance: string | null
  readonly input: string
  readonly digest: string
  readonly policies: string
  readonly outcome: string | null
  readonly bytes: number | null
  readonly duration_ms: number | null
}

export interface AuditFilter {
  readonly tenant: string
  readonly limit: number
  readonly before?: number
  readonly action?: string
  readonly principal?: string
  readonly outcome?: string
}

export type AuditStore = ReturnType<typeof openAuditStore>

export function openAuditStore(db: Database) {
  migrateStore(db, 'audit', STEPS)
  const insert = db.prepare<[Omit<AuditRow, 'seq'>]>(
    `INSERT INTO audit (at, request_id, phase, process, tenant, principal, principal_name, roles, surface, action, effect,
                        host, instance, input, digest, policies, outcome, bytes, duration_ms)
     VALUES (@at, @request_id, @phase, @process, @tenant, @principal, @principal_name, @roles, @surface, @action, @effect,
             @host, @instance, @input, @digest, @policies, @outcome, @bytes, @duration_ms)`,
  )
  const list = db.prepare<[Record<string, unknown>], AuditRow>(
    `SELECT * FROM audit
     WHERE tenant = @tenant AND (@before IS NULL OR seq < @before) AND (@action IS NULL OR action = @action)
       AND (@principal IS NULL OR principal = @principal) AND (@outcome IS NULL OR outcome = @outcome)
     ORDER BY seq DESC LIMIT @limit`,
  )
  const open = db.prepare<[], AuditRow>(
    `SELECT * FROM audit AS intent
     WHERE phase = 'intent' AND NOT EXISTS
       (SELECT 1 FROM audit AS outcome WHERE outcome.request_id = intent.request_id AND outcome.phase = 'outcome')`,
  )
  return {
    insert: (row: Omit<AuditRow, 'seq'>): number => Number(insert.run(row).lastInsertRowid),
    /** Newest first. */
    list: (filter: AuditFilter): AuditRow[] =>
      list.all({ before: null, action: null, principal: null, outcome: null, ...filter }),
    /** Intents that no outcome answers yet. */
    open: (): AuditRow[] => open.all(),
    atomically: <T>(work: () => T): T => db.transaction(work).immediate(),
  }
}
