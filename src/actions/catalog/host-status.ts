import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { onHost } from '../fields.js'

const WORDS = {
  engine: { en: 'Engine', zh: '引擎' },
  api: { en: 'API version', zh: 'API 版本' },
  platform: { en: 'Platform', zh: '平台' },
  containers: { en: 'Containers', zh: '容器' },
  running: { en: 'running', zh: '运行中' },
  can: { en: 'Can', zh: '支持' },
} as const

export default defineAction({
  name: 'host.status',
  summary: { en: "Show a host's engine, version and health", zh: '查看主机的引擎、版本与健康状况' },
  effect: 'read',
  target: 'host',
  input: Type.Object(onHost),
  output: Type.Object({
    host: Type.String(),
    state: Type.String(),
    detail: Type.Object({ en: Type.String(), zh: Type.String() }),
    can: Type.Array(Type.String()),
    engine: Type.Optional(Type.String()),
    version: Type.Optional(Type.String()),
    apiVersion: Type.Optional(Type.String()),
    os: Type.Optional(Type.String()),
    arch: Type.Optional(Type.String()),
    instances: Type.Optional(Type.Object({ total: Type.Integer(), running: Type.Integer() })),
  }),
  async run(_, { host, driver, signal }) {
    const can = Object.entries(driver.can)
      .filter(([, offered]) => offered)
      .map(([name]) => name)
    return { host, can, ...(await driver.probe(signal)) }
  },
  view(output, lang) {
    const facts = [
      { label: WORDS.engine[lang], value: [output.engine, output.version].filter(Boolean).join(' ') },
      { label: WORDS.api[lang], value: output.apiVersion ?? '' },
      { label: WORDS.platform[lang], value: [output.os, output.arch].filter(Boolean).join('/') },
      {
        label: WORDS.containers[lang],
        value: output.instances ? `${output.instances.total} (${output.instances.running} ${WORDS.running[lang]})` : '',
      },
      { label: WORDS.can[lang], value: output.can.join(', ') },
    ].filter((fact) => fact.value !== '')
    return {
      tone: output.state === 'healthy' ? 'good' : 'bad',
      heading: output.host,
      blocks: [
        { kind: 'text', text: output.detail[lang] },
        { kind: 'facts', facts },
      ],
    }
  },
})
