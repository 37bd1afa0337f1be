import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { hostField } from '../fields.js'

const WORDS = {
  unlinked: { en: 'Unlinked', zh: '已断开' },
  stays: { en: 'Its containers are as they were.', zh: '其容器保持不变。' },
} as const

export default defineAction({
  name: 'host.unlink',
  summary: {
    en: 'Forget a host that was linked; nothing on it is touched',
    zh: '移除已连接的主机，主机上的内容不受影响',
  },
  effect: 'destroy',
  target: 'host',
  atOnce: true,
  administrative: true,
  input: Type.Object({ host: hostField }),
  output: Type.Object({ host: Type.String() }),
  run({ host }, { hosts, principal }) {
    hosts.unlink(host, principal)
    return { host }
  },
  view: ({ host }, lang) => ({
    tone: 'good',
    heading: `${WORDS.unlinked[lang]}: ${host}`,
    blocks: [{ kind: 'text', text: WORDS.stays[lang] }],
  }),
})
