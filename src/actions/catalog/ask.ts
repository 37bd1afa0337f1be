import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { text } from '../fields.js'
import { answerView, ComparisonOutput } from '../knowledge-views.js'

export default defineAction({
  name: 'ask',
  summary: { en: 'Ask about virtualization and get a cited answer', zh: '询问虚拟化问题，获得带出处的回答' },
  effect: 'read',
  target: 'none',
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
        asOf: Type.Optional(Type.String()),
        sources: Type.Array(Type.Object({ title: Type.String(), url: Type.Optional(Type.String()) })),
      }),
    ),
    confidence: Type.Number({ minimum: 0, maximum: 1 }),
    nearest: Type.Array(Type.Object({ card: Type.String(), title: Type.String(), lang: Type.String() })),
    lang: Type.String(),
    comparison: Type.Optional(ComparisonOutput),
  }),
  run: ({ question }, { knowledge, principal }) => knowledge.answer(question, { tenant: principal.tenant }),
  view: answerView,
})
