import { type Static, Type } from 'typebox'
import { defineAction } from '../action.js'
import { AppError } from '../errors.js'
import { flag, text } from '../fields.js'
import { HostShape, healthBlocks, hostFacts, hostOutput, hostTone } from '../host-health-views.js'
import { bindProblems } from '../hosts/binds.js'
import { CVE } from '../hosts/copy-risk.js'
import type { EndpointSettings } from '../hosts/endpoint.js'
import { itemsOf } from '../words.js'

const WORDS = { linked: { en: 'Linked', zh: '已连接' } } as const

/** A path on the bot's machine, or the name of a variable that the bot was started with. */
const file = (en: string, zh: string) =>
  Type.Optional(
    text(
      { en: `${en}: a path, or the variable that holds it`, zh: `${zh}：路径，或存有路径的环境变量名` },
      { max: 500 },
    ),
  )

const Input = Type.Object({
  name: text(
    { en: 'What to call it: lower case, digits, -', zh: '主机名称：小写字母、数字、-' },
    { max: 32, pattern: '^[a-z0-9][a-z0-9-]*$' },
  ),
  endpoint: text(
    {
      en: 'unix:///path, tcp://host:2376 or ssh://user@host',
      zh: 'unix:///路径、tcp://主机:2376 或 ssh://用户@主机',
    },
    { max: 500 },
  ),
  labels: Type.Optional(
    text({ en: 'Labels, as name=value with commas', zh: '标签，格式为 名称=值，以逗号分隔' }, { max: 500 }),
  ),
  'tls-ca': file("The authority of the engine's certificate", '引擎证书的签发机构'),
  'tls-cert': file('Our certificate', '我方证书'),
  'tls-key': file('Its key', '我方证书的私钥'),
  'ssh-key': file('Our SSH key', '我方 SSH 私钥'),
  'known-hosts': file('A known_hosts file with its key', '含其主机密钥的 known_hosts 文件'),
  binds: Type.Optional(
    text(
      {
        en: 'Folders of it that new containers may be given: /srv/site,/srv/apps/*',
        zh: '新容器可挂载的主机目录：/srv/site,/srv/apps/*',
      },
      { max: 2000 },
    ),
  ),
  backports: Type.Optional(
    text(
      {
        en: 'Known holes in copying that its build has fixed, as CVE numbers with commas',
        zh: '其版本已修复的复制漏洞，CVE 编号以逗号分隔',
      },
      { max: 500 },
    ),
  ),
  insecure: Type.Optional(
    flag({
      en: 'Plain TCP to another machine, which anyone on the way can command',
      zh: '允许到其他机器的明文 TCP，途中任何人均可控制',
    }),
  ),
})

const invalid = (en: string, zh: string) => new AppError('INVALID_INPUT', { problem: { en, zh } })

function labelsOf(words: string | undefined): Record<string, string> {
  const labels = (words ?? '').split(',').filter((word) => word.trim() !== '')
  return Object.fromEntries(
    labels.map((word) => {
      const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(word) ?? []
      if (name === undefined || value === undefined) {
        throw invalid('labels are name=value with commas', '标签格式应为 名称=值，以逗号分隔')
      }
      return [name, value]
    }),
  )
}

function bindsOf(list: string | undefined): string[] {
  const binds = itemsOf(list ?? '')
  const [problem] = bindProblems(binds)
  if (problem) throw new AppError('INVALID_INPUT', { problem })
  return binds
}

function backportsOf(list: string | undefined): string[] {
  const backports = itemsOf(list ?? '')
  const wrong = backports.find((id) => !new RegExp(CVE).test(id))
  if (wrong !== undefined) throw invalid(`"${wrong}" is no number such as CVE-2018-15664`, `“${wrong}”不是 CVE 编号`)
  return backports
}

function endpointOf(input: Static<typeof Input>): EndpointSettings {
  const {
    endpoint,
    'tls-ca': ca,
    'tls-cert': cert,
    'tls-key': key,
    'ssh-key': sshKey,
    'known-hosts': knownHosts,
  } = input
  const tls = ca !== undefined && cert !== undefined && key !== undefined ? { ca, cert, key } : undefined
  if (tls === undefined && [ca, cert, key].some((name) => name !== undefined)) {
    throw invalid('TLS needs all of tls-ca, tls-cert and tls-key', 'TLS 需要同时提供 tls-ca、tls-cert 和 tls-key')
  }
  return {
    endpoint,
    ...(tls ? { tls } : {}),
    ...(sshKey === undefined ? {} : { key: sshKey }),
    ...(knownHosts === undefined ? {} : { knownHosts }),
    ...(input.insecure === undefined ? {} : { insecure: input.insecure }),
  }
}

export default defineAction({
  name: 'host.link',
  summary: { en: 'Link an engine as a host, for this tenant', zh: '将引擎连接为本租户的主机' },
  effect: 'change',
  target: 'none',
  administrative: true,
  private: true,
  input: Input,
  output: Type.Object({ host: Type.String(), ...HostShape.properties }),
  async run(input, { hosts, principal, signal }) {
    const settings = {
      name: input.name,
      labels: labelsOf(input.labels),
      endpoint: endpointOf(input),
      binds: bindsOf(input.binds),
      backports: backportsOf(input.backports),
    }
    const host = hosts.link(settings, principal)
    return { host: host.name, ...hostOutput(host, await host.driver.test(signal)) }
  },
  view: (output, lang) => ({
    tone: hostTone(output),
    heading: `${WORDS.linked[lang]}: ${output.host}`,
    blocks: [...healthBlocks(output, lang), { kind: 'facts', facts: hostFacts(output, lang) }],
  }),
})
