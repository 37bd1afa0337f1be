// How rows of the audit log are asked for and given out, by the verbs that do so.
import { type Static, Type } from 'typebox'
import { text } from './fields.js'
import type { AuditRecord } from './guard/audit.js'
import { momentOf } from './moments.js'
import { formatTime } from './text.js'

/** What rows are chosen by. */
export const AUDIT_FIELDS = {
  action: Type.Optional(
    text(
      { en: 'Only this action, such as container.start', zh: '仅此操作，例如 container.start' },
      { max: 65, complete: 'action' },
    ),
  ),
  principal: Type.Optional(
    text({ en: 'Only this principal, as the log names it', zh: '仅此操作者（按日志中的标识）' }, { max: 200 }),
  ),
  outcome: Type.Optional(
    text({ en: 'Only this outcome: OK or an error code', zh: '仅此结果：OK 或错误代码' }, { max: 64 }),
  ),
  since: Type.Optional(text({ en: 'From then on: 2h, 1d or a date', zh: '起始时间：2h、1d 或日期' }, { max: 40 })),
  until: Type.Optional(text({ en: 'Before then: 2h, 1d or a date', zh: '截止时间：2h、1d 或日期' }, { max: 40 })),
}

export const AuditRowShape = Type.Object({
  seq: Type.Integer(),
  at: Type.String({ description: 'ISO 8601, UTC' }),
  requestId: Type.String(),
  phase: Type.String({ description: 'intent or outcome' }),
  principal: Type.String(),
  principalName: Type.String(),
  roles: Type.Array(Type.String()),
  surface: Type.String(),
  action: Type.String(),
  effect: Type.String(),
  host: Type.Optional(Type.String()),
  instance: Type.Optional(Type.String()),
  input: Type.Record(Type.String(), Type.Unknown()),
  digest: Type.String(),
  policies: Type.Array(Type.String()),
  approvals: Type.Array(Type.String(), { description: 'who else agreed' }),
  outcome: Type.Optional(Type.String()),
  bytes: Type.Optional(Type.Integer()),
  durationMs: Type.Optional(Type.Integer()),
  hash: Type.String({ description: 'over this row and the hash of the row before it' }),
})

export const auditRowOutput = (row: AuditRecord): Static<typeof AuditRowShape> => ({
  ...row,
  at: formatTime(row.at),
  roles: [...row.roles],
  policies: [...row.policies],
  approvals: [...row.approvals],
})

type Asked = Readonly<Partial<Record<keyof typeof AUDIT_FIELDS, string>>>

/** @param now epoch ms @throws AppError INVALID_INPUT */
export function auditFilter({ since, until, ...filter }: Asked, now: number) {
  return {
    ...filter,
    ...(since === undefined ? {} : { since: momentOf(since, now) }),
    ...(until === undefined ? {} : { until: momentOf(until, now) }),
  }
}
