import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { gapsView } from '../card-views.js'
import { integer } from '../fields.js'

export default defineAction({
  name: 'knowledge.gaps',
  summary: { en: 'List what people asked and found no helpful answer to', zh: '列出没有得到有用回答的问题' },
  effect: 'read',
  target: 'none',
  input: Type.Object({
    limit: Type.Optional(
      integer({ en: 'How many at most', zh: '最多返回多少条' }, { min: 1, max: 100, byDefault: 20 }),
    ),
  }),
  output: Type.Object({
    gaps: Type.Array(
      Type.Object({
        gap: Type.Integer(),
        question: Type.String(),
        lang: Type.String(),
        asked: Type.Integer(),
        unhelpful: Type.Integer(),
        lastAt: Type.String({ description: 'ISO 8601, UTC' }),
        assignedTo: Type.Optional(Type.String()),
      }),
    ),
  }),
  run: ({ limit = 20 }, { gaps, principal }) => ({
    gaps: gaps
      .list(principal.tenant, limit)
      .map(({ lastAt, ...gap }) => ({ ...gap, lastAt: new Date(lastAt).toISOString() })),
  }),
  view: gapsView,
})
