// The list over the box: what could come next, and which field is being filled in.
import { useEffect, useRef } from 'preact/hooks'
import type { Completion, Suggestion } from './completion.js'
import { say } from './text.js'
import { useLang, useWords } from './words.js'

interface SuggestionListProps {
  readonly id: string
  readonly suggestions: readonly Suggestion[]
  /** -1 for none. */
  readonly active: number
  readonly hint: Completion['hint']
  onTake(suggestion: Suggestion): void
}

export const optionId = (list: string, index: number): string => `${list}-${index}`

function Hint({ hint }: { readonly hint: NonNullable<Completion['hint']> }) {
  const t = useWords()
  const lang = useLang()
  const field = hint.command.fields.find(({ name }) => name === hint.field)
  if (!field) return null
  return (
    <p class="hint">
      <code class="hint-name">{field.name}</code>
      <span>{say(lang, field.description)}</span>
      <span class="badge">{field.required ? t('required') : t('optional')}</span>
    </p>
  )
}

export function SuggestionList({ id, suggestions, active, hint, onTake }: SuggestionListProps) {
  const t = useWords()
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [active])
  return (
    <div class="suggestions" ref={list}>
      <div role="listbox" id={id} aria-label={t('suggestions')} class="options">
        {suggestions.map((suggestion, index) => (
          <div
            key={suggestion.insert}
            role="option"
            id={optionId(id, index)}
            aria-selected={index === active}
            tabIndex={-1}
            class="option"
            // Before the box would lose its focus.
            onMouseDown={(event) => {
              event.preventDefault()
              onTake(suggestion)
            }}
          >
            <span class="option-label">{suggestion.label}</span>
            <span class="option-detail">{suggestion.detail}</span>
            {suggestion.required ? <span class="badge">{t('required')}</span> : null}
          </div>
        ))}
      </div>
      {hint ? <Hint hint={hint} /> : null}
    </div>
  )
}
