import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { integer, text } from '../fields.js'
import { formatTime } from '../text.js'

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
    action: Type.Optional(
      text({ en: 'Only this action, such as container.start', zh: '仅列出此操作，例如 container.start' }, { max: 65 }),
    ),
    principal: Type.Optional(
      text({ en: 'Only this principal, as the log names it', zh: '仅列出此操作者（按日志中的标识）' }, { max: 200 }),
    ),
    outcome: Type.Optional(
      text({ en: 'Only this outcome: OK or an error code', zh: '仅列出此结果：OK 或错误代码' }, { max: 64 }),
    ),
  }),
  output: Type.Object({
    rows: Type.Array(
      Type.Object({
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
      }),
    ),
  }),
  run({ limit, ...filter }, { audit, principal }) {
    const rows = audit.list({ ...filter, limit: limit ?? LIMIT, tenant: principal.tenant })
    return {
      rows: rows.map((row) => ({
        ...row,
        at: formatTime(row.at),
        roles: [...row.roles],
        policies: [...row.policies],
        approvals: [...row.approvals],
      })),
    }
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
