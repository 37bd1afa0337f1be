import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { cardField, languageField } from '../card-fields.js'
import { cardView } from '../card-views.js'
import { AppError } from '../errors.js'

export default defineAction({
  name: 'knowledge.show',
  summary: { en: 'Show a card of the knowledge base as it was written', zh: '按原文显示一张知识卡片' },
  effect: 'read',
  target: 'card',
  personal: true,
  input: Type.Object({ card: cardField, language: Type.Optional(languageField) }),
  output: Type.Object({
    card: Type.String(),
    lang: Type.String(),
    title: Type.String(),
    text: Type.String({ description: 'Markdown' }),
    collection: Type.String(),
    shipped: Type.Boolean({ description: 'Whether it came with the product' }),
    aliases: Type.Array(Type.String()),
    tags: Type.Array(Type.String()),
    asOf: Type.Optional(Type.String()),
    review: Type.Optional(Type.String()),
    version: Type.Integer(),
    author: Type.String(),
    at: Type.String({ description: 'ISO 8601, UTC' }),
    links: Type.Array(Type.Object({ card: Type.String(), title: Type.String(), lang: Type.String() }), {
      description: 'Cards that its text links to',
    }),
    sources: Type.Array(Type.Object({ title: Type.String(), url: Type.Optional(Type.String()) })),
  }),
  async run({ card, language: wanted }, { knowledge, principal, lang }) {
    const { tenant } = principal
    // Where there are two, the one in the language of who asks.
    const found = (await knowledge.show(tenant, card, wanted ?? lang)) ?? (await knowledge.show(tenant, card, wanted))
    if (found === undefined) throw new AppError('CARD_NOT_FOUND', { card })
    const { title, collection, aliases, tags, asOf, review, version, sources, links, changed } = found
    return {
      card,
      lang: found.lang,
      title,
      text: found.text,
      collection,
      shipped: found.tenant !== tenant,
      aliases,
      tags,
      ...(asOf === undefined ? {} : { asOf }),
      ...(review === undefined ? {} : { review }),
      version,
      author: changed.author,
      at: new Date(changed.at).toISOString(),
      links,
      sources,
    }
  },
  view: cardView,
})
