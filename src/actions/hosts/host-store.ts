// Hosts that were linked by a verb, as they survive a restart: paths and names of variables, never what they hold.
import type { Database } from 'better-sqlite3'
import { migrateStore } from '../migrate-store.js'

const STEPS = [
  `CREATE TABLE linked_hosts (
     tenant TEXT NOT NULL,
     name TEXT NOT NULL,
     endpoint TEXT NOT NULL,
     labels TEXT NOT NULL,
     tls_ca TEXT,
     tls_cert TEXT,
     tls_key TEXT,
     ssh_key TEXT,
     known_hosts TEXT,
     insecure INTEGER NOT NULL,
     linked_by TEXT NOT NULL,
     linked_at INTEGER NOT NULL,
     PRIMARY KEY (tenant, name)
   ) STRICT;`,
  `ALTER TABLE linked_hosts ADD COLUMN binds TEXT NOT NULL DEFAULT '[]';
   ALTER TABLE linked_hosts ADD COLUMN backports TEXT NOT NULL DEFAULT '[]';`,
]

export interface LinkRow {
  readonly tenant: string
  readonly name: string
  readonly endpoint: string
  /** JSON. */
  readonly labels: string
  readonly tls_ca: string | null
  readonly tls_cert: string | null
  readonly tls_key: string | null
  readonly ssh_key: string | null
  readonly known_hosts: string | null
  readonly insecure: number
  readonly linked_by: string
  /** Epoch ms. */
  readonly linked_at: number
  /** JSON, as is the other. */
  readonly binds: string
  readonly backports: string
}

export type HostStore = ReturnType<typeof openHostStore>

export function openHostStore(db: Database) {
  migrateStore(db, 'hosts', STEPS)
  const insert = db.prepare<[LinkRow]>(
    `INSERT INTO linked_hosts VALUES (@tenant, @name, @endpoint, @labels, @tls_ca, @tls_cert, @tls_key, @ssh_key,
       @known_hosts, @insecure, @linked_by, @linked_at, @binds, @backports) ON CONFLICT DO NOTHING`,
  )
  const all = db.prepare<[string], LinkRow>('SELECT * FROM linked_hosts WHERE tenant = ? ORDER BY name')
  const remove = db.prepare<[string, string]>('DELETE FROM linked_hosts WHERE tenant = ? AND name = ?')
  return {
    /** @returns false when the tenant has one of that name */
    insert: (row: LinkRow): boolean => insert.run(row).changes === 1,
    of: (tenant: string): LinkRow[] => all.all(tenant),
    remove: (tenant: string, name: string): boolean => remove.run(tenant, name).changes === 1,
  }
}
