// What was said: one exchange for each thing asked, and everything that can happen to it afterwards.
import { useCallback, useMemo, useReducer, useRef } from 'preact/hooks'
import type { Block } from '../../../actions/index.js'
import { writeLine } from '../../line.js'
import { type Answer, type Api, type Ask, type ConfirmFirst, type Done, Failure, type SendOptions } from './api.js'
import { forgetJob, jobOf, keepJob } from './jobs.js'

export type ExchangeState =
  | { readonly kind: 'waiting'; readonly sent?: { readonly bytes: number; readonly total: number } }
  | { readonly kind: 'done'; readonly answer: Done; readonly job?: FollowedJob }
  /** `notice`: why it could not be confirmed yet. */
  | { readonly kind: 'confirm'; readonly answer: ConfirmFirst; readonly notice?: string }
  | { readonly kind: 'withdrawn'; readonly answer: ConfirmFirst }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** Drawn by the page itself from the list of commands. */
  | { readonly kind: 'help'; readonly about: string }

/** A job that has not ended, and what was said when it began that its later news do not repeat. */
export interface FollowedJob {
  readonly id: string
  readonly notes: readonly Block[]
}

export interface Exchange {
  readonly id: number
  /** Epoch ms. */
  readonly at: number
  /** What was typed, or the line that means what was clicked. */
  readonly line: string
  readonly ask: Ask
  readonly file?: File
  readonly state: ExchangeState
}

type Change =
  | { readonly type: 'add'; readonly exchange: Exchange }
  | { readonly type: 'set'; readonly id: number; readonly state: ExchangeState }

function reduce(exchanges: readonly Exchange[], change: Change): readonly Exchange[] {
  if (change.type === 'add') return [...exchanges, change.exchange]
  return exchanges.map((exchange) => (exchange.id === change.id ? { ...exchange, state: change.state } : exchange))
}

const HELP = /^\/help(?:\s+(.*))?$/is

function stateOf(answer: Answer, before?: ExchangeState): ExchangeState {
  if (answer.status === 'confirm') return { kind: 'confirm', answer }
  const job = jobOf(answer)
  if (!job) return { kind: 'done', answer }
  const earlier = before?.kind === 'done' ? before.job?.notes : undefined
  // The first block of a job's first view says which job it is, as every later view does.
  const notes = earlier ?? (answer.startsJob ? answer.view.blocks.slice(1) : [])
  const shown = answer.startsJob
    ? answer
    : { ...answer, view: { ...answer.view, blocks: [...answer.view.blocks, ...notes] } }
  if (job.unfinished) keepJob(job.id)
  else forgetJob(job.id)
  return { kind: 'done', answer: shown, ...(job.unfinished ? { job: { id: job.id, notes } } : {}) }
}

const failureOf = (error: unknown): Failure => {
  if (error instanceof Failure) return error
  throw error
}

export interface Conversation {
  readonly exchanges: readonly Exchange[]
  /** A line as typed. */
  say(line: string, file?: File): void
  /** What a button stands for. */
  press(action: string, input: Readonly<Record<string, unknown>>): void
  again(exchange: Exchange): void
  stop(exchange: Exchange): void
  confirm(exchange: Exchange): void
  withdraw(exchange: Exchange): void
  /** News about the job that an exchange follows. */
  update(exchange: Exchange, answer: Done): void
  /** Changes a job where its card stands, instead of below it. */
  act(exchange: Exchange, action: string, input: Readonly<Record<string, unknown>>): void
}

export function useConversation(api: Api): Conversation {
  const [exchanges, change] = useReducer(reduce, [])
  const running = useRef(new Map<number, AbortController>())
  const lastId = useRef(0)

  const perform = useCallback(
    async (id: number, ask: Ask, file: File | undefined, asked?: ConfirmFirst) => {
      const stopper = new AbortController()
      running.current.set(id, stopper)
      change({ type: 'set', id, state: { kind: 'waiting' } })
      const options: SendOptions = {
        signal: stopper.signal,
        ...(file ? { file } : {}),
        onSent: (bytes, total) => change({ type: 'set', id, state: { kind: 'waiting', sent: { bytes, total } } }),
      }
      try {
        const answer = await api.call(ask, options)
        change({ type: 'set', id, state: stateOf(answer) })
      } catch (error) {
        const failure = failureOf(error)
        const isEarly = asked !== undefined && failure.code === 'APPROVAL_PENDING'
        change({
          type: 'set',
          id,
          state: isEarly ? { kind: 'confirm', answer: asked, notice: failure.message } : { kind: 'failed', failure },
        })
      } finally {
        running.current.delete(id)
      }
    },
    [api],
  )

  const start = useCallback(
    (line: string, ask: Ask, file?: File) => {
      lastId.current += 1
      const id = lastId.current
      const help = 'line' in ask ? HELP.exec(ask.line.trim()) : undefined
      const state: ExchangeState = help ? { kind: 'help', about: help[1]?.trim() ?? '' } : { kind: 'waiting' }
      change({ type: 'add', exchange: { id, at: Date.now(), line, ask, ...(file ? { file } : {}), state } })
      if (!help) void perform(id, ask, file)
    },
    [perform],
  )

  return useMemo(
    () => ({
      exchanges,
      say: (line, file) => start(line, { line }, file),
      press: (action, input) => start(writeLine({ action, input }), { action, input }),
      again: (exchange) => start(exchange.line, exchange.ask, exchange.file),
      stop: (exchange) => running.current.get(exchange.id)?.abort(),
      confirm(exchange) {
        if (exchange.state.kind !== 'confirm') return
        const { answer } = exchange.state
        const { action, input, confirm } = answer
        void perform(exchange.id, { action, input, confirm: confirm.token }, exchange.file, answer)
      },
      async withdraw(exchange) {
        if (exchange.state.kind !== 'confirm') return
        const { answer } = exchange.state
        change({ type: 'set', id: exchange.id, state: { kind: 'withdrawn', answer } })
        try {
          await api.withdraw(answer.confirm.token)
        } catch (error) {
          change({ type: 'set', id: exchange.id, state: { kind: 'failed', failure: failureOf(error) } })
        }
      },
      update: (exchange, answer) => change({ type: 'set', id: exchange.id, state: stateOf(answer, exchange.state) }),
      async act(exchange, action, input) {
        try {
          const answer = await api.call({ action, input }, { signal: new AbortController().signal })
          if (answer.status === 'done') {
            change({ type: 'set', id: exchange.id, state: stateOf(answer, exchange.state) })
          } else start(writeLine({ action, input }), { action, input })
        } catch (error) {
          lastId.current += 1
          const failed: Exchange = {
            id: lastId.current,
            at: Date.now(),
            line: writeLine({ action, input }),
            ask: { action, input },
            state: { kind: 'failed', failure: failureOf(error) },
          }
          change({ type: 'add', exchange: failed })
        }
      },
    }),
    [api, exchanges, perform, start],
  )
}
