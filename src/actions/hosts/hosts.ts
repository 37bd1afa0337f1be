// Which engines are linked, who may know of them, and which one a call means.
import type { Principal } from '../action.js'
import { AppError } from '../errors.js'
import type { HostFacts } from '../guard/policy.js'
import type { HostDriver, Image, Instance, InstanceDetail } from './driver.js'

export interface Host extends HostFacts {
  readonly driver: HostDriver
  /** The tenants that may know of it. */
  readonly tenants: readonly string[]
  /** Where the engine is, fit to be shown: never a credential. */
  readonly endpoint: string
  /** Folders of its machine that a new container may be given, as the operator wrote them; none when absent. */
  readonly binds?: readonly string[]
  /** The known flaws that the operator says are fixed in this engine, whatever its version says. */
  readonly backports?: readonly string[]
}

export interface Hosts {
  /** What a principal may know of, by name. */
  visible(principal: Principal): Host[]
  /** @param name undefined: the only one there is @throws AppError HOST_NOT_FOUND, HOST_REQUIRED, NO_HOSTS */
  get(name: string | undefined, principal: Principal): Host
  /** @throws AppError INSTANCE_NOT_FOUND, INSTANCE_AMBIGUOUS with the candidates, HOST_UNREACHABLE */
  resolve(host: Host, reference: string, signal: AbortSignal): Promise<InstanceDetail>
  /** @throws AppError IMAGE_NOT_FOUND, IMAGE_AMBIGUOUS with the candidates, HOST_UNREACHABLE */
  resolveImage(host: Host, reference: string, signal: AbortSignal): Promise<Image>
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

const LATEST = ':latest'
const withoutAlgorithm = (id: string): string => id.replace(/^sha256:/, '')

/** What a reference means: a tag, which is `latest` where none is said, a digest or a full id, else the start of an id. */
function matchingImages(images: readonly Image[], reference: string): Image[] {
  const exact = images.find(
    ({ id, tags, digests }) =>
      id === reference ||
      withoutAlgorithm(id) === reference ||
      tags.includes(reference) ||
      tags.includes(reference + LATEST) ||
      digests.includes(reference),
  )
  if (exact) return [exact]
  const start = withoutAlgorithm(reference)
  if (start.length < SHORTEST_PREFIX) return []
  return images.filter(({ id }) => withoutAlgorithm(id).startsWith(start))
}

export function createHosts(hosts: readonly Host[]): Hosts {
  const sorted = [...hosts].sort((a, b) => (a.name < b.name ? -1 : 1))
  const visible = (principal: Principal) => sorted.filter((host) => host.tenants.includes(principal.tenant))
  return {
    visible,
    get(name, principal) {
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
            .map(({ id, tags }) => `${withoutAlgorithm(id).slice(0, 12)}${tags[0] ? ` (${tags[0]})` : ''}`),
        })
      }
      return only
    },
  }
}
