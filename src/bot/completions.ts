// Completions of what is being typed, on every surface: live values by the caller's own rights, so that what one may not
// list is not offered. Through the gate like everything else, but not at every keystroke.
import { randomUUID } from 'node:crypto'
import {
  AppError,
  type Completion,
  formatBytes,
  type Gate,
  type Principal,
  principalKey,
  type Surface,
} from '../actions/index.js'

export interface CompletionRequest {
  readonly principal: Principal
  readonly kind: Completion
  /** What has been typed so far. */
  readonly typed: string
  /** The host chosen so far, if any. */
  readonly host?: string
}

export interface Candidate {
  /** What is filled in. */
  readonly value: string
  /** What tells it from its neighbours. */
  readonly label: string
  /** What is recognized by any part of it. */
  readonly names: readonly string[]
  /** What is recognized by its beginning alone; the first one may be filled in where the value is too long. */
  readonly ids: readonly string[]
}

export interface Completions {
  /** Best first. Never rejects, and answers in time: no rights, no answer and no match all mean an empty list. */
  find(request: CompletionRequest): Promise<Candidate[]>
}

export interface CompletionsOptions {
  readonly gate: Gate
  readonly surface: Surface
  readonly log: { error(details: object, message: string): void }
  /** Epoch ms. */
  readonly now: () => number
}

/** Discord wants an answer within 3 s of its question; nobody waits longer for a hint elsewhere. */
const DEADLINE_MS = 2_000
/** So that typing a name is one look at the engines, not one per letter. */
const KEPT_MS = { host: 10_000, container: 3_000, image: 3_000, artifact: 3_000, job: 3_000, approval: 3_000 } as const
const MOST_JOBS = 200

const labelOf = (...parts: readonly (string | undefined)[]): string => parts.filter(Boolean).join(' · ')

interface HostRow {
  readonly name: string
  readonly engine?: string
  readonly version?: string
}
interface InstanceRow {
  readonly host: string
  readonly id: string
  readonly name: string
  readonly image: string
  readonly state: string
}
interface ImageRow {
  readonly host: string
  readonly id: string
  readonly tags: readonly string[]
  readonly sizeBytes: number
}
interface ArtifactRow {
  readonly id: string
  readonly name: string
  readonly sizeBytes: number
  readonly madeBy: string
}
interface ApprovalRow {
  readonly approval: string
  readonly askerName: string
  readonly what: string
}
interface JobRow {
  readonly job: string
  readonly action: string
  readonly state: string
}

interface List {
  readonly action: string
  input(host: string | undefined): object
  /** @param output what the action gave */
  candidates(output: unknown): Candidate[]
}

const listOf = <Output>(action: string, input: List['input'], candidates: (output: Output) => Candidate[]): List => ({
  action,
  input,
  candidates: (output) => candidates(output as Output),
})

const onHost = (host: string | undefined): object => (host === undefined || host === '' ? {} : { host })

/** What is asked of the gate; verbs are the same for everyone. */
type Listed = Exclude<Completion, 'action'>

const LISTS: Readonly<Record<Listed, List>> = {
  host: listOf<{ readonly hosts: readonly HostRow[] }>(
    'host.list',
    () => ({}),
    ({ hosts }) =>
      hosts.map(({ name, engine, version }) => ({
        value: name,
        label: labelOf(engine, version),
        names: [name],
        ids: [],
      })),
  ),
  container: listOf<{ readonly instances: readonly InstanceRow[] }>('container.list', onHost, ({ instances }) =>
    instances.map(({ name, id, state, image, host }) => ({
      value: name,
      label: labelOf(state, image, host),
      names: [name],
      ids: [id],
    })),
  ),
  image: listOf<{ readonly images: readonly ImageRow[] }>('image.list', onHost, ({ images }) =>
    images.flatMap(({ id, tags, host, sizeBytes }) => {
      const plainId = id.replace(/^sha256:/, '')
      const label = labelOf(plainId.slice(0, 12), formatBytes(sizeBytes), host)
      return tags.map((tag) => ({ value: tag, label, names: [tag], ids: [plainId, id] }))
    }),
  ),
  artifact: listOf<{ readonly artifacts: readonly ArtifactRow[] }>(
    'artifact.list',
    () => ({}),
    ({ artifacts }) =>
      artifacts.map(({ id, name, sizeBytes, madeBy }) => ({
        value: id,
        label: labelOf(name, formatBytes(sizeBytes), madeBy),
        names: [name],
        ids: [id],
      })),
  ),
  approval: listOf<{ readonly approvals: readonly ApprovalRow[] }>(
    'approval.list',
    () => ({}),
    ({ approvals }) =>
      approvals.map(({ approval, askerName, what }) => ({
        value: approval,
        label: labelOf(askerName, what),
        names: [askerName, what],
        ids: [approval],
      })),
  ),
  job: listOf<{ readonly jobs: readonly JobRow[] }>(
    'job.list',
    () => ({ limit: MOST_JOBS }),
    ({ jobs }) =>
      jobs.map(({ job, action, state }) => ({
        value: job,
        label: labelOf(action, state),
        names: [action],
        ids: [job],
      })),
  ),
}

/** Remembers answers, refusals too, for a while; a question that is still open is not asked twice. */
function memory<T>(now: () => number) {
  const kept = new Map<string, { readonly answer: Promise<T>; until: number }>()
  return (key: string, keptMs: number, ask: () => Promise<T>): Promise<T> => {
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

function fitting(candidates: readonly Candidate[], typed: string): Candidate[] {
  const wanted = typed.trim().toLowerCase()
  const place = ({ names, ids }: Candidate): number => {
    const lower = names.map((name) => name.toLowerCase())
    if ([...lower, ...ids].some((key) => key.startsWith(wanted))) return 0
    return lower.some((name) => name.includes(wanted)) ? 1 : 2
  }
  return candidates
    .map((candidate) => ({ candidate, place: place(candidate) }))
    .filter(({ place }) => place < 2)
    .sort((a, b) => a.place - b.place)
    .map(({ candidate }) => candidate)
}

export function createCompletions({ gate, surface, log, now }: CompletionsOptions): Completions {
  const lists = memory<Candidate[]>(now)

  const verbs = gate.registry.actions.map(
    ({ name, effect, verb }): Candidate => ({ value: name, label: effect, names: [name, verb], ids: [] }),
  )

  async function load({ principal, host }: CompletionRequest, kind: Listed): Promise<Candidate[]> {
    const list = LISTS[kind]
    const outcome = await gate.call({
      principal,
      surface,
      lang: 'en',
      requestId: randomUUID(),
      action: list.action,
      input: list.input(host),
      // Not the asker's own: others may be waiting for the same list.
      signal: new AbortController().signal,
    })
    // Whoever asks for a click before a list may be shown has to click; a completion cannot.
    return outcome.status === 'done' ? list.candidates(outcome.output) : []
  }

  /** Rights are part of who asks: a role that was taken away takes its completions with it. */
  const keyOf = ({ principal, host }: CompletionRequest, kind: Listed): string =>
    JSON.stringify([principalKey(principal), principal.roles, kind, LISTS[kind].input(host)])

  return {
    async find(request) {
      const { kind } = request
      if (kind === 'action') return fitting(verbs, request.typed)
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<Candidate[]>((resolve) => {
        timer = setTimeout(resolve, DEADLINE_MS, [])
      })
      try {
        const listed = lists(keyOf(request, kind), KEPT_MS[kind], () => load(request, kind))
        return fitting(await Promise.race([listed, late]), request.typed)
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
