// The hypercall: one narrow, checked entry. Input → target → policy → confirmation → audit → run → audit.
import {
  type CallContext,
  type FileSource,
  type Principal,
  principalKey,
  type Services,
  type Surface,
} from './action.js'
import { AppError, type ErrorCode } from './errors.js'
import type { AuditEntry, AuditOutcome } from './guard/audit.js'
import type { Confirmable, Confirmations } from './guard/confirmations.js'
import type { Policy, ResourceFacts } from './guard/policy.js'
import type { Image, InstanceDetail } from './hosts/driver.js'
import type { Host } from './hosts/hosts.js'
import type { RegisteredAction, Registry } from './registry.js'
import { type Bilingual, formatTime, type Lang, say } from './text.js'
import type { View } from './view.js'

export interface Call {
  readonly principal: Principal
  readonly surface: Surface
  readonly lang: Lang
  readonly requestId: string
  readonly action: string
  readonly input: unknown
  readonly file?: FileSource
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

/** Nothing has run: the asker is to say yes first. */
export interface ConfirmFirst {
  readonly status: 'confirm'
  readonly action: RegisteredAction
  readonly token: string
  /** Epoch ms. */
  readonly expiresAt: number
  readonly why: Bilingual
  readonly view: View
}

export type Outcome = Done | ConfirmFirst

export interface Gate {
  readonly registry: Registry
  /** @throws AppError for whatever the caller caused; a bug is logged and becomes INTERNAL */
  call(call: Call): Promise<Outcome>
  /** The call a confirmation stands for, for clicks that carry only its token. @throws AppError */
  recall(token: string, who: Clicker): Pick<Confirmable, 'action' | 'input' | 'file'>
  /** Says no. @throws AppError CONFIRMATION_EXPIRED, CONFIRMATION_NOT_YOURS */
  withdraw(token: string, who: Clicker): void
}

export interface GateOptions {
  readonly registry: Registry
  readonly policy: () => Policy
  readonly confirmations: Confirmations
  readonly services: Services
  /** Told of every failure that is a bug, with the request it belongs to. */
  readonly onBug: (error: unknown, requestId: string) => void
}

interface Resolved {
  readonly facts: ResourceFacts
  readonly host?: Host
  readonly instance?: InstanceDetail
  readonly image?: Image
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
]

const UNKNOWN_HOST = { name: '', labels: {} } as const

export function createGate({ registry, policy, confirmations, services, onBug }: GateOptions): Gate {
  const { hosts, jobs, audit, now } = services

  async function resolve(
    action: RegisteredAction,
    input: Readonly<Record<string, unknown>>,
    call: Call,
  ): Promise<Resolved> {
    if (action.target === 'none') return { facts: { kind: 'service' } }
    const host = hosts.get(input.host as string | undefined, call.principal)
    if (action.needs !== undefined && !host.driver.can[action.needs]) {
      throw new AppError('NOT_SUPPORTED', { host: host.name, capability: action.needs })
    }
    if (action.target === 'host') return { facts: { kind: 'host', host }, host }
    if (action.target === 'image') {
      const image = await hosts.resolveImage(host, input.image as string, call.signal)
      return { facts: { kind: 'image', host, image }, host, image }
    }
    const instance = await hosts.resolve(host, input.container as string, call.signal)
    return { facts: { kind: 'instance', host, instance }, host, instance }
  }

  /** A target that could not be found must not tell those who may do nothing here that it is missing. */
  function mayAsk(action: RegisteredAction, call: Call): boolean {
    return [UNKNOWN_HOST, ...hosts.visible(call.principal)].some(
      (host) => policy().decide({ ...call, action, resource: { kind: 'host', host } }).allowed,
    )
  }

  /** The action has happened, or failed; if that cannot be written down, saying "nothing was done" would be a lie. */
  function settle(entry: Tracked, outcome: AuditOutcome): void {
    entry.state = 'settled'
    try {
      audit.outcome(entry.current, outcome)
    } catch (error) {
      onBug(error, entry.current.requestId)
    }
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

  function describeCall(action: RegisteredAction, resolved: Resolved, file: FileSource | undefined): Bilingual {
    const what = [
      resolved.instance
        ? `${resolved.instance.name} (${resolved.instance.id.slice(0, 12)}, ${resolved.instance.image})`
        : '',
      resolved.image ? `${resolved.image.tags[0] ?? ''} (${shortImageId(resolved.image.id)})` : '',
      resolved.host ? `@ ${resolved.host.name}` : '',
      file ? `← ${file.name}` : '',
    ]
      .filter((part) => part !== '')
      .join(' ')
    return { en: `${action.summary.en}: ${what}`, zh: `${action.summary.zh}：${what}` }
  }

  function confirmView(action: RegisteredAction, resolved: Resolved, why: Bilingual, call: Call, input: object): View {
    const what = describeCall(action, resolved, call.file)
    const facts = Object.entries(input)
      .filter(([name]) => name !== 'host' && name !== action.target && !(name === 'container' && resolved.instance))
      .map(([name, value]) => ({ label: name, value: shown(String(value), call.lang) }))
    return {
      tone: 'warn',
      heading: { en: 'Please confirm', zh: '请确认' }[call.lang],
      blocks: [
        { kind: 'text', text: what[call.lang] },
        { kind: 'text', text: why[call.lang] },
        ...(facts.length === 0 ? [] : [{ kind: 'facts', facts } as const]),
      ],
    }
  }

  async function pass(call: Call, entry: Tracked): Promise<Outcome> {
    const action = registry.get(call.action)
    entry.current = { ...entry.current, action: action.name, effect: action.effect }
    const input = action.check(call.input)
    entry.current = { ...entry.current, input: call.file ? { ...input, file: recordOf(call.file) } : input }
    if (call.file && !action.acceptsFile) {
      throw new AppError('INVALID_INPUT', { problem: { en: 'this command takes no file', zh: '该命令不接受文件' } })
    }

    let resolved: Resolved
    try {
      resolved = await resolve(action, input, call)
    } catch (error) {
      if (error instanceof AppError && ASKED_ABOUT.includes(error.code) && !mayAsk(action, call)) {
        throw new AppError('FORBIDDEN', { action: action.name }, { cause: error })
      }
      throw error
    }
    entry.current = {
      ...entry.current,
      ...(resolved.host ? { host: resolved.host.name } : {}),
      ...(resolved.instance ? { instance: resolved.instance.id } : {}),
    }

    const decision = policy().decide({
      principal: call.principal,
      action,
      resource: resolved.facts,
      surface: call.surface,
      ...(typeof input.path === 'string' ? { path: input.path } : {}),
      ...(call.file ? { bytes: call.file.sizeBytes } : {}),
    })
    entry.current = { ...entry.current, policies: decision.policies }
    if (!decision.allowed) throw new AppError('FORBIDDEN', { action: action.name })

    const confirmable: Confirmable = {
      principal: call.principal,
      action: action.name,
      input,
      ...(call.file ? { file: call.file.reference } : {}),
      target: {
        host: resolved.host?.name,
        id: resolved.instance?.id ?? resolved.image?.id,
        imageId: resolved.instance?.imageId,
        state: resolved.instance?.state,
      },
    }
    if (decision.confirm) {
      if (call.confirm === undefined) {
        const { token, expiresAt } = confirmations.create(confirmable)
        audit.refused(entry.current, 'CONFIRMATION_REQUIRED')
        entry.state = 'settled'
        return {
          status: 'confirm',
          action,
          token,
          expiresAt,
          why: decision.confirm,
          view: confirmView(action, resolved, decision.confirm, call, input),
        }
      }
      confirmations.redeem(call.confirm, confirmable)
    }

    audit.intent(entry.current)
    entry.state = 'begun'
    const begun = entry.current
    const context: CallContext & { host?: string; driver?: Host['driver']; instance?: InstanceDetail; image?: Image } =
      {
        ...services,
        principal: call.principal,
        surface: call.surface,
        lang: call.lang,
        requestId: call.requestId,
        signal: call.signal,
        ...(call.file ? { file: call.file } : {}),
        ...(resolved.host ? { host: resolved.host.name, driver: resolved.host.driver } : {}),
        ...(resolved.instance ? { instance: resolved.instance } : {}),
        ...(resolved.image ? { image: resolved.image } : {}),
        startJob(work, release) {
          try {
            const job = jobs.start(
              {
                tenant: call.principal.tenant,
                principal: principalKey(call.principal),
                action: action.name,
                ...(resolved.host ? { host: resolved.host.name } : {}),
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
          } catch (error) {
            release?.()
            throw error
          }
        },
      }
    const output = await action.run(input, context)
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

const shortImageId = (id: string): string => id.replace(/^sha256:/, '').slice(0, 12)

const LONGEST_SHOWN = 200

/** A long value as its beginning and its length: a confirmation is read, not scrolled. */
const shown = (value: string, lang: Lang): string =>
  value.length <= LONGEST_SHOWN
    ? value
    : say(
        lang,
        { en: '{start}… ({count} characters)', zh: '{start}……（共 {count} 个字符）' },
        { start: value.slice(0, LONGEST_SHOWN), count: value.length },
      )

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
export const confirmationError = (outcome: ConfirmFirst): AppError =>
  new AppError('CONFIRMATION_REQUIRED', {
    confirm: outcome.token,
    why: outcome.why,
    expiresAt: formatTime(outcome.expiresAt),
  })
