import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { cardListView } from '../card-views.js'
import { flag, text } from '../fields.js'

export default defineAction({
  name: 'knowledge.list',
  summary: { en: "List your team's own cards", zh: '列出团队自己的卡片' },
  effect: 'read',
  target: 'none',
  input: Type.Object({
    collection: Type.Optional(text({ en: 'Only this collection', zh: '仅此集合' }, { max: 64 })),
    tag: Type.Optional(text({ en: 'Only with this tag', zh: '仅含此标签' }, { max: 64 })),
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
  async run({ collection, tag, overdue }, { knowledge, principal, now }) {
    const today = new Date(now()).toISOString().slice(0, 10)
    const cards = await knowledge.list(principal.tenant, {
      ...(collection === undefined ? {} : { collection }),
      ...(tag === undefined ? {} : { tag }),
      ...(overdue === true ? { dueBy: today } : {}),
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
