import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { assignedView } from '../card-views.js'
import { integer, text } from '../fields.js'

export default defineAction({
  name: 'knowledge.assign',
  summary: { en: 'Give an open question to somebody to answer', zh: '将待解答的问题交给某人' },
  effect: 'change',
  target: 'none',
  atOnce: true,
  input: Type.Object({
    gap: integer({ en: 'The number of the question', zh: '问题编号' }, { min: 1, max: Number.MAX_SAFE_INTEGER }),
    to: text({ en: 'Who is to answer it', zh: '由谁解答' }, { max: 64 }),
  }),
  output: Type.Object({ gap: Type.Integer(), to: Type.String() }),
  run({ gap, to }, { gaps, principal }) {
    gaps.assign(principal.tenant, gap, to)
    return { gap, to }
  },
  view: assignedView,
})
