// Keeps the newest exchange in sight while it grows, and lets go when the person scrolls back.
import type { RefObject } from 'preact'
import { useCallback, useEffect, useLayoutEffect, useRef } from 'preact/hooks'

/** Pixels between the edge and an exchange that does not fit whole. */
const TOP_SPACE = 20
/** Pixels from the end that still count as being there. */
const NEAR_END = 48

interface FollowEnd {
  readonly log: RefObject<HTMLDivElement | null>
  onScroll(): void
}

/** Shows what came last, unless the person has gone back to read. @param count how many exchanges there are */
export function useFollowEnd(count: number): FollowEnd {
  const log = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(true)
  const lastTop = useRef(0)
  useLayoutEffect(() => {
    isAtEnd.current = true
    log.current?.scrollTo({ top: log.current.scrollHeight })
  }, [count])
  useEffect(() => {
    const element = log.current
    const content = element?.firstElementChild
    if (!element || !content) return
    // Answers arrive, and cards grow, after they were first drawn.
    const growing = new ResizeObserver(() => {
      if (!isAtEnd.current) return
      const last = content.lastElementChild
      const tall = last instanceof HTMLElement && last.offsetHeight > element.clientHeight
      element.scrollTo({ top: tall ? last.offsetTop - TOP_SPACE : element.scrollHeight })
    })
    growing.observe(content)
    return () => growing.disconnect()
  }, [])
  const onScroll = useCallback(() => {
    const element = log.current
    if (!element) return
    // Growth alone also takes the end away; only a person scrolls upwards before it.
    if (element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END) isAtEnd.current = true
    else if (element.scrollTop < lastTop.current) isAtEnd.current = false
    lastTop.current = element.scrollTop
  }, [])
  return { log, onScroll }
}
