import { Type } from 'typebox'
import { defineAction, type Principal, SURFACES } from '../action.js'
import { oneOf, text } from '../fields.js'
import { ExplainedShape, explainedOutput, explainedView, rolesOf, SUPPOSED } from '../policy-views.js'

/** Nobody: only the roles count. */
const SOMEBODY = { id: 'somebody', name: 'somebody' } as const

export default defineAction({
  name: 'policy.simulate',
  summary: {
    en: 'Say whether somebody with other roles might do something, and what it would take',
    zh: '说明持有其他角色的人能否执行某操作以及需要满足什么条件',
  },
  effect: 'read',
  target: 'none',
  administrative: true,
  private: true,
  input: Type.Object({
    ...SUPPOSED,
    roles: text(
      { en: 'Their roles, with commas: operator', zh: '对方的角色，以逗号分隔，例如 operator' },
      { max: 500 },
    ),
    as: Type.Optional(
      oneOf({ en: 'A person or a token; a person by default', zh: '人员或令牌；默认为人员' }, ['user', 'token']),
    ),
    on: Type.Optional(oneOf({ en: 'From where; here by default', zh: '操作来源；默认为当前界面' }, [...SURFACES])),
  }),
  output: ExplainedShape,
  async run({ roles: list, as: kind = 'user', on: surface, ...supposed }, context) {
    const { explain, principal, lang, signal } = context
    const roles = rolesOf(list)
    const somebody: Principal = { ...SOMEBODY, kind, tenant: principal.tenant, roles }
    const { action, ...input } = supposed
    const explained = await explain({
      asker: { principal, surface: context.surface },
      caller: { principal: somebody, surface: surface ?? context.surface },
      action,
      input,
      signal,
    })
    return explainedOutput(explained, supposed, roles, lang)
  },
  view: explainedView,
})
