// Completions of what is being typed, on every surface: live values by the caller's own rights, so that what one may not
// list is not offered. Through the gate like everything else, but not at every keystroke.
import { randomUUID } from 'node:crypto'
import {
  AppError,
  type Completion,
  type Gate,
  type Lang,
  type Principal,
  principalKey,
  type Surface,
} from '../actions/index.js'
import { type Asked, type Candidate, LISTS, type Listed, verbCandidates } from './completion-lists.js'
import { ranked } from './ranking.js'

export interface CompletionRequest {
  readonly principal: Principal
  /** Of Discord, by its id. */
  readonly channel?: string
  readonly lang: Lang
  readonly kind: Completion
  /** What has been typed so far. */
  readonly typed: string
  /** The host chosen so far, if any. */
  readonly host?: string
}

export interface Completions {
  /** Best first. Never rejects, and answers in time: no rights, no answer and no match all mean an empty list. */
  find(request: CompletionRequest): Promise<Candidate[]>
}

export interface CompletionsOptions {
  readonly gate: Gate
  /** Grows whenever lists may say something else than before. */
  readonly changes: () => number
  readonly surface: Surface
  readonly log: { error(details: object, message: string): void }
  /** Epoch ms. */
  readonly now: () => number
}

/** With what lies on the way, people get their answer within 300 ms. */
const DEADLINE_MS = 250
/** So that typing a name is one call, not one per letter; and what has changed is seen while it is still being typed. */
const KEPT_MS = { atLeast: 1_000, atMost: 10_000 } as const

/** Of one list, as one caller may see it. */
interface Answer {
  readonly candidates: readonly Candidate[]
  /** Whether it holds all that there is of what was asked for. */
  readonly isWhole: boolean
}

interface Kept {
  readonly answer: Promise<Answer>
  readonly at: number
  readonly changes: number
  /** What has come; undefined while it is waited for, and where it failed. */
  found?: Answer
}

const NOTHING: Answer = { candidates: [], isWhole: true }

export function createCompletions({ gate, changes, surface, log, now }: CompletionsOptions): Completions {
  const kept = new Map<string, Kept>()

  async function load({ principal, channel, lang }: CompletionRequest, kind: Listed, asked: Asked): Promise<Answer> {
    const list = LISTS[kind]
    const outcome = await gate.call({
      principal,
      surface,
      ...(channel === undefined ? {} : { channel }),
      lang,
      requestId: randomUUID(),
      action: list.action,
      input: list.input(asked),
      fromMemory: true,
      // Not the asker's own: others may be waiting for the same list.
      signal: new AbortController().signal,
    })
    // Whoever asks for a click before a list may be shown has to click; a completion cannot.
    if (outcome.status !== 'done') return NOTHING
    const { output } = outcome
    return { candidates: list.candidates(output, lang), isWhole: list.isWhole?.(output) ?? true }
  }

  const isGood = ({ at, changes: then }: Kept): boolean => {
    const age = now() - at
    return age < KEPT_MS.atLeast || (age < KEPT_MS.atMost && then === changes())
  }

  /** Rights are part of who asks: a role that was taken away takes its completions with it. */
  const keyOf = ({ principal, channel, lang }: CompletionRequest, kind: Listed, asked: Asked): string =>
    JSON.stringify([principalKey(principal), principal.roles, channel, lang, kind, LISTS[kind].input(asked)])

  /** Answers, refusals too, are remembered for a while; a question that is still open is not asked twice. */
  function ask(request: CompletionRequest, kind: Listed, asked: Asked): Promise<Answer> {
    for (const [other, entry] of kept) if (!isGood(entry)) kept.delete(other)
    const key = keyOf(request, kind, asked)
    const known = kept.get(key)
    if (known) return known.answer
    const entry: Kept = { answer: load(request, kind, asked), at: now(), changes: changes() }
    entry.answer.then(
      (found) => {
        entry.found = found
      },
      () => undefined,
    )
    kept.set(key, entry)
    return entry.answer
  }

  /** What is asked for by its name where there is too much of it; a part of that name may have told all that there is. */
  async function narrowed(request: CompletionRequest, kind: Listed, asked: Asked, typed: string): Promise<Answer> {
    for (let length = 1; length < typed.length; length++) {
      const entry = kept.get(keyOf(request, kind, { ...asked, named: typed.slice(0, length) }))
      if (entry?.found?.isWhole && isGood(entry)) return entry.found
    }
    return ask(request, kind, { ...asked, named: typed })
  }

  /** @param take is given what is known so far, and then all of it */
  async function list(request: CompletionRequest, kind: Listed, take: (answer: Answer) => void): Promise<void> {
    const asked: Asked = request.host === undefined ? {} : { host: request.host }
    const typed = request.typed.trim()
    const all = await ask(request, kind, asked)
    take(all)
    if (!all.isWhole && typed !== '') take(await narrowed(request, kind, asked, typed))
  }

  return {
    async find(request) {
      const { kind, typed } = request
      if (kind === 'action') return ranked(verbCandidates(gate.registry, request.lang), typed)
      let answer = NOTHING
      const listing = list(request, kind, (found) => {
        answer = found
      })
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, DEADLINE_MS)
      })
      try {
        await Promise.race([listing, late])
        return ranked(answer.candidates, typed)
      } catch (error) {
        // Who may not look, or cannot, is offered nothing; the command itself will say why.
        if (!(error instanceof AppError)) log.error({ err: error }, 'completions failed')
        return []
      } finally {
        clearTimeout(timer)
      }
    },
  }
}
