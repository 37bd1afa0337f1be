// How answers and hits look, for the verbs that ask the knowledge base.
import { type Static, Type } from 'typebox'
import { tablePicture } from './table-picture.js'
import { type Lang, say } from './text.js'
import type { Block, Choice, View } from './view.js'

/** Systems beside each other, as `compare` answers and as `ask` adds to a comparison. */
export const ComparisonOutput = Type.Object({
  systems: Type.Array(Type.Object({ id: Type.String(), name: Type.String(), card: Type.String() })),
  rows: Type.Array(Type.Object({ label: Type.String(), values: Type.Array(Type.String()) })),
  sources: Type.Array(Type.Object({ title: Type.String(), url: Type.Optional(Type.String()) })),
  asOf: Type.String(),
})

interface AnswerOutput {
  readonly found: boolean
  readonly lang: string
  readonly answer: string
  readonly citations: readonly {
    readonly title: string
    readonly heading: string
    readonly asOf?: string | undefined
    readonly overdue?: string | undefined
  }[]
  readonly asked?: number | undefined
  readonly question?: string | undefined
  readonly nearest: readonly { readonly card: string; readonly title: string }[]
  readonly comparison?: Static<typeof ComparisonOutput> | undefined
  readonly diagram?:
    | { readonly id: string; readonly lang: Lang; readonly caption: string; readonly alt: string }
    | undefined
}

const WORDS = {
  unknown: { en: "I don't know", zh: '我不知道' },
  unknownWhy: {
    en: 'The knowledge base has no answer to that.',
    zh: '知识库中没有这个问题的答案。',
  },
  nearest: { en: 'The nearest topics:', zh: '最接近的主题：' },
  asOf: { en: 'as of', zh: '截至' },
  overdue: { en: 'review was due', zh: '应复查于' },
  helpful: { en: 'Helpful', zh: '有帮助' },
  notHelpful: { en: 'Not helpful', zh: '没帮助' },
  teachMe: { en: 'Teach me', zh: '教我' },
  teach: {
    en: 'Know the answer? Teach me: `/knowledge save` with "gap" {asked}.',
    zh: '知道答案？请教我：`/knowledge save`，并在 gap 中填写 {asked}。',
  },
  greeting: { en: 'Hello!', zh: '你好！' },
  greetingWhat: {
    en: 'Ask me anything about virtual machines and containers, in English or Chinese. For instance:',
    zh: '关于虚拟机与容器的任何问题都可以问我，中文或英文均可。例如：',
  },
  unconfirmed: { en: '* general knowledge, not confirmed by a source', zh: '* 常识性说法，未经来源证实' },
  question: { en: 'Question', zh: '问题' },
  noMatter: { en: 'Does not matter', zh: '无所谓' },
  recommended: { en: 'Recommended', zh: '推荐' },
  nothingFits: { en: 'Nothing we know of fits all of that.', zh: '已知的系统中没有能同时满足这些条件的。' },
  compareThese: { en: 'Compare these', zh: '对比这几个' },
  again: { en: 'Start again', zh: '重新开始' },
  none: { en: 'Nothing found.', zh: '没有找到结果。' },
  imported: { en: 'Imported', zh: '已导入' },
  checked: { en: 'Checked; nothing was changed', zh: '已检查，未做任何更改' },
  added: { en: 'New', zh: '新增' },
  changed: { en: 'Changed', zh: '更新' },
  unchanged: { en: 'Unchanged', zh: '未变' },
  removed: { en: 'Removed', zh: '已移除' },
  rejected: { en: 'Not taken', zh: '未采纳' },
} as const

/** Sentences of one passage share a line: `[1][2] Card › Heading`. */
function sourceLines(citations: AnswerOutput['citations'], lang: Lang): string {
  const marks = new Map<string, string>()
  citations.forEach((citation, index) => {
    const where = citation.heading === '' || citation.heading === citation.title ? '' : ` › ${citation.heading}`
    const dates = [
      ...(citation.asOf === undefined ? [] : [`${WORDS.asOf[lang]} ${citation.asOf}`]),
      ...(citation.overdue === undefined ? [] : [`⚠ ${WORDS.overdue[lang]} ${citation.overdue}`]),
    ]
    const when = dates.length === 0 ? '' : ` (${dates.join(lang === 'zh' ? '，' : ', ')})`
    const source = `${citation.title}${where}${when}`
    marks.set(source, `${marks.get(source) ?? ''}[${index + 1}]`)
  })
  return [...marks].map(([source, mark]) => `${mark} ${source}`).join('\n')
}

/** In the language of the question, whatever language the one who asked has set. */
export function answerView(output: AnswerOutput): View {
  const lang: Lang = output.lang === 'zh' ? 'zh' : 'en'
  const { asked, question } = output
  const about = question === undefined ? {} : { about: question }
  if (!output.found) {
    const topics: Choice[] = output.nearest.slice(0, 3).map((topic) => ({
      label: topic.title.slice(0, 80),
      action: 'ask',
      input: { question: topic.title },
      style: 'secondary',
    }))
    if (asked === undefined) {
      const blocks: Block[] = [{ kind: 'text', text: WORDS.greetingWhat[lang] }]
      return { tone: 'info', heading: WORDS.greeting[lang], blocks, choices: topics }
    }
    const blocks: Block[] = [{ kind: 'text', text: WORDS.unknownWhy[lang] }]
    blocks.push({ kind: 'text', text: say(lang, WORDS.teach, { asked }) })
    if (topics.length > 0) blocks.push({ kind: 'text', text: WORDS.nearest[lang] })
    const teach: Choice = {
      label: WORDS.teachMe[lang],
      action: 'knowledge.save',
      input: { card: `gap-${asked}`, gap: asked },
      style: 'primary',
      draft: { title: question ?? '' },
    }
    return { tone: 'info', heading: WORDS.unknown[lang], ...about, blocks, choices: [...topics, teach] }
  }
  const judge = (helpful: boolean): Choice => ({
    label: (helpful ? WORDS.helpful : WORDS.notHelpful)[lang],
    action: 'knowledge.feedback',
    input: { asked, helpful },
    style: 'secondary',
  })
  return {
    tone: 'good',
    ...about,
    blocks: [
      { kind: 'prose', markdown: output.answer },
      { kind: 'text', text: sourceLines(output.citations, lang) },
      ...(output.comparison === undefined ? [] : comparisonBlocks(output.comparison, lang)),
      ...(output.diagram === undefined || output.comparison !== undefined ? [] : [pictureOf(output.diagram)]),
    ],
    ...(asked === undefined ? {} : { choices: [judge(true), judge(false)] }),
  }
}

const pictureOf = ({ id, lang, caption, alt }: NonNullable<AnswerOutput['diagram']>): Block => ({
  kind: 'picture',
  caption,
  alt,
  drawing: { diagram: id, lang },
})

export function comparisonBlocks(
  { systems, rows, sources, asOf }: Static<typeof ComparisonOutput>,
  lang: Lang,
): Block[] {
  const notes = [
    ...(rows.some(({ values }) => values.some((value) => value.endsWith(' *'))) ? [WORDS.unconfirmed[lang]] : []),
    `${sources.map(({ title }) => title).join(' · ')} (${WORDS.asOf[lang]} ${asOf})`,
  ]
  const columns = ['', ...systems.map(({ name }) => name)]
  const cells = rows.map(({ label, values }) => [label, ...values])
  const caption = systems.map(({ name }) => name).join(' · ')
  return [
    { kind: 'table', columns, rows: cells },
    {
      kind: 'picture',
      caption,
      alt: caption,
      drawing: { svg: tablePicture({ title: caption, columns, rows: cells }) },
    },
    { kind: 'text', text: notes.join('\n') },
  ]
}

interface ChoiceOutput {
  readonly answers: string
  readonly question?:
    | { readonly text: string; readonly options: readonly string[]; readonly number: number; readonly of: number }
    | undefined
  readonly recommended: readonly { readonly id: string; readonly name: string; readonly reasons: readonly string[] }[]
  readonly asOf: string
}

/** A question with a button for each answer, and in the end what fits, with reasons. */
export function choiceView({ answers, question, recommended, asOf }: ChoiceOutput, lang: Lang): View {
  const button = (label: string, digit: number | undefined): Choice => ({
    label: label.slice(0, 80),
    action: 'choose',
    input: digit === undefined ? {} : { answers: `${answers}${digit}` },
    style: digit === undefined || digit === 0 ? 'secondary' : 'primary',
  })
  if (question) {
    return {
      tone: 'info',
      heading: `${WORDS.question[lang]} ${question.number}/${question.of}`,
      blocks: [{ kind: 'text', text: question.text }],
      choices: [...question.options.map((label, i) => button(label, i + 1)), button(WORDS.noMatter[lang], 0)],
    }
  }
  const again = button(WORDS.again[lang], undefined)
  if (recommended.length === 0) {
    return { tone: 'info', blocks: [{ kind: 'text', text: WORDS.nothingFits[lang] }], choices: [again] }
  }
  const [a, b, c] = recommended.map(({ id }) => id)
  const comparing: Choice[] =
    a === undefined || b === undefined
      ? []
      : [
          {
            label: WORDS.compareThese[lang],
            action: 'compare',
            input: { a, b, ...(c === undefined ? {} : { c }) },
            style: 'primary',
          },
        ]
  return {
    tone: 'good',
    heading: `${WORDS.recommended[lang]}: ${recommended[0]?.name}`,
    blocks: [
      {
        kind: 'facts',
        facts: recommended.map(({ name, reasons }) => ({
          label: name,
          value: reasons.join(lang === 'zh' ? '；' : '; '),
        })),
      },
      { kind: 'text', text: `${WORDS.asOf[lang]} ${asOf}` },
    ],
    choices: [...comparing, again],
  }
}

interface HitsOutput {
  readonly hits: readonly { readonly title: string; readonly heading: string; readonly snippet: string }[]
}

export function hitsView({ hits }: HitsOutput, lang: Lang): View {
  if (hits.length === 0) return { tone: 'info', blocks: [{ kind: 'text', text: WORDS.none[lang] }] }
  return {
    tone: 'info',
    blocks: [
      {
        kind: 'facts',
        facts: hits.map((hit) => ({
          label: hit.heading === '' || hit.heading === hit.title ? hit.title : `${hit.title} › ${hit.heading}`,
          value: hit.snippet,
        })),
      },
    ],
  }
}

interface ImportOutput {
  readonly added: number
  readonly changed: number
  readonly unchanged: number
  readonly removed: number
  readonly rejected: number
  readonly problems: readonly { readonly file: string; readonly line: number; readonly message: string }[]
  readonly dryRun: boolean
}

export function importView(output: ImportOutput, lang: Lang): View {
  const count = (name: 'added' | 'changed' | 'unchanged' | 'removed' | 'rejected') => ({
    label: WORDS[name][lang],
    value: String(output[name]),
  })
  const problems = output.problems.map(({ file, line, message }) => `${file}:${line}: ${message}`)
  return {
    tone: output.rejected > 0 ? 'warn' : 'good',
    heading: (output.dryRun ? WORDS.checked : WORDS.imported)[lang],
    blocks: [
      {
        kind: 'facts',
        facts: [count('added'), count('changed'), count('unchanged'), count('removed'), count('rejected')],
      },
      ...(problems.length === 0 ? [] : [{ kind: 'code', code: problems.join('\n') } as const]),
    ],
  }
}
