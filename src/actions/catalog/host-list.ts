import { Type } from 'typebox'
import { defineAction } from '../action.js'
import type { Block } from '../view.js'
import { within } from '../within.js'

const DEADLINE_MS = 4_000

const WORDS = {
  hosts: { en: 'Hosts', zh: '主机' },
  none: {
    en: 'No host is linked. Start a Docker engine or name hosts in HYPERCALL_HOSTS.',
    zh: '尚未连接任何主机。请启动 Docker 引擎，或通过 HYPERCALL_HOSTS 指定主机。',
  },
  columns: { en: ['Host', 'Health', 'Engine', 'Labels'], zh: ['主机', '健康状况', '引擎', '标签'] },
} as const

export default defineAction({
  name: 'host.list',
  summary: { en: 'List the linked hosts and their health', zh: '列出已连接的主机及其健康状况' },
  effect: 'read',
  target: 'none',
  input: Type.Object({}),
  output: Type.Object({
    hosts: Type.Array(
      Type.Object({
        name: Type.String(),
        state: Type.String(),
        detail: Type.Object({ en: Type.String(), zh: Type.String() }),
        engine: Type.Optional(Type.String()),
        version: Type.Optional(Type.String()),
        labels: Type.Record(Type.String(), Type.String()),
      }),
    ),
  }),
  async run(_, { hosts, principal, signal }) {
    const answers = (inTime: AbortSignal) =>
      Promise.all(
        hosts.visible(principal).map(async (host) => {
          const health = await host.driver.probe(inTime)
          return {
            name: host.name,
            state: health.state,
            detail: health.detail,
            ...(health.engine === undefined ? {} : { engine: health.engine }),
            ...(health.version === undefined ? {} : { version: health.version }),
            labels: { ...host.labels },
          }
        }),
      )
    return { hosts: await within(signal, DEADLINE_MS, answers) }
  },
  view({ hosts }, lang) {
    const blocks: Block[] =
      hosts.length === 0
        ? [{ kind: 'text', text: WORDS.none[lang] }]
        : [
            {
              kind: 'table',
              columns: WORDS.columns[lang],
              rows: hosts.map((host) => [
                host.name,
                host.detail[lang],
                [host.engine, host.version].filter(Boolean).join(' '),
                Object.entries(host.labels)
                  .map(([name, value]) => `${name}=${value}`)
                  .join(', '),
              ]),
            },
          ]
    return {
      tone: hosts.every((host) => host.state === 'healthy') ? 'info' : 'warn',
      heading: `${WORDS.hosts[lang]} (${hosts.length})`,
      blocks,
    }
  },
})
