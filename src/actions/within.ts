// A signal that lasts as long as one piece of work.
//
// Not AbortSignal.any over AbortSignal.timeout: Node 20 may collect a timeout that only `any` refers to, which then never
// fires, and a signal that lives as long as the bot would gather one reference for every call made under it.

import { setMaxListeners } from 'node:events'

/**
 * @param outer ends the work's signal too
 * @param ms ends it after that long
 * @param late the reason it is then ended with
 */
export async function within<T>(
  outer: AbortSignal,
  ms: number | undefined,
  work: (signal: AbortSignal) => Promise<T>,
  late?: Error,
): Promise<T> {
  // A call about many hosts is followed by as much work at once, which is no leak.
  setMaxListeners(0, outer)
  const inner = new AbortController()
  const follow = () => inner.abort(outer.reason)
  if (outer.aborted) follow()
  outer.addEventListener('abort', follow, { once: true })
  const timer = ms === undefined ? undefined : setTimeout(() => inner.abort(late), ms)
  try {
    return await work(inner.signal)
  } finally {
    clearTimeout(timer)
    outer.removeEventListener('abort', follow)
  }
}
