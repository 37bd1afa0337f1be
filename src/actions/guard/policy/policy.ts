// Cedar decides: deny by default, a forbid always wins, and the annotations of the permits say what is asked for first.
import type { CedarValueJson } from '@cedar-policy/cedar-wasm/web'
import type { Bilingual } from '../../text.js'
import type { Requirement } from '../approvals.js'
import { preparsePolicySet, statefulIsAuthorized } from './cedar.js'
import { demandOf, type Permit, type PolicyProblem, readPolicyFile } from './file.js'
import { type PolicySchema, type Question, requestOf } from './schema.js'

export interface Decision {
  readonly allowed: boolean
  /** The policies that decided, by @id or position. Empty when nothing spoke for the call. */
  readonly policies: readonly string[]
  /** Present when every permit that applies asks for a click; the words are the policy author's. */
  readonly confirm?: Bilingual
  /** Present when every permit that applies asks for other people, and then beside `confirm`. */
  readonly approve?: Requirement
  /** Present when every permit that applies wants to know what it is for. */
  readonly reason?: true
}

export interface Policy {
  decide(question: Question): Decision
  /** Permits that can never make a difference, each with the reason. */
  readonly unreachable: readonly PolicyProblem[]
}

let loaded = 0

/**
 * Parses and checks a policy file.
 * @param source Cedar text @throws PolicyError with every problem found; nothing of a broken file is ever used
 */
export function loadPolicy(source: string, schema: PolicySchema): Policy {
  const { policies, permits, unreachable } = readPolicyFile(source, schema)
  loaded += 1
  const setId = `policy-set-${loaded}`
  const prepared = preparsePolicySet(setId, { staticPolicies: policies })
  if (prepared.type === 'failure') throw new Error(prepared.errors.map(({ message }) => message).join('; '))

  return {
    unreachable,
    decide(question) {
      const { context, ...request } = requestOf(question)
      const answer = statefulIsAuthorized({
        ...request,
        context: context as Record<string, CedarValueJson>,
        preparsedPolicySetId: setId,
      })
      // A request that Cedar cannot evaluate is a bug of ours, and a bug never opens the gate.
      if (answer.type === 'failure') throw new Error(answer.errors.map((error) => error.message).join('; '))
      const { decision, diagnostics } = answer.response
      // A policy that fails to evaluate is skipped by Cedar: harmless for a permit, but a forbid would lose its force.
      const failedForbid = diagnostics.errors.some((error) => !permits.has(error.policyId))
      if (decision === 'deny' || failedForbid) return { allowed: false, policies: diagnostics.reason }
      const deciding = leastDemanding(permits, new Set(diagnostics.reason))
      // In the order of the file: of those that demand as little, the last one speaks.
      const { confirm, approve, reason } = deciding.at(-1) ?? {}
      return {
        allowed: true,
        policies: deciding.map(({ id }) => id),
        ...(confirm ? { confirm } : {}),
        ...(approve ? { approve } : {}),
        ...(reason ? { reason } : {}),
      }
    },
  }
}

/** @returns the permits that apply and ask for as little as any of them, in the order of the file */
function leastDemanding(permits: ReadonlyMap<string, Permit>, applying: ReadonlySet<string>): readonly Permit[] {
  const candidates = [...permits.values()].filter(({ id }) => applying.has(id))
  const least = Math.min(...candidates.map(demandOf))
  return candidates.filter((permit) => demandOf(permit) === least)
}

/** The policy in force, which can be exchanged while calls come in: each call is decided by the one it meets. */
export interface PolicyInForce {
  current(): Policy
  /** @throws PolicyError: then the one before stays in force */
  replace(source: string): Policy
}

/** @throws PolicyError */
export function openPolicy(source: string, schema: PolicySchema): PolicyInForce {
  let current = loadPolicy(source, schema)
  return {
    current: () => current,
    replace(next) {
      current = loadPolicy(next, schema)
      return current
    },
  }
}
