import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { cardField, languageField, reasonField } from '../card-fields.js'
import { removedView } from '../card-views.js'
import { AppError } from '../errors.js'

export default defineAction({
  name: 'knowledge.remove',
  summary: { en: 'Remove one of your cards; its history stays', zh: '移除你们的一张卡片，历史会保留' },
  effect: 'change',
  target: 'card',
  input: Type.Object({
    card: cardField,
    language: Type.Optional(languageField),
    reason: Type.Optional(reasonField),
  }),
  output: Type.Object({ card: Type.String(), lang: Type.String() }),
  async run({ card, language, reason = '' }, { knowledge, principal, now }) {
    const change = { author: principal.name, at: now(), reason }
    const removed = await knowledge.remove(principal.tenant, card, language, change)
    if (removed === undefined) throw new AppError('CARD_NOT_FOUND', { card })
    return { card, lang: removed }
  },
  view: removedView,
})
