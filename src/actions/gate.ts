// The hypercall: one narrow, checked entry. Input → target → policy → confirmation → audit → run → audit.
import { type CallContext, type FileSource, type Principal, principalKey, type Services } from './action.js'
import { confirmView, shownOf } from './confirm-view.js'
import { AppError, type ErrorCode } from './errors.js'
import { type Approval, peopleOf } from './guard/approvals.js'
import type { AuditEntry, AuditOutcome } from './guard/audit.js'
import type { Confirmable, Confirmations, Recalled } from './guard/confirmations.js'
import type { Limits } from './guard/limits.js'
import type { Decision, Policy } from './guard/policy/policy.js'
import type { ResourceFacts } from './guard/policy/schema.js'
import { besideOf, type Caller, circumstancesOf, questionOf } from './guard/questions.js'
import { withoutSecrets } from './guard/redact.js'
import { requireRight } from './guard/rights.js'
import type { Hosts } from './hosts/hosts.js'
import type { Job, JobContext, JobWork } from './jobs/jobs.js'
import type { RegisteredAction, Registry } from './registry.js'
import type { Target, Targets } from './targets.js'
import { type Bilingual, formatTime, type Lang } from './text.js'
import type { View } from './view.js'

export interface Call extends Caller {
  readonly lang: Lang
  readonly requestId: string
  readonly action: string
  readonly input: unknown
  readonly file?: FileSource
  /** Finds a file that the input names, in place of `file`. Not called before policy has allowed the rest. */
  readonly fetch?: (signal: AbortSignal) => Promise<FileSource>
  /** Answered from what is known of the hosts, at once: for lists that are asked for at every key. */
  readonly fromMemory?: true
  /** A confirmation's token, from an earlier outcome of this very call. */
  readonly confirm?: string
  readonly signal: AbortSignal
}

/** Whoever decides on a confirmation. */
export type Clicker = Pick<Call, 'principal' | 'surface' | 'requestId'>

export interface Done {
  readonly status: 'done'
  readonly action: RegisteredAction
  readonly output: unknown
  readonly view: View
}

/** Nothing has run: the asker is to say yes first, and maybe others before. */
export interface ConfirmFirst {
  readonly status: 'confirm'
  readonly action: RegisteredAction
  readonly token: string
  /** Epoch ms. */
  readonly expiresAt: number
  readonly why: Bilingual
  readonly view: View
  readonly approval?: Approval
}

export type Outcome = Done | ConfirmFirst

export interface Gate {
  readonly registry: Registry
  /** @throws AppError for whatever the caller caused; a bug is logged and becomes INTERNAL */
  call(call: Call): Promise<Outcome>
  /** The call a confirmation stands for, for clicks that carry only its token. @throws AppError */
  recall(token: string, who: Clicker): Recalled
  /** Says no. @throws AppError CONFIRMATION_EXPIRED, CONFIRMATION_NOT_YOURS */
  withdraw(token: string, who: Clicker): void
}

export interface GateOptions {
  readonly registry: Registry
  readonly policy: () => Policy
  readonly resolve: Targets
  readonly confirmations: Confirmations
  readonly limits: Limits
  readonly services: Services
  /** The same hosts as among the services, for calls from memory. */
  readonly rememberedHosts: Hosts
  /** Told of every failure that is a bug, with the request it belongs to. */
  readonly onBug: (error: unknown, requestId: string) => void
}

/** How far the audit log has got with a call. */
interface Tracked {
  current: AuditEntry
  state: 'new' | 'begun' | 'settled'
}

/** What can go wrong in finding the target, as opposed to acting on it. */
const ASKED_ABOUT: readonly ErrorCode[] = [
  'HOST_NOT_FOUND',
  'HOST_REQUIRED',
  'NO_HOSTS',
  'HOST_UNREACHABLE',
  'INSTANCE_NOT_FOUND',
  'INSTANCE_AMBIGUOUS',
  'IMAGE_NOT_FOUND',
  'IMAGE_AMBIGUOUS',
  'NOT_SUPPORTED',
  'SAME_HOST',
  'ARTIFACT_NOT_FOUND',
]

/** What a call might have been about, had its target been found. */
const UNKNOWN_HOST: ResourceFacts = { kind: 'host', host: { name: '', labels: {} } }
const UNKNOWN_ARTIFACT: ResourceFacts = {
  kind: 'artifact',
  artifact: { id: '', name: '', mediaType: '', sizeBytes: 0, mine: true },
}

export function createGate(options: GateOptions): Gate {
  const { registry, policy, resolve, confirmations, limits, services, rememberedHosts, onBug } = options
  const { hosts, jobs, audit, approvals, now } = services

  /** A target that could not be found must not tell those who may do nothing here that it is missing. */
  function mayAsk(action: RegisteredAction, call: Call, inForce: Policy): boolean {
    const visible = hosts.visible(call.principal).map((host): ResourceFacts => ({ kind: 'host', host }))
    const circumstances = circumstancesOf(call, now())
    return [action.target === 'artifact' ? UNKNOWN_ARTIFACT : UNKNOWN_HOST, ...visible].some(
      (resource) => inForce.decide({ ...circumstances, action, resource }).allowed,
    )
  }

  /** How much an artifact is that a call names. */
  const artifactBytes = ({ artifact }: Readonly<Record<string, unknown>>, { tenant }: Principal) =>
    typeof artifact === 'string' ? services.artifacts.get(artifact, tenant)?.sizeBytes : undefined

  /** The action has happened, or failed; if that cannot be written down, saying "nothing was done" would be a lie. */
  function settle(entry: Tracked, outcome: AuditOutcome): void {
    entry.state = 'settled'
    try {
      audit.outcome(entry.current, outcome)
    } catch (error) {
      onBug(error, entry.current.requestId)
    }
  }

  /** What an action changes in our own database, and the row that says so. @throws what either fails with; then it is as before */
  function runAtOnce(
    action: RegisteredAction,
    input: Readonly<Record<string, unknown>>,
    context: CallContext,
    entry: Tracked,
  ) {
    const output = audit.atomically(() => {
      const made = action.run(input, context)
      audit.outcome(entry.current, { code: 'OK', ...bytesOf(made) })
      return made
    })
    entry.state = 'settled'
    return output
  }

  /** It has been done: a view that cannot be drawn must not make it look as if it had failed. */
  function viewOf(action: RegisteredAction, output: unknown, call: Call): View {
    try {
      return action.view(output, call.lang)
    } catch (error) {
      onBug(error, call.requestId)
      return { tone: 'good', heading: action.summary[call.lang], blocks: [] }
    }
  }

  /** Looking at a confirmation, or saying no to it, leaves its trace as a call does. */
  function audited<T>(name: string, who: Clicker, decide: () => T): T {
    const entry: AuditEntry = { ...who, action: name, effect: 'read', input: {}, policies: [], startedAt: now() }
    try {
      return decide()
    } catch (error) {
      if (error instanceof AppError) audit.refused(entry, error.code)
      throw error
    }
  }

  /** What was kept for a job goes with it, also when none can be started. */
  function startOrRelease(context: JobContext, work: JobWork): Job {
    try {
      return jobs.start(context, work)
    } catch (error) {
      context.release?.()
      throw error
    }
  }

  async function pass(call: Call, entry: Tracked): Promise<Outcome> {
    const action = registry.get(call.action)
    // One policy from here to the end, also when another one is put in force meanwhile.
    const inForce = policy()
    entry.current = { ...entry.current, action: action.name, effect: action.effect }
    await limits.take(call.principal, action)
    const input = action.check(call.input)
    const shownInput = withoutSecrets(input, action.fields)
    const record = (file: FileSource | undefined): void => {
      entry.current = { ...entry.current, input: file ? { ...shownInput, file: recordOf(file) } : shownInput }
    }
    record(call.file)
    if (call.file && !action.acceptsFile) {
      throw new AppError('INVALID_INPUT', { problem: { en: 'this command takes no file', zh: '该命令不接受文件' } })
    }
    if (call.file && call.fetch) throw new AppError('CONTENT_REQUIRED')

    let resolved: Target
    try {
      resolved = await resolve(action, input, call.principal, call.signal)
    } catch (error) {
      if (error instanceof AppError && ASKED_ABOUT.includes(error.code) && !mayAsk(action, call, inForce)) {
        throw new AppError('FORBIDDEN', { action: action.name }, { cause: error })
      }
      throw error
    }
    entry.current = {
      ...entry.current,
      ...(resolved.host ? { host: resolved.host.name } : {}),
      ...(resolved.instance ? { instance: resolved.instance.id } : {}),
    }

    const question = questionOf(call, action, input, resolved, now())
    const beside = besideOf(input, action, resolved, registry)
    const seen = ({ policies }: Decision): void => {
      entry.current = { ...entry.current, policies: [...new Set([...entry.current.policies, ...policies])] }
    }
    let { file } = call
    if (call.fetch) {
      // Somebody who may not do this with the smallest of files has nothing looked up for them.
      requireRight(inForce, { ...question, bytes: 0 }, beside, seen)
      file = await call.fetch(call.signal)
      record(file)
    }
    const bytes = file?.sizeBytes ?? artifactBytes(input, call.principal)
    const demand = requireRight(inForce, { ...question, ...(bytes === undefined ? {} : { bytes }) }, beside, seen)

    const confirmable = confirmableOf(call, action, input, resolved, file)
    if (demand.reason && (typeof input.reason !== 'string' || input.reason.trim() === '')) {
      throw new AppError('REASON_REQUIRED')
    }
    let agree: (() => readonly string[]) | undefined
    if (demand.why) {
      if (call.confirm === undefined) {
        const asked = { ...resolved, action, file, input: shownInput, why: demand.why }
        const { principal } = call
        const approval =
          demand.approvals.length === 0
            ? undefined
            : approvals.ask({ ...shownOf(asked), principal, action: action.name, needed: demand.approvals })
        const { token, expiresAt } = confirmations.create(confirmable, approval)
        audit.refused(entry.current, approval ? 'APPROVAL_REQUIRED' : 'CONFIRMATION_REQUIRED')
        entry.state = 'settled'
        return {
          status: 'confirm',
          action,
          token,
          expiresAt,
          why: demand.why,
          view: confirmView(asked, call.lang, approval),
          ...(approval ? { approval } : {}),
        }
      }
      const { confirm } = call
      agree = () => {
        const agreed = confirmations.redeem(confirm, confirmable, demand.approvals)
        entry.current = { ...entry.current, approvals: agreed }
        return agreed
      }
    }

    audit.intent(entry.current, agree)
    entry.state = 'begun'
    const begun = entry.current
    const startJob: CallContext['startJob'] = (work, release) => {
      const job = startOrRelease(
        {
          tenant: call.principal.tenant,
          principal: principalKey(call.principal),
          action: action.name,
          ...(resolved.host ? { host: resolved.host.name } : {}),
          ...(resolved.destination ? { destination: resolved.destination.name } : {}),
          ...(resolved.instance ? { instance: resolved.instance.id } : {}),
          settle: (outcome) => audit.outcome(begun, outcome),
          onBug: (error) => onBug(error, call.requestId),
          ...(release ? { release } : {}),
        },
        work,
      )
      // From here the outcome is the job's to write.
      entry.state = 'settled'
      return job
    }
    const reached = call.fromMemory ? { ...services, hosts: rememberedHosts } : services
    const context = { ...reached, ...contextOf(call, resolved, file), startJob }
    const output = action.atOnce ? runAtOnce(action, input, context, entry) : await action.run(input, context)
    if (entry.state === 'begun') settle(entry, { code: 'OK', ...bytesOf(output) })
    return { status: 'done', action, output, view: viewOf(action, output, call) }
  }

  return {
    registry,
    async call(call) {
      const entry: Tracked = {
        state: 'new',
        current: {
          requestId: call.requestId,
          principal: call.principal,
          surface: call.surface,
          action: call.action.slice(0, 64),
          effect: 'read',
          input: {},
          policies: [],
          startedAt: now(),
        },
      }
      try {
        return await pass(call, entry)
      } catch (error) {
        const known =
          error instanceof AppError ? error : new AppError('INTERNAL', { requestId: call.requestId }, { cause: error })
        if (known.code === 'INTERNAL' || known.code === 'AUDIT_UNAVAILABLE') onBug(error, call.requestId)
        if (entry.state === 'begun') settle(entry, { code: known.code })
        else if (entry.state === 'new' && known.code !== 'AUDIT_UNAVAILABLE') audit.refused(entry.current, known.code)
        throw known
      }
    },
    recall: (token, who) => audited('confirm', who, () => confirmations.recall(token, who.principal)),
    withdraw: (token, who) => audited('withdraw', who, () => confirmations.withdraw(token, who.principal)),
  }
}

/** The call as a confirmation is bound to it. */
const confirmableOf = (
  { principal }: Call,
  { name }: RegisteredAction,
  input: Readonly<Record<string, unknown>>,
  { host, instance, image, artifact, card }: Target,
  file: FileSource | undefined,
): Confirmable => ({
  principal,
  action: name,
  input,
  ...(file ? { file: file.reference } : {}),
  target: {
    host: host?.name,
    id: instance?.id ?? image?.id ?? artifact?.id,
    imageId: instance?.imageId,
    state: instance?.state,
    version: card?.version,
  },
})

/** What an action is told of the call, and of what it acts on. */
const contextOf = (
  { principal, surface, channel, lang, requestId, signal }: Call,
  { host, instance, image, destination, artifact }: Target,
  file: FileSource | undefined,
) => ({
  principal,
  surface,
  ...(channel === undefined ? {} : { channel }),
  lang,
  requestId,
  signal,
  ...(file ? { file } : {}),
  ...(host ? { host: host.name, driver: host.driver } : {}),
  ...(instance ? { instance } : {}),
  ...(image ? { image } : {}),
  ...(destination ? { destination } : {}),
  ...(artifact ? { artifact } : {}),
})

/** A file as the audit log keeps it: its address may carry a signature, and stays out. */
const recordOf = ({ name, sizeBytes, reference }: FileSource) => ({
  name,
  sizeBytes,
  ...(reference.sha256 === undefined ? {} : { sha256: reference.sha256 }),
})

const bytesOf = (output: unknown): { bytes?: number } =>
  typeof output === 'object' && output !== null && 'sizeBytes' in output && typeof output.sizeBytes === 'number'
    ? { bytes: output.sizeBytes }
    : {}

/** A confirmation as an error, for surfaces that can only answer or fail. */
export function confirmationError({ token, why, expiresAt, approval }: ConfirmFirst): AppError {
  const details = { confirm: token, why, expiresAt: formatTime(expiresAt) }
  if (approval === undefined) return new AppError('CONFIRMATION_REQUIRED', details)
  return new AppError('APPROVAL_REQUIRED', { ...details, approval: approval.id, needed: peopleOf(approval.needed) })
}
