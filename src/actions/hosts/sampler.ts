// What instances used over the last minutes. Engines keep no past: an instance is watched from when someone first asks
// for it until a while after the last one did.
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostDriver, Sample } from './driver.js'

export interface Sampler {
  /** @returns what was seen, oldest first; the last is of now @throws AppError as the driver's `sample` */
  look(host: string, driver: HostDriver, id: string, signal: AbortSignal): Promise<readonly Sample[]>
  close(): void
}

export interface SamplerLimits {
  readonly everyMs: number
  /** How far back it remembers, and how long it goes on after the last look. */
  readonly keptMs: number
  /** Instances watched at a time; one more ends the watch of the one that was looked at longest ago. */
  readonly most: number
}

const LIMITS: SamplerLimits = { everyMs: 5_000, keptMs: 5 * 60_000, most: 8 }

interface Watch {
  samples: readonly Sample[]
  lookedAt: number
  readonly stop: AbortController
}

/** @param now epoch ms */
export function openSampler(now: () => number, limits: SamplerLimits = LIMITS): Sampler {
  /** In the order of the last look. */
  const watches = new Map<string, Watch>()

  const forget = (key: string, watch: Watch): void => {
    watch.stop.abort()
    if (watches.get(key) === watch) watches.delete(key)
  }

  const add = (watch: Watch, sample: Sample): void => {
    const recent = watch.samples.filter(({ at }) => at < sample.at && at > sample.at - limits.keptMs)
    watch.samples = [...recent, sample]
  }

  async function follow(key: string, watch: Watch, driver: HostDriver, id: string): Promise<void> {
    const { signal } = watch.stop
    try {
      while (now() - watch.lookedAt < limits.keptMs) {
        await sleep(limits.everyMs, undefined, { signal, ref: false })
        add(watch, await driver.sample(id, signal))
      }
    } finally {
      forget(key, watch)
    }
  }

  return {
    async look(host, driver, id, signal) {
      const sample = await driver.sample(id, signal)
      const key = `${host} ${id}`
      const known = watches.get(key)
      const watch = known ?? { samples: [], lookedAt: now(), stop: new AbortController() }
      watch.lookedAt = now()
      add(watch, sample)
      watches.delete(key)
      watches.set(key, watch)
      // Whatever ends it, stopped or not reachable: the next look begins anew, and tells whoever looks.
      if (!known) follow(key, watch, driver, id).catch(() => undefined)
      for (const [oldest, oldWatch] of watches) if (watches.size > limits.most) forget(oldest, oldWatch)
      return watch.samples
    },
    close() {
      for (const [key, watch] of watches) forget(key, watch)
    },
  }
}
