// A call and what it acts on, as policy is asked about them.
import type { Principal, Surface } from '../action.js'
import type { RegisteredAction, Registry } from '../registry.js'
import type { Target } from '../targets.js'
import type { Question } from './policy/schema.js'
import type { Beside } from './rights.js'

/** Who asks, and from where. */
export interface Caller {
  readonly principal: Principal
  readonly surface: Surface
  /** Of Discord, by its id. */
  readonly channel?: string
}

type Input = Readonly<Record<string, unknown>>

const MS_PER_HOUR = 3_600_000

/** @param at epoch ms */
export const circumstancesOf = ({ principal, surface, channel }: Caller, at: number) => ({
  principal,
  surface,
  hour: Math.floor(at / MS_PER_HOUR) % 24,
  ...(channel === undefined ? {} : { channel }),
})

/** @param at epoch ms */
export const questionOf = (
  caller: Caller,
  action: RegisteredAction,
  input: Input,
  { facts, destination, copyRisk }: Target,
  at: number,
): Question => ({
  ...circumstancesOf(caller, at),
  action,
  resource: facts,
  ...(destination ? { destination } : {}),
  ...(typeof input.path === 'string' ? { path: input.path } : {}),
  ...(typeof input.image === 'string' ? { image: input.image } : {}),
  ...(copyRisk === undefined ? {} : { copyRisk }),
})

export const besideOf = (input: Input, action: RegisteredAction, { instance }: Target, registry: Registry): Beside => ({
  mode: typeof input.mode === 'string' ? input.mode : undefined,
  also: instance
    ? (action.also?.(input, instance) ?? []).map(({ action: name, path }) => ({ action: registry.get(name), path }))
    : [],
})
