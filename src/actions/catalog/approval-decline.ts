import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { ApprovalShape, approvalOutput, approvalView } from '../approval-views.js'
import { approvalField, text } from '../fields.js'

export default defineAction({
  name: 'approval.decline',
  summary: { en: "Say no to somebody else's call", zh: '拒绝他人的操作请求' },
  effect: 'change',
  target: 'none',
  atOnce: true,
  private: true,
  form: [{ field: 'reason' }],
  input: Type.Object({
    approval: approvalField,
    reason: Type.Optional(text({ en: 'Why, for the one who asked', zh: '理由，将告知发起人' }, { max: 300 })),
  }),
  output: ApprovalShape,
  run: ({ approval, reason = '' }, { approvals, principal, lang }) =>
    approvalOutput(approvals.decide(approval, principal, { agrees: false, reason }), lang),
  view: approvalView,
})
