// The vocabulary: what a verb is, who calls it, what it is given and what it gives back.
import type { Static, TObject, TSchema } from 'typebox'
import type { Knowledge } from '../knowledge/index.js'
import type { ByteSource } from './bytes.js'
import type { Gaps } from './gaps/gaps.js'
import type { Approvals } from './guard/approvals.js'
import type { AuditLog } from './guard/audit.js'
import type { FileReference } from './guard/confirmations.js'
import type { Explain } from './guard/explain.js'
import type { Capability, HostDriver, Image, InstanceDetail } from './hosts/driver.js'
import type { Host, Hosts } from './hosts/hosts.js'
import type { Sampler } from './hosts/sampler.js'
import type { Artifacts, StoredArtifact } from './jobs/artifacts.js'
import type { Job, Jobs, JobWork } from './jobs/jobs.js'
import type { Settings } from './settings/settings.js'
import type { Bilingual, Lang } from './text.js'
import type { View } from './view.js'

/** What a call can do to the world; policy and confirmation are written against it. */
export const EFFECTS = ['read', 'change', 'destroy', 'disclose'] as const
export type Effect = (typeof EFFECTS)[number]

export const SURFACES = ['discord', 'rest', 'page', 'cli'] as const
export type Surface = (typeof SURFACES)[number]

export interface Principal {
  readonly kind: 'user' | 'token' | 'local'
  /** Unique within its kind: a Discord user id, a token's name, `owner`. */
  readonly id: string
  readonly name: string
  /** A Discord guild id, or `local`: knowledge, hosts, jobs, artifacts and audit rows never cross it. */
  readonly tenant: string
  readonly roles: readonly string[]
}

export const principalKey = (principal: Principal): string => `${principal.tenant}/${principal.kind}:${principal.id}`

/**
 * Bytes to be copied in, opened only once the gate has let the call through. Engines unpack while they read, so a source
 * that may break off is to be fetched whole before `open` resolves.
 */
export interface FileSource {
  readonly name: string
  /** Known before the first byte, as a tar header must state it. */
  readonly sizeBytes: number
  /** Tells this file from another, and lets a surface whose click carries no bytes find it again. */
  readonly reference: FileReference
  /** What it gives can be read to its end even after the call has answered. */
  open(signal: AbortSignal): Promise<ByteSource>
}

/** What every action can reach. */
export interface Services {
  readonly knowledge: Knowledge
  readonly hosts: Hosts
  readonly sampler: Sampler
  readonly jobs: Jobs
  readonly artifacts: Artifacts
  readonly gaps: Gaps
  readonly audit: AuditLog
  readonly approvals: Approvals
  readonly explain: Explain
  readonly settings: Settings
  /** Epoch ms. */
  readonly now: () => number
}

export interface CallContext extends Services {
  readonly principal: Principal
  readonly surface: Surface
  /** Of Discord, by its id. */
  readonly channel?: string
  readonly lang: Lang
  readonly requestId: string
  readonly signal: AbortSignal
  readonly file?: FileSource
  /**
   * Goes on after the call has answered; its end, not the answer, is the call's outcome in the audit log.
   * @param release lets go of what the work was given; called once the job has ended, or if it cannot be started
   * @throws AppError QUEUE_FULL, JOBS_LIMIT, SHUTTING_DOWN
   */
  startJob(work: JobWork, release?: () => void): Job
}

export interface HostContext extends CallContext {
  readonly host: string
  readonly driver: HostDriver
}

/** What an action that sends to another host gets besides. */
export interface DestinationContext {
  readonly destination: Host
}

export interface InstanceContext extends HostContext {
  readonly instance: InstanceDetail
}

export interface ImageContext extends HostContext {
  readonly image: Image
}

export interface ArtifactContext extends CallContext {
  readonly artifact: StoredArtifact
}

/** How an action is offered for a message that somebody wrote. */
export interface FromMessage<Field extends string = string> {
  /** What the offer is called; at most 32 characters each. */
  readonly name: Bilingual
  /** The field that its text goes into. */
  readonly into: Field
  /** The field that tells who wrote it, and where. */
  readonly source?: Field
  /** The field for an id of its own, the same each time. */
  readonly id?: Field
}

/** What a person fills in where a surface has forms. */
export interface FormField<Field extends string = string> {
  readonly field: Field
  /** Whether it is needed here, even where a call does without. */
  readonly needed?: true
}

/** What a call acts on, resolved by the gate before policy is asked. */
export type Target = 'none' | 'host' | 'instance' | 'image' | 'card' | 'artifact'

interface TargetContext {
  none: CallContext
  host: HostContext
  instance: InstanceContext
  image: ImageContext
  card: CallContext
  artifact: ArtifactContext
}

export interface ActionDefinition<
  Input extends TObject,
  Output extends TSchema,
  T extends Target,
  To extends Capability | undefined,
> {
  /** `verb` or `group.verb`, kebab-case. */
  readonly name: string
  readonly summary: Bilingual
  readonly effect: Effect
  /**
   * `host`: the input has an optional `host`, the only linked one by default.
   * `instance`: the input has `host` and a `container`, resolved to a full id before anything else; `image` likewise.
   * `artifact`: the input has an `artifact`, which is there. `card`: the input has a `card`, which may not be there yet.
   */
  readonly target: T
  /** What the engine of its host must be able to do. */
  readonly needs?: Capability
  /**
   * What the engine of a second host must be able to do, which the input names as `to`. Policy has to allow the action on
   * both, and knows the second one as `context.destination`.
   */
  readonly sendsTo?: To
  /**
   * Of what has an instance for its target: what else the input makes it do, as other actions would. Policy has to allow
   * each of these as well.
   */
  also?(input: Static<Input>, instance: InstanceDetail): readonly Also[]
  /** Flat: every property is a string, number, boolean or enum, so that each surface can ask for it. */
  readonly input: Input
  readonly output: Output
  /** Whether a file may come with the call. */
  readonly acceptsFile?: true
  /** Endings of the files that are most likely meant for it, where other actions take files as well: `.md`. */
  readonly fileTypes?: readonly string[]
  /** Whether, where a surface has folders, one may come in place of the file: as JSON Lines of `{file, base64}`. */
  readonly acceptsFolder?: true
  /** Whether the output is `{jobId}` of a job to follow. */
  readonly startsJob?: true
  /**
   * Changes nothing but what is kept in the database of the audit log, and at once: what it changes and the row of its
   * outcome are one, and neither is ever without the other. `run` gives its output, and no promise of it.
   */
  readonly atOnce?: true
  /** Answers are shown to the caller alone where others could read along. */
  readonly private?: true
  /** For those alone who run a team's Hypercall: surfaces may keep it out of others' sight. Policy decides all the same. */
  readonly administrative?: true
  /** Of use to somebody alone, without a team's hosts and people. */
  readonly personal?: true
  readonly message?: FromMessage<keyof Static<Input> & string>
  /** A button for it opens a form of these where a surface has forms. Four at most, since policy may ask for the reason besides. */
  readonly form?: readonly FormField<keyof Static<Input> & string>[]
  run(
    input: Static<Input>,
    context: TargetContext[T] & (To extends Capability ? DestinationContext : unknown),
  ): Promise<Static<Output>> | Static<Output>
  view(output: Static<Output>, lang: Lang): View
}

/** What an action does as another one would. */
export interface Also {
  readonly action: string
  /** Where in the instance. */
  readonly path: string
}

/** An action whose types were checked where it was defined and are plain values from there on. */
export interface Action {
  readonly name: string
  readonly summary: Bilingual
  readonly effect: Effect
  readonly target: Target
  readonly needs?: Capability
  readonly sendsTo?: Capability
  readonly input: TObject
  readonly output: TSchema
  readonly acceptsFile: boolean
  readonly fileTypes: readonly string[]
  readonly acceptsFolder: boolean
  readonly startsJob: boolean
  readonly atOnce: boolean
  readonly private: boolean
  readonly administrative: boolean
  readonly personal: boolean
  readonly message?: FromMessage
  readonly form: readonly FormField[]
  also?(input: Readonly<Record<string, unknown>>, instance: InstanceDetail): readonly Also[]
  /** @returns the output, or a promise of it for what is not done at once */
  run(input: Readonly<Record<string, unknown>>, context: CallContext): unknown
  view(output: unknown, lang: Lang): View
}

/** Checks an action's parts against each other at compile time, then forgets the types so that one list can hold all. */
export function defineAction<
  Input extends TObject,
  Output extends TSchema,
  T extends Target,
  To extends Capability | undefined = undefined,
>(definition: ActionDefinition<Input, Output, T, To>): Action {
  const { sendsTo, also, ...rest } = definition
  return {
    ...rest,
    ...(also ? { also: (input, instance) => also(input as Static<Input>, instance) } : {}),
    ...(sendsTo === undefined ? {} : { sendsTo }),
    acceptsFile: definition.acceptsFile ?? false,
    fileTypes: definition.fileTypes ?? [],
    acceptsFolder: definition.acceptsFolder ?? false,
    startsJob: definition.startsJob ?? false,
    atOnce: definition.atOnce ?? false,
    private: definition.private ?? false,
    administrative: definition.administrative ?? false,
    personal: definition.personal ?? false,
    form: definition.form ?? [],
    run: (input, context) => definition.run(input as Static<Input>, context as Parameters<typeof definition.run>[1]),
    view: (output, lang) => definition.view(output as Static<Output>, lang),
  }
}
