import { Type } from 'typebox'
import type { Saved } from '../../knowledge/index.js'
import { defineAction } from '../action.js'
import { cardField, languageField, listOf, reasonField, SavedOutput } from '../card-fields.js'
import { savedView } from '../card-views.js'
import { AppError } from '../errors.js'
import { flag, integer, text } from '../fields.js'

/** `ada https://…` as its title and address. */
function sourceOf(words: string): { title: string; url?: string } {
  const [, title = '', url] = /^(.*?)\s*(https?:\/\/\S+)?$/s.exec(words.trim()) ?? []
  return { title: title || (url ?? words), ...(url === undefined ? {} : { url }) }
}

export default defineAction({
  name: 'knowledge.save',
  summary: { en: 'Add a card to the knowledge base, or change one', zh: '添加或修改知识卡片' },
  effect: 'change',
  target: 'card',
  message: { name: { en: 'Save to knowledge', zh: '存入知识库' }, into: 'text', source: 'source', id: 'card' },
  form: [{ field: 'title', needed: true }, { field: 'text', needed: true }, { field: 'tags' }],
  input: Type.Object({
    card: cardField,
    text: Type.Optional(
      text(
        { en: 'What it says, in Markdown; needed for a new one', zh: '正文（Markdown），新建时必填' },
        { max: 100_000 },
      ),
    ),
    title: Type.Optional(text({ en: 'Its title', zh: '标题' }, { max: 200 })),
    language: Type.Optional(languageField),
    aliases: Type.Optional(
      text({ en: 'Other names and questions for it, with commas', zh: '别名或问法，以逗号分隔' }, { max: 2000 }),
    ),
    tags: Type.Optional(text({ en: 'Tags, with commas', zh: '标签，以逗号分隔' }, { max: 500 })),
    source: Type.Optional(
      text(
        { en: 'Where it is from: words, an address, or words and an address', zh: '来源：文字、网址，或文字加网址' },
        { max: 500 },
      ),
    ),
    'as-of': Type.Optional(
      text(
        { en: 'When it was true: YYYY-MM or YYYY-MM-DD', zh: '内容截至：YYYY-MM 或 YYYY-MM-DD' },
        { max: 10, pattern: '^\\d{4}-\\d{2}(-\\d{2})?$' },
      ),
    ),
    review: Type.Optional(
      text(
        { en: 'The day to look at it again: YYYY-MM-DD', zh: '复查日期：YYYY-MM-DD' },
        { max: 10, pattern: '^\\d{4}-\\d{2}-\\d{2}$' },
      ),
    ),
    reason: Type.Optional(reasonField),
    gap: Type.Optional(
      integer(
        { en: 'The open question that it answers', zh: '它所解答的待答问题编号' },
        { min: 1, max: Number.MAX_SAFE_INTEGER },
      ),
    ),
    anyway: Type.Optional(
      flag({ en: 'Save it although other cards say nearly the same', zh: '即使已有相近的卡片也保存' }),
    ),
  }),
  output: SavedOutput,
  async run(input, { knowledge, gaps, principal, now }) {
    const { tenant } = principal
    const gist = input.gap === undefined ? undefined : gaps.gist(tenant, input.gap)
    const saved: Saved = await knowledge.save(
      {
        id: input.card,
        ...(input.text === undefined ? {} : { text: input.text }),
        ...(input.title === undefined ? {} : { title: input.title }),
        ...(input.language === undefined ? {} : { lang: input.language }),
        ...(input.aliases === undefined ? {} : { aliases: listOf(input.aliases) }),
        ...(input.tags === undefined ? {} : { tags: listOf(input.tags) }),
        ...(input.source === undefined ? {} : { sources: [sourceOf(input.source)] }),
        ...(input['as-of'] === undefined ? {} : { asOf: input['as-of'] }),
        ...(input.review === undefined ? {} : { review: input.review }),
      },
      tenant,
      { author: principal.name, at: now(), reason: input.reason ?? '' },
      input.anyway ?? false,
    )
    if ('problem' in saved) throw new AppError('CARD_NOT_SAVED', { problem: saved.problem })
    if (!saved.saved)
      return {
        saved: false,
        card: input.card,
        similar: saved.similar.map(({ card, title, lang }) => ({ card, title, lang })),
      }
    if (gist !== undefined) gaps.close(tenant, gist, input.card)
    return { card: input.card, similar: [], ...saved }
  },
  view: savedView,
})
