import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { feedbackView } from '../card-views.js'
import { flag, integer } from '../fields.js'

export default defineAction({
  name: 'knowledge.feedback',
  summary: { en: 'Say whether an answer helped', zh: '反馈回答是否有帮助' },
  effect: 'change',
  target: 'none',
  atOnce: true,
  private: true,
  input: Type.Object({
    asked: integer({ en: 'The number of the question', zh: '问题编号' }, { min: 1, max: Number.MAX_SAFE_INTEGER }),
    helpful: flag({ en: 'Whether it helped', zh: '是否有帮助' }),
  }),
  output: Type.Object({ asked: Type.Integer(), helpful: Type.Boolean() }),
  run({ asked, helpful }, { gaps, principal }) {
    gaps.judge(principal.tenant, asked, helpful)
    return { asked, helpful }
  },
  view: feedbackView,
})
