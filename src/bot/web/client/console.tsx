// The signed-in page: the conversation, and the box below it.
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import { spell } from '../../line.js'
import { type Api, type Command, Failure, type Me } from './api.js'
import { Composer } from './composer.js'
import { useConversation } from './conversation.js'
import { useDraft } from './draft.js'
import { jobOf, takeKeptJobs } from './jobs.js'
import { Reply } from './reply.js'
import { useDrop } from './use-drop.js'
import { useFollowEnd } from './use-follow-end.js'
import { Welcome } from './welcome.js'
import { useWords } from './words.js'

interface ConsoleProps {
  readonly api: Api
  readonly me: Me
}

function useCommands(api: Api): readonly Command[] {
  const [commands, setCommands] = useState<readonly Command[]>([])
  useEffect(() => {
    api.commands().then(setCommands, (error: unknown) => {
      // Without the list there is no completion and no help; everything typed is still sent.
      if (!(error instanceof Failure)) throw error
    })
  }, [api])
  return commands
}

/** A focused box opens the keyboard of a phone, which hides what was just answered. */
const hasKeyboard = (): boolean => matchMedia('(hover: hover) and (pointer: fine)').matches

export function Console({ api, me }: ConsoleProps) {
  const t = useWords()
  const commands = useCommands(api)
  const conversation = useConversation(api)
  const draft = useDraft()
  const { exchanges } = conversation
  const { log, onScroll } = useFollowEnd(exchanges.length)

  const jobs = useMemo(() => {
    const ids = exchanges.flatMap(({ state }) => (state.kind === 'done' ? [jobOf(state.answer)?.id ?? ''] : []))
    return [...new Set(ids.filter((id) => id !== ''))].reverse()
  }, [exchanges])

  const focusBox = () => {
    if (hasKeyboard()) draft.box.current?.focus()
  }
  useEffect(() => {
    focusBox()
    for (const job of takeKeptJobs()) conversation.press('job.status', { job })
    const onKey = (event: KeyboardEvent) => {
      const isTyping = event.target instanceof HTMLElement && event.target.matches('input, textarea')
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return
      event.preventDefault()
      draft.fill('/')
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
    // Once, when the page opens.
  }, [])

  const attach = useCallback(
    (file: File) => {
      draft.attach(file)
      const takers = commands.filter(({ acceptsFile }) => acceptsFile)
      const isMeant = ({ fileTypes }: Command) => fileTypes.some((ending) => file.name.toLowerCase().endsWith(ending))
      const meant = takers.filter(isMeant)
      const [taker, another] = meant.length > 0 ? meant : takers.filter(({ fileTypes }) => fileTypes.length === 0)
      // Only one command is for such a file: that is what it was brought for.
      if (draft.text.trim() === '' && taker && !another) draft.fill(`${spell(taker.name)} `)
      else draft.box.current?.focus()
    },
    [draft, commands],
  )
  const isOver = useDrop(attach)

  const pick = (line: string, file?: File) => {
    draft.fill(line)
    draft.attach(file)
  }
  const send = () => {
    if (draft.text.trim() === '') return
    conversation.say(draft.text.trim(), draft.file)
    draft.take()
  }

  return (
    <main class="console">
      <div
        class="log"
        ref={log}
        onScroll={onScroll}
        role="log"
        aria-live="polite"
        aria-relevant="additions"
        aria-label={t('conversation')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it
        tabIndex={0}
      >
        <div class="log-content">
          {exchanges.length === 0 ? <Welcome onSay={(line) => conversation.say(line)} /> : null}
          {exchanges.map((exchange) => (
            <Reply
              key={exchange.id}
              exchange={exchange}
              conversation={conversation}
              api={api}
              commands={commands}
              name={me.name}
              onPick={pick}
              onSettled={focusBox}
            />
          ))}
        </div>
      </div>
      <Composer api={api} draft={draft} commands={commands} jobs={jobs} onAttach={attach} onSend={send} />
      {isOver ? <div class="drop">{t('drop')}</div> : null}
    </main>
  )
}
