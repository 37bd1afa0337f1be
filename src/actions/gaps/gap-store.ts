// What was asked, as it survives a restart: the source of what the knowledge base lacks.
import type { Database } from 'better-sqlite3'
import { migrateStore } from '../migrate-store.js'

const STEPS = [
  `CREATE TABLE questions (
     id INTEGER PRIMARY KEY,
     tenant TEXT NOT NULL,
     gist TEXT NOT NULL,
     lang TEXT NOT NULL,
     question TEXT NOT NULL,
     card TEXT,
     asked_at INTEGER NOT NULL,
     helpful INTEGER
   ) STRICT;
   CREATE INDEX questions_by_gist ON questions (tenant, gist);
   CREATE TABLE gaps (
     tenant TEXT NOT NULL,
     gist TEXT NOT NULL,
     assigned_to TEXT,
     answered_by TEXT,
     answered_at INTEGER,
     PRIMARY KEY (tenant, gist)
   ) STRICT;`,
]

export interface QuestionRow {
  readonly tenant: string
  readonly gist: string
  readonly lang: string
  readonly question: string
  /** What it was answered from; null when it was not. */
  readonly card: string | null
  readonly asked_at: number
}

export interface GapRow {
  readonly gap: number
  readonly question: string
  readonly lang: string
  readonly asked: number
  readonly unhelpful: number
  readonly last_at: number
  readonly assigned_to: string | null
}

export type GapStore = ReturnType<typeof openGapStore>

export function openGapStore(db: Database) {
  migrateStore(db, 'gaps', STEPS)
  const insert = db.prepare<[QuestionRow]>(
    `INSERT INTO questions (tenant, gist, lang, question, card, asked_at)
     VALUES (@tenant, @gist, @lang, @question, @card, @asked_at)`,
  )
  const judge = db.prepare<[number, number, string]>('UPDATE questions SET helpful = ? WHERE id = ? AND tenant = ?')
  const gistOf = db.prepare<[number, string], string>('SELECT gist FROM questions WHERE id = ? AND tenant = ?').pluck()
  // The newest wording stands for all of one gist: SQLite takes the other columns from the row that has the maximum.
  const open = db.prepare<[{ tenant: string; most: number }], GapRow>(
    `SELECT max(q.id) AS gap, q.question, q.lang, count(*) AS asked, sum(q.helpful IS 0) AS unhelpful,
       q.asked_at AS last_at, g.assigned_to
     FROM questions q LEFT JOIN gaps g ON g.tenant = q.tenant AND g.gist = q.gist
     WHERE q.tenant = @tenant AND (q.card IS NULL OR q.helpful IS 0) AND q.asked_at > coalesce(g.answered_at, 0)
     GROUP BY q.gist ORDER BY asked DESC, last_at DESC LIMIT @most`,
  )
  const assign = db.prepare<[{ tenant: string; gist: string; to: string }]>(
    `INSERT INTO gaps (tenant, gist, assigned_to) VALUES (@tenant, @gist, @to)
     ON CONFLICT DO UPDATE SET assigned_to = excluded.assigned_to`,
  )
  const close = db.prepare<[{ tenant: string; gist: string; card: string; at: number }]>(
    `INSERT INTO gaps (tenant, gist, answered_by, answered_at) VALUES (@tenant, @gist, @card, @at)
     ON CONFLICT DO UPDATE SET answered_by = excluded.answered_by, answered_at = excluded.answered_at, assigned_to = NULL`,
  )
  const sweep = db.prepare<[number]>('DELETE FROM questions WHERE asked_at < ?')
  return {
    /** @returns its id */
    insert: (row: QuestionRow): number => Number(insert.run(row).lastInsertRowid),
    /** @returns false for a question that this tenant never asked */
    judge: (id: number, tenant: string, helpful: boolean): boolean =>
      judge.run(Number(helpful), id, tenant).changes === 1,
    gistOf: (id: number, tenant: string): string | undefined => gistOf.get(id, tenant),
    /** Asked most often first. */
    open: (tenant: string, most: number): GapRow[] => open.all({ tenant, most }),
    assign: (tenant: string, gist: string, to: string): void => void assign.run({ tenant, gist, to }),
    close: (tenant: string, gist: string, card: string, at: number): void => void close.run({ tenant, gist, card, at }),
    /** Forgets questions older than `before`, epoch ms. */
    sweep: (before: number): void => void sweep.run(before),
  }
}
