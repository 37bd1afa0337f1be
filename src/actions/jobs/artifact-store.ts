// What was made, and the links that lead to it. Of a link only the hash is kept.
import type { Database } from 'better-sqlite3'
import { migrateStore } from '../migrate-store.js'

const STEPS = [
  `CREATE TABLE artifacts (
     id TEXT PRIMARY KEY,
     tenant TEXT NOT NULL,
     principal TEXT NOT NULL,
     name TEXT NOT NULL,
     media_type TEXT NOT NULL,
     size_bytes INTEGER NOT NULL,
     sha256 TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE artifact_links (
     token_hash TEXT PRIMARY KEY,
     artifact TEXT NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
     principal TEXT NOT NULL,
     expires_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX artifact_links_by_artifact ON artifact_links (artifact);`,
]

export interface ArtifactRow {
  readonly id: string
  readonly tenant: string
  readonly principal: string
  readonly name: string
  readonly media_type: string
  readonly size_bytes: number
  readonly sha256: string
  readonly created_at: number
  readonly expires_at: number
}

export interface LinkRow {
  readonly token_hash: string
  readonly artifact: string
  readonly principal: string
  readonly expires_at: number
}

export type ArtifactStore = ReturnType<typeof openArtifactStore>

export function openArtifactStore(db: Database) {
  migrateStore(db, 'artifacts', STEPS)
  const insert = db.prepare<[ArtifactRow]>(
    `INSERT INTO artifacts
     VALUES (@id, @tenant, @principal, @name, @media_type, @size_bytes, @sha256, @created_at, @expires_at)`,
  )
  const get = db.prepare<[string, string], ArtifactRow>('SELECT * FROM artifacts WHERE id = ? AND tenant = ?')
  const insertLink = db.prepare<[LinkRow]>(
    'INSERT INTO artifact_links VALUES (@token_hash, @artifact, @principal, @expires_at)',
  )
  const byLink = db.prepare<[string, number], ArtifactRow>(
    `SELECT artifacts.* FROM artifact_links JOIN artifacts ON artifacts.id = artifact_links.artifact
     WHERE artifact_links.token_hash = ? AND artifact_links.expires_at > ?`,
  )
  const list = db.prepare<[string, number], ArtifactRow>(
    'SELECT * FROM artifacts WHERE tenant = ? AND expires_at > ? ORDER BY created_at DESC, rowid DESC',
  )
  const total = db.prepare<[], number>('SELECT coalesce(sum(size_bytes), 0) FROM artifacts').pluck()
  const remove = db.prepare<[string, string]>('DELETE FROM artifacts WHERE id = ? AND tenant = ?')
  const hasLink = db.prepare<[string], number>('SELECT 1 FROM artifact_links WHERE token_hash = ?').pluck()
  const revoke = db.prepare<[string]>('DELETE FROM artifact_links WHERE artifact = ?')
  const ids = db.prepare<[], { id: string }>('SELECT id FROM artifacts')
  const expired = db.prepare<[number], { id: string }>('DELETE FROM artifacts WHERE expires_at <= ? RETURNING id')
  const dropLinks = db.prepare<[number]>('DELETE FROM artifact_links WHERE expires_at <= ?')
  return {
    insert: (row: ArtifactRow): void => void insert.run(row),
    get: (id: string, tenant: string): ArtifactRow | undefined => get.get(id, tenant),
    /** Those that have not expired, newest first. */
    list: (tenant: string, now: number): ArtifactRow[] => list.all(tenant, now),
    /** What all of them take, whoever they belong to. */
    totalBytes: (): number => total.get() ?? 0,
    /** Its links go with it. @returns whether there was one */
    remove: (id: string, tenant: string): boolean => remove.run(id, tenant).changes === 1,
    insertLink: (row: LinkRow): void => void insertLink.run(row),
    byLink: (tokenHash: string, now: number): ArtifactRow | undefined => byLink.get(tokenHash, now),
    hasLink: (tokenHash: string): boolean => hasLink.get(tokenHash) !== undefined,
    /** @returns how many there were */
    revokeLinks: (artifact: string): number => revoke.run(artifact).changes,
    ids: (): string[] => ids.all().map((row) => row.id),
    /** @returns the ids of what was dropped, so that the files can go too */
    dropExpired: (now: number): string[] => {
      dropLinks.run(now)
      return expired.all(now).map((row) => row.id)
    },
  }
}
