/**
 * Owns giving memory back while a thread has nothing to do. V8 collects garbage when something is allocated: what a start or a
 * busy minute has left would otherwise stay for as long as nobody asks anything (`npm run bench:idle`).
 */
import { performance } from 'node:perf_hooks'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const EVERY_MS = 10_000
/**
 * A thread that worked for less than this share of the time is hardly kept from anything by a pause of a tenth of a second. What
 * others on the machine take of the processor counts as work, so a tighter bound would never be met on a busy one.
 */
const IDLE = 0.1
/** Less is not worth the pause. */
const WORTH_BYTES = 4 * 1024 * 1024

function collect(): void {
  setFlagsFromString('--expose-gc')
  // Pages that are half empty stay with the process; what is left is moved together.
  setFlagsFromString('--compact-on-every-full-gc')
  // What only the start ran is compiled again should anybody need it.
  setFlagsFromString('--stress-flush-code')
  const run = runInNewContext('gc') as () => void
  run()
  setFlagsFromString('--no-compact-on-every-full-gc')
  setFlagsFromString('--no-stress-flush-code')
  setFlagsFromString('--no-expose-gc')
}

/** Begins to look after the thread that it is called in; its timer keeps nothing alive. @returns ends it */
export function spareMemory(): () => void {
  let before = performance.eventLoopUtilization()
  let kept = 0
  let isHalfDone = false
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    if (utilization > IDLE) return
    const hasGrown = getHeapStatistics().total_physical_size >= kept + WORTH_BYTES
    if (!hasGrown && !isHalfDone) return
    collect()
    kept = getHeapStatistics().total_physical_size
    // The room for new objects shrinks only where few were made between two collections.
    isHalfDone = hasGrown
  }, EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}
