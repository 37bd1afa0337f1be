// How a host itself looks: where it comes from, whether it answers, and what is wrong with the way to it.
import { type Static, Type } from 'typebox'
import type { Health } from './hosts/driver.js'
import type { KnownHost } from './hosts/hosts.js'
import type { Bilingual, Lang } from './text.js'
import type { Block } from './view.js'

export const BilingualShape = Type.Object({ en: Type.String(), zh: Type.String() })

/** A host as every answer about it begins. */
export const HostShape = Type.Object({
  state: Type.Enum(['undetected', 'unhealthy', 'healthy']),
  detail: BilingualShape,
  engine: Type.Optional(Type.String()),
  version: Type.Optional(Type.String()),
  labels: Type.Record(Type.String(), Type.String()),
  source: Type.Enum(['settings', 'linked']),
  linkedBy: Type.Optional(Type.String()),
  exposed: Type.Boolean({ description: 'Reached by plain TCP over a network: whoever is on the way can command it' }),
})
export type HostOutput = Static<typeof HostShape>

export const hostOutput = (host: KnownHost, health: Health): HostOutput => ({
  state: health.state,
  detail: health.detail,
  ...(health.engine === undefined ? {} : { engine: health.engine }),
  ...(health.version === undefined ? {} : { version: health.version }),
  labels: { ...host.labels },
  source: host.linkedBy === undefined ? 'settings' : 'linked',
  ...(host.linkedBy === undefined ? {} : { linkedBy: host.linkedBy }),
  exposed: host.isExposed ?? false,
})

const WORDS = {
  settings: { en: 'settings', zh: '配置' },
  linked: { en: 'linked by {name}', zh: '由 {name} 连接' },
  engine: { en: 'Engine', zh: '引擎' },
  labels: { en: 'Labels', zh: '标签' },
  source: { en: 'From', zh: '来源' },
  exposed: {
    en: 'Plain TCP over a network: whoever is on the way can read everything and command the engine. Use SSH or TLS.',
    zh: '通过网络使用明文 TCP：途中任何人都能读取全部内容并控制引擎。请改用 SSH 或 TLS。',
  },
} as const satisfies Record<string, Bilingual>

export const sourceOf = ({ linkedBy }: HostOutput, lang: Lang): string =>
  linkedBy === undefined ? WORDS.settings[lang] : WORDS.linked[lang].replace('{name}', linkedBy)

export const labelsOf = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')

export const engineOf = ({ engine, version }: HostOutput): string => [engine, version].filter(Boolean).join(' ')

export const hostTone = (host: HostOutput): 'good' | 'bad' =>
  host.state === 'healthy' && !host.exposed ? 'good' : 'bad'

/** Its state, and what is dangerous about the way to it. */
export const healthBlocks = (host: HostOutput, lang: Lang): Block[] => [
  { kind: 'text', text: host.detail[lang] },
  ...(host.exposed ? [{ kind: 'text', text: WORDS.exposed[lang] } as const] : []),
]

export const hostFacts = (host: HostOutput, lang: Lang) =>
  [
    { label: WORDS.engine[lang], value: engineOf(host) },
    { label: WORDS.labels[lang], value: labelsOf(host.labels) },
    { label: WORDS.source[lang], value: sourceOf(host, lang) },
  ].filter(({ value }) => value !== '')
