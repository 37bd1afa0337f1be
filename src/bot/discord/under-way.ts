// Work that has begun and that somebody waits for: what a bot that is being stopped lets finish, for a while.

export interface UnderWay {
  /** @param work never rejects @returns the same */
  track(work: Promise<void>): Promise<void>
  /** Resolves once all of it is done, or the grace is over. */
  settled(graceMs: number): Promise<void>
}

export function createUnderWay(): UnderWay {
  const all = new Set<Promise<void>>()
  return {
    track(work) {
      const tracked = work.finally(() => all.delete(tracked))
      all.add(tracked)
      return tracked
    },
    async settled(graceMs) {
      let timer: NodeJS.Timeout | undefined
      const grace = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, graceMs)
      })
      await Promise.race([Promise.allSettled([...all]), grace])
      clearTimeout(timer)
    },
  }
}
