// So many at once; the others wait in a queue that is as short as its owner wants it.

export interface Slots {
  /** @returns what gives the slot back, or undefined when the queue is full; the signal ends the wait, with its reason */
  take(signal?: AbortSignal): Promise<(() => void) | undefined>
  counts(): { readonly taken: number; readonly waiting: number }
}

export function createSlots(most: number, mostWaiting = Number.POSITIVE_INFINITY): Slots {
  let taken = 0
  const queue: (() => void)[] = []
  /** A slot that is given back twice would be one too many. */
  const giver = (): (() => void) => {
    let given = false
    return () => {
      if (given) return
      given = true
      const next = queue.shift()
      if (next) next()
      else taken -= 1
    }
  }
  return {
    async take(signal) {
      signal?.throwIfAborted()
      if (taken < most) {
        taken += 1
        return giver()
      }
      if (queue.length >= mostWaiting) return undefined
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          queue.splice(queue.indexOf(enter), 1)
          reject(signal?.reason)
        }
        const enter = () => {
          signal?.removeEventListener('abort', leave)
          resolve()
        }
        queue.push(enter)
        signal?.addEventListener('abort', leave, { once: true })
      })
      return giver()
    },
    counts: () => ({ taken, waiting: queue.length }),
  }
}
