// What every engine offers, as few methods and facts. Callers branch on `can`, never on an engine's name.
import type { Readable } from 'node:stream'
import type { ByteSource } from '../bytes.js'
import type { Bilingual } from '../text.js'

export type InstanceState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'

export interface Instance {
  readonly id: string
  readonly name: string
  readonly image: string
  readonly imageId: string
  readonly state: InstanceState
  /** The engine's own words, for example "Up 3 minutes". */
  readonly status: string
  /** Epoch ms. */
  readonly createdAt: number
  readonly labels: Readonly<Record<string, string>>
  /** For example "127.0.0.1:8080->80/tcp". */
  readonly ports: readonly string[]
}

export interface Mount {
  readonly kind: string
  readonly source: string
  readonly destination: string
  readonly readOnly: boolean
}

export interface InstanceDetail extends Instance {
  readonly command: readonly string[]
  readonly user: string
  readonly workingDir: string
  /** Names only: the values may be secrets. */
  readonly environmentNames: readonly string[]
  readonly mounts: readonly Mount[]
  readonly networks: readonly string[]
  readonly restartCount: number
  readonly privileged: boolean
  readonly hostNetwork: boolean
  /** True when the engine's own control socket is mounted inside: whoever controls it controls the host. */
  readonly engineSocketMounted: boolean
  /** Epoch ms; absent when it never started. */
  readonly startedAt?: number
  /** Present once it has ended. */
  readonly exitCode?: number
}

export interface Capabilities {
  readonly start: boolean
  readonly stop: boolean
  readonly copyIn: boolean
  readonly copyOut: boolean
  readonly export: boolean
}

export interface Health {
  readonly state: 'healthy' | 'unhealthy'
  /** A sentence for people. */
  readonly detail: Bilingual
  readonly engine?: string
  readonly version?: string
  readonly apiVersion?: string
  readonly os?: string
  readonly arch?: string
  readonly instances?: { readonly total: number; readonly running: number }
}

/** One entry of an instance's file system. */
export interface Entry {
  readonly name: string
  readonly kind: 'file' | 'directory' | 'link' | 'other'
  readonly sizeBytes: number
  /** Permission bits only, for example 0o644. */
  readonly mode: number
  /** Where a link points, as the engine resolves it inside the instance. */
  readonly linkTarget?: string
}

export interface Owner {
  readonly uid: number
  readonly gid: number
}

export interface HostDriver {
  readonly can: Capabilities
  /** Never rejects: an engine that does not answer is `unhealthy` with a sentence saying so. */
  probe(signal: AbortSignal): Promise<Health>
  /** Every instance, running or not. @throws AppError HOST_UNREACHABLE */
  list(signal: AbortSignal): Promise<Instance[]>
  /** @param id a full id @throws AppError INSTANCE_NOT_FOUND, HOST_UNREACHABLE */
  inspect(id: string, signal: AbortSignal): Promise<InstanceDetail>
  /** Starting what already runs is no error. @throws AppError INSTANCE_NOT_FOUND, ENGINE_REFUSED, HOST_UNREACHABLE */
  start(id: string, signal: AbortSignal): Promise<void>
  /** Stopping what does not run is no error. @param graceSeconds before the engine kills it */
  stop(id: string, graceSeconds: number, signal: AbortSignal): Promise<void>
  /** @returns undefined when nothing is there */
  stat(id: string, path: string, signal: AbortSignal): Promise<Entry | undefined>
  /** @returns who owns the entry at `path` @throws AppError PATH_NOT_FOUND */
  owner(id: string, path: string, signal: AbortSignal): Promise<Owner>
  /**
   * Unpacks a plain, uncompressed tar below `directory`, which must exist.
   * @throws AppError DESTINATION_NOT_FOUND, DESTINATION_READ_ONLY, ENGINE_REFUSED, ENGINE_LOST
   */
  putArchive(id: string, directory: string, tar: Readable, signal: AbortSignal): Promise<void>
  /** @returns an uncompressed tar of the file or directory at `path`, backpressured @throws AppError PATH_NOT_FOUND */
  getArchive(id: string, path: string, signal: AbortSignal): Promise<Readable>
  /** @returns an uncompressed tar of the root file system, volumes left out, backpressured */
  export(id: string, signal: AbortSignal): Promise<ByteSource>
}
