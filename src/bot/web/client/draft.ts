// What stands in the box: its text and caret, the file beside it, and the lines sent before.
import type { RefObject } from 'preact'
import { useCallback, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'

const MOST_REMEMBERED = 100

export interface Draft {
  readonly text: string
  readonly caret: number
  readonly file: File | undefined
  readonly box: RefObject<HTMLTextAreaElement | null>
  /** How often a line was put into the box that the person is to go on with. */
  readonly fills: number
  /** As the person types. */
  edit(text: string, caret: number): void
  /** The caret went elsewhere without a change of the text. */
  visit(caret: number): void
  /** Puts a line into the box, its caret behind it, to be looked at before it is sent. */
  fill(text: string): void
  attach(file: File | undefined): void
  /** Empties the box and remembers the line. In memory only: a line can hold what is secret. */
  take(): void
  /** @returns false when there is no earlier line */
  earlier(): boolean
  /** @returns false when the newest line is already shown */
  later(): boolean
}

export function useDraft(): Draft {
  const box = useRef<HTMLTextAreaElement>(null)
  const [{ text, caret }, setLine] = useState({ text: '', caret: 0 })
  const [file, attach] = useState<File>()
  const [fills, setFills] = useState(0)
  const lines = useRef<string[]>([])
  // Where in the history we are; its length stands for the line being written.
  const place = useRef(0)
  const unfinished = useRef('')

  useLayoutEffect(() => {
    const element = box.current
    if (element && element.selectionStart !== caret) element.setSelectionRange(caret, caret)
  }, [text, caret])

  const show = useCallback((line: string) => setLine({ text: line, caret: line.length }), [])
  const edit = useCallback((line: string, at: number) => setLine({ text: line, caret: at }), [])
  const visit = useCallback((at: number) => {
    setLine((now) => (now.caret === at ? now : { ...now, caret: at }))
  }, [])
  const fill = useCallback(
    (line: string) => {
      show(line)
      setFills((count) => count + 1)
      box.current?.focus()
    },
    [show],
  )

  return useMemo(() => {
    const browse = (to: number): boolean => {
      if (to < 0 || to > lines.current.length) return false
      if (place.current === lines.current.length) unfinished.current = text
      place.current = to
      show(lines.current[to] ?? unfinished.current)
      return true
    }
    return {
      text,
      caret,
      file,
      box,
      fills,
      edit,
      visit,
      fill,
      attach,
      take() {
        if (lines.current.at(-1) !== text) lines.current = [...lines.current, text].slice(-MOST_REMEMBERED)
        place.current = lines.current.length
        unfinished.current = ''
        setLine({ text: '', caret: 0 })
        attach(undefined)
      },
      earlier: () => browse(place.current - 1),
      later: () => browse(place.current + 1),
    }
  }, [text, caret, file, fills, edit, visit, fill, show])
}
