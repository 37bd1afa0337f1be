// All that a call takes: the verb itself, and what its inputs ask for beside it.
import { AppError, type ErrorCode } from '../errors.js'
import { isSpecialMode } from '../hosts/paths.js'
import type { Bilingual } from '../text.js'
import type { Requirement } from './approvals.js'
import type { Decision, Policy } from './policy/policy.js'
import { type Question, RIGHTS } from './policy/schema.js'

/** What a call takes beside its verb. */
export interface Beside {
  /** Permission bits that it wants to set. */
  readonly mode?: string | undefined
  /** Other verbs that it does the work of, and where. */
  readonly also?: readonly Pick<Question, 'action' | 'path'>[]
}

/** What is to happen before a call may run. */
export interface Demand {
  /** Why its asker is to say yes; absent where they need not. */
  readonly why?: Bilingual
  /** Who else is: nobody, where a click of the asker's is enough. */
  readonly approvals: readonly Requirement[]
  /** Whether they are to say what it is for. */
  readonly reason: boolean
}

/**
 * @param decided is told of each decision, also of the one that refuses
 * @returns what all that it takes wants to happen first
 * @throws AppError FORBIDDEN, MODE_REFUSED
 */
export function requireRight(
  policy: Policy,
  question: Question,
  { mode, also = [] }: Beside,
  decided: (decision: Decision) => void,
): Demand {
  const require = (asked: Question, code: ErrorCode, details: Readonly<Record<string, string>>) => {
    const decision = policy.decide(asked)
    decided(decision)
    if (!decision.allowed) throw new AppError(code, details)
    return decision
  }
  const action = question.action.name
  const decisions = [require(question, 'FORBIDDEN', { action })]
  if (mode !== undefined && isSpecialMode(mode)) {
    decisions.push(require({ ...question, action: { name: RIGHTS.specialMode } }, 'MODE_REFUSED', { mode }))
  }
  for (const other of also)
    decisions.push(require({ ...question, ...other }, 'FORBIDDEN', { action: other.action.name }))
  // Who may take something away from here may not for that reason alone put it there.
  const host = question.destination
  if (host) decisions.push(require({ ...question, resource: { kind: 'host', host } }, 'FORBIDDEN', { action }))
  const why = joined(decisions.flatMap(({ confirm }) => confirm ?? []))
  return {
    ...(why ? { why } : {}),
    approvals: strictest(decisions.flatMap(({ approve }) => approve ?? [])),
    reason: decisions.some(({ reason }) => reason),
  }
}

/** Each role once, with the most people that any asks for. */
function strictest(requirements: readonly Requirement[]): Requirement[] {
  const counts = new Map<string, number>()
  for (const { role, count } of requirements) counts.set(role, Math.max(count, counts.get(role) ?? 0))
  return [...counts].map(([role, count]) => ({ role, count }))
}

/** Each of them once: one may say more than another. */
function joined(reasons: readonly Bilingual[]): Bilingual | undefined {
  const different = [...new Map(reasons.map((reason) => [reason.en, reason])).values()]
  if (different.length === 0) return undefined
  return { en: different.map(({ en }) => en).join(' '), zh: different.map(({ zh }) => zh).join('') }
}
