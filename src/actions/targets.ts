// What a call acts on: names become hosts, full ids and the facts that policy is asked about.
import type { Principal } from './action.js'
import { AppError } from './errors.js'
import type { ResourceFacts } from './guard/policy.js'
import { createCopyRisks } from './hosts/copy-risk.js'
import type { Capability, Image, InstanceDetail } from './hosts/driver.js'
import type { Host, Hosts } from './hosts/hosts.js'
import type { RegisteredAction } from './registry.js'

export interface Target {
  readonly facts: ResourceFacts
  readonly host?: Host
  readonly instance?: InstanceDetail
  readonly image?: Image
  readonly copyRisk?: boolean
  /** The second host, of an action that sends to one. */
  readonly destination?: Host
}

/** @throws AppError HOST_…, INSTANCE_…, IMAGE_…, NO_HOSTS, NOT_SUPPORTED, SAME_HOST */
export type Targets = (
  action: RegisteredAction,
  input: Readonly<Record<string, unknown>>,
  principal: Principal,
  signal: AbortSignal,
) => Promise<Target>

function requireCapability(host: Host, capability: Capability | undefined): void {
  if (capability === undefined || host.driver.can[capability]) return
  throw new AppError('NOT_SUPPORTED', { host: host.name, capability })
}

/** @param now epoch ms */
export function createTargets(hosts: Hosts, now: () => number): Targets {
  const copyRiskOf = createCopyRisks(now)

  function destinationOf(
    { sendsTo }: RegisteredAction,
    to: string,
    from: Host,
    principal: Principal,
  ): { destination?: Host } {
    if (sendsTo === undefined) return {}
    const destination = hosts.get(to, principal)
    if (destination.name === from.name) throw new AppError('SAME_HOST', { to })
    requireCapability(destination, sendsTo)
    return { destination }
  }

  return async (action, input, principal, signal) => {
    if (action.target === 'none') return { facts: { kind: 'service' } }
    const host = hosts.get(input.host as string | undefined, principal)
    requireCapability(host, action.needs)
    const both = { host, ...destinationOf(action, input.to as string, host, principal) }
    if (action.target === 'host') return { facts: { kind: 'host', host }, ...both }
    if (action.target === 'image') {
      const image = await hosts.resolveImage(host, input.image as string, signal)
      return { facts: { kind: 'image', host, image }, ...both, image }
    }
    const [instance, risk] = await Promise.all([
      hosts.resolve(host, input.container as string, signal),
      copyRiskOf(host, signal),
    ])
    return { facts: { kind: 'instance', host, instance }, ...both, instance, copyRisk: risk.at }
  }
}
