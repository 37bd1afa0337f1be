// What a call acts on: names become hosts, full ids and the facts that policy is asked about.
import { type Principal, principalKey, type Services } from './action.js'
import { AppError } from './errors.js'
import type { ResourceFacts } from './guard/policy/schema.js'
import { createCopyRisks } from './hosts/copy-risk.js'
import type { Capability, Image, InstanceDetail } from './hosts/driver.js'
import type { Host } from './hosts/hosts.js'
import type { StoredArtifact } from './jobs/artifacts.js'
import type { RegisteredAction } from './registry.js'
import type { Lang } from './text.js'

export interface Target {
  readonly facts: ResourceFacts
  readonly host?: Host
  readonly instance?: InstanceDetail
  readonly image?: Image
  readonly copyRisk?: boolean
  /** The second host, of an action that sends to one. */
  readonly destination?: Host
  readonly artifact?: StoredArtifact
  /** Absent where there is no such card yet. */
  readonly card?: { readonly version: number }
}

/** @throws AppError HOST_…, INSTANCE_…, IMAGE_…, NO_HOSTS, NOT_SUPPORTED, SAME_HOST, ARTIFACT_NOT_FOUND */
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

type Found = Pick<Services, 'hosts' | 'artifacts' | 'knowledge' | 'now'>

export function createTargets({ hosts, artifacts, knowledge, now }: Found): Targets {
  const copyRiskOf = createCopyRisks(now)

  function artifactTarget(id: string, principal: Principal): Target {
    const artifact = artifacts.get(id, principal.tenant)
    if (!artifact || artifact.expiresAt <= now()) throw new AppError('ARTIFACT_NOT_FOUND', { artifact: id })
    const mine = artifact.principal === principalKey(principal)
    return { facts: { kind: 'artifact', artifact: { ...artifact, mine } }, artifact }
  }

  /** A card that is not there yet is a card all the same: it may be about to be written. */
  async function cardTarget(id: string, language: Lang | undefined, { tenant }: Principal): Promise<Target> {
    const found = await knowledge.show(tenant, id, language)
    const tags = found?.tags ?? []
    const shipped = found !== undefined && found.tenant !== tenant
    return { facts: { kind: 'card', card: { id, tags, shipped } }, ...(found ? { card: found } : {}) }
  }

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
    if (action.target === 'artifact') return artifactTarget(input.artifact as string, principal)
    if (action.target === 'card') return cardTarget(input.card as string, input.language as Lang | undefined, principal)
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
