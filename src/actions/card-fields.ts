// The fields and shapes that verbs on knowledge cards share.
import { Type } from 'typebox'
import { oneOf, text } from './fields.js'

export const cardField = text({ en: 'The card, by its id', zh: '卡片 ID' }, { max: 200, complete: 'card' })
export const languageField = oneOf({ en: 'Its language, where there are two', zh: '语言（有两种时）' }, ['zh', 'en'])
export const reasonField = text({ en: 'Why, for its history', zh: '原因，记入历史' }, { max: 200 })

export const SavedOutput = Type.Object({
  saved: Type.Boolean(),
  card: Type.String(),
  lang: Type.Optional(Type.String()),
  version: Type.Optional(Type.Integer()),
  isNew: Type.Optional(Type.Boolean()),
  similar: Type.Array(Type.Object({ card: Type.String(), title: Type.String(), lang: Type.String() }), {
    description: 'Cards that say nearly the same; nothing was saved then',
  }),
})

/** `a, b，c`, as people write lists on one line. */
export const listOf = (text: string): string[] =>
  text
    .split(/[,，、;；]/)
    .map((item) => item.trim())
    .filter((item) => item !== '')
