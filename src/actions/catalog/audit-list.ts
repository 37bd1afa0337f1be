import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { AUDIT_FIELDS, AuditRowShape, auditFilter, auditRowOutput } from '../audit-views.js'
import { integer } from '../fields.js'

const LIMIT = 20

const WORDS = {
  heading: { en: 'Audit log', zh: '审计日志' },
  none: { en: 'No row fits.', zh: '没有符合条件的记录。' },
  columns: {
    en: ['Row', 'Time', 'Who', 'What', 'Where', 'Outcome'],
    zh: ['序号', '时间', '操作者', '操作', '位置', '结果'],
  },
  intent: { en: '(intent)', zh: '（意图）' },
} as const

export default defineAction({
  name: 'audit.list',
  summary: { en: 'List who did what, newest first', zh: '列出操作记录，最新的在前' },
  effect: 'read',
  target: 'none',
  administrative: true,
  private: true,
  input: Type.Object({
    limit: Type.Optional(
      integer({ en: 'How many rows at most', zh: '最多返回多少条' }, { min: 1, max: 200, byDefault: LIMIT }),
    ),
    before: Type.Optional(
      integer(
        { en: 'Only rows older than this one', zh: '仅列出早于此序号的记录' },
        { min: 1, max: Number.MAX_SAFE_INTEGER },
      ),
    ),
    ...AUDIT_FIELDS,
  }),
  output: Type.Object({
    rows: Type.Array(AuditRowShape),
  }),
  run({ limit = LIMIT, before, ...filter }, { audit, principal, now }) {
    const newer = before === undefined ? {} : { before }
    const rows = audit.list({ ...auditFilter(filter, now()), ...newer, limit, tenant: principal.tenant })
    return { rows: rows.map(auditRowOutput) }
  },
  view({ rows }, lang) {
    if (rows.length === 0) return { tone: 'info', blocks: [{ kind: 'text', text: WORDS.none[lang] }] }
    return {
      tone: 'info',
      heading: WORDS.heading[lang],
      blocks: [
        {
          kind: 'table',
          columns: WORDS.columns[lang],
          rows: rows.map((row) => [
            String(row.seq),
            row.at,
            row.principalName,
            row.action,
            [row.host, row.instance?.slice(0, 12)].filter(Boolean).join('/'),
            row.outcome ?? WORDS.intent[lang],
          ]),
        },
      ],
    }
  },
})
