// The SQLite file of everything but the knowledge base: opened here, and handed to the stores that own its tables.
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'

/** @param folder the state folder; made if missing, for this user alone */
export function openDatabase(folder: string): Database {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, 'hypercall.db')
  const db = new Sqlite(file, { timeout: 5_000 })
  chmodSync(file, 0o600)
  // Readers never wait for the writer. A committed row survives whatever ends this process. A power cut may take the last
  // rows, in order; waiting for the disk at every row would stop everything else while a large export is being written.
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  // The log is brought into the database, and waited for by whoever comes then, every 32 MiB and not every 4: one call in a
  // hundred would wait for the disk.
  db.pragma('wal_autocheckpoint = 8192')
  db.pragma('foreign_keys = ON')
  return db
}
