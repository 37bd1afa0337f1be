// What each guild has set for itself, and the roles that it maps.
import type { Database } from 'better-sqlite3'
import { migrateStore } from '../migrate-store.js'

const STEPS = [
  `CREATE TABLE guild_settings (
     tenant TEXT PRIMARY KEY,
     language TEXT NOT NULL,
     approvals_channel TEXT,
     approvals_problem TEXT
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE guild_roles (
     tenant TEXT NOT NULL,
     guild_role TEXT NOT NULL,
     role TEXT NOT NULL,
     PRIMARY KEY (tenant, guild_role, role)
   ) STRICT, WITHOUT ROWID;`,
]

export interface SettingsRow {
  readonly tenant: string
  readonly language: string
  readonly approvals_channel: string | null
  /** Why nothing could be posted there the last time. */
  readonly approvals_problem: string | null
}

export interface RoleRow {
  readonly guild_role: string
  readonly role: string
}

export type SettingsStore = ReturnType<typeof openSettingsStore>

export function openSettingsStore(db: Database) {
  migrateStore(db, 'settings', STEPS)
  const get = db.prepare<[string], SettingsRow>('SELECT * FROM guild_settings WHERE tenant = ?')
  const put = db.prepare<[SettingsRow]>(
    `INSERT OR REPLACE INTO guild_settings (tenant, language, approvals_channel, approvals_problem)
     VALUES (@tenant, @language, @approvals_channel, @approvals_problem)`,
  )
  const note = db.prepare<[string | null, string, string]>(
    'UPDATE guild_settings SET approvals_problem = ? WHERE tenant = ? AND approvals_channel = ?',
  )
  const roles = db.prepare<[string], RoleRow>(
    'SELECT guild_role, role FROM guild_roles WHERE tenant = ? ORDER BY role, guild_role',
  )
  const map = db.prepare<[string, string, string]>('INSERT OR IGNORE INTO guild_roles VALUES (?, ?, ?)')
  const unmap = db.prepare<[string, string, string]>(
    'DELETE FROM guild_roles WHERE tenant = ? AND guild_role = ? AND role = ?',
  )
  return {
    get: (tenant: string): SettingsRow | undefined => get.get(tenant),
    put: (row: SettingsRow): void => void put.run(row),
    /** Only while this channel is still the one that is set. */
    note: (tenant: string, channel: string, problem: string | null): void => void note.run(problem, tenant, channel),
    roles: (tenant: string): RoleRow[] => roles.all(tenant),
    map: (tenant: string, guildRole: string, role: string): void => void map.run(tenant, guildRole, role),
    /** @returns whether it was there */
    unmap: (tenant: string, guildRole: string, role: string): boolean =>
      unmap.run(tenant, guildRole, role).changes === 1,
  }
}
