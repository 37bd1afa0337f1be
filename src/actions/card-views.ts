// How knowledge cards look, for the verbs that people keep them with.
import type { Static } from 'typebox'
import type { SavedOutput } from './card-fields.js'
import type { Lang } from './text.js'
import type { View } from './view.js'

const WORDS = {
  added: { en: 'Added', zh: '已添加' },
  saved: { en: 'Saved', zh: '已保存' },
  notSaved: { en: 'Not saved: other cards say nearly the same', zh: '未保存：已有内容相近的卡片' },
  anyway: {
    en: 'Change one of these, or save again with "anyway".',
    zh: '请修改其中之一，或加上 anyway 再次保存。',
  },
  removed: { en: 'Removed', zh: '已移除' },
  none: { en: 'There is none.', zh: '没有。' },
  version: { en: 'Version', zh: '版本' },
  current: { en: 'current', zh: '当前' },
  gone: { en: 'removed', zh: '已移除' },
  shipped: { en: 'came with Hypercall', zh: 'Hypercall 自带' },
  review: { en: 'Review', zh: '复查' },
  tags: { en: 'Tags', zh: '标签' },
  asOf: { en: 'As of', zh: '截至' },
  source: { en: 'Source', zh: '来源' },
  by: { en: 'By', zh: '作者' },
  from: { en: 'From', zh: '来自' },
  overdue: { en: 'overdue', zh: '已到期' },
  thanks: { en: 'Thank you.', zh: '感谢反馈。' },
  noted: { en: 'Noted. It is on the list of what is to be answered better.', zh: '已记录，并列入待完善的问题。' },
  assigned: { en: 'Assigned to', zh: '已交给' },
  answerThese: {
    en: 'Answer one with `/knowledge save` and its number as "gap".',
    zh: '用 `/knowledge save` 并在 gap 中填写编号即可解答。',
  },
  cards: {
    en: ['Card', 'Title', 'Language', 'Version', 'By', 'Review'],
    zh: ['卡片', '标题', '语言', '版本', '作者', '复查'],
  },
  versions: { en: ['Version', 'When', 'By', 'Why'], zh: ['版本', '时间', '作者', '原因'] },
  gaps: {
    en: ['Number', 'Question', 'Asked', 'Not helpful', 'Assigned to'],
    zh: ['编号', '问题', '次数', '无帮助', '交给'],
  },
} as const

const day = (iso: string): string => iso.slice(0, 16).replace('T', ' ')

export function savedView({ saved, card, version, isNew, similar }: Static<typeof SavedOutput>, lang: Lang): View {
  if (saved) {
    const heading = (isNew === true ? WORDS.added : WORDS.saved)[lang]
    return { tone: 'good', heading, blocks: [{ kind: 'text', text: `${card} · ${WORDS.version[lang]} ${version}` }] }
  }
  return {
    tone: 'warn',
    heading: WORDS.notSaved[lang],
    blocks: [
      { kind: 'facts', facts: similar.map((other) => ({ label: other.card, value: other.title })) },
      { kind: 'text', text: WORDS.anyway[lang] },
    ],
    choices: similar.slice(0, 3).map((other) => ({
      label: other.title.slice(0, 80),
      action: 'knowledge.show',
      input: { card: other.card },
      style: 'secondary',
    })),
  }
}

export const removedView = ({ card }: { card: string }, lang: Lang): View => ({
  tone: 'good',
  heading: WORDS.removed[lang],
  blocks: [{ kind: 'text', text: card }],
  choices: [{ label: WORDS.versions[lang][0], action: 'knowledge.history', input: { card }, style: 'secondary' }],
})

interface CardOutput {
  readonly card: string
  readonly title: string
  readonly text: string
  readonly collection: string
  readonly shipped: boolean
  readonly tags: readonly string[]
  readonly asOf?: string
  readonly review?: string
  readonly version: number
  readonly author: string
  readonly at: string
  readonly links: readonly { readonly card: string; readonly title: string; readonly lang: string }[]
  readonly sources: readonly { readonly title: string; readonly url?: string }[]
}

/** A source may be its address alone. */
const sourceLine = ({ title, url }: CardOutput['sources'][number]): string =>
  url === undefined || url === title ? title : `${title} ${url}`

export function cardView(output: CardOutput, lang: Lang): View {
  const { card, title, text, collection, shipped, tags, asOf, review, version, author, at, links, sources } = output
  const fact = (
    word: keyof typeof WORDS & ('tags' | 'asOf' | 'source' | 'review' | 'by' | 'from' | 'version'),
    value: string,
  ) => ({
    label: WORDS[word][lang],
    value,
  })
  return {
    tone: 'info',
    heading: title,
    blocks: [
      {
        kind: 'facts',
        facts: [
          fact('from', shipped ? WORDS.shipped[lang] : collection),
          ...(shipped ? [] : [fact('version', String(version)), fact('by', `${author}, ${day(at)}`)]),
          ...(tags.length === 0 ? [] : [fact('tags', tags.join(', '))]),
          ...(asOf === undefined ? [] : [fact('asOf', asOf)]),
          ...(sources.length === 0 ? [] : [fact('source', sources.map(sourceLine).join('\n'))]),
          ...(review === undefined ? [] : [fact('review', review)]),
        ],
      },
      { kind: 'code', code: text, language: 'markdown' },
    ],
    choices: [
      ...(shipped
        ? []
        : [
            {
              label: WORDS.versions[lang][0],
              action: 'knowledge.history',
              input: { card },
              style: 'secondary' as const,
            },
          ]),
      ...links.map((linked) => ({
        label: linked.title,
        action: 'knowledge.show',
        input: { card: linked.card, language: linked.lang },
        style: 'secondary' as const,
      })),
    ],
  }
}

interface HistoryOutput {
  readonly card: string
  readonly lang: string
  readonly versions: readonly {
    readonly version: number
    readonly text?: string
    readonly author: string
    readonly at: string
    readonly reason: string
    readonly current: boolean
  }[]
}

export function historyView({ card, lang: its, versions }: HistoryOutput, lang: Lang): View {
  const mark = ({ text, current }: HistoryOutput['versions'][number]): string =>
    current ? ` (${WORDS.current[lang]})` : text === undefined ? ` (${WORDS.gone[lang]})` : ''
  return {
    tone: 'info',
    heading: `${card} · ${its}`,
    blocks: [
      {
        kind: 'table',
        columns: WORDS.versions[lang],
        rows: versions.map((one) => [`${one.version}${mark(one)}`, day(one.at), one.author, one.reason]),
      },
    ],
  }
}

interface CardListOutput {
  readonly cards: readonly {
    readonly card: string
    readonly title: string
    readonly lang: string
    readonly version: number
    readonly author: string
    readonly review?: string
    readonly overdue: boolean
  }[]
}

export function cardListView({ cards }: CardListOutput, lang: Lang): View {
  if (cards.length === 0) return { tone: 'info', blocks: [{ kind: 'text', text: WORDS.none[lang] }] }
  return {
    tone: 'info',
    blocks: [
      {
        kind: 'table',
        columns: WORDS.cards[lang],
        rows: cards.map(({ card, title, lang: its, version, author, review = '', overdue }) => [
          card,
          title,
          its,
          String(version),
          author,
          overdue ? `${review} (${WORDS.overdue[lang]})` : review,
        ]),
      },
    ],
  }
}

export const feedbackView = ({ helpful }: { helpful: boolean }, lang: Lang): View => ({
  tone: 'good',
  blocks: [{ kind: 'text', text: (helpful ? WORDS.thanks : WORDS.noted)[lang] }],
})

export const assignedView = ({ gap, to }: { gap: number; to: string }, lang: Lang): View => ({
  tone: 'good',
  blocks: [{ kind: 'text', text: `${gap}: ${WORDS.assigned[lang]} ${to}` }],
})

interface GapsOutput {
  readonly gaps: readonly {
    readonly gap: number
    readonly question: string
    readonly asked: number
    readonly unhelpful: number
    readonly assignedTo?: string
  }[]
}

export function gapsView({ gaps }: GapsOutput, lang: Lang): View {
  if (gaps.length === 0) return { tone: 'good', blocks: [{ kind: 'text', text: WORDS.none[lang] }] }
  return {
    tone: 'info',
    blocks: [
      {
        kind: 'table',
        columns: WORDS.gaps[lang],
        rows: gaps.map(({ gap, question, asked, unhelpful, assignedTo = '' }) => [
          String(gap),
          question,
          String(asked),
          String(unhelpful),
          assignedTo,
        ]),
      },
      { kind: 'text', text: WORDS.answerThese[lang] },
    ],
  }
}
