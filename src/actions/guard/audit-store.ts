// The audit log's table. Rows are only ever added, each linked to the one before it.
import type { Database } from 'better-sqlite3'
import { migrateStore } from '../migrate-store.js'
import { BEGINNING, COLUMNS, type Known, linkOf, START } from './audit-chain.js'
import type { Seal, SealKind } from './audit-seal.js'

const NO_UPDATE = `CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
   BEGIN SELECT RAISE(ABORT, 'audit rows never change'); END`

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
   ${NO_UPDATE};
   CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows never go'); END;`,
  (db: Database): void => {
    db.exec(`DROP TRIGGER audit_no_update; ALTER TABLE audit ADD COLUMN hash TEXT NOT NULL DEFAULT '';
             ALTER TABLE audit ADD COLUMN approvals TEXT NOT NULL DEFAULT '[]'`)
    const read = db.prepare<[number], AuditRow>('SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT 1')
    const write = db.prepare<[string, number]>('UPDATE audit SET hash = ? WHERE seq = ?')
    let before = START
    for (let row = read.get(0); row !== undefined; row = read.get(row.seq)) {
      before = linkOf(before, row)
      write.run(before, row.seq)
    }
    db.exec(NO_UPDATE)
  },
  // Rows go for their age alone, behind a base that is signed.
  `CREATE TABLE audit_seals (
     kind TEXT PRIMARY KEY CHECK (kind IN ('head', 'base')),
     seq INTEGER NOT NULL,
     hash TEXT NOT NULL,
     at INTEGER NOT NULL,
     signature TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   DROP TRIGGER audit_no_delete;
   CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
     WHEN OLD.seq > coalesce((SELECT seq FROM audit_seals WHERE kind = 'base'), 0)
     BEGIN SELECT RAISE(ABORT, 'audit rows never go'); END;`,
  // Which intents no outcome answers yet, without a look at the whole log at each start.
  `CREATE TABLE audit_open (seq INTEGER PRIMARY KEY, request_id TEXT NOT NULL) STRICT;
   CREATE INDEX audit_open_by_request ON audit_open (request_id);
   INSERT INTO audit_open SELECT seq, request_id FROM audit AS intent
     WHERE phase = 'intent' AND NOT EXISTS
       (SELECT 1 FROM audit AS outcome WHERE outcome.request_id = intent.request_id AND outcome.phase = 'outcome');
   CREATE TRIGGER audit_opened AFTER INSERT ON audit WHEN NEW.phase = 'intent'
     BEGIN INSERT INTO audit_open VALUES (NEW.seq, NEW.request_id); END;
   CREATE TRIGGER audit_closed AFTER INSERT ON audit WHEN NEW.phase = 'outcome'
     BEGIN DELETE FROM audit_open WHERE request_id = NEW.request_id; END;`,
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
  readonly approvals: string
  readonly outcome: string | null
  readonly bytes: number | null
  readonly duration_ms: number | null
  /** In hex; see `audit-chain.ts`. */
  readonly hash: string
}

/** What its writer says; its number and its hash follow from the row before. */
export type NewAuditRow = Omit<AuditRow, 'seq' | 'hash'>

export interface AuditFilter {
  readonly tenant: string
  readonly limit: number
  readonly before?: number
  /** Epoch ms, both: from the first on, and before the second. */
  readonly since?: number
  readonly until?: number
  readonly action?: string
  readonly principal?: string
  readonly outcome?: string
}

export type AuditStore = ReturnType<typeof openAuditStore>

export function openAuditStore(db: Database) {
  migrateStore(db, 'audit', STEPS)
  const columns = [...COLUMNS, 'hash']
  const insert = db.prepare<[AuditRow]>(
    `INSERT INTO audit (${columns.join(', ')}) VALUES (${columns.map((column) => `@${column}`).join(', ')})`,
  )
  const last = db.prepare<[], Known>('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1')
  const highest = db.prepare<[], number>(`SELECT seq FROM sqlite_sequence WHERE name = 'audit'`).pluck()
  const page = db.prepare<[number, number], AuditRow>('SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?')
  const seal = db.prepare<[SealKind], Seal>('SELECT * FROM audit_seals WHERE kind = ?')
  const sealed = (kind: SealKind): Seal | undefined => seal.get(kind)
  const putSeal = db.prepare<[Seal]>('INSERT OR REPLACE INTO audit_seals VALUES (@kind, @seq, @hash, @at, @signature)')
  // Others write here too, so what is the last row is only sure while none of them can.
  const append = db.transaction((row: NewAuditRow): void => {
    // Never the number of a row that is gone: its gap is to stay.
    const numbered = { ...row, seq: (highest.get() ?? 0) + 1 }
    insert.run({ ...numbered, hash: linkOf((last.get() ?? sealed('base') ?? BEGINNING).hash, numbered) })
  })
  const FITS = `tenant = @tenant AND (@before IS NULL OR seq < @before) AND (@action IS NULL OR action = @action)
       AND (@principal IS NULL OR principal = @principal) AND (@outcome IS NULL OR outcome = @outcome)
       AND (@since IS NULL OR at >= @since) AND (@until IS NULL OR at < @until)`
  const list = db.prepare<[Record<string, unknown>], AuditRow>(
    `SELECT * FROM audit WHERE ${FITS} ORDER BY seq DESC LIMIT @limit`,
  )
  const after = db.prepare<[Record<string, unknown>], AuditRow>(
    `SELECT * FROM audit WHERE seq > @after AND ${FITS} ORDER BY seq LIMIT @limit`,
  )
  const anything = { before: null, action: null, principal: null, outcome: null, since: null, until: null }
  const young = db.prepare<[number], number>('SELECT seq FROM audit WHERE at >= ? ORDER BY seq LIMIT 1').pluck()
  const drop = db.prepare<[number]>('DELETE FROM audit WHERE seq <= ?')
  // In this order: the planner would rather read the whole log, which it takes to be as short.
  const open = db.prepare<[], AuditRow>('SELECT audit.* FROM audit_open CROSS JOIN audit USING (seq) ORDER BY seq')
  return {
    insert: (row: NewAuditRow): void => append.immediate(row),
    /** The rows behind one, oldest first. */
    page: (after: number, limit: number): AuditRow[] => page.all(after, limit),
    /** The highest number that was ever given to a row. */
    highest: (): number => highest.get() ?? 0,
    /** Newest first. */
    list: (filter: AuditFilter): AuditRow[] => list.all({ ...anything, ...filter }),
    /** Those behind one, oldest first. */
    after: (filter: Omit<AuditFilter, 'limit' | 'before'>, seq: number, limit: number): AuditRow[] =>
      after.all({ ...anything, ...filter, after: seq, limit }),
    /** Intents that no outcome answers yet. */
    open: (): AuditRow[] => open.all(),
    /** The newest row. */
    last: (): Known | undefined => last.get(),
    /** The number of the oldest row that is not older than this, epoch ms. */
    firstSince: (since: number): number | undefined => young.get(since),
    sealed,
    seal: (one: Seal): void => void putSeal.run(one),
    /** Removes the rows up to one, which a base is to have been sealed for. */
    drop: (seq: number): void => void drop.run(seq),
    atomically: <T>(work: () => T): T => db.transaction(work).immediate(),
  }
}
