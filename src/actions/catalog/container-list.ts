import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { flag, hostField, oneOf, text } from '../fields.js'
import { InstanceShape, instanceOutput, shortId } from '../host-views.js'
import { askHosts } from '../hosts/ask-hosts.js'
import type { HostDriver, Instance } from '../hosts/driver.js'
import type { Block } from '../view.js'

const STATES = ['created', 'running', 'paused', 'restarting', 'exited', 'dead'] as const

const WORDS = {
  containers: { en: 'Containers', zh: '容器' },
  none: { en: 'No container fits.', zh: '没有符合条件的容器。' },
  unreachable: { en: 'Did not answer:', zh: '没有响应：' },
  columns: { en: ['Host', 'Name', 'Id', 'Image', 'Status'], zh: ['主机', '名称', 'ID', '镜像', '状态'] },
} as const

const hasLabel = (instance: Instance, label: string): boolean => {
  const [name = '', ...rest] = label.split('=')
  const value = instance.labels[name]
  return value !== undefined && (rest.length === 0 || value === rest.join('='))
}

export default defineAction({
  name: 'container.list',
  summary: { en: 'List containers on one host or on all', zh: '列出一台或所有主机上的容器' },
  effect: 'read',
  target: 'none',
  input: Type.Object({
    host: Type.Optional(hostField),
    running: Type.Optional(flag({ en: 'Only those that run', zh: '仅列出运行中的' })),
    name: Type.Optional(
      text(
        { en: 'Only those whose name holds this', zh: '仅列出名称包含此文本的' },
        { max: 128, complete: 'container' },
      ),
    ),
    label: Type.Optional(
      text(
        { en: 'Only those with this label, as name or name=value', zh: '仅列出带有此标签的，格式为 名称 或 名称=值' },
        { max: 200 },
      ),
    ),
    status: Type.Optional(oneOf({ en: 'Only those in this state', zh: '仅列出处于此状态的' }, [...STATES])),
  }),
  output: Type.Object({
    instances: Type.Array(InstanceShape),
    unreachable: Type.Array(Type.String(), { description: 'The hosts that did not answer' }),
  }),
  async run(input, { hosts, principal, signal }) {
    const ask = (driver: HostDriver, until: AbortSignal) => driver.list(until)
    const { found, unreachable } = await askHosts(hosts, principal, { host: input.host, ask }, signal)
    const fits = (instance: Instance) =>
      (input.running !== true || instance.state === 'running') &&
      (input.name === undefined || instance.name.includes(input.name)) &&
      (input.label === undefined || hasLabel(instance, input.label)) &&
      (input.status === undefined || instance.state === input.status)
    const instances = found.filter(({ item }) => fits(item)).map(({ host, item }) => instanceOutput(host, item))
    return { instances, unreachable }
  },
  view({ instances, unreachable }, lang) {
    const blocks: Block[] =
      instances.length === 0
        ? [{ kind: 'text', text: WORDS.none[lang] }]
        : [
            {
              kind: 'table',
              columns: WORDS.columns[lang],
              rows: instances.map((instance) => [
                instance.host,
                instance.name,
                shortId(instance.id),
                instance.image,
                instance.status,
              ]),
            },
          ]
    if (unreachable.length > 0)
      blocks.push({ kind: 'text', text: `${WORDS.unreachable[lang]} ${unreachable.join(', ')}` })
    return {
      tone: unreachable.length > 0 ? 'warn' : 'info',
      heading: `${WORDS.containers[lang]} (${instances.length})`,
      blocks,
    }
  },
})
