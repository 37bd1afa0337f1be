// What has come before: Discord may deliver an interaction again, and whoever saw one go by over HTTP may try to.

/** Longer than any copy could still be of use: its token is good for 15 minutes, and clocks differ. */
const REMEMBERED_MS = 25 * 60_000

/** @param now epoch ms @returns whether an id is met for the first time */
export function firstTime(now: () => number): (id: string) => boolean {
  /** Until when each is remembered, oldest first. */
  const seen = new Map<string, number>()
  return (id) => {
    for (const [old, until] of seen) {
      if (until > now()) break
      seen.delete(old)
    }
    if (seen.has(id)) return false
    seen.set(id, now() + REMEMBERED_MS)
    return true
  }
}
