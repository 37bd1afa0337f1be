// What a container of a Docker Engine uses: two readings of its counters, a moment apart.
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../errors.js'
import type { Sample } from '../driver.js'
import { type Client, type Docker, READ_MS, type Reading } from './client.js'

/** A gap of at least this long between two readings makes a share of processor time worth saying. */
const SAMPLE_MS = 500
/** Larger than any machine: the engine's way of saying that there is no limit. */
const NO_LIMIT = 2 ** 53

/** What a container had used up to then. */
interface Meter {
  readonly at: number
  readonly cpuNanoseconds: number
  readonly stats: Docker.ContainerStats
}

function difference(before: Meter, after: Meter): Sample {
  const { stats } = after
  const { usage, limit } = stats.memory_stats
  // As the engine's own tools count: the file cache can be taken back at any time, and is not what a container uses.
  const details = (stats.memory_stats.stats ?? {}) as { inactive_file?: number; total_inactive_file?: number }
  const cache = details.total_inactive_file ?? details.inactive_file ?? 0
  const networks = Object.values(stats.networks ?? {})
  const disk = stats.blkio_stats?.io_service_bytes_recursive ?? []
  const moved = (op: string) =>
    disk.filter((entry) => entry.op.toLowerCase() === op).reduce((sum, entry) => sum + entry.value, 0)
  return {
    at: after.at,
    cpuPercent: (100 * (after.cpuNanoseconds - before.cpuNanoseconds)) / ((after.at - before.at) * 1e6),
    memoryBytes: Math.max(0, (usage ?? 0) - cache),
    ...(limit !== undefined && limit < NO_LIMIT ? { memoryLimitBytes: limit } : {}),
    receivedBytes: networks.reduce((sum, network) => sum + network.rx_bytes, 0),
    sentBytes: networks.reduce((sum, network) => sum + network.tx_bytes, 0),
    readBytes: moved('read'),
    writtenBytes: moved('write'),
    processes: stats.pids_stats?.current ?? 0,
  }
}

/** @throws AppError INSTANCE_NOT_RUNNING */
export async function sampleOf(client: Client, reading: Reading, id: string, signal: AbortSignal): Promise<Sample> {
  const read = async (): Promise<Meter> => {
    const stats = await client.ask(signal, READ_MS, reading, (abortSignal) => {
      // Given in place, the client's types would refuse it.
      const options = { stream: false, 'one-shot': true, abortSignal } as const
      return client.docker.getContainer(id).stats(options)
    })
    const at = Date.parse(stats.read)
    // The engine answers for one that does not run as well, with nothing in it: as if read in the year 1.
    if (at < 0) throw new AppError('INSTANCE_NOT_RUNNING', { container: id.slice(0, 12), host: client.host })
    return { at, cpuNanoseconds: stats.cpu_stats.cpu_usage.total_usage, stats }
  }
  const before = await read()
  await sleep(SAMPLE_MS, undefined, { signal })
  return difference(before, await read())
}
