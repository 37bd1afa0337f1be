import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { text } from '../fields.js'
import { answerView, ComparisonOutput } from '../knowledge-views.js'

export default defineAction({
  name: 'ask',
  summary: { en: 'Ask about virtualization and get a cited answer', zh: '询问虚拟化问题，获得带出处的回答' },
  effect: 'read',
  target: 'none',
  personal: true,
  message: { name: { en: 'Ask about this', zh: '就此提问' }, into: 'question' },
  input: Type.Object({
    question: text(
      { en: 'Your question, in English or Chinese', zh: '您的问题，中文或英文均可' },
      { min: 0, max: 1000 },
    ),
  }),
  output: Type.Object({
    found: Type.Boolean(),
    answer: Type.String(),
    citations: Type.Array(
      Type.Object({
        card: Type.String(),
        title: Type.String(),
        heading: Type.String(),
        lang: Type.String(),
        quote: Type.String(),
        line: Type.Integer({ description: "Where in the card's text the quote begins" }),
        asOf: Type.Optional(Type.String()),
        overdue: Type.Optional(Type.String({ description: 'The day on which the card was to be reviewed' })),
        sources: Type.Array(Type.Object({ title: Type.String(), url: Type.Optional(Type.String()) })),
      }),
    ),
    confidence: Type.Number({ minimum: 0, maximum: 1 }),
    nearest: Type.Array(Type.Object({ card: Type.String(), title: Type.String(), lang: Type.String() })),
    lang: Type.String(),
    asked: Type.Optional(Type.Integer({ description: 'For knowledge.feedback; missing when nothing was asked about' })),
    question: Type.Optional(Type.String({ description: 'As it was asked' })),
    comparison: Type.Optional(ComparisonOutput),
    diagram: Type.Optional(
      Type.Object(
        { id: Type.String(), lang: Type.Enum(['zh', 'en']), caption: Type.String(), alt: Type.String() },
        { description: 'A picture: GET /diagrams/{lang}/{id}.png' },
      ),
    ),
  }),
  async run({ question }, { knowledge, gaps, principal }) {
    const { tenant } = principal
    const { gist, ...answer } = await knowledge.answer(question, { tenant })
    if (gist === '') return answer
    const { lang, citations } = answer
    return {
      ...answer,
      question,
      asked: gaps.asked(tenant, { gist, lang, text: question, card: citations[0]?.card }),
    }
  },
  view: answerView,
})
