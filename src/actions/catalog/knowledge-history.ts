import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { cardField, languageField } from '../card-fields.js'
import { historyView } from '../card-views.js'
import { AppError } from '../errors.js'

export default defineAction({
  name: 'knowledge.history',
  summary: { en: 'List the versions of one of your cards', zh: '列出你们一张卡片的各个版本' },
  effect: 'read',
  target: 'card',
  input: Type.Object({ card: cardField, language: Type.Optional(languageField) }),
  output: Type.Object({
    card: Type.String(),
    lang: Type.String(),
    versions: Type.Array(
      Type.Object({
        version: Type.Integer(),
        title: Type.Optional(Type.String()),
        text: Type.Optional(Type.String({ description: 'Missing where the card was removed' })),
        author: Type.String(),
        at: Type.String({ description: 'ISO 8601, UTC' }),
        reason: Type.String(),
        current: Type.Boolean(),
      }),
    ),
  }),
  async run({ card, language }, { knowledge, principal }) {
    const found = await knowledge.history(principal.tenant, card, language)
    if (found === undefined) throw new AppError('CARD_NOT_FOUND', { card })
    const { current, versions } = found
    const now = current ? [{ ...current, ...current.changed }] : []
    return {
      card,
      lang: found.lang,
      versions: [...now, ...versions].map(({ version, title, text, author, at, reason }, i) => ({
        version,
        ...(title === undefined ? {} : { title }),
        ...(text === undefined ? {} : { text }),
        author,
        at: new Date(at).toISOString(),
        reason,
        current: current !== undefined && i === 0,
      })),
    }
  },
  view: historyView,
})
