// Reads a policy file whole or not at all: its syntax, its words against the schema, and the annotations of its permits.
import type { DetailedError, PolicyJson } from '@cedar-policy/cedar-wasm/web'
import type { Effect } from '../../action.js'
import type { Bilingual } from '../../text.js'
import type { Requirement } from '../approvals.js'
import { policySetTextToParts, policyToJson, validate } from './cedar.js'
import type { PolicySchema } from './schema.js'
import { actionsOf, coveredBy } from './scope.js'

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

/** What a permit asks for first: nothing, its asker's click or reason, or the click of others. */
export interface Permit {
  readonly id: string
  readonly confirm?: Bilingual
  readonly approve?: Requirement
  readonly reason?: true
}

/** How much a permit demands: of several that apply, the least demanding wins. */
export const demandOf = ({ confirm, approve, reason }: Permit): number =>
  2 * (approve ? 1 + approve.count : confirm ? 1 : 0) + (reason ? 1 : 0)

export interface PolicyFile {
  /** Cedar text by @id or position, in the order of the file. */
  readonly policies: Readonly<Record<string, string>>
  readonly permits: ReadonlyMap<string, Permit>
  readonly unreachable: readonly PolicyProblem[]
}

const KNOWN_ANNOTATIONS = new Set(['id', 'confirm', 'confirm_zh', 'approve', 'reason'])
/** These ask for something, which only a permit can. */
const DEMANDS = ['confirm', 'approve', 'reason'] as const

/** Calls with this effect have no field for a reason. */
const READ: Effect = 'read'

/** `role:ops:2`: two people who hold the role `ops`. */
const APPROVE = /^role:([^\s:]+)(?::([1-9]))?$/
const APPROVE_WORDS: Bilingual = { en: 'Somebody else must agree to this.', zh: '此操作需经他人同意。' }

const lineOf = (source: string, offset: number): number => source.slice(0, offset).split('\n').length

const problemsOf = (source: string, errors: readonly DetailedError[]): PolicyProblem[] =>
  errors.map((error) => ({
    line: lineOf(source, error.sourceLocations?.[0]?.start ?? 0),
    message: error.help ? `${error.message} (${error.help})` : error.message,
  }))

interface Parsed {
  readonly id: string
  readonly line: number
  readonly text: string
  readonly json: PolicyJson
}

/** @returns each policy of the file, in its order @throws PolicyError when its syntax is broken */
function parse(source: string): Parsed[] {
  const parts = policySetTextToParts(source)
  if (parts.type === 'failure') throw new PolicyError(problemsOf(source, parts.errors))
  let searchFrom = 0
  return parts.policies.map((text, index) => {
    const start = Math.max(source.indexOf(text, searchFrom), searchFrom)
    searchFrom = start
    const parsed = policyToJson(text)
    if (parsed.type === 'failure') throw new PolicyError(problemsOf(source, parsed.errors))
    const { json } = parsed
    return { id: json.annotations?.id ?? `policy${index + 1}`, line: lineOf(source, start), text, json }
  })
}

/** @returns what is wrong with a policy's annotations */
function misannotated({ line, json }: Parsed, schema: PolicySchema): PolicyProblem[] {
  const annotations = json.annotations ?? {}
  const messages: string[] = []
  for (const name of Object.keys(annotations)) {
    // A misspelt @confirm would allow what its author meant to hold back.
    if (!KNOWN_ANNOTATIONS.has(name)) messages.push(`unknown annotation @${name}`)
  }
  if (annotations.confirm_zh !== undefined && annotations.confirm === undefined) {
    messages.push('@confirm_zh needs @confirm beside it')
  }
  if (annotations.approve !== undefined && !APPROVE.test(annotations.approve)) {
    messages.push('@approve wants "role:NAME" or "role:NAME:HOW_MANY", at most nine')
  }
  if (annotations.reason !== undefined) {
    if (annotations.reason !== 'required') messages.push('@reason wants "required"')
    const isRead = (name: string) => schema['']?.actions[name]?.memberOf?.some(({ id }) => id === READ) ?? false
    const reads = actionsOf(json, schema).filter(isRead)
    if (reads.length > 0) messages.push(`@reason stands on a permit of ${reads.join(', ')}, which take none`)
  }
  if (json.effect === 'forbid') {
    for (const name of DEMANDS) {
      if (annotations[name] !== undefined) messages.push(`@${name} stands on a forbid, where it means nothing`)
    }
  }
  return messages.map((message) => ({ line, message }))
}

function permitOf({ id, json: { annotations = {} } }: Parsed): Permit {
  const [, role, count = '1'] = APPROVE.exec(annotations.approve ?? '') ?? []
  const en = annotations.confirm
  return {
    id,
    ...(role === undefined ? {} : { confirm: APPROVE_WORDS, approve: { role, count: Number(count) } }),
    ...(en === undefined ? {} : { confirm: { en, zh: annotations.confirm_zh ?? en } }),
    ...(annotations.reason === undefined ? {} : { reason: true }),
  }
}

/** @returns the permits to which another policy leaves nothing to decide */
function shadowed(
  parsed: readonly Parsed[],
  permits: ReadonlyMap<string, Permit>,
  schema: PolicySchema,
): PolicyProblem[] {
  const isCovered = (one: Parsed, by: Parsed): boolean =>
    by !== one && by.json.conditions.length === 0 && coveredBy(one.json, by.json, schema)
  return parsed.flatMap((one, at): PolicyProblem[] => {
    const permit = permits.get(one.id)
    if (!permit) return []
    const covering = parsed.filter((other) => isCovered(one, other))
    const forbid = covering.find(({ id }) => !permits.has(id))
    if (forbid) return [{ line: one.line, message: `${one.id}: never applies, "${forbid.id}" forbids all of it` }]
    const easier = covering.find((other) => {
      const its = permits.get(other.id)
      if (!its || demandOf(its) > demandOf(permit)) return false
      // Of those that ask for as much the last one speaks, and where nothing is asked for there is nothing to say.
      const isSilent = demandOf(permit) === 0 && !isCovered(other, one)
      return demandOf(its) < demandOf(permit) || parsed.indexOf(other) > at || isSilent
    })
    if (!easier) return []
    const message = `${one.id}: never decides, "${easier.id}" permits all of it and asks for no more`
    return [{ line: one.line, message }]
  })
}

/**
 * @param source Cedar text
 * @throws PolicyError with every problem found
 */
export function readPolicyFile(source: string, schema: PolicySchema): PolicyFile {
  const parsed = parse(source)
  const twice = parsed.filter(({ id }, at) => parsed.findIndex((other) => other.id === id) < at)
  const problems = [
    ...twice.map(({ id, line }) => ({ line, message: `two policies are called @id("${id}")` })),
    ...parsed.flatMap((one) => misannotated(one, schema)),
  ]
  if (problems.length > 0) throw new PolicyError(problems)

  const policies = Object.fromEntries(parsed.map(({ id, text }) => [id, text]))
  const lineOfPolicy = (policyId: string): number => parsed.find(({ id }) => id === policyId)?.line ?? 1
  const checked = validate({ schema, policies: { staticPolicies: policies } })
  if (checked.type === 'failure') throw new PolicyError(problemsOf(source, checked.errors))
  const told = ({ policyId, error }: { policyId: string; error: DetailedError }): PolicyProblem => ({
    line: lineOfPolicy(policyId),
    message: `${policyId}: ${error.message}${error.help ? ` (${error.help})` : ''}`,
  })
  if (checked.validationErrors.length > 0) throw new PolicyError(checked.validationErrors.map(told))

  const permits = new Map(
    parsed.filter(({ json }) => json.effect === 'permit').map((one) => [one.id, permitOf(one)] as const),
  )
  return {
    policies,
    permits,
    unreachable: [
      ...checked.validationWarnings.filter(({ policyId }) => permits.has(policyId)).map(told),
      ...shadowed(parsed, permits, schema),
    ],
  }
}
