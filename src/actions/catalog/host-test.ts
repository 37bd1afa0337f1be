import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { onHost } from '../fields.js'
import { HostShape, healthBlocks, hostFacts, hostOutput, hostTone } from '../host-health-views.js'

const WORDS = { took: { en: 'Answered after', zh: '响应耗时' } } as const

export default defineAction({
  name: 'host.test',
  summary: {
    en: 'Ask a host afresh whether it answers, and say what is wrong',
    zh: '重新检测主机是否响应，并说明问题所在',
  },
  effect: 'read',
  target: 'host',
  input: Type.Object(onHost),
  output: Type.Object({ host: Type.String(), milliseconds: Type.Integer(), ...HostShape.properties }),
  async run(_, { host: name, hosts, principal, signal }) {
    const host = hosts.get(name, principal)
    const from = performance.now()
    const health = await host.driver.test(signal)
    return { host: name, milliseconds: Math.round(performance.now() - from), ...hostOutput(host, health) }
  },
  view(output, lang) {
    const took = { label: WORDS.took[lang], value: `${output.milliseconds} ms` }
    return {
      tone: hostTone(output),
      heading: output.host,
      blocks: [
        ...healthBlocks(output, lang),
        { kind: 'facts', facts: [...hostFacts(output, lang), ...(output.state === 'healthy' ? [took] : [])] },
      ],
    }
  },
})
