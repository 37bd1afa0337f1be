import { type Static, Type } from 'typebox'
import { defineAction } from '../action.js'
import { engineOf, HostShape, hostOutput, labelsOf, sourceOf } from '../host-health-views.js'
import type { Block } from '../view.js'
import { within } from '../within.js'

/** A host that has not answered by then is shown as it was last known. */
const DEADLINE_MS = 4_000

const WORDS = {
  hosts: { en: 'Hosts', zh: '主机' },
  none: {
    en: 'No host is linked. Start a Docker engine, name hosts in HYPERCALL_HOSTS, or use /host link.',
    zh: '尚未连接任何主机。请启动 Docker 引擎，通过 HYPERCALL_HOSTS 指定主机，或使用 /host link。',
  },
  columns: { en: ['Host', 'Health', 'Engine', 'Labels', 'From'], zh: ['主机', '健康状况', '引擎', '标签', '来源'] },
  exposed: {
    en: 'Plain TCP over a network, open to whoever is on the way:',
    zh: '通过网络使用明文 TCP，途中任何人均可控制：',
  },
} as const

const ListedShape = Type.Object({ name: Type.String(), ...HostShape.properties })

const toneOf = (hosts: readonly Static<typeof ListedShape>[]): 'info' | 'warn' | 'bad' => {
  if (hosts.some(({ exposed }) => exposed)) return 'bad'
  return hosts.every(({ state }) => state === 'healthy') ? 'info' : 'warn'
}

export default defineAction({
  name: 'host.list',
  summary: { en: 'List the linked hosts and their health', zh: '列出已连接的主机及其健康状况' },
  effect: 'read',
  target: 'none',
  input: Type.Object({}),
  output: Type.Object({ hosts: Type.Array(ListedShape) }),
  async run(_, { hosts, principal, signal }) {
    const listed = hosts.visible(principal).map(async (host) => {
      const health = await within(signal, DEADLINE_MS, (inTime) => host.driver.probe(inTime))
      return { name: host.name, ...hostOutput(host, health) }
    })
    return { hosts: await Promise.all(listed) }
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
                engineOf(host),
                labelsOf(host.labels),
                sourceOf(host, lang),
              ]),
            },
          ]
    const exposed = hosts.filter((host) => host.exposed).map(({ name }) => name)
    if (exposed.length > 0) blocks.push({ kind: 'text', text: `${WORDS.exposed[lang]} ${exposed.join(', ')}` })
    return { tone: toneOf(hosts), heading: `${WORDS.hosts[lang]} (${hosts.length})`, blocks }
  },
})
