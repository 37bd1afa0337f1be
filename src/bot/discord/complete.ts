// Completions of what is being typed, from live state, by the caller's own rights: what one may not list is not offered.
import { randomUUID } from 'node:crypto'
import type { APIApplicationCommandOptionChoice } from 'discord-api-types/v10'
import type { Logger } from 'pino'
import {
  type Actions,
  AppError,
  type Completion,
  type Lang,
  type Principal,
  principalKey,
} from '../../actions/index.js'

export type Suggestion = APIApplicationCommandOptionChoice<string>

export interface CompletionRequest {
  readonly principal: Principal
  readonly lang: Lang
  readonly kind: Completion
  /** What has been typed so far. */
  readonly typed: string
  /** The host chosen so far, if any. */
  readonly host?: string
}

export interface Completer {
  /** Never rejects, and answers in time for Discord: no rights, no answer and no match all mean an empty list. */
  complete(request: CompletionRequest): Promise<Suggestion[]>
}

/** Discord wants an answer within 3 s of its question. */
const DEADLINE_MS = 2_000
/** So that typing a name is one look at the engines, not one per letter. */
const KEPT_MS = { container: 3_000, host: 10_000 } as const
const MOST = 25
const LONGEST = 100
const JOBS_READ = 200

interface Candidate {
  /** What is filled in. */
  readonly value: string
  /** What is shown. */
  readonly name: string
  /** What typing is matched against. */
  readonly keys: readonly string[]
}

/** Remembers answers, refusals too, for a while; a question that is still open is not asked twice. */
function memory<T>(keptMs: number, now: () => number) {
  const kept = new Map<string, { readonly answer: Promise<T>; until: number }>()
  return (key: string, ask: () => Promise<T>): Promise<T> => {
    for (const [other, entry] of kept) if (entry.until <= now()) kept.delete(other)
    const known = kept.get(key)
    if (known) return known.answer
    const entry = { answer: ask(), until: Number.POSITIVE_INFINITY }
    const settled = () => {
      entry.until = now() + keptMs
    }
    entry.answer.then(settled, settled)
    kept.set(key, entry)
    return entry.answer
  }
}

function fitting(candidates: readonly Candidate[], typed: string): Suggestion[] {
  const wanted = typed.trim().toLowerCase()
  const place = ({ keys }: Candidate) => {
    const lower = keys.map((key) => key.toLowerCase())
    if (lower.some((key) => key.startsWith(wanted))) return 0
    return lower.some((key) => key.includes(wanted)) ? 1 : 2
  }
  return candidates
    .map((candidate) => ({ candidate, place: place(candidate) }))
    .filter(({ place, candidate }) => place < 2 && candidate.value.length <= LONGEST)
    .sort((a, b) => a.place - b.place)
    .slice(0, MOST)
    .map(({ candidate: { name, value } }) => ({ name: name.slice(0, LONGEST), value }))
}

interface ListedContainers {
  readonly instances: readonly {
    readonly host: string
    readonly name: string
    readonly id: string
    readonly state: string
  }[]
}
interface ListedHosts {
  readonly hosts: readonly { readonly name: string }[]
}

export interface CompleterOptions {
  readonly actions: Actions
  readonly log: Logger
  /** Epoch ms. */
  readonly now: () => number
}

export function createCompleter({ actions, log, now }: CompleterOptions): Completer {
  const containers = memory<ListedContainers>(KEPT_MS.container, now)
  const hosts = memory<ListedHosts>(KEPT_MS.host, now)

  /** Rights are part of who asks: a role that was taken away takes its completions with it. */
  const keyOf = ({ principal }: CompletionRequest) => `${principalKey(principal)} ${principal.roles.join(',')}`

  async function ask<T>(action: string, input: object, { principal, lang }: CompletionRequest): Promise<T> {
    const outcome = await actions.gate.call({
      principal,
      surface: 'discord',
      lang,
      requestId: randomUUID(),
      action,
      input,
      signal: new AbortController().signal,
    })
    // Whoever asks for a click before a list may be shown has to click; a completion cannot.
    if (outcome.status !== 'done') throw new AppError('CONFIRMATION_REQUIRED', { why: outcome.why })
    return outcome.output as T
  }

  async function candidates(request: CompletionRequest): Promise<Candidate[]> {
    const { principal, kind, host } = request
    switch (kind) {
      case 'host': {
        const listed = await hosts(keyOf(request), () => ask('host.list', {}, request))
        return listed.hosts.map(({ name }) => ({ value: name, name, keys: [name] }))
      }
      case 'container': {
        const input = host === undefined || host === '' ? {} : { host }
        const key = `${keyOf(request)} ${host ?? ''}`
        const { instances } = await containers(key, () => ask('container.list', input, request))
        return instances.map((one) => ({
          value: one.name.length <= LONGEST ? one.name : one.id,
          name: `${one.name} · ${one.state} · ${one.host}`,
          keys: [one.name, one.id],
        }))
      }
      case 'image':
      case 'artifact':
        return []
      case 'job': {
        const own = principalKey(principal)
        return actions.jobs
          .recent(principal.tenant, JOBS_READ)
          .filter((job) => job.principal === own)
          .map((job) => ({
            value: job.id,
            name: `${job.id} · ${job.action} · ${job.state}`,
            keys: [job.id, job.action],
          }))
      }
    }
  }

  return {
    async complete(request) {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<Candidate[]>((resolve) => {
        timer = setTimeout(resolve, DEADLINE_MS, [])
      })
      try {
        return fitting(await Promise.race([candidates(request), late]), request.typed)
      } catch (error) {
        if (!(error instanceof AppError)) log.error({ err: error }, 'completions failed')
        return []
      } finally {
        clearTimeout(timer)
      }
    },
  }
}
