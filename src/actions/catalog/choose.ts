import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { text } from '../fields.js'
import { choiceView } from '../knowledge-views.js'

export default defineAction({
  name: 'choose',
  summary: { en: 'Answer a few questions and get a system recommended', zh: '回答几个问题，获得系统推荐' },
  effect: 'read',
  target: 'none',
  personal: true,
  input: Type.Object({
    answers: Type.Optional(
      text(
        { en: 'The answers so far, a digit each; buttons fill it in', zh: '目前的回答，每题一位数字；按钮会自动填写' },
        { min: 0, max: 5, pattern: '^[0-4]*$' },
      ),
    ),
  }),
  output: Type.Object({
    answers: Type.String(),
    question: Type.Optional(
      Type.Object({
        text: Type.String(),
        options: Type.Array(Type.String()),
        number: Type.Integer(),
        of: Type.Integer(),
      }),
    ),
    recommended: Type.Array(
      Type.Object({
        id: Type.String(),
        name: Type.String(),
        card: Type.String(),
        reasons: Type.Array(Type.String()),
      }),
    ),
    asOf: Type.String(),
  }),
  run: async ({ answers = '' }, { knowledge, lang }) => ({ answers, ...(await knowledge.choose(answers, lang)) }),
  view: choiceView,
})
