import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { onHost } from '../fields.js'
import { HostShape, healthBlocks, hostFacts, hostOutput, hostTone } from '../host-health-views.js'
import { copyRisk } from '../hosts/copy-risk.js'
import { type Bilingual, type Lang, say } from '../text.js'
import type { Block } from '../view.js'

const WORDS = {
  api: { en: 'API version', zh: 'API 版本' },
  platform: { en: 'Platform', zh: '平台' },
  containers: { en: 'Containers', zh: '容器' },
  running: { en: 'running', zh: '运行中' },
  can: { en: 'Can', zh: '支持' },
  copyRisk: {
    en: 'Copying is risky: while something is copied, a container that runs and has mounts may reach files of this host. Update the engine to {fixed}, or name what its build has fixed as `backports`.',
    zh: '复制存在风险：复制期间，正在运行且带有挂载的容器可能触及该主机上的文件。请将引擎升级到 {fixed}，或在 `backports` 中列出该版本已修复的漏洞。',
  },
} as const

interface Risk {
  readonly id: string
  readonly title: Bilingual
  readonly fixed: readonly string[]
}

/** Nothing, where there is no risk. */
function riskBlocks(risks: readonly Risk[], lang: Lang): Block[] {
  const newest = risks.at(-1)?.fixed.at(-1)
  if (newest === undefined) return []
  return [
    { kind: 'text', text: say(lang, WORDS.copyRisk, { fixed: newest }) },
    { kind: 'facts', facts: risks.map(({ id, title }) => ({ label: id, value: title[lang] })) },
  ]
}

export default defineAction({
  name: 'host.status',
  summary: { en: "Show a host's engine, version and health", zh: '查看主机的引擎、版本与健康状况' },
  effect: 'read',
  target: 'host',
  input: Type.Object(onHost),
  output: Type.Object({
    host: Type.String(),
    ...HostShape.properties,
    can: Type.Array(Type.String()),
    apiVersion: Type.Optional(Type.String()),
    os: Type.Optional(Type.String()),
    arch: Type.Optional(Type.String()),
    instances: Type.Optional(Type.Object({ total: Type.Integer(), running: Type.Integer() })),
    copyRisk: Type.Array(
      Type.Object({
        id: Type.String(),
        title: Type.Object({ en: Type.String(), zh: Type.String() }),
        fixed: Type.Array(Type.String(), { description: 'First fixed version of each branch' }),
        source: Type.String(),
      }),
      { description: 'Known holes in copying that this engine has' },
    ),
  }),
  async run(_, { host: name, hosts, principal, driver, signal }) {
    const host = hosts.get(name, principal)
    const can = Object.entries(driver.can)
      .filter(([, offered]) => offered)
      .map(([name]) => name)
    const health = await driver.probe(signal)
    const { reasons } = copyRisk(health.version, host.backports)
    const risks = reasons.map(({ id, title, fixed, source }) => ({ id, title, fixed: [...fixed], source }))
    return { host: name, ...health, ...hostOutput(host, health), can, copyRisk: risks }
  },
  view(output, lang) {
    const facts = [
      ...hostFacts(output, lang),
      { label: WORDS.api[lang], value: output.apiVersion ?? '' },
      { label: WORDS.platform[lang], value: [output.os, output.arch].filter(Boolean).join('/') },
      {
        label: WORDS.containers[lang],
        value: output.instances ? `${output.instances.total} (${output.instances.running} ${WORDS.running[lang]})` : '',
      },
      { label: WORDS.can[lang], value: output.can.join(', ') },
    ].filter((fact) => fact.value !== '')
    return {
      tone: hostTone(output),
      heading: output.host,
      blocks: [...healthBlocks(output, lang), { kind: 'facts', facts }, ...riskBlocks(output.copyRisk, lang)],
    }
  },
})
