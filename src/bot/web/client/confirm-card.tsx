// "Are you sure?", with the time that is left to say so.
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ConfirmFirst } from './api.js'
import { Blocks, Embed } from './view.js'
import { useWords } from './words.js'

interface ConfirmCardProps {
  readonly answer: ConfirmFirst
  /** Why it could not be confirmed yet. */
  readonly notice: string | undefined
  readonly isGrave: boolean
  onConfirm(): void
  onWithdraw(): void
  onAgain(): void
}

const clock = (ms: number): string => {
  const seconds = Math.ceil(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** @returns ms left by the server's clock */
function useTimeLeft({ confirm, clockAheadMs }: ConfirmFirst): number {
  const left = () => Math.max(0, confirm.expiresAt - (Date.now() + clockAheadMs))
  const [ms, setMs] = useState(left)
  const isOver = ms === 0
  useEffect(() => {
    if (isOver) return
    const ticking = setInterval(() => setMs(left()), 250)
    return () => clearInterval(ticking)
  }, [isOver, confirm.expiresAt])
  return ms
}

export function ConfirmCard({ answer, notice, isGrave, onConfirm, onWithdraw, onAgain }: ConfirmCardProps) {
  const t = useWords()
  const ms = useTimeLeft(answer)
  const card = useRef<HTMLFieldSetElement>(null)

  // The keyboard goes where the question is, unless something else is being typed: one Tab from there is the answer.
  useEffect(() => {
    const focused = document.activeElement
    const isIdle = focused === document.body || (focused instanceof HTMLTextAreaElement && focused.value === '')
    if (isIdle) card.current?.focus({ preventScroll: true })
  }, [])

  const { view } = answer
  return (
    <fieldset class="confirm" ref={card} tabIndex={-1} aria-label={view.heading ?? t('confirm')}>
      <Embed tone={view.tone} heading={view.heading}>
        <Blocks blocks={view.blocks} />
        {notice !== undefined && (
          <p class="text" role="alert">
            {notice}
          </p>
        )}
        {ms > 0 ? (
          <div class="actions">
            <button type="button" class={isGrave ? 'button danger' : 'button primary'} onClick={onConfirm}>
              {t('confirm')}
            </button>
            <button type="button" class="button" onClick={onWithdraw}>
              {t('cancel')}
            </button>
            <span class="aside" role="timer" aria-live="off">
              {t('expiresIn', { time: clock(ms) })}
            </span>
          </div>
        ) : (
          <div class="actions">
            <button type="button" class="button" onClick={onAgain}>
              {t('askAgain')}
            </button>
            <span class="aside">{t('expired')}</span>
          </div>
        )}
      </Embed>
    </fieldset>
  )
}
