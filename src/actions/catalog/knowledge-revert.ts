import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { cardField, languageField, reasonField, SavedOutput } from '../card-fields.js'
import { savedView } from '../card-views.js'
import { AppError } from '../errors.js'
import { integer } from '../fields.js'

export default defineAction({
  name: 'knowledge.revert',
  summary: { en: 'Bring back an earlier version of a card', zh: '恢复卡片的某个历史版本' },
  effect: 'change',
  target: 'card',
  input: Type.Object({
    card: cardField,
    version: integer({ en: 'The version to bring back', zh: '要恢复的版本' }, { min: 1, max: 1_000_000 }),
    language: Type.Optional(languageField),
    reason: Type.Optional(reasonField),
  }),
  output: SavedOutput,
  async run({ card, version, language, reason }, { knowledge, principal, now }) {
    const change = { author: principal.name, at: now(), reason: reason ?? `revert to ${version}` }
    const saved = await knowledge.revert(principal.tenant, card, language, version, change)
    if (saved === undefined) throw new AppError('VERSION_NOT_FOUND', { card, version })
    if ('problem' in saved) throw new AppError('CARD_NOT_SAVED', { problem: saved.problem })
    return { card, similar: [], ...saved }
  },
  view: savedView,
})
