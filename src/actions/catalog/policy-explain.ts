import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { ExplainedShape, explainedOutput, explainedView, SUPPOSED } from '../policy-views.js'

export default defineAction({
  name: 'policy.explain',
  summary: {
    en: 'Say whether you may do something, by which policy, and what it would take',
    zh: '说明您能否执行某操作、由哪条策略决定以及需要满足什么条件',
  },
  effect: 'read',
  target: 'none',
  private: true,
  input: Type.Object(SUPPOSED),
  output: ExplainedShape,
  async run(input, { explain, principal, surface, channel, lang, signal }) {
    const caller = { principal, surface, ...(channel === undefined ? {} : { channel }) }
    const { action, ...on } = input
    const explained = await explain({ asker: caller, caller, action, input: on, signal })
    return explainedOutput(explained, input, principal.roles, lang)
  },
  view: explainedView,
})
