import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { cardListView } from '../card-views.js'
import { flag, integer, text } from '../fields.js'

const LIMIT = 200

export default defineAction({
  name: 'knowledge.list',
  summary: {
    en: "List your team's own cards, or the shipped ones as well",
    zh: '列出团队自己的卡片，或连同自带的卡片',
  },
  effect: 'read',
  target: 'none',
  input: Type.Object({
    collection: Type.Optional(text({ en: 'Only this collection', zh: '仅此集合' }, { max: 64 })),
    tag: Type.Optional(text({ en: 'Only with this tag', zh: '仅含此标签' }, { max: 64 })),
    name: Type.Optional(
      text({ en: 'Only those whose title or id holds this', zh: '仅列出标题或 ID 包含此文本的' }, { max: 200 }),
    ),
    shipped: Type.Optional(flag({ en: 'Those that ship as well', zh: '同时列出自带的卡片' })),
    limit: Type.Optional(
      integer({ en: 'How many at most', zh: '最多返回多少条' }, { min: 1, max: 1000, byDefault: LIMIT }),
    ),
    overdue: Type.Optional(flag({ en: 'Only those whose review is due', zh: '仅列出到期需复查的' })),
  }),
  output: Type.Object({
    cards: Type.Array(
      Type.Object({
        card: Type.String(),
        lang: Type.String(),
        title: Type.String(),
        collection: Type.String(),
        tags: Type.Array(Type.String()),
        version: Type.Integer(),
        author: Type.String(),
        at: Type.String({ description: 'ISO 8601, UTC' }),
        review: Type.Optional(Type.String()),
        overdue: Type.Boolean(),
      }),
    ),
  }),
  async run({ collection, tag, overdue, name, shipped = false, limit = LIMIT }, { knowledge, principal, now }) {
    const today = new Date(now()).toISOString().slice(0, 10)
    const cards = await knowledge.list(principal.tenant, {
      ...(collection === undefined ? {} : { collection }),
      ...(tag === undefined ? {} : { tag }),
      ...(overdue === true ? { dueBy: today } : {}),
      ...(name === undefined ? {} : { name }),
      withShipped: shipped,
      most: limit,
    })
    return {
      cards: cards.map(({ id, at, lang, title, collection: its, tags, version, author, review }) => ({
        card: id,
        lang,
        title,
        collection: its,
        tags,
        version,
        author,
        at: new Date(at).toISOString(),
        ...(review === undefined ? {} : { review }),
        overdue: review !== undefined && review <= today,
      })),
    }
  },
  view: cardListView,
})
