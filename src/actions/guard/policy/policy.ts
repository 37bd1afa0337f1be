// Cedar decides: deny by default, a forbid always wins, and the annotations of the permits say what is asked for first.
import {
  type CedarValueJson,
  type DetailedError,
  type EntityJson,
  policySetTextToParts,
  policyToJson,
  preparsePolicySet,
  type SchemaJson,
  statefulIsAuthorized,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs'
import { EFFECTS, type Effect, type Principal, type Surface } from '../action.js'
import type { Image, InstanceDetail } from '../hosts/driver.js'
import type { Bilingual } from '../text.js'
import type { Requirement } from './approvals.js'

/** The facts about a host that a policy can ask for. */
export interface HostFacts {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

export type ResourceFacts =
  | { readonly kind: 'service' }
  | { readonly kind: 'host'; readonly host: HostFacts }
  | { readonly kind: 'instance'; readonly host: HostFacts; readonly instance: InstanceDetail }
  | { readonly kind: 'image'; readonly host: HostFacts; readonly image: Image }

export interface Question {
  readonly principal: Principal
  readonly action: { readonly name: string; readonly effect?: Effect }
  readonly resource: ResourceFacts
  readonly surface: Surface
  /** Where to, for the verbs that send to another host. */
  readonly destination?: HostFacts
  /** Where in the instance, for the verbs that copy; how much, where a file or an artifact is given. */
  readonly path?: string
  readonly bytes?: number
  /** Whether the engine of an instance has known holes in copying. */
  readonly copyRisk?: boolean
}

/** Rights beside the verbs, in no effect: a permit for all that changes something does not include them. */
export const RIGHTS = { specialMode: 'set-special-mode' } as const

export interface Decision {
  readonly allowed: boolean
  /** The policies that decided, by @id or position. Empty when nothing spoke for the call. */
  readonly policies: readonly string[]
  /** Present when every permit that applies asks for a click; the words are the policy author's. */
  readonly confirm?: Bilingual
  /** Present when every permit that applies asks for other people, and then beside `confirm`. */
  readonly approve?: Requirement
}

export interface Policy {
  decide(question: Question): Decision
}

export interface PolicyProblem {
  readonly line: number
  readonly message: string
}

/** A policy file that must not be used. */
export class PolicyError extends Error {
  readonly problems: readonly PolicyProblem[]

  constructor(problems: readonly PolicyProblem[]) {
    super(problems.map((problem) => `line ${problem.line}: ${problem.message}`).join('\n'))
    this.name = 'PolicyError'
    this.problems = problems
  }
}

const text = { type: 'String' } as const
const flag = { type: 'Boolean' } as const

/** What a policy may mention. Checked at load, so that a misspelt action or attribute never silently matches nothing. */
export function policySchema(
  actions: readonly { readonly name: string; readonly effect: Effect }[],
): SchemaJson<string> {
  const appliesTo = {
    principalTypes: ['User', 'Token', 'Local'],
    resourceTypes: ['Service', 'Host', 'Instance', 'Image'],
    context: {
      type: 'Record' as const,
      attributes: {
        surface: text,
        destination: { type: 'Entity' as const, name: 'Host', required: false },
        path: { ...text, required: false },
        bytes: { type: 'Long' as const, required: false },
        copyRisk: { ...flag, required: false },
      },
    },
  }
  const principal = {
    memberOfTypes: ['Role', 'Guild'],
    shape: { type: 'Record' as const, attributes: { name: text } },
  }
  return {
    '': {
      entityTypes: {
        Role: {},
        Guild: {},
        User: principal,
        Token: principal,
        Local: principal,
        Service: {},
        Host: { shape: { type: 'Record', attributes: { name: text } }, tags: text },
        Image: {
          memberOfTypes: ['Host'],
          shape: {
            type: 'Record',
            attributes: {
              references: { type: 'Set', element: text },
              host: { type: 'Entity', name: 'Host' },
              bytes: { type: 'Long' },
            },
          },
          tags: text,
        },
        Instance: {
          memberOfTypes: ['Host'],
          shape: {
            type: 'Record',
            attributes: {
              name: text,
              image: text,
              state: text,
              host: { type: 'Entity', name: 'Host' },
              privileged: flag,
              hostNetwork: flag,
              engineSocketMounted: flag,
              mounts: { type: 'Long' },
            },
          },
          tags: text,
        },
      },
      actions: {
        ...Object.fromEntries(EFFECTS.map((effect) => [effect, {}])),
        ...Object.fromEntries(Object.values(RIGHTS).map((right) => [right, { appliesTo }])),
        ...Object.fromEntries(actions.map(({ name, effect }) => [name, { memberOf: [{ id: effect }], appliesTo }])),
      },
    },
  }
}

const hostUid = ({ name }: HostFacts) => ({ type: 'Host', id: name })
const hostEntity = (host: HostFacts): EntityJson => ({
  uid: hostUid(host),
  attrs: { name: host.name },
  parents: [],
  tags: { ...host.labels },
})

const PRINCIPAL_TYPE = { user: 'User', token: 'Token', local: 'Local' } as const

function entitiesOf({ principal, resource, destination }: Question) {
  const uid = { type: PRINCIPAL_TYPE[principal.kind], id: principal.id }
  const entities: EntityJson[] = [
    {
      uid,
      attrs: { name: principal.name },
      parents: [
        ...principal.roles.map((role) => ({ type: 'Role', id: role })),
        { type: 'Guild', id: principal.tenant },
      ],
    },
  ]
  if (resource.kind === 'service') return { principal: uid, resource: { type: 'Service', id: 'hypercall' }, entities }
  const host = hostUid(resource.host)
  entities.push(hostEntity(resource.host))
  if (destination && destination.name !== resource.host.name) entities.push(hostEntity(destination))
  if (resource.kind === 'host') return { principal: uid, resource: host, entities }
  if (resource.kind === 'image') {
    const { image } = resource
    const imageUid = { type: 'Image', id: `${resource.host.name}/${image.id}` }
    entities.push({
      uid: imageUid,
      attrs: { references: [...image.tags, ...image.digests], host: { __entity: host }, bytes: image.sizeBytes },
      parents: [host],
      tags: { ...image.labels },
    })
    return { principal: uid, resource: imageUid, entities }
  }
  const { instance } = resource
  const instanceUid = { type: 'Instance', id: `${resource.host.name}/${instance.id}` }
  entities.push({
    uid: instanceUid,
    attrs: {
      name: instance.name,
      image: instance.image,
      state: instance.state,
      host: { __entity: host },
      privileged: instance.privileged,
      hostNetwork: instance.hostNetwork,
      engineSocketMounted: instance.engineSocketMounted,
      mounts: instance.mounts.length,
    },
    parents: [host],
    tags: { ...instance.labels },
  })
  return { principal: uid, resource: instanceUid, entities }
}

/** What a permit asks for first: nothing, a click, or the click of others. */
interface Permit extends Pick<Decision, 'confirm' | 'approve'> {
  readonly id: string
}

const KNOWN_ANNOTATIONS = new Set(['id', 'confirm', 'confirm_zh', 'approve'])

/** `role:ops:2`: two people who hold the role `ops`. */
const APPROVE = /^role:([^\s:]+)(?::([1-9]))?$/
const APPROVE_WORDS: Bilingual = { en: 'Somebody else must agree to this.', zh: '此操作需经他人同意。' }

/** How much a permit demands: of several that apply, the least demanding wins. */
const demandOf = ({ confirm, approve }: Permit): number => (approve ? 1 + approve.count : confirm ? 1 : 0)

const lineOf = (source: string, offset: number): number => source.slice(0, offset).split('\n').length

const problemsOf = (source: string, errors: readonly DetailedError[]): PolicyProblem[] =>
  errors.map((error) => ({
    line: lineOf(source, error.sourceLocations?.[0]?.start ?? 0),
    message: error.help ? `${error.message} (${error.help})` : error.message,
  }))

let loaded = 0

/**
 * Parses and checks a policy file.
 * @param source Cedar text @throws PolicyError with every problem found; nothing of a broken file is ever used
 */
export function loadPolicy(source: string, schema: SchemaJson<string>): Policy {
  const parts = policySetTextToParts(source)
  if (parts.type === 'failure') throw new PolicyError(problemsOf(source, parts.errors))

  const problems: PolicyProblem[] = []
  const policies: Record<string, string> = {}
  const permits = new Map<string, Permit>()
  let searchFrom = 0
  parts.policies.forEach((policyText, index) => {
    const start = Math.max(source.indexOf(policyText, searchFrom), searchFrom)
    searchFrom = start
    const line = lineOf(source, start)
    const parsed = policyToJson(policyText)
    if (parsed.type === 'failure') {
      problems.push(...problemsOf(source, parsed.errors))
      return
    }
    const annotations = parsed.json.annotations ?? {}
    const id = annotations.id ?? `policy${index + 1}`
    if (policies[id] !== undefined) problems.push({ line, message: `two policies are called @id("${id}")` })
    policies[id] = policyText
    for (const name of Object.keys(annotations)) {
      // A misspelt @confirm would allow what its author meant to hold back.
      if (!KNOWN_ANNOTATIONS.has(name)) problems.push({ line, message: `unknown annotation @${name}` })
    }
    if (annotations.confirm_zh !== undefined && annotations.confirm === undefined) {
      problems.push({ line, message: '@confirm_zh needs @confirm beside it' })
    }
    const [, role, count = '1'] = APPROVE.exec(annotations.approve ?? '') ?? []
    if (annotations.approve !== undefined && role === undefined) {
      problems.push({ line, message: '@approve wants "role:NAME" or "role:NAME:HOW_MANY", at most nine' })
    }
    if (parsed.json.effect === 'permit') {
      const en = annotations.confirm
      const words = en === undefined ? undefined : { en, zh: annotations.confirm_zh ?? en }
      permits.set(id, {
        id,
        ...(role === undefined ? {} : { confirm: APPROVE_WORDS, approve: { role, count: Number(count) } }),
        ...(words ? { confirm: words } : {}),
      })
    } else {
      for (const name of ['confirm', 'approve'].filter((candidate) => annotations[candidate] !== undefined)) {
        problems.push({ line, message: `@${name} stands on a forbid, where it means nothing` })
      }
    }
  })
  if (problems.length > 0) throw new PolicyError(problems)

  const checked = validate({ schema, policies: { staticPolicies: policies } })
  if (checked.type === 'failure') throw new PolicyError(problemsOf(source, checked.errors))
  if (checked.validationErrors.length > 0) {
    throw new PolicyError(
      checked.validationErrors.map(({ policyId, error }) => ({
        line: lineOf(source, Math.max(source.indexOf(policies[policyId] ?? ''), 0)),
        message: `${policyId}: ${error.message}${error.help ? ` (${error.help})` : ''}`,
      })),
    )
  }

  loaded += 1
  const setId = `policy-set-${loaded}`
  const prepared = preparsePolicySet(setId, { staticPolicies: policies })
  if (prepared.type === 'failure') throw new PolicyError(problemsOf(source, prepared.errors))

  return {
    decide(question) {
      const context: Record<string, CedarValueJson> = {
        surface: question.surface,
        ...(question.destination === undefined ? {} : { destination: { __entity: hostUid(question.destination) } }),
        ...(question.path === undefined ? {} : { path: question.path }),
        ...(question.bytes === undefined ? {} : { bytes: question.bytes }),
        ...(question.copyRisk === undefined ? {} : { copyRisk: question.copyRisk }),
      }
      const { principal, resource, entities } = entitiesOf(question)
      const { name, effect } = question.action
      const actionUid = { type: 'Action', id: name }
      const answer = statefulIsAuthorized({
        principal,
        action: actionUid,
        resource,
        context,
        entities: [
          ...entities,
          { uid: actionUid, attrs: {}, parents: effect === undefined ? [] : [{ type: 'Action', id: effect }] },
        ],
        preparsedPolicySetId: setId,
      })
      // A request that Cedar cannot evaluate is a bug of ours, and a bug never opens the gate.
      if (answer.type === 'failure') throw new Error(answer.errors.map((error) => error.message).join('; '))
      const { decision, diagnostics } = answer.response
      // A policy that fails to evaluate is skipped by Cedar: harmless for a permit, but a forbid would lose its force.
      const failedForbid = diagnostics.errors.find((error) => !permits.has(error.policyId))
      if (decision === 'deny' || failedForbid) return { allowed: false, policies: diagnostics.reason }
      const applying = [...permits.values()].filter((permit) => diagnostics.reason.includes(permit.id))
      const least = Math.min(...applying.map(demandOf))
      const deciding = applying.filter((permit) => demandOf(permit) === least)
      // In the order of the file: of those that demand as little, the last one speaks.
      const { confirm, approve } = deciding.at(-1) ?? {}
      return {
        allowed: true,
        policies: deciding.map(({ id }) => id),
        ...(confirm ? { confirm } : {}),
        ...(approve ? { approve } : {}),
      }
    },
  }
}
