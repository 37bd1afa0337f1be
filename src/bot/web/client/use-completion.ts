// The suggestions for the caret of the moment: what the page knows at once, and what the server knows a moment later.
import { useEffect, useMemo, useState } from 'preact/hooks'
import { type Api, type Command, Failure } from './api.js'
import { type Completion, choiceSuggestions, completionAt, type Suggestion } from './completion.js'
import { useLang } from './words.js'

/** Shorter than a person notices, longer than the pause between two keys. */
const PAUSE_MS = 90

export interface Suggestions {
  readonly completion: Completion | undefined
  readonly suggestions: readonly Suggestion[]
}

export function useCompletion(
  api: Api,
  commands: readonly Command[],
  line: string,
  caret: number,
  jobs: readonly string[],
): Suggestions {
  const lang = useLang()
  const completion = useMemo(() => completionAt(line, caret, commands, lang, jobs), [line, caret, commands, lang, jobs])
  const live = completion?.live
  const key = live && JSON.stringify(live)
  const [found, setFound] = useState<{ key: string; suggestions: readonly Suggestion[] }>()
  useEffect(() => {
    if (!live || key === undefined) return
    const stopper = new AbortController()
    const timer = setTimeout(async () => {
      try {
        const choices = await api.complete(live, stopper.signal)
        setFound({ key, suggestions: choiceSuggestions(choices) })
      } catch (error) {
        // A completion is a courtesy: whatever is wrong will be said when the line is sent.
        if (!(error instanceof Failure)) throw error
      }
    }, PAUSE_MS)
    return () => {
      clearTimeout(timer)
      stopper.abort()
    }
  }, [key, api])
  const suggestions = useMemo(
    () => [...(found && found.key === key ? found.suggestions : []), ...(completion?.suggestions ?? [])],
    [completion, found, key],
  )
  return { completion, suggestions }
}
