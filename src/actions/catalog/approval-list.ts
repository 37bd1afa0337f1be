import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { ApprovalShape, approvalOutput, approvalsView } from '../approval-views.js'

export default defineAction({
  name: 'approval.list',
  summary: { en: 'List what waits for your approval, and what you wait for', zh: '列出等待您审批以及您发起的请求' },
  effect: 'read',
  target: 'none',
  private: true,
  input: Type.Object({}),
  output: Type.Object({ approvals: Type.Array(ApprovalShape) }),
  run: (_, { approvals, principal, lang }) => ({
    approvals: approvals.list(principal).map((approval) => approvalOutput(approval, lang)),
  }),
  view: ({ approvals }, lang) => approvalsView(approvals, lang),
})
