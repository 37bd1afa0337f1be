// What every engine offers, as few methods and facts. Callers branch on `can`, never on an engine's name.
import type { ByteSource } from '../bytes.js'
import type { Bilingual } from '../text.js'

export const INSTANCE_STATES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'] as const
export type InstanceState = (typeof INSTANCE_STATES)[number]

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

/** What an engine may offer beyond listing and inspecting; an action names the one it needs. */
export const CAPABILITIES = [
  'start',
  'stop',
  'restart',
  'pause',
  'rename',
  'remove',
  'run',
  'logs',
  'stats',
  'top',
  'exec',
  'wait',
  'diff',
  'commit',
  'copyIn',
  'copyOut',
  'export',
  'images',
  'load',
  'import',
  'pull',
  'usage',
  'watch',
] as const
export type Capability = (typeof CAPABILITIES)[number]
export type Capabilities = Readonly<Record<Capability, boolean>>

export interface Health {
  /** `undetected` until it was first asked. */
  readonly state: 'undetected' | 'healthy' | 'unhealthy'
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

export interface PortMapping {
  /** An address of the host; the engine's default when absent. */
  readonly hostIp?: string
  /** Chosen by the engine when absent. */
  readonly hostPort?: number
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
}

export interface MountRequest {
  readonly kind: 'bind' | 'volume'
  /** A path of the host, or the name of a volume. */
  readonly source: string
  readonly destination: string
  readonly readOnly: boolean
}

export const RESTART_POLICIES = ['no', 'on-failure', 'unless-stopped', 'always'] as const
export type RestartPolicy = (typeof RESTART_POLICIES)[number]

/** All that can be asked of a new instance: nothing here can make it privileged or give it a device. */
export interface RunRequest {
  readonly imageId: string
  /** What lists are to call the image. */
  readonly imageTag?: string
  /** Chosen by the engine when absent. */
  readonly name?: string
  /** The image's own when absent. */
  readonly command?: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly ports: readonly PortMapping[]
  readonly mounts: readonly MountRequest[]
  readonly labels: Readonly<Record<string, string>>
  readonly memoryBytes?: number
  readonly cpus?: number
  readonly restart: RestartPolicy
}

export interface LogRequest {
  /** Lines from the end. */
  readonly tail: number
  /** Epoch ms. */
  readonly since?: number
  readonly timestamps: boolean
}

/** One look at what an instance uses. */
export interface Sample {
  /** Epoch ms. */
  readonly at: number
  /** Of one processor: 250 is two and a half of them. */
  readonly cpuPercent: number
  readonly memoryBytes: number
  /** What it may use: all that the host has, where it has no limit of its own. */
  readonly memoryLimitBytes?: number
  /** Since the instance was started, as are the others. */
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly readBytes: number
  readonly writtenBytes: number
  readonly processes: number
}

export interface ProcessTable {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export interface ExecRequest {
  /** A program and its arguments: no shell reads them. */
  readonly command: readonly string[]
  readonly user?: string
  readonly workingDir?: string
}

export interface Change {
  readonly kind: 'added' | 'changed' | 'deleted'
  readonly path: string
}

export interface CommitRequest {
  readonly repository: string
  readonly tag: string
  readonly comment?: string
  /** Holds the instance still meanwhile. */
  readonly pause: boolean
}

export interface Image {
  readonly id: string
  /** `repository:tag`; none for one that is left over. */
  readonly tags: readonly string[]
  readonly digests: readonly string[]
  readonly sizeBytes: number
  /** Epoch ms. */
  readonly createdAt: number
  readonly labels: Readonly<Record<string, string>>
}

export interface ImageDetail extends Image {
  readonly os: string
  readonly arch: string
  readonly command: readonly string[]
  readonly entrypoint: readonly string[]
  readonly user: string
  readonly workingDir: string
  /** Names only: the values may be secrets. */
  readonly environmentNames: readonly string[]
  readonly ports: readonly string[]
  readonly volumes: readonly string[]
  /** Digests of the layers, from the lowest. */
  readonly layers: readonly string[]
}

export interface HistoryStep {
  /** Absent where the step came with the image. */
  readonly id?: string
  readonly createdAt: number
  readonly createdBy: string
  readonly sizeBytes: number
  readonly comment: string
}

export interface RemovedImage {
  readonly untagged: readonly string[]
  readonly deleted: readonly string[]
}

export interface PullProgress {
  readonly bytes: number
  /** Grows while layers are found. */
  readonly totalBytes: number
  readonly phase: string
}

export interface UsageKind {
  readonly count: number
  readonly active: number
  readonly sizeBytes: number
  /** What would be free if what nobody uses were gone. */
  readonly reclaimableBytes: number
}

export interface Usage {
  readonly images: UsageKind
  readonly instances: UsageKind
  readonly volumes: UsageKind
  readonly buildCache: UsageKind
}

/** What one may be told of: a list that says something else than before. */
export type Watched = 'instances' | 'images'

/**
 * Every method that talks to an engine may also throw HOST_UNREACHABLE or HOST_UNTRUSTED, and ENGINE_REFUSED with the
 * engine's own words. An id is a full one. No method uses `this`.
 */
export interface HostDriver {
  readonly can: Capabilities
  /** Lets go of connections that wait to be used again; a later call makes new ones. */
  close(): void
  /** Never rejects: an engine that does not answer is `unhealthy` with a sentence saying so. */
  probe(signal: AbortSignal): Promise<Health>
  usage(signal: AbortSignal): Promise<Usage>
  /**
   * Tells of changes until the signal fires, whose reason it then throws.
   * @param onChange called for both when it begins, since nobody knows what happened before, and then at every change
   * @throws AppError HOST_UNREACHABLE once the engine is lost
   */
  watch(onChange: (what: Watched) => void, signal: AbortSignal): Promise<void>

  /** Every instance, running or not. */
  list(signal: AbortSignal): Promise<Instance[]>
  /** @throws AppError INSTANCE_NOT_FOUND, as do all that take an id */
  inspect(id: string, signal: AbortSignal): Promise<InstanceDetail>
  /**
   * Makes and starts one.
   * @returns its id @throws AppError NAME_TAKEN, IMAGE_NOT_FOUND, TARGET_CHANGED when the tag has moved to another image;
   *   none is left behind then
   */
  run(request: RunRequest, signal: AbortSignal): Promise<string>
  /** Starting what already runs is no error. */
  start(id: string, signal: AbortSignal): Promise<void>
  /** Stopping what does not run is no error. @param graceSeconds before the engine kills it */
  stop(id: string, graceSeconds: number, signal: AbortSignal): Promise<void>
  restart(id: string, graceSeconds: number, signal: AbortSignal): Promise<void>
  /** @throws AppError INSTANCE_NOT_RUNNING */
  pause(id: string, signal: AbortSignal): Promise<void>
  /** Going on with what is not paused is no error. */
  unpause(id: string, signal: AbortSignal): Promise<void>
  /** @throws AppError NAME_TAKEN */
  rename(id: string, name: string, signal: AbortSignal): Promise<void>
  /** @param options.force also one that runs @param options.volumes its unnamed ones too @throws AppError INSTANCE_RUNS */
  remove(id: string, options: { force: boolean; volumes: boolean }, signal: AbortSignal): Promise<void>
  /** @returns what it has written until now, both of its streams in the order in which they came */
  logs(id: string, request: LogRequest, signal: AbortSignal): Promise<ByteSource>
  /** @throws AppError INSTANCE_NOT_RUNNING */
  sample(id: string, signal: AbortSignal): Promise<Sample>
  /** @throws AppError INSTANCE_NOT_RUNNING */
  top(id: string, signal: AbortSignal): Promise<ProcessTable>
  /**
   * Runs one program inside, without input or terminal.
   * @param take is given what it writes, as it comes; the program goes on when the signal ends the wait for it
   * @returns its exit code @throws AppError INSTANCE_NOT_RUNNING
   */
  exec(
    id: string,
    request: ExecRequest,
    take: (bytes: Buffer, from: 'stdout' | 'stderr') => void,
    signal: AbortSignal,
  ): Promise<number>
  /** @returns the exit code, once it has one; the signal's reason is thrown when it fires first */
  wait(id: string, signal: AbortSignal): Promise<number>
  /** What its file system has that its image has not, and the other way round. */
  diff(id: string, signal: AbortSignal): Promise<Change[]>
  /** @returns the id of the image that was made */
  commit(id: string, request: CommitRequest, signal: AbortSignal): Promise<string>

  /** @returns undefined when nothing is there */
  stat(id: string, path: string, signal: AbortSignal): Promise<Entry | undefined>
  /** @returns who owns the entry at `path` @throws AppError PATH_NOT_FOUND */
  owner(id: string, path: string, signal: AbortSignal): Promise<Owner>
  /**
   * Unpacks a plain, uncompressed tar below `directory`, which must exist.
   * @throws AppError DESTINATION_NOT_FOUND, DESTINATION_READ_ONLY, ENGINE_LOST
   */
  putArchive(id: string, directory: string, tar: ByteSource, signal: AbortSignal): Promise<void>
  /** @returns an uncompressed tar of the file or directory at `path`, backpressured @throws AppError PATH_NOT_FOUND */
  getArchive(id: string, path: string, signal: AbortSignal): Promise<ByteSource>
  /** @returns an uncompressed tar of the root file system, volumes left out, backpressured */
  export(id: string, signal: AbortSignal): Promise<ByteSource>
  /** @returns about how many bytes an export of it holds, if the engine tells; it may take long to add them up */
  exportSize(id: string, signal: AbortSignal): Promise<number | undefined>

  /** Every image, left-over ones too. */
  images(signal: AbortSignal): Promise<Image[]>
  /** @throws AppError IMAGE_NOT_FOUND, as do all that take an image's id */
  inspectImage(id: string, signal: AbortSignal): Promise<ImageDetail>
  /** From the newest step. */
  history(id: string, signal: AbortSignal): Promise<HistoryStep[]>
  tag(id: string, repository: string, tag: string, signal: AbortSignal): Promise<void>
  /** @param reference a tag to take off, or an id @throws AppError IMAGE_IN_USE */
  removeImage(reference: string, force: boolean, signal: AbortSignal): Promise<RemovedImage>
  /** @param references tags are kept by name, ids without one @returns an uncompressed tar */
  save(references: readonly string[], signal: AbortSignal): Promise<ByteSource>
  /** @param archive as `save` gives it @returns the tags and ids that it held @throws AppError ARCHIVE_COMPRESSED, ARCHIVE_INVALID */
  load(archive: ByteSource, signal: AbortSignal): Promise<string[]>
  /** @param archive as `export` gives it @returns the id of the image that was made @throws AppError ARCHIVE_COMPRESSED, ARCHIVE_INVALID */
  importImage(archive: ByteSource, repository: string, tag: string, signal: AbortSignal): Promise<string>
  /**
   * @param reference with a tag or a digest: without one, an engine fetches every tag there is
   * @returns the image's id @throws AppError IMAGE_NOT_FOUND, REGISTRY_UNREACHABLE
   */
  pull(reference: string, onProgress: (progress: PullProgress) => void, signal: AbortSignal): Promise<string>
}
