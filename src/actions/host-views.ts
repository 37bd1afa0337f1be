// How hosts and containers look, for the verbs that show them.
import { type Static, Type } from 'typebox'
import type { Instance, InstanceDetail } from './hosts/driver.js'
import { formatTime, type Lang } from './text.js'
import type { Choice, View } from './view.js'

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

export const InstanceDetailShape = Type.Object({
  ...InstanceShape.properties,
  imageId: Type.String(),
  command: Type.Array(Type.String()),
  user: Type.String(),
  workingDir: Type.String(),
  environmentNames: Type.Array(Type.String(), { description: 'Names only; values may be secrets' }),
  mounts: Type.Array(
    Type.Object({
      kind: Type.String(),
      source: Type.String(),
      destination: Type.String(),
      readOnly: Type.Boolean(),
    }),
  ),
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
  inspect: { en: 'Inspect', zh: '查看详情' },
} as const

/** The verbs that make sense for a container as it is now. */
export function instanceChoices(instance: InstanceOutput, lang: Lang): Choice[] {
  const input = { host: instance.host, container: shortId(instance.id) }
  const runs = instance.state === 'running' || instance.state === 'paused' || instance.state === 'restarting'
  return [
    runs
      ? { label: WORDS.stop[lang], action: 'container.stop', input, style: 'danger' }
      : { label: WORDS.start[lang], action: 'container.start', input, style: 'primary' },
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
