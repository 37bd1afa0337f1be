// Where requests for approval are shown to those who decide, and who is to hear what came of them: outlives a restart.
import type { Database } from 'better-sqlite3'
import { migrateStore } from '../migrate-store.js'

const STEPS = [
  `CREATE TABLE approval_notices (
     approval TEXT PRIMARY KEY REFERENCES approvals (id) ON DELETE CASCADE,
     tenant TEXT NOT NULL,
     lang TEXT NOT NULL,
     channel TEXT,
     message TEXT,
     shown TEXT NOT NULL,
     asker TEXT NOT NULL,
     asker_lang TEXT NOT NULL,
     asked_in TEXT,
     told INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
]

export interface NoticeRow {
  readonly approval: string
  readonly tenant: string
  readonly lang: 'en' | 'zh'
  /** Where it is shown; null while it is nowhere. */
  readonly channel: string | null
  readonly message: string | null
  /** What it says there. */
  readonly shown: string
  /** A user, by id. */
  readonly asker: string
  readonly asker_lang: 'en' | 'zh'
  /** The channel of the call. */
  readonly asked_in: string | null
  /** Whether the asker has heard what was decided. */
  readonly told: 0 | 1
}

export type ApprovalNotices = ReturnType<typeof openApprovalNoticeStore>

/** @param db after the approvals' own store has opened it */
export function openApprovalNoticeStore(db: Database) {
  migrateStore(db, 'approval-notices', STEPS)
  const insert = db.prepare<[NoticeRow]>(
    `INSERT INTO approval_notices
       (approval, tenant, lang, channel, message, shown, asker, asker_lang, asked_in, told)
     VALUES (@approval, @tenant, @lang, @channel, @message, @shown, @asker, @asker_lang, @asked_in, @told)`,
  )
  const all = db.prepare<[], NoticeRow>('SELECT * FROM approval_notices')
  const place = db.prepare<[string | null, string | null, string]>(
    'UPDATE approval_notices SET channel = ?, message = ? WHERE approval = ?',
  )
  const shows = db.prepare<[string, string]>('UPDATE approval_notices SET shown = ? WHERE approval = ?')
  const told = db.prepare<[string]>('UPDATE approval_notices SET told = 1 WHERE approval = ?')
  const remove = db.prepare<[string]>('DELETE FROM approval_notices WHERE approval = ?')
  return {
    insert: (row: NoticeRow): void => void insert.run(row),
    /** Those that are still to be kept true. */
    all: (): NoticeRow[] => all.all(),
    place: (approval: string, at: { readonly channel: string; readonly message: string } | undefined): void =>
      void place.run(at?.channel ?? null, at?.message ?? null, approval),
    shows: (approval: string, shown: string): void => void shows.run(shown, approval),
    told: (approval: string): void => void told.run(approval),
    remove: (approval: string): void => void remove.run(approval),
  }
}
