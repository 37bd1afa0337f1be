// How hosts and containers look, for the verbs that show them.
import { type Static, Type } from 'typebox'
import type { Instance, InstanceDetail } from './hosts/driver.js'
import { formatTime, type Lang } from './text.js'
import type { Block, Choice, View } from './view.js'

/** A container as every answer names it. */
export const InstanceShape = Type.Object({
  host: Type.String(),
  id: Type.String(),
  name: Type.String(),
  image: Type.String(),
  state: Type.String(),
  status: Type.String(),
  createdAt: Type.String({ description: 'ISO 8601, UTC' }),
  labels: Type.Record(Type.String(), Type.String()),
  ports: Type.Array(Type.String()),
})
export type InstanceOutput = Static<typeof InstanceShape>

export const instanceOutput = (host: string, instance: Instance): InstanceOutput => ({
  host,
  id: instance.id,
  name: instance.name,
  image: instance.image,
  state: instance.state,
  status: instance.status,
  createdAt: formatTime(instance.createdAt),
  labels: { ...instance.labels },
  ports: [...instance.ports],
})

export const MountShape = Type.Object({
  kind: Type.String(),
  source: Type.String(),
  destination: Type.String(),
  readOnly: Type.Boolean(),
})

export const InstanceDetailShape = Type.Object({
  ...InstanceShape.properties,
  imageId: Type.String(),
  command: Type.Array(Type.String()),
  user: Type.String(),
  workingDir: Type.String(),
  environmentNames: Type.Array(Type.String(), { description: 'Names only; values may be secrets' }),
  mounts: Type.Array(MountShape),
  networks: Type.Array(Type.String()),
  restartCount: Type.Integer(),
  privileged: Type.Boolean(),
  startedAt: Type.Optional(Type.String({ description: 'ISO 8601, UTC' })),
  exitCode: Type.Optional(Type.Integer()),
})
export type InstanceDetailOutput = Static<typeof InstanceDetailShape>

export const instanceDetailOutput = (host: string, instance: InstanceDetail): InstanceDetailOutput => ({
  ...instanceOutput(host, instance),
  imageId: instance.imageId,
  command: [...instance.command],
  user: instance.user,
  workingDir: instance.workingDir,
  environmentNames: [...instance.environmentNames],
  mounts: instance.mounts.map((mount) => ({ ...mount })),
  networks: [...instance.networks],
  restartCount: instance.restartCount,
  privileged: instance.privileged,
  ...(instance.startedAt === undefined ? {} : { startedAt: formatTime(instance.startedAt) }),
  ...(instance.exitCode === undefined ? {} : { exitCode: instance.exitCode }),
})

export const shortId = (id: string): string => id.slice(0, 12)

const WORDS = {
  container: { en: 'Container', zh: '容器' },
  host: { en: 'Host', zh: '主机' },
  image: { en: 'Image', zh: '镜像' },
  state: { en: 'State', zh: '状态' },
  start: { en: 'Start', zh: '启动' },
  stop: { en: 'Stop', zh: '停止' },
  restart: { en: 'Restart', zh: '重启' },
  logs: { en: 'Logs', zh: '日志' },
  inspect: { en: 'Inspect', zh: '查看详情' },
  unpause: { en: 'Resume', zh: '恢复' },
  noMounts: {
    en: 'No mounts: everything it writes stays in its own file system.',
    zh: '没有挂载：所有写入都留在其自身的文件系统中。',
  },
  mountColumns: { en: ['Mount', 'Source', 'Inside', 'Access'], zh: ['挂载类型', '来源', '容器内路径', '访问'] },
  readOnly: { en: 'read-only', zh: '只读' },
  readWrite: { en: 'read-write', zh: '读写' },
} as const

export const mountsBlock = (mounts: readonly Static<typeof MountShape>[], lang: Lang): Block =>
  mounts.length === 0
    ? { kind: 'text', text: WORDS.noMounts[lang] }
    : {
        kind: 'table',
        columns: WORDS.mountColumns[lang],
        rows: mounts.map((mount) => [
          mount.kind,
          mount.source,
          mount.destination,
          mount.readOnly ? WORDS.readOnly[lang] : WORDS.readWrite[lang],
        ]),
      }

/** What every answer about one container says first. */
export const WhereShape = Type.Object({ host: Type.String(), container: Type.String() })

export const whereFact = ({ host, container }: Static<typeof WhereShape>, lang: Lang) => ({
  label: WORDS.container[lang],
  value: `${container} @ ${host}`,
})

/** The verbs that make sense for a container as it is now. */
export function instanceChoices(instance: InstanceOutput, lang: Lang): Choice[] {
  const input = { host: instance.host, container: shortId(instance.id) }
  const runs = instance.state === 'running' || instance.state === 'paused' || instance.state === 'restarting'
  const begin: Choice =
    instance.state === 'paused'
      ? { label: WORDS.unpause[lang], action: 'container.unpause', input, style: 'primary' }
      : { label: WORDS.restart[lang], action: 'container.restart', input, style: 'secondary' }
  return [
    ...(runs
      ? [{ label: WORDS.stop[lang], action: 'container.stop', input, style: 'danger' } as const, begin]
      : [{ label: WORDS.start[lang], action: 'container.start', input, style: 'primary' } as const]),
    { label: WORDS.logs[lang], action: 'container.logs', input, style: 'secondary' },
    { label: WORDS.inspect[lang], action: 'container.inspect', input, style: 'secondary' },
  ]
}

export function instanceView(instance: InstanceOutput, heading: string, lang: Lang): View {
  return {
    tone: 'good',
    heading,
    blocks: [
      {
        kind: 'facts',
        facts: [
          { label: WORDS.container[lang], value: `${instance.name} (${shortId(instance.id)})` },
          { label: WORDS.host[lang], value: instance.host },
          { label: WORDS.image[lang], value: instance.image },
          { label: WORDS.state[lang], value: instance.state },
        ],
      },
    ],
    choices: instanceChoices(instance, lang),
  }
}
