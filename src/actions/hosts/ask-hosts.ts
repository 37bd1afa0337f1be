// One question to every host that somebody may know of: those that answer are not kept waiting by those that do not.
import type { Principal } from '../action.js'
import { AppError } from '../errors.js'
import { within } from '../within.js'
import type { Capability, HostDriver } from './driver.js'
import type { Hosts } from './hosts.js'

/** A host that has not answered by then is named instead of waited for. */
const DEADLINE_MS = 5_000

export interface Asking<T> {
  /** The only one to be asked; all by default. */
  readonly host?: string | undefined
  /** What a host must be able to do to be asked. */
  readonly needs?: Capability
  readonly ask: (driver: HostDriver, signal: AbortSignal) => Promise<readonly T[]>
}

export interface Answers<T> {
  readonly found: readonly { readonly host: string; readonly item: T }[]
  /** The hosts that did not answer. */
  readonly unreachable: string[]
}

/** @throws AppError HOST_NOT_FOUND, NOT_SUPPORTED; where one host is named, whatever it fails with */
export async function askHosts<T>(
  hosts: Hosts,
  principal: Principal,
  { host, needs, ask }: Asking<T>,
  signal: AbortSignal,
): Promise<Answers<T>> {
  const one = host === undefined ? undefined : hosts.get(host, principal)
  if (one && needs && !one.driver.can[needs]) throw new AppError('NOT_SUPPORTED', { host: one.name, capability: needs })
  const asked = one ? [one] : hosts.visible(principal).filter(({ driver }) => !needs || driver.can[needs])
  // One that is late counts as one that does not answer, for its circuit breaker too.
  const answers = await Promise.allSettled(
    asked.map(({ name, driver }) =>
      within(signal, DEADLINE_MS, (inTime) => ask(driver, inTime), new AppError('HOST_UNREACHABLE', { host: name })),
    ),
  )
  signal.throwIfAborted()
  // One named host that is down is an error to be acted on; one of several is a note beside the others' answers.
  if (one && answers[0]?.status === 'rejected') throw answers[0].reason
  return {
    found: asked.flatMap(({ name }, index) => {
      const answer = answers[index]
      return answer?.status === 'fulfilled' ? answer.value.map((item) => ({ host: name, item })) : []
    }),
    unreachable: asked.filter((_, index) => answers[index]?.status === 'rejected').map(({ name }) => name),
  }
}
