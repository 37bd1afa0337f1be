// Bearer tokens, one-time logins and page sessions. Of each only the hash is kept.
import type { Database } from 'better-sqlite3'
import { migrateStore } from '../../actions/index.js'

const STEPS = [
  `CREATE TABLE tokens (
     name TEXT PRIMARY KEY,
     token_hash TEXT NOT NULL UNIQUE,
     roles TEXT NOT NULL,
     created_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE logins (token_hash TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE sessions (token_hash TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;`,
  `ALTER TABLE tokens ADD COLUMN tenant TEXT NOT NULL DEFAULT 'local';
   ALTER TABLE tokens ADD COLUMN expires_at INTEGER;`,
]

export interface TokenRow {
  readonly name: string
  readonly roles: string
  readonly created_at: number
  readonly tenant: string
  /** Epoch ms; null for never. */
  readonly expires_at: number | null
}

interface NewToken extends TokenRow {
  readonly token_hash: string
}

export type CredentialStore = ReturnType<typeof openCredentialStore>

export function openCredentialStore(db: Database) {
  migrateStore(db, 'credentials', STEPS)
  const insertToken = db.prepare<[NewToken]>(
    `INSERT INTO tokens (name, token_hash, roles, created_at, tenant, expires_at)
     VALUES (@name, @token_hash, @roles, @created_at, @tenant, @expires_at) ON CONFLICT (name) DO NOTHING`,
  )
  const FIELDS = 'name, roles, created_at, tenant, expires_at'
  const byHash = db.prepare<[string, number], TokenRow>(
    `SELECT ${FIELDS} FROM tokens WHERE token_hash = ? AND (expires_at IS NULL OR expires_at > ?)`,
  )
  const listTokens = db.prepare<[], TokenRow>(`SELECT ${FIELDS} FROM tokens ORDER BY name`)
  const dropToken = db.prepare<[string]>('DELETE FROM tokens WHERE name = ?')
  const insertLogin = db.prepare<[string, number]>('INSERT INTO logins VALUES (?, ?)')
  const useLogin = db.prepare<[string, number]>('DELETE FROM logins WHERE token_hash = ? AND expires_at > ?')
  const insertSession = db.prepare<[string, number]>('INSERT INTO sessions VALUES (?, ?)')
  const session = db.prepare<[string, number], { found: number }>(
    'SELECT 1 AS found FROM sessions WHERE token_hash = ? AND expires_at > ?',
  )
  const dropSession = db.prepare<[string]>('DELETE FROM sessions WHERE token_hash = ?')
  const sweepLogins = db.prepare<[number]>('DELETE FROM logins WHERE expires_at <= ?')
  const sweepSessions = db.prepare<[number]>('DELETE FROM sessions WHERE expires_at <= ?')
  return {
    /** @returns false when the name is taken */
    insertToken: (row: NewToken): boolean => insertToken.run(row).changes === 1,
    /** Found by its hash alone, so that how long it takes tells nothing of the tokens there are. */
    tokenByHash: (hash: string, now: number): TokenRow | undefined => byHash.get(hash, now),
    tokens: (): TokenRow[] => listTokens.all(),
    dropToken: (name: string): boolean => dropToken.run(name).changes === 1,
    insertLogin: (hash: string, expiresAt: number): void => void insertLogin.run(hash, expiresAt),
    /** One statement, so that a login works once however often it is sent at once. */
    useLogin: (hash: string, now: number): boolean => useLogin.run(hash, now).changes === 1,
    insertSession: (hash: string, expiresAt: number): void => void insertSession.run(hash, expiresAt),
    hasSession: (hash: string, now: number): boolean => session.get(hash, now) !== undefined,
    dropSession: (hash: string): void => void dropSession.run(hash),
    sweep(now: number): void {
      sweepLogins.run(now)
      sweepSessions.run(now)
    },
  }
}
