// Each store owns its tables and brings them up to date by itself; a step, once shipped, never changes.
import type { Database } from 'better-sqlite3'

/** SQL, or work that SQL cannot do. */
export type Step = string | ((db: Database) => void)

/** Runs the steps that this file has not seen yet, each in one transaction with the note that it ran. */
export function migrateStore(db: Database, store: string, steps: readonly Step[]): void {
  db.exec('CREATE TABLE IF NOT EXISTS store_versions (store TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT')
  const upgrade = db.transaction(() => {
    const row = db.prepare('SELECT version FROM store_versions WHERE store = ?').get(store) as
      | { version: number }
      | undefined
    const from = row?.version ?? 0
    if (from > steps.length) {
      throw new Error(`the database was written by a newer Hypercall (${store} ${from}); upgrade, or use another state`)
    }
    for (const step of steps.slice(from)) {
      if (typeof step === 'string') db.exec(step)
      else step(db)
    }
    db.prepare('INSERT OR REPLACE INTO store_versions VALUES (?, ?)').run(store, steps.length)
  })
  upgrade.immediate()
}
