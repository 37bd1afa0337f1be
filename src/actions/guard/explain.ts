// "Could I, and what would it take?": what policy says of a call that is not made.
import type { Target as TargetKind } from '../action.js'
import { AppError } from '../errors.js'
import type { RegisteredAction, Registry } from '../registry.js'
import type { Target, Targets } from '../targets.js'
import type { Policy } from './policy/policy.js'
import { besideOf, type Caller, questionOf } from './questions.js'
import { type Demand, requireRight } from './rights.js'

export interface Explained {
  readonly allowed: boolean
  /** Those that decided. None of a refusal: nothing permits it. */
  readonly policies: readonly string[]
  /** What is to happen first, of what is allowed. */
  readonly demand?: Demand
}

export interface Supposed {
  /** Whose eyes the target is looked up with. */
  readonly asker: Caller
  /** Whose call it would be. */
  readonly caller: Caller
  readonly action: string
  /** As much of it as says what it would act on. */
  readonly input: Readonly<Record<string, unknown>>
  readonly signal: AbortSignal
}

/** @throws AppError ACTION_UNKNOWN, INVALID_INPUT, FORBIDDEN, or as the target cannot be found */
export type Explain = (supposed: Supposed) => Promise<Explained>

/** The look at a target that somebody must be allowed before they are told anything of it. */
const LOOKS: Readonly<Partial<Record<TargetKind, string>>> = {
  host: 'host.status',
  instance: 'container.inspect',
  image: 'image.inspect',
  card: 'knowledge.show',
  artifact: 'artifact.show',
}

const NOT_FOUND: Target = { facts: { kind: 'host', host: { name: '', labels: {} } } }

export interface ExplainOptions {
  readonly registry: Registry
  readonly policy: () => Policy
  readonly resolve: Targets
  /** Epoch ms. */
  readonly now: () => number
}

export function createExplain({ registry, policy, resolve, now }: ExplainOptions): Explain {
  const requireNamed = ({ fields, name }: RegisteredAction, input: Supposed['input']): void => {
    const targets = ['container', 'image', 'card', 'artifact', 'to']
    const missing = fields.filter((field) => field.required && targets.includes(field.name) && !(field.name in input))
    if (missing.length === 0) return
    const names = missing.map((field) => field.name).join(', ')
    const problem = { en: `for ${name}, say also: ${names}`, zh: `对于 ${name}，还需指定：${names}` }
    throw new AppError('INVALID_INPUT', { problem })
  }

  return async ({ asker, caller, action: name, input, signal }) => {
    const action = registry.get(name)
    requireNamed(action, input)
    const look = LOOKS[action.target]
    const requireLook = (of: Target): void => {
      if (look === undefined) return
      const { allowed } = policy().decide(questionOf(asker, registry.get(look), {}, of, now()))
      if (!allowed) throw new AppError('FORBIDDEN', { action: look })
    }
    let target: Target
    try {
      target = await resolve(action, input, asker.principal, signal)
    } catch (error) {
      // Whoever could not look at any is not told that there is none.
      requireLook(NOT_FOUND)
      throw error
    }
    requireLook(target)

    const policies = new Set<string>()
    try {
      const demand = requireRight(
        policy(),
        questionOf(caller, action, input, target, now()),
        besideOf(input, action, target, registry),
        (decision) => {
          for (const id of decision.policies) policies.add(id)
        },
      )
      return { allowed: true, policies: [...policies], demand }
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      return { allowed: false, policies: [...policies] }
    }
  }
}
