// Hosts as they were last seen, for what is asked at every key and must not wait for an engine: lists and health are
// answered from memory, which each engine's own events keep fresh while somebody asks.
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../errors.js'
import { within } from '../within.js'
import type { GuardedDriver } from './health.js'
import type { Hosts, KnownHost } from './hosts.js'
import { createMemory, type Memory } from './memory.js'

export interface Recall {
  /** The same hosts; what they hold is told at once, or within a moment when it is not known yet. */
  readonly hosts: Hosts
  /** Grows whenever a list may say something else than before. */
  changes(): number
  close(): void
}

/** A host that nobody asks about is not watched, and what it held is forgotten. */
const IDLE_MS = 10 * 60_000
/** Of events nobody can be quite sure: a connection may be dead and not know it. */
const KEPT_WATCHED_MS = 60_000
const KEPT_MS = 3_000
/** As for a question to all hosts: one that is late counts as one that does not answer. */
const DEADLINE_MS = 5_000
const FIRST_PAUSE_MS = 1_000
const MOST_PAUSE_MS = 60_000

interface RecalledDriver {
  readonly driver: GuardedDriver
  close(): void
}

function recalled(
  host: string,
  driver: GuardedDriver,
  { now, onChange, onEnd }: { now: () => number; onChange: () => void; onEnd: () => void },
): RecalledDriver {
  const stop = new AbortController()
  let isWatching = false
  const unreachable = () => new AppError('HOST_UNREACHABLE', { host })
  const memoryOf = <T>(look: (signal: AbortSignal) => Promise<T>): Memory<T> =>
    createMemory({
      look: () => within(stop.signal, DEADLINE_MS, look, unreachable()),
      late: unreachable,
      keptMs: () => (isWatching ? KEPT_WATCHED_MS : KEPT_MS),
      onLate: onChange,
      now,
    })
  const instances = memoryOf(driver.list)
  const images = memoryOf(driver.images)
  const health = memoryOf(driver.probe)

  const close = (): void => {
    clearTimeout(idle)
    driver.letGo.removeEventListener('abort', close)
    stop.abort(unreachable())
    onEnd()
    onChange()
  }
  const idle = setTimeout(close, IDLE_MS).unref()
  driver.letGo.addEventListener('abort', close)

  async function watch(): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(MOST_PAUSE_MS, pauseMs * 2)) {
      try {
        await driver.watch((what) => {
          isWatching = true
          pauseMs = FIRST_PAUSE_MS
          const list = what === 'images' ? images : instances
          list.changed()
          onChange()
        }, stop.signal)
      } catch (error) {
        if (!(error instanceof AppError)) throw error
      } finally {
        isWatching = false
      }
      await sleep(pauseMs, undefined, { signal: stop.signal, ref: false })
    }
  }
  // Lists are then kept for a shorter time. What is wrong with the host is told to those who ask it for something.
  if (driver.can.watch) watch().catch(() => undefined)

  const asked = <T>(memory: Memory<T>): Promise<T> => {
    if (!stop.signal.aborted) idle.refresh()
    return memory.tell()
  }
  return {
    driver: {
      ...driver,
      list: () => asked(instances),
      images: () => asked(images),
      probe: () => asked(health).catch(driver.health),
    },
    close,
  }
}

/** @param now epoch ms */
export function recallOf(hosts: Hosts, now: () => number): Recall {
  const drivers = new Map<GuardedDriver, RecalledDriver>()
  let count = 0
  const onChange = () => {
    count += 1
  }
  const remember = (host: KnownHost): KnownHost => {
    const { name, driver } = host
    const known = drivers.get(driver) ?? recalled(name, driver, { now, onChange, onEnd: () => drivers.delete(driver) })
    drivers.set(driver, known)
    return { ...host, driver: known.driver }
  }
  return {
    hosts: {
      ...hosts,
      visible: (principal) => hosts.visible(principal).map(remember),
      get: (name, principal) => remember(hosts.get(name, principal)),
    },
    changes: () => count,
    close() {
      for (const { close } of [...drivers.values()]) close()
    },
  }
}
