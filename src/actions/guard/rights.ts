// All that a call takes: the verb itself, and what its inputs ask for beside it.
import { AppError, type ErrorCode } from '../errors.js'
import { isSpecialMode } from '../hosts/paths.js'
import type { Bilingual } from '../text.js'
import { type Decision, type Policy, type Question, RIGHTS } from './policy.js'

/** What a call takes beside its verb. */
export interface Beside {
  /** Permission bits that it wants to set. */
  readonly mode?: string | undefined
  /** Other verbs that it does the work of, and where. */
  readonly also?: readonly Pick<Question, 'action' | 'path'>[]
}

/**
 * @param decided is told of each decision, also of the one that refuses
 * @returns why the asker is to say yes first, if any of what it takes wants that
 * @throws AppError FORBIDDEN, MODE_REFUSED
 */
export function requireRight(
  policy: Policy,
  question: Question,
  { mode, also = [] }: Beside,
  decided: (decision: Decision) => void,
): Bilingual | undefined {
  const require = (asked: Question, code: ErrorCode, details: Readonly<Record<string, string>>) => {
    const decision = policy.decide(asked)
    decided(decision)
    if (!decision.allowed) throw new AppError(code, details)
    return decision.confirm
  }
  const action = question.action.name
  const reasons = [require(question, 'FORBIDDEN', { action })]
  if (mode !== undefined && isSpecialMode(mode)) {
    reasons.push(require({ ...question, action: { name: RIGHTS.specialMode } }, 'MODE_REFUSED', { mode }))
  }
  for (const other of also) reasons.push(require({ ...question, ...other }, 'FORBIDDEN', { action: other.action.name }))
  // Who may take something away from here may not for that reason alone put it there.
  const host = question.destination
  if (host) reasons.push(require({ ...question, resource: { kind: 'host', host } }, 'FORBIDDEN', { action }))
  return joined(reasons.filter((reason) => reason !== undefined))
}

/** Each of them once: one may say more than another. */
function joined(reasons: readonly Bilingual[]): Bilingual | undefined {
  const different = [...new Map(reasons.map((reason) => [reason.en, reason])).values()]
  if (different.length === 0) return undefined
  return { en: different.map(({ en }) => en).join(' '), zh: different.map(({ zh }) => zh).join('') }
}
