// Files that jobs made: kept for a day, named by nothing but their id, reached by links that belong to one person.
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Principal, principalKey } from '../action.js'
import { type ByteSource, bytesOfFile } from '../bytes.js'
import { AppError } from '../errors.js'
import { formatBytes } from '../text.js'
import type { ArtifactRow, ArtifactStore } from './artifact-store.js'
import { type Transferred, transfer } from './transfer.js'

export const ARTIFACT_TTL_MS = 24 * 60 * 60_000
const ORPHAN_MS = 60 * 60_000
const LARGEST_NAMED = 3
const NONE = { en: 'none', zh: '无' } as const

export interface Artifact {
  readonly id: string
  /** What a download is called: metadata only, never a path. */
  readonly name: string
  readonly mediaType: string
  readonly sizeBytes: number
  readonly sha256: string
  /** Who made it. */
  readonly principal: string
  /** Epoch ms, as is the other. */
  readonly createdAt: number
  readonly expiresAt: number
}

export interface StoredArtifact extends Artifact {
  readonly path: string
}

export interface OpenArtifact extends Artifact {
  readonly bytes: ByteSource
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
  /** Streams `source` into a new artifact. @throws AppError STORAGE_FULL, QUOTA_REACHED, or whatever the source fails with */
  create(source: ByteSource, request: ArtifactRequest): Promise<Artifact>
  get(id: string, tenant: string): StoredArtifact | undefined
  /** Newest first. */
  list(tenant: string): StoredArtifact[]
  /** Its content, which can be read to their end even if it is removed meanwhile. @throws AppError ARTIFACT_NOT_FOUND */
  open(id: string, tenant: string): Promise<OpenArtifact>
  /** @returns an absolute address that works for this person until the artifact expires; the same when asked again */
  link(id: string, principal: Principal): string | undefined
  /** @returns a new one in any case @throws AppError ARTIFACT_NOT_FOUND */
  freshLink(id: string, principal: Principal): string
  /** Ends every link to it, whoever it was made for. @returns how many @throws AppError ARTIFACT_NOT_FOUND */
  revoke(id: string, tenant: string): number
  /** Its links end first. @throws AppError ARTIFACT_NOT_FOUND */
  remove(id: string, tenant: string): Promise<void>
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
  /** What all artifacts may take together. */
  readonly quotaBytes: number
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
    principal: row.principal,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    path: pathOf(row.id),
  })
  // A token exists in clear text only here, so that asking twice does not make two links.
  const tokens = new Map<string, string>()
  const forget = (artifacts: ReadonlySet<string>): void => {
    for (const key of tokens.keys()) if (artifacts.has(key.slice(key.lastIndexOf(' ') + 1))) tokens.delete(key)
  }

  const addressOf = (token: string, row: ArtifactRow): string =>
    `${options.publicUrl()}/d/${token}/${encodeURIComponent(row.name)}`

  function newLink(row: ArtifactRow, principal: Principal): string {
    const token = randomBytes(24).toString('base64url')
    store.insertLink({
      token_hash: hashToken(token),
      artifact: row.id,
      principal: principalKey(principal),
      expires_at: row.expires_at,
    })
    tokens.set(`${principalKey(principal)} ${row.id}`, token)
    return addressOf(token, row)
  }

  const current = (id: string, tenant: string): ArtifactRow | undefined => {
    const row = store.get(id, tenant)
    return row && row.expires_at > now() ? row : undefined
  }
  const find = (id: string, tenant: string): ArtifactRow => {
    const row = current(id, tenant)
    if (!row) throw new AppError('ARTIFACT_NOT_FOUND', { artifact: id })
    return row
  }

  /** What is being written here: no row counts it yet. */
  let writing = 0
  /** What the rows count: thousands of them are not added up again for every piece of every artifact. */
  let kept: number | undefined

  function requireQuota(tenant: string): void {
    kept ??= store.totalBytes()
    const taken = kept + writing
    if (writing > 0 ? taken <= options.quotaBytes : taken < options.quotaBytes) return
    // Its own only: what others keep is none of its business.
    const largest = store.list(tenant, now()).sort((a, b) => b.size_bytes - a.size_bytes)
    throw new AppError('QUOTA_REACHED', {
      quota: formatBytes(options.quotaBytes),
      largest:
        largest.length === 0
          ? NONE
          : largest.slice(0, LARGEST_NAMED).map((row) => `${row.name} (${row.id}, ${formatBytes(row.size_bytes)})`),
    })
  }

  async function write(source: ByteSource, id: string, request: ArtifactRequest): Promise<Transferred> {
    let written = 0
    // Another process may have made or removed some.
    kept = undefined
    try {
      return await transfer(source, pathOf(id), {
        temporary: join(options.workFolder, `${id}.part`),
        signal: request.signal,
        minFreeBytes: options.minFreeBytes,
        admit(bytes) {
          written += bytes
          writing += bytes
          requireQuota(request.owner.tenant)
        },
        ...(request.gzip ? { gzip: true } : {}),
        ...(request.sourceLost ? { sourceLost: request.sourceLost } : {}),
        ...(request.onBytes ? { onBytes: request.onBytes } : {}),
      })
    } finally {
      writing -= written
    }
  }

  return {
    async create(source, request) {
      const id = randomBytes(12).toString('hex')
      const { sizeBytes, sha256 } = await write(source, id, request)
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
        kept = undefined
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
    list: (tenant) => store.list(tenant, now()).map(stored),
    async open(id, tenant) {
      const row = find(id, tenant)
      try {
        return { ...stored(row), bytes: await bytesOfFile(pathOf(id)) }
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
          throw new AppError('ARTIFACT_NOT_FOUND', { artifact: id }, { cause: error })
        }
        throw error
      }
    },
    link(id, principal) {
      const row = current(id, principal.tenant)
      if (!row) return undefined
      const token = tokens.get(`${principalKey(principal)} ${id}`)
      // Another process may have revoked it.
      return token !== undefined && store.hasLink(hashToken(token)) ? addressOf(token, row) : newLink(row, principal)
    },
    freshLink: (id, principal) => newLink(find(id, principal.tenant), principal),
    revoke(id, tenant) {
      find(id, tenant)
      forget(new Set([id]))
      return store.revokeLinks(id)
    },
    async remove(id, tenant) {
      if (!store.remove(id, tenant)) throw new AppError('ARTIFACT_NOT_FOUND', { artifact: id })
      kept = undefined
      forget(new Set([id]))
      await rm(pathOf(id), { force: true })
    },
    resolve(token) {
      const row = store.byLink(hashToken(token), now())
      return row && stored(row)
    },
    async sweep() {
      const expired = new Set(store.dropExpired(now()))
      kept = undefined
      forget(expired)
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
