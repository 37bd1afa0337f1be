// The one box: typing, completing, history, attaching and sending.
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Api, Command } from './api.js'
import type { Suggestion } from './completion.js'
import type { Draft } from './draft.js'
import { AttachIcon, CloseIcon, FileIcon, SendIcon } from './icons.js'
import { optionId, SuggestionList } from './suggestion-list.js'
import { formatBytes } from './text.js'
import { useCompletion } from './use-completion.js'
import { useWords } from './words.js'

interface ComposerProps {
  readonly api: Api
  readonly draft: Draft
  readonly commands: readonly Command[]
  readonly jobs: readonly string[]
  onAttach(file: File): void
  onSend(): void
}

/** The key that ends a word in an input method is not ours; some browsers tell only by its old code. */
const isComposing = (event: KeyboardEvent): boolean => event.isComposing || event.keyCode === 229

function Attached({ file, onRemove }: { readonly file: File; onRemove(): void }) {
  const t = useWords()
  const label = t('removeFile', { name: file.name })
  return (
    <div class="chip">
      <FileIcon />
      <span class="chip-name">{file.name}</span>
      <span class="chip-size">{formatBytes(file.size)}</span>
      <button type="button" class="chip-remove" onClick={onRemove} aria-label={label} title={label}>
        <CloseIcon />
      </button>
    </div>
  )
}

function Keys() {
  const t = useWords()
  return (
    <p class="keys">
      <span>
        <kbd>Enter</kbd> {t('keysSend')}
      </span>
      <span>
        <kbd>Shift</kbd> <kbd>Enter</kbd> {t('keysLine')}
      </span>
      <span>
        <kbd>↑</kbd> {t('keysHistory')}
      </span>
      <span>
        <kbd>/</kbd> {t('keysCommands')}
      </span>
      <span>
        <kbd>Tab</kbd> {t('keysComplete')}
      </span>
    </p>
  )
}

export function Composer({ api, draft, commands, jobs, onAttach, onSend }: ComposerProps) {
  const t = useWords()
  const listId = useId()
  const picker = useRef<HTMLInputElement>(null)
  const [isFocused, setFocused] = useState(false)
  const [isDismissed, setDismissed] = useState(true)
  const [moved, setMoved] = useState<string>()
  const { text, caret, box } = draft
  const { completion, suggestions } = useCompletion(api, commands, text, caret, jobs)
  const isOpen = isFocused && !isDismissed && suggestions.length > 0
  const movedTo = suggestions.findIndex(({ insert }) => insert === moved)
  const active = !isOpen ? -1 : movedTo >= 0 ? movedTo : completion?.preselect ? 0 : -1

  // Browsers that cannot size a field to its content get its height told.
  useLayoutEffect(() => {
    const element = box.current
    if (!element || CSS.supports('field-sizing', 'content')) return
    element.style.height = 'auto'
    element.style.height = `${element.scrollHeight}px`
  }, [text])

  useEffect(() => {
    if (draft.fills > 0) setDismissed(false)
  }, [draft.fills])

  const take = (suggestion: Suggestion) => {
    if (!completion) return
    const after = text.slice(completion.end)
    const insert = after.startsWith(' ') ? suggestion.insert.trimEnd() : suggestion.insert
    const before = text.slice(0, completion.start) + insert
    draft.edit(before + after, before.length)
    setMoved(undefined)
  }
  const move = (step: number) => {
    // One place more than there are suggestions: none of them.
    const places = suggestions.length + 1
    setMoved(suggestions[((active + 1 + step + places) % places) - 1]?.insert)
  }
  const browse = (go: () => boolean): boolean => {
    setDismissed(true)
    return go()
  }
  const send = () => {
    setDismissed(true)
    onSend()
  }

  /** @returns whether the key was ours */
  const press = (event: KeyboardEvent): boolean => {
    const isPlain = !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey
    const chosen = suggestions[Math.max(active, 0)]
    switch (event.key) {
      case 'Enter':
        if (!isPlain) return false
        if (isOpen && active >= 0 && chosen) take(chosen)
        else send()
        return true
      case 'Tab':
        if (!isPlain || !isOpen || !chosen) return false
        take(chosen)
        return true
      case 'Escape':
        if (!isOpen) return false
        setDismissed(true)
        return true
      case 'ArrowUp':
        if (!isPlain) return false
        if (isOpen) move(-1)
        else return !text.slice(0, caret).includes('\n') && browse(draft.earlier)
        return true
      case 'ArrowDown':
        if (!isPlain) return false
        if (isOpen) move(1)
        else return !text.slice(caret).includes('\n') && browse(draft.later)
        return true
      default:
        return false
    }
  }

  return (
    <div class="composer">
      {isOpen ? (
        <SuggestionList id={listId} suggestions={suggestions} active={active} hint={completion?.hint} onTake={take} />
      ) : null}
      <div class="box">
        {draft.file ? <Attached file={draft.file} onRemove={() => draft.attach(undefined)} /> : null}
        <div class="box-row">
          <button
            type="button"
            class="icon-button"
            aria-label={t('attach')}
            title={t('attach')}
            onClick={() => picker.current?.click()}
          >
            <AttachIcon />
          </button>
          <input
            ref={picker}
            type="file"
            hidden
            onChange={(event) => {
              const [file] = event.currentTarget.files ?? []
              if (file) onAttach(file)
              // The same file can be picked again after it was removed.
              event.currentTarget.value = ''
            }}
          />
          <textarea
            ref={box}
            id="box"
            rows={1}
            value={text}
            aria-label={t('box')}
            placeholder={t('placeholder')}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            enterkeyhint="send"
            aria-autocomplete="list"
            aria-haspopup="listbox"
            {...(isOpen ? { 'aria-controls': listId } : {})}
            {...(active >= 0 ? { 'aria-activedescendant': optionId(listId, active) } : {})}
            onInput={({ currentTarget }) => {
              draft.edit(currentTarget.value, currentTarget.selectionStart)
              setDismissed(false)
              setMoved(undefined)
            }}
            onKeyUp={({ currentTarget }) => draft.visit(currentTarget.selectionStart)}
            onClick={({ currentTarget }) => draft.visit(currentTarget.selectionStart)}
            onFocus={() => setFocused(true)}
            onBlur={() => setFocused(false)}
            onKeyDown={(event) => {
              if (!isComposing(event) && press(event)) event.preventDefault()
            }}
            onPaste={(event) => {
              const [file] = event.clipboardData?.files ?? []
              // Office programs put a picture beside every text: then the text is meant.
              if (!file || event.clipboardData?.types.includes('text/plain')) return
              event.preventDefault()
              onAttach(file)
            }}
          />
          <button
            type="button"
            class="icon-button send"
            aria-label={t('send')}
            title={t('send')}
            disabled={text.trim() === ''}
            onClick={send}
          >
            <SendIcon />
          </button>
        </div>
      </div>
      <Keys />
      <p class="unseen" role="status">
        {isOpen ? t('suggestionCount', { count: suggestions.length }) : ''}
      </p>
    </div>
  )
}
