import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { ApprovalShape, approvalOutput, approvalView } from '../approval-views.js'
import { approvalField } from '../fields.js'

export default defineAction({
  name: 'approval.show',
  summary: { en: 'Show what exactly would run, and who has agreed', zh: '查看将要执行的内容以及已同意的人' },
  effect: 'read',
  target: 'none',
  private: true,
  input: Type.Object({ approval: approvalField }),
  output: ApprovalShape,
  run: ({ approval }, { approvals, principal, lang }) => approvalOutput(approvals.show(approval, principal), lang),
  view: approvalView,
})
