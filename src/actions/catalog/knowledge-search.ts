import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { integer, text } from '../fields.js'
import { hitsView } from '../knowledge-views.js'

export default defineAction({
  name: 'knowledge.search',
  summary: { en: 'Search the knowledge base', zh: '搜索知识库' },
  effect: 'read',
  target: 'none',
  personal: true,
  input: Type.Object({
    q: text({ en: 'What to look for', zh: '要查找的内容' }, { min: 0, max: 1000 }),
    limit: Type.Optional(
      integer({ en: 'How many hits at most', zh: '最多返回多少条' }, { min: 1, max: 50, byDefault: 10 }),
    ),
  }),
  output: Type.Object({
    hits: Type.Array(
      Type.Object({
        passage: Type.String(),
        card: Type.String(),
        title: Type.String(),
        heading: Type.String(),
        lang: Type.String(),
        snippet: Type.String(),
        score: Type.Number(),
      }),
    ),
  }),
  run: async ({ q, limit }, { knowledge, principal }) => ({
    hits: await knowledge.search(q, { limit: limit ?? 10, tenant: principal.tenant }),
  }),
  view: hitsView,
})
