import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { AppError } from '../errors.js'
import { text } from '../fields.js'
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
  unsigned: { en: 'not signed by the key of this Hypercall', zh: '签名并非本实例密钥所签' },
  sealed: { en: 'Signed up to row', zh: '已签名至' },
  removed: { en: 'Removed for their age, up to row', zh: '按保留期已移除至' },
  key: { en: 'Public key', zh: '公钥' },
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
  administrative: true,
  private: true,
  input: Type.Object({
    head: Type.Optional(
      text(
        { en: 'A row and its hash as noted elsewhere: 120:5e88…', zh: '他处记录的行号与哈希，例如 120:5e88…' },
        { max: 90, pattern: '^[1-9][0-9]{0,15}:[0-9a-f]{64}$' },
      ),
    ),
  }),
  output: Type.Object({
    rows: Type.Integer(),
    last: Type.Integer({ description: 'number of the last row' }),
    head: Type.String({ description: 'hash of the last row, hex: keep it elsewhere to compare' }),
    sealed: Type.Integer({ description: 'number of the row up to which it is signed' }),
    removed: Type.Integer({ description: 'number of the row up to which rows were removed for their age' }),
    publicKey: Type.String({ description: 'Ed25519, raw, base64url' }),
  }),
  async run({ head }, { audit, signal }) {
    const [seq, hash] = head?.split(':') ?? []
    const known = seq === undefined || hash === undefined ? [] : [{ seq: Number(seq), hash }]
    const { broken, ...whole } = await audit.verify(known, signal)
    if (broken.length > 0) throw new AppError('AUDIT_BROKEN', { rows: namesOf(broken) })
    return whole
  },
  view: ({ rows, last, head, sealed, removed, publicKey }, lang) => ({
    tone: 'good',
    heading: WORDS.whole[lang],
    blocks: [
      {
        kind: 'facts',
        facts: [
          { label: WORDS.rows[lang], value: String(rows) },
          { label: WORDS.last[lang], value: String(last) },
          { label: WORDS.head[lang], value: head },
          { label: WORDS.sealed[lang], value: String(sealed) },
          ...(removed === 0 ? [] : [{ label: WORDS.removed[lang], value: String(removed) }]),
          { label: WORDS.key[lang], value: publicKey },
        ],
      },
    ],
  }),
})
