// The Docker Engine behind the driver interface.
import { within } from '../../within.js'
import { CAPABILITIES, type Capabilities, type Health, type HostDriver, type UsageKind } from '../driver.js'
import type { DockerEndpoint } from '../endpoint.js'
import { whyUnreachable } from '../unreachable.js'
import { CHANGE_MS, type Docker, openClient } from './client.js'
import { watchOf } from './events.js'
import { filesOf } from './files.js'
import { imagesOf } from './images.js'
import { instancesOf } from './instances.js'

const PROBE_MS = 3_000

const EVERYTHING = Object.fromEntries(CAPABILITIES.map((name) => [name, true])) as Capabilities

/** What the engine tells of its disk. */
interface DiskUsage {
  readonly LayersSize: number
  readonly Images: readonly { Containers: number; Size: number; SharedSize: number }[] | null
  readonly Containers: readonly { State: string; SizeRw?: number }[] | null
  readonly Volumes: readonly { UsageData?: { Size: number; RefCount: number } }[] | null
  readonly BuildCache: readonly { InUse: boolean; Shared: boolean; Size: number }[] | null
}

const sum = (sizes: readonly number[]): number => sizes.reduce((all, size) => all + Math.max(0, size), 0)

function usageKind<T>(
  items: readonly T[] | null,
  isActive: (item: T) => boolean,
  sizeOf: (item: T) => number,
): UsageKind {
  const all = items ?? []
  return {
    count: all.length,
    active: all.filter(isActive).length,
    sizeBytes: sum(all.map(sizeOf)),
    reclaimableBytes: sum(all.filter((item) => !isActive(item)).map(sizeOf)),
  }
}

/** @param host the name that errors call it by */
export function dockerDriver(host: string, endpoint: DockerEndpoint): HostDriver {
  const client = openClient(host, endpoint)

  /** The client takes a signal here too; only its types do not say so. */
  const system = () =>
    client.docker as unknown as {
      version(options: { abortSignal: AbortSignal }): Promise<Docker.DockerVersion>
      info(options: { abortSignal: AbortSignal }): Promise<{ Containers: number; ContainersRunning: number }>
      df(options: { abortSignal: AbortSignal }): Promise<DiskUsage>
    }

  return {
    can: EVERYTHING,
    close: client.close,

    async probe(signal): Promise<Health> {
      try {
        const [version, info] = await within(signal, PROBE_MS, (abortSignal) =>
          Promise.all([system().version({ abortSignal }), system().info({ abortSignal })]),
        )
        return {
          state: 'healthy',
          detail: { en: 'The engine answers.', zh: '引擎响应正常。' },
          engine: 'Docker Engine',
          version: version.Version,
          apiVersion: version.ApiVersion,
          os: version.Os,
          arch: version.Arch,
          instances: { total: info.Containers, running: info.ContainersRunning },
        }
      } catch (error) {
        return { state: 'unhealthy', detail: whyUnreachable(error) }
      }
    },

    usage: (signal) =>
      client.ask(
        signal,
        CHANGE_MS,
        () => undefined,
        async (abortSignal) => {
          const { LayersSize, Images, Containers, Volumes, BuildCache } = await system().df({ abortSignal })
          const images = usageKind(
            Images,
            (image) => image.Containers > 0,
            (image) => image.Size - Math.max(0, image.SharedSize),
          )
          return {
            // Layers that images share stand on the disk once.
            images: { ...images, sizeBytes: LayersSize },
            instances: usageKind(
              Containers,
              ({ State }) => State === 'running' || State === 'paused',
              ({ SizeRw = 0 }) => SizeRw,
            ),
            volumes: usageKind(
              Volumes,
              ({ UsageData }) => (UsageData?.RefCount ?? 0) > 0,
              ({ UsageData }) => UsageData?.Size ?? 0,
            ),
            buildCache: usageKind(
              BuildCache?.filter(({ Shared }) => !Shared) ?? null,
              ({ InUse }) => InUse,
              ({ Size }) => Size,
            ),
          }
        },
      ),

    watch: watchOf(client),
    ...instancesOf(client),
    ...filesOf(client),
    ...imagesOf(client),
  }
}
