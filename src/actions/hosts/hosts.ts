// Which engines are linked, who may know of them, and which one a call means.
import type { Principal } from '../action.js'
import { AppError } from '../errors.js'
import type { HostFacts } from '../guard/policy/schema.js'
import type { HostDriver, Image, Instance, InstanceDetail } from './driver.js'
import { EndpointError } from './endpoint.js'
import { type GuardedDriver, type GuardOptions, guarded } from './health.js'
import { LATEST, shortImageId, withoutAlgorithm } from './image-reference.js'
import type { LinkSettings, Links } from './links.js'

export interface Host extends HostFacts {
  readonly driver: HostDriver
  /** The tenants that may know of it. */
  readonly tenants: readonly string[]
  /** Where the engine is, fit to be shown: never a credential. */
  readonly endpoint: string
  /** Whoever is on the way can command its engine. */
  readonly isExposed?: boolean
  /** Folders of its machine that a new container may be given, as the operator wrote them; none when absent. */
  readonly binds?: readonly string[]
  /** The known flaws that the operator says are fixed in this engine, whatever its version says. */
  readonly backports?: readonly string[]
}

/** One that calls may be made to. */
export interface KnownHost extends Host {
  readonly driver: GuardedDriver
  /** Who linked it; absent where it comes from the bot's settings. */
  readonly linkedBy?: string
}

export interface Hosts {
  /** What a principal may know of, by name. */
  visible(principal: Principal): KnownHost[]
  /** @param name undefined: the only one there is @throws AppError HOST_NOT_FOUND, HOST_REQUIRED, NO_HOSTS */
  get(name: string | undefined, principal: Principal): KnownHost
  /** @throws AppError INSTANCE_NOT_FOUND, INSTANCE_AMBIGUOUS with the candidates, HOST_UNREACHABLE */
  resolve(host: Host, reference: string, signal: AbortSignal): Promise<InstanceDetail>
  /** @throws AppError IMAGE_NOT_FOUND, IMAGE_AMBIGUOUS with the candidates, HOST_UNREACHABLE */
  resolveImage(host: Host, reference: string, signal: AbortSignal): Promise<Image>
  /** Links one for the principal's tenant alone. @throws AppError HOST_NAME_TAKEN, ENDPOINT_INVALID */
  link(settings: LinkSettings, principal: Principal): KnownHost
  /** @throws AppError HOST_NOT_LINKED for one that comes from the settings */
  unlink(host: string, principal: Principal): void
  close(): void
}

const SHORTEST_PREFIX = 4
const CANDIDATES_NAMED = 5

/** What a reference means: a full id, else a name, else the start of an id. */
function matches(instances: readonly Instance[], reference: string): Instance[] {
  const exact = instances.find((instance) => instance.id === reference) ?? instances.find((i) => i.name === reference)
  if (exact) return [exact]
  if (reference.length < SHORTEST_PREFIX) return []
  return instances.filter((instance) => instance.id.startsWith(reference))
}

/** What a reference means: a tag, which is `latest` where none is said, a digest or a full id, else the start of an id. */
function matchingImages(images: readonly Image[], reference: string): Image[] {
  const exact = images.find(
    ({ id, tags, digests }) =>
      id === reference ||
      withoutAlgorithm(id) === reference ||
      tags.includes(reference) ||
      tags.includes(`${reference}:${LATEST}`) ||
      digests.includes(reference),
  )
  if (exact) return [exact]
  const start = withoutAlgorithm(reference)
  if (start.length < SHORTEST_PREFIX) return []
  return images.filter(({ id }) => withoutAlgorithm(id).startsWith(start))
}

export interface HostsOptions {
  /** From the bot's settings; they go before a linked one of the same name. */
  readonly settled: readonly Host[]
  readonly links: Links
  readonly guard: GuardOptions
}

export function createHosts({ settled, links, guard }: HostsOptions): Hosts {
  const fixed = settled.map((host): KnownHost => ({ ...host, driver: guarded(host.name, host.driver, guard) }))
  const visible = ({ tenant }: Principal): KnownHost[] => {
    const own = fixed.filter((host) => host.tenants.includes(tenant))
    const names = new Set(own.map(({ name }) => name))
    return [...own, ...links.of(tenant).filter(({ name }) => !names.has(name))].sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )
  }
  const get = (name: string | undefined, principal: Principal): KnownHost => {
    const known = visible(principal)
    if (name === undefined) {
      const [only, second] = known
      if (!only) throw new AppError('NO_HOSTS')
      if (second) throw new AppError('HOST_REQUIRED', { known: known.map((host) => host.name) })
      return only
    }
    const host = known.find((candidate) => candidate.name === name)
    if (!host) throw new AppError('HOST_NOT_FOUND', { host: name, known: known.map((candidate) => candidate.name) })
    return host
  }
  return {
    visible,
    get,
    link(settings, principal) {
      const { name } = settings
      if (visible(principal).some((host) => host.name === name)) throw new AppError('HOST_NAME_TAKEN', { host: name })
      const { tenant } = principal
      try {
        if (!links.add({ ...settings, tenant, linkedBy: principal.name })) {
          throw new AppError('HOST_NAME_TAKEN', { host: name })
        }
      } catch (error) {
        throw error instanceof EndpointError ? new AppError('ENDPOINT_INVALID', { problem: error.problem }) : error
      }
      return get(name, principal)
    },
    unlink(host, principal) {
      if (get(host, principal).linkedBy === undefined || !links.remove(principal.tenant, host)) {
        throw new AppError('HOST_NOT_LINKED', { host })
      }
    },
    close() {
      for (const { driver } of fixed) driver.close()
      links.close()
    },
    async resolve(host, reference, signal) {
      const found = matches(await host.driver.list(signal), reference)
      const [only, second] = found
      if (!only) throw new AppError('INSTANCE_NOT_FOUND', { container: reference, host: host.name })
      if (second) {
        throw new AppError('INSTANCE_AMBIGUOUS', {
          container: reference,
          candidates: found
            .slice(0, CANDIDATES_NAMED)
            .map((instance) => `${instance.name} (${instance.id.slice(0, 12)})`),
        })
      }
      return host.driver.inspect(only.id, signal)
    },
    async resolveImage(host, reference, signal) {
      const found = matchingImages(await host.driver.images(signal), reference)
      const [only, second] = found
      if (!only) throw new AppError('IMAGE_NOT_FOUND', { image: reference, host: host.name })
      if (second) {
        throw new AppError('IMAGE_AMBIGUOUS', {
          image: reference,
          candidates: found
            .slice(0, CANDIDATES_NAMED)
            .map(({ id, tags }) => `${shortImageId(id)}${tags[0] ? ` (${tags[0]})` : ''}`),
        })
      }
      return only
    },
  }
}
