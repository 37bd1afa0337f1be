// Files that jobs made: kept for a day, named by nothing but their id, reached by links that belong to one person.
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Principal, principalKey } from '../action.js'
import type { ByteSource } from '../bytes.js'
import type { AppError } from '../errors.js'
import type { ArtifactRow, ArtifactStore } from './artifact-store.js'
import { transfer } from './transfer.js'

export const ARTIFACT_TTL_MS = 24 * 60 * 60_000
const ORPHAN_MS = 60 * 60_000

export interface Artifact {
  readonly id: string
  /** What a download is called: metadata only, never a path. */
  readonly name: string
  readonly mediaType: string
  readonly sizeBytes: number
  readonly sha256: string
  /** Epoch ms. */
  readonly expiresAt: number
}

export interface StoredArtifact extends Artifact {
  readonly path: string
}

export interface ArtifactRequest {
  readonly owner: Principal
  readonly name: string
  readonly mediaType: string
  readonly gzip?: boolean
  readonly signal: AbortSignal
  /** What it means when the source breaks off. */
  readonly sourceLost?: (cause: unknown) => AppError
  onBytes?(bytes: number): void
}

export interface Artifacts {
  /** Streams `source` into a new artifact. @throws AppError STORAGE_FULL, or whatever the source fails with */
  create(source: ByteSource, request: ArtifactRequest): Promise<Artifact>
  get(id: string, tenant: string): StoredArtifact | undefined
  /** @returns an absolute address that works for this person until the artifact expires */
  link(id: string, principal: Principal): string | undefined
  /** @returns the artifact a link's token leads to, if it still does */
  resolve(token: string): StoredArtifact | undefined
  /** Removes what expired, and files that no row has known for an hour (a crash between rename and row leaves one). */
  sweep(): Promise<void>
}

export interface ArtifactsOptions {
  readonly store: ArtifactStore
  readonly folder: string
  /** This process's own folder for what is not whole yet, on the same disk. */
  readonly workFolder: string
  readonly minFreeBytes: number
  /** The address under which downloads are served, without a trailing slash. */
  readonly publicUrl: () => string
  /** Epoch ms. */
  readonly now: () => number
}

const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

export function openArtifacts(options: ArtifactsOptions): Artifacts {
  const { store, folder, now } = options
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const pathOf = (id: string) => join(folder, id)
  const stored = (row: ArtifactRow): StoredArtifact => ({
    id: row.id,
    name: row.name,
    mediaType: row.media_type,
    sizeBytes: row.size_bytes,
    sha256: row.sha256,
    expiresAt: row.expires_at,
    path: pathOf(row.id),
  })
  // A token exists in clear text only here, so that asking twice does not make two links.
  const tokens = new Map<string, string>()

  return {
    async create(source, request) {
      const id = randomBytes(12).toString('hex')
      const { sizeBytes, sha256 } = await transfer(source, pathOf(id), {
        temporary: join(options.workFolder, `${id}.part`),
        signal: request.signal,
        minFreeBytes: options.minFreeBytes,
        ...(request.gzip ? { gzip: true } : {}),
        ...(request.sourceLost ? { sourceLost: request.sourceLost } : {}),
        ...(request.onBytes ? { onBytes: request.onBytes } : {}),
      })
      const row: ArtifactRow = {
        id,
        tenant: request.owner.tenant,
        principal: principalKey(request.owner),
        name: request.name,
        media_type: request.mediaType,
        size_bytes: sizeBytes,
        sha256,
        created_at: now(),
        expires_at: now() + ARTIFACT_TTL_MS,
      }
      try {
        store.insert(row)
      } catch (error) {
        await rm(pathOf(id), { force: true })
        throw error
      }
      return stored(row)
    },
    get(id, tenant) {
      const row = store.get(id, tenant)
      return row && stored(row)
    },
    link(id, principal) {
      const row = store.get(id, principal.tenant)
      if (!row || row.expires_at <= now()) return undefined
      const key = `${principalKey(principal)} ${id}`
      let token = tokens.get(key)
      if (token === undefined) {
        token = randomBytes(24).toString('base64url')
        store.insertLink({
          token_hash: hashToken(token),
          artifact: id,
          principal: principalKey(principal),
          expires_at: row.expires_at,
        })
        tokens.set(key, token)
      }
      return `${options.publicUrl()}/d/${token}/${encodeURIComponent(row.name)}`
    },
    resolve(token) {
      const row = store.byLink(hashToken(token), now())
      return row && stored(row)
    },
    async sweep() {
      const expired = new Set(store.dropExpired(now()))
      for (const key of tokens.keys()) if (expired.has(key.slice(key.lastIndexOf(' ') + 1))) tokens.delete(key)
      for (const id of expired) await rm(pathOf(id), { force: true })
      const known = new Set(store.ids())
      for (const file of await readdir(folder)) {
        if (known.has(file)) continue
        const { mtimeMs } = await stat(join(folder, file))
        if (mtimeMs < now() - ORPHAN_MS) await rm(join(folder, file), { force: true })
      }
    },
  }
}
