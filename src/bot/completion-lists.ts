// What can be offered: which verb lists it, and what of its answer is recognized and shown.
import { type Completion, formatBytes, type Lang, type Registry } from '../actions/index.js'
import type { Nameable } from './ranking.js'

export interface Candidate extends Nameable {
  /** What is filled in; the first of its ids may be in its place where it is too long. */
  readonly value: string
  /** What tells it from its neighbours. */
  readonly label: string
}

/** What a list is asked with. */
export interface Asked {
  /** The host chosen so far. */
  readonly host?: string
  /** What it is to hold; all when absent. */
  readonly named?: string
}

export interface List {
  readonly action: string
  input(asked: Asked): object
  /** @param output what the action gave, in the order that is kept among what fits equally well */
  candidates(output: unknown, lang: Lang): Candidate[]
  /** There may be more of them than are told at once: whether this is all that there is of what was asked for. */
  isWhole?(output: unknown): boolean
}

/** Verbs are the same for everyone, and asked of nobody. */
export type Listed = Exclude<Completion, 'action'>

const MOST_JOBS = 200
const MOST_CARDS = 500

const labelOf = (...parts: readonly (string | undefined)[]): string => parts.filter(Boolean).join(' · ')

/** States of containers and of jobs. */
const STATES: Readonly<Record<string, string>> = {
  created: '已创建',
  running: '运行中',
  paused: '已暂停',
  restarting: '重启中',
  removing: '删除中',
  exited: '已退出',
  dead: '已失效',
  queued: '等待中',
  done: '已完成',
  failed: '失败',
  cancelled: '已取消',
}
const stateIn = (lang: Lang, state: string): string => (lang === 'zh' ? (STATES[state] ?? state) : state)

interface Output {
  readonly host: {
    readonly hosts: readonly { readonly name: string; readonly engine?: string; readonly version?: string }[]
  }
  readonly container: {
    readonly instances: readonly Readonly<Record<'host' | 'id' | 'name' | 'image' | 'state', string>>[]
  }
  readonly image: {
    readonly images: readonly {
      readonly host: string
      readonly id: string
      readonly tags: readonly string[]
      readonly sizeBytes: number
    }[]
  }
  readonly artifact: {
    readonly artifacts: readonly {
      readonly id: string
      readonly name: string
      readonly sizeBytes: number
      readonly madeBy: string
    }[]
  }
  readonly approval: { readonly approvals: readonly Readonly<Record<'approval' | 'askerName' | 'what', string>>[] }
  readonly job: { readonly jobs: readonly Readonly<Record<'job' | 'action' | 'state', string>>[] }
  readonly card: {
    readonly cards: readonly {
      readonly card: string
      readonly lang: string
      readonly title: string
      readonly collection: string
    }[]
  }
}

interface TypedList<T> extends Omit<List, 'candidates' | 'isWhole'> {
  candidates(output: T, lang: Lang): Candidate[]
  isWhole?(output: T): boolean
}

const untyped = <T>({ candidates, isWhole, ...list }: TypedList<T>): List => ({
  ...list,
  candidates: (output, lang) => candidates(output as T, lang),
  ...(isWhole ? { isWhole: (output) => isWhole(output as T) } : {}),
})

const onHost = ({ host = '' }: Asked): object => (host === '' ? {} : { host })
const always = (input: object) => () => input

export const LISTS: Readonly<Record<Listed, List>> = {
  host: untyped<Output['host']>({
    action: 'host.list',
    input: always({}),
    candidates: ({ hosts }) =>
      hosts.map(({ name, engine, version }) => ({
        value: name,
        label: labelOf(engine, version),
        names: [name],
        ids: [],
      })),
  }),
  container: untyped<Output['container']>({
    action: 'container.list',
    input: onHost,
    candidates: ({ instances }, lang) =>
      instances.map(({ name, id, state, image, host }) => ({
        value: name,
        label: labelOf(stateIn(lang, state), image, host),
        names: [name],
        ids: [id],
      })),
  }),
  image: untyped<Output['image']>({
    action: 'image.list',
    input: onHost,
    candidates: ({ images }) =>
      images.flatMap(({ id, tags, host, sizeBytes }) => {
        const plainId = id.replace(/^sha256:/, '')
        const label = labelOf(plainId.slice(0, 12), formatBytes(sizeBytes), host)
        return tags.map((tag) => ({ value: tag, label, names: [tag], ids: [plainId, id] }))
      }),
  }),
  artifact: untyped<Output['artifact']>({
    action: 'artifact.list',
    input: always({}),
    candidates: ({ artifacts }) =>
      artifacts.map(({ id, name, sizeBytes, madeBy }) => ({
        value: id,
        label: labelOf(name, formatBytes(sizeBytes), madeBy),
        names: [name],
        ids: [id],
      })),
  }),
  approval: untyped<Output['approval']>({
    action: 'approval.list',
    input: always({}),
    candidates: ({ approvals }) =>
      approvals.map(({ approval, askerName, what }) => ({
        value: approval,
        label: labelOf(askerName, what),
        names: [askerName, what],
        ids: [approval],
      })),
  }),
  job: untyped<Output['job']>({
    action: 'job.list',
    input: always({ limit: MOST_JOBS }),
    candidates: ({ jobs }, lang) =>
      jobs.map(({ job, action, state }) => ({
        value: job,
        label: labelOf(action, stateIn(lang, state)),
        names: [action],
        ids: [job],
      })),
  }),
  card: untyped<Output['card']>({
    action: 'knowledge.list',
    input: ({ named }) => ({ shipped: true, limit: MOST_CARDS, ...(named === undefined ? {} : { name: named }) }),
    /** The same card in both languages is one, shown in the language of who asks. */
    candidates({ cards }, lang) {
      const byId = new Map<string, typeof cards>()
      for (const card of cards) byId.set(card.card, [...(byId.get(card.card) ?? []), card])
      return [...byId].flatMap(([id, its]) => {
        const shown = its.find((card) => card.lang === lang) ?? its[0]
        const titles = its.map(({ title }) => title)
        return shown
          ? [{ value: id, label: labelOf(shown.title, shown.collection), names: [id, ...titles], ids: [] }]
          : []
      })
    },
    isWhole: ({ cards }) => cards.length < MOST_CARDS,
  }),
}

export const verbCandidates = ({ actions }: Registry, lang: Lang): Candidate[] =>
  actions.map(({ name, verb, summary }) => ({
    value: name,
    label: summary[lang],
    names: [name, verb, summary.zh],
    ids: [],
  }))
