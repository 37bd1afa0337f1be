// How answers and hits look, for the verbs that ask the knowledge base.
import type { Lang } from './text.js'
import type { Block, View } from './view.js'

interface AnswerOutput {
  readonly found: boolean
  readonly lang: string
  readonly answer: string
  readonly citations: readonly {
    readonly title: string
    readonly heading: string
    readonly asOf?: string | undefined
  }[]
  readonly nearest: readonly { readonly card: string; readonly title: string }[]
}

const WORDS = {
  unknown: { en: "I don't know", zh: '我不知道' },
  unknownWhy: {
    en: 'The knowledge base has no answer to that.',
    zh: '知识库中没有这个问题的答案。',
  },
  nearest: { en: 'The nearest topics:', zh: '最接近的主题：' },
  asOf: { en: 'as of', zh: '截至' },
  none: { en: 'Nothing found.', zh: '没有找到结果。' },
} as const

/** Sentences of one passage share a line: `[1][2] Card › Heading`. */
function sourceLines(citations: AnswerOutput['citations'], lang: Lang): string {
  const marks = new Map<string, string>()
  citations.forEach((citation, index) => {
    const where = citation.heading === '' || citation.heading === citation.title ? '' : ` › ${citation.heading}`
    const when = citation.asOf === undefined ? '' : ` (${WORDS.asOf[lang]} ${citation.asOf})`
    const source = `${citation.title}${where}${when}`
    marks.set(source, `${marks.get(source) ?? ''}[${index + 1}]`)
  })
  return [...marks].map(([source, mark]) => `${mark} ${source}`).join('\n')
}

/** In the language of the question, whatever language the one who asked has set. */
export function answerView(output: AnswerOutput): View {
  const lang: Lang = output.lang === 'zh' ? 'zh' : 'en'
  if (!output.found) {
    const blocks: Block[] = [{ kind: 'text', text: WORDS.unknownWhy[lang] }]
    if (output.nearest.length > 0) blocks.push({ kind: 'text', text: WORDS.nearest[lang] })
    return {
      tone: 'info',
      heading: WORDS.unknown[lang],
      blocks,
      choices: output.nearest.slice(0, 3).map((topic) => ({
        label: topic.title.slice(0, 80),
        action: 'ask',
        input: { question: topic.title },
        style: 'secondary',
      })),
    }
  }
  return {
    tone: 'good',
    blocks: [
      { kind: 'prose', markdown: output.answer },
      { kind: 'text', text: sourceLines(output.citations, lang) },
    ],
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
