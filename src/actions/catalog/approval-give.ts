import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { ApprovalShape, approvalOutput, approvalView } from '../approval-views.js'
import { approvalField } from '../fields.js'

export default defineAction({
  name: 'approval.give',
  summary: { en: "Agree to somebody else's call", zh: '同意他人的操作请求' },
  effect: 'change',
  target: 'none',
  atOnce: true,
  private: true,
  input: Type.Object({ approval: approvalField }),
  output: ApprovalShape,
  run: ({ approval }, { approvals, principal, lang }) =>
    approvalOutput(approvals.decide(approval, principal, { agrees: true }), lang),
  view: approvalView,
})
