import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { AppError } from '../errors.js'
import type { Broken } from '../guard/audit-chain.js'
import type { Bilingual } from '../text.js'

/** More than a person reads; what is broken further on shows once this is understood. */
const MOST_NAMED = 20

const WORDS = {
  whole: { en: 'The audit log is as it was written', zh: '审计日志与写入时一致' },
  rows: { en: 'Rows', zh: '行数' },
  last: { en: 'Last row', zh: '最后一行' },
  head: { en: 'Its hash', zh: '其哈希' },
  changed: { en: 'changed', zh: '被改动' },
  gone: { en: 'gone', zh: '已缺失' },
} as const

/** For example `Rows: 12–14 gone, 20 changed.` */
function namesOf(broken: readonly Broken[]): Bilingual {
  const named = broken.slice(0, MOST_NAMED)
  const rest = broken.length - named.length
  const en = named.map(({ what, from, to }) => `${from === to ? from : `${from}–${to}`} ${WORDS[what].en}`)
  const zh = named.map(({ what, from, to }) => `${from === to ? from : `${from}–${to}`} ${WORDS[what].zh}`)
  return {
    en: `Rows: ${en.join(', ')}${rest > 0 ? `, and ${rest} more places` : ''}.`,
    zh: `涉及的行：${zh.join('，')}${rest > 0 ? `，另有 ${rest} 处` : ''}。`,
  }
}

export default defineAction({
  name: 'audit.verify',
  summary: { en: 'Check that the audit log is as it was written', zh: '检查审计日志是否与写入时一致' },
  effect: 'read',
  target: 'none',
  private: true,
  input: Type.Object({}),
  output: Type.Object({
    rows: Type.Integer(),
    last: Type.Integer({ description: 'number of the last row' }),
    head: Type.String({ description: 'hash of the last row, hex: keep it elsewhere to compare' }),
  }),
  async run(_input, { audit, signal }) {
    const { broken, ...whole } = await audit.verify(signal)
    if (broken.length > 0) throw new AppError('AUDIT_BROKEN', { rows: namesOf(broken) })
    return whole
  },
  view: ({ rows, last, head }, lang) => ({
    tone: 'good',
    heading: WORDS.whole[lang],
    blocks: [
      {
        kind: 'facts',
        facts: [
          { label: WORDS.rows[lang], value: String(rows) },
          { label: WORDS.last[lang], value: String(last) },
          { label: WORDS.head[lang], value: head },
        ],
      },
    ],
  }),
})
