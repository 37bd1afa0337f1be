// Any view whatever becomes a message that Discord accepts, in each way that the bot sends one, and loses nothing silently.
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Block, Choice, Lang, View } from '../../../src/actions/index.js'
import { tidy } from '../../../src/bot/discord/markdown.js'
import { type Card, type CardButton, type Message, render } from '../../../src/bot/discord/render.js'
import { writeLine } from '../../../src/bot/line.js'
import {
  allComponents,
  type Component,
  type MessageBody,
  mentionsProblem,
  messageProblems,
  uploadProblems,
} from '../../helpers/discord/limits.js'
import { createSpec, type Spec } from '../../helpers/discord/spec.js'

const RUNS = 10_000
const TEN_MIB = 10 * 1024 ** 2
const EPHEMERAL = 64

/** Each way to send a message: under which schema of Discord's description, and in what. */
const WAYS: readonly { readonly schema: string; wrap(body: object): object }[] = [
  {
    schema: 'CreateMessageInteractionCallbackRequest',
    wrap: (body) => ({ type: 4, data: { ...body, flags: EPHEMERAL } }),
  },
  { schema: 'UpdateMessageInteractionCallbackRequest', wrap: (body) => ({ type: 7, data: body }) },
  { schema: 'IncomingWebhookUpdateRequestPartial', wrap: (body) => body },
  { schema: 'IncomingWebhookRequestPartial', wrap: (body) => body },
  { schema: 'MessageCreateRequest', wrap: (body) => body },
]

let spec: Spec
beforeAll(async () => {
  spec = await createSpec(WAYS.map(({ schema }) => schema))
})

/** Becomes a word of its own wherever it stands, so that each can be looked for. */
const WORD = '\ue000'
const WORDS = /w\d+z|词\d+完/g
const HOSTILE = [
  ...['`', '```', '````', '*', '**', '_', '__', '~~', '|', '||', '\\', '\\\\', '[', '](https://evil.example)', '> '],
  ...['# ', '-# ', '- ', '1. ', '@everyone', '@here', '<@410000000000000001>', '<#1>', '<:a:1>', '<t:1:R>', '</ask:1>'],
  ...[
    '\ud83d',
    '\udc00',
    '😀',
    '👩‍👩‍👧',
    '\u200b',
    '\u200d',
    '\ufeff',
    '\u202e',
    '\u2066',
    'שלום',
    'e\u0301\u0327',
    '\u0000',
  ],
  ...[
    '\u001b[31m',
    '\r\n',
    '\n',
    '\n\n',
    '\t',
    '\u3000',
    '容器',
    '，',
    'ｗｅｂ',
    '<b>',
    '<!--',
    '&amp;',
    'https://a.example/',
  ],
]

const bit = fc.oneof(
  { weight: 4, arbitrary: fc.constant(WORD) },
  { weight: 2, arbitrary: fc.constant(' ') },
  { weight: 4, arbitrary: fc.constantFrom(...HOSTILE) },
)
const times = (most: number) =>
  fc.oneof({ weight: 15, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 2, max: most }) })
const text: fc.Arbitrary<string> = fc
  .tuple(fc.array(bit, { maxLength: 12 }), times(600))
  .map(([bits, count]) => bits.join('').repeat(count))
const cell: fc.Arbitrary<string> = fc.array(bit, { maxLength: 4 }).map((bits) => bits.join(''))
const address = fc.oneof(
  text,
  fc
    .tuple(fc.constantFrom('https://a.example/', 'http://127.0.0.1/', 'https://例子.example/', 'https://[::1]/'), cell)
    .map((parts) => parts.join('')),
)
/** Up to its whole length, not only to what fast-check calls small. */
const list = <T>(item: fc.Arbitrary<T>, maxLength: number) => fc.array(item, { maxLength, size: 'max' })

const table: fc.Arbitrary<Block> = fc.integer({ min: 0, max: 6 }).chain((width) =>
  fc.record({
    kind: fc.constant('table' as const),
    columns: fc.array(cell, { minLength: width, maxLength: width }),
    rows: fc
      .tuple(list(fc.array(cell, { minLength: width, maxLength: width }), 6), times(200))
      .map(([rows, count]) => Array.from({ length: count }, () => rows).flat()),
  }),
)

const picture: fc.Arbitrary<Block> = fc.record({
  kind: fc.constant('picture' as const),
  caption: cell,
  alt: text,
  drawing: fc.constant({ svg: '<svg/>' }),
})

const block: fc.Arbitrary<Block> = fc.oneof(
  fc.record({ kind: fc.constant('text' as const), text }),
  fc.record({ kind: fc.constant('prose' as const), markdown: text }),
  fc.record({ kind: fc.constant('code' as const), code: text, language: fc.oneof(cell, fc.constant('sh')) }),
  fc.record({ kind: fc.constant('facts' as const), facts: list(fc.record({ label: cell, value: text }), 8) }),
  fc.record({ kind: fc.constant('progress' as const), label: text, ratio: fc.double() }),
  fc.record({ kind: fc.constant('progress' as const), label: cell }),
  fc.record({ kind: fc.constant('link' as const), label: cell, url: address }),
  table,
  picture,
)

const style = fc.constantFrom('primary', 'secondary', 'danger')
const choice: fc.Arbitrary<Choice> = fc.record({
  label: text,
  action: fc.constantFrom('ask', 'container.start'),
  // Few values, so that some are the same call.
  input: fc.oneof(
    fc.record({ n: fc.nat({ max: 40 }) }),
    cell.map((question) => ({ question })),
  ),
  style,
})
const button: fc.Arbitrary<CardButton> = fc.record({
  label: cell,
  customId: fc.nat({ max: 40 }).map((n) => `confirm:${n}`),
  style,
})

const view: fc.Arbitrary<View> = fc
  .record(
    {
      tone: fc.constantFrom('info', 'good', 'warn', 'bad'),
      blocks: fc
        .tuple(list(block, 7), times(8))
        .map(([blocks, count]) => Array.from({ length: count }, () => blocks).flat()),
      heading: text,
      about: text,
      choices: fc.oneof({ weight: 5, arbitrary: list(choice, 4) }, { weight: 1, arbitrary: list(choice, 40) }),
    },
    { requiredKeys: ['tone', 'blocks'] },
  )
  .map((made) => made as View)

const card: fc.Arbitrary<Omit<Card, 'lang'>> = fc
  .record(
    {
      view,
      footer: cell,
      buttons: fc.oneof({ weight: 5, arbitrary: list(button, 2) }, { weight: 1, arbitrary: list(button, 40) }),
      draws: fc.boolean(),
      plain: fc.boolean(),
    },
    { requiredKeys: ['view'] },
  )
  .map(({ draws, ...made }) => drawn(numbered(made) as Omit<Card, 'lang'>, draws ?? false))

/** As answers are made: a picture stands for the view's first picture block, if that could be drawn. */
function drawn(made: Omit<Card, 'lang'>, draws: boolean): Omit<Card, 'lang'> {
  const first = made.view.blocks.find((part) => part.kind === 'picture')
  return draws && first ? { ...made, picture: { png: Buffer.alloc(8), alt: first.alt } } : made
}

/** Every word is another one, so that none is taken for found because of another. */
function numbered(value: unknown, next = { n: 0 }): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(WORD, () => {
      next.n += 1
      return next.n % 2 === 0 ? `w${next.n}z` : `词${next.n}完`
    })
  }
  if (Array.isArray(value)) return value.map((item) => numbered(item, next))
  if (Buffer.isBuffer(value) || typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, numbered(item, next)]))
}

/** A column that is empty in every row says nothing, and its name is left out. */
function tableTexts({ columns, rows }: Extract<Block, { kind: 'table' }>): string[] {
  const names = columns.filter((_, column) => rows.some((row) => row[column]?.trim()))
  return [...names, ...rows.flat()]
}

function textsOf(part: Block): readonly string[] {
  switch (part.kind) {
    case 'text':
      return [part.text]
    case 'prose':
      return [part.markdown]
    case 'code':
      return [part.code]
    case 'facts':
      return part.facts.flatMap(({ label, value }) => [label, value])
    case 'table':
      return tableTexts(part)
    case 'progress':
      return [part.label]
    case 'link':
      return [part.label, part.url]
    case 'picture':
      return [part.caption, part.alt]
  }
}

/** All that is to be told. */
const told = ({ view: { about, heading, blocks, choices = [] }, footer, buttons = [] }: Omit<Card, 'lang'>): string =>
  [about, heading, ...blocks.flatMap(textsOf), ...[...choices, ...buttons].map(({ label }) => label), footer].join(' ')

const componentsOf = ({ body }: Message): Component[] => allComponents(body.components as Component[])

/** All that a message says by itself. */
function visible(message: Message): string {
  const { embeds, attachments } = message.body
  return [
    ...embeds.flatMap(({ author, title, description, footer }) => [author?.name, title, description, footer?.text]),
    ...componentsOf(message).flatMap(({ label, url }) => [label, url && decodeURI(url)]),
    ...attachments.map(({ description }) => description),
  ].join(' ')
}

const fileOf = ({ files }: Message): string | undefined =>
  files.find(({ name }) => name === 'full.txt')?.data.toString('utf8')

/** Each rule of Discord's that it breaks, however it is sent. */
function broken({ body, files }: Message): string[] {
  const plain = body as unknown as MessageBody
  const mentions = mentionsProblem(plain)
  const sizes = files.map(({ data }) => data.length)
  const names = files.map(({ name }) => name)
  return [
    ...WAYS.flatMap(({ schema, wrap }) => spec.problems(schema, wrap(body)).map((problem) => `${schema} ${problem}`)),
    ...[...messageProblems(plain, 0), ...uploadProblems(sizes, TEN_MIB), ...(mentions ? [mentions] : [])].map(
      ({ message }) => message,
    ),
    ...(body.embeds.some((embed) => !embed.title?.trim() && !embed.description?.trim()) ? ['an empty embed'] : []),
    ...(body.embeds.some(({ author }) => author?.name.trim() === '') ? ['an empty author'] : []),
    ...(body.embeds.some((embed) => embed.footer?.text.trim() === '') ? ['an empty footer'] : []),
    ...(componentsOf({ body, files }).some(({ label }) => label?.trim() === '') ? ['an empty label'] : []),
    ...(body.attachments.some(({ id, filename }) => names[id] !== filename) ? ['an attachment without its file'] : []),
    ...(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(
      JSON.stringify(body).replaceAll(/\\u/g, '\\\\u'),
    )
      ? ['half a character']
      : []),
  ]
}

/** What is neither in the message nor in its file, and what is cut without a word. */
function lost(made: Omit<Card, 'lang'>, message: Message): string[] {
  const here = new Set(visible(message).match(WORDS))
  const file = fileOf(message)
  const attached = new Set(file?.match(WORDS))
  const missing = [...new Set(told(made).match(WORDS))].filter((word) => !here.has(word))
  const ids = new Set(componentsOf(message).map(({ custom_id }) => custom_id))
  const unreachable = (made.view.choices ?? []).filter(
    ({ action, input }) => !ids.has(`do:${action}:${JSON.stringify(input)}`),
  )
  return [
    ...missing.filter((word) => !attached.has(word)).map((word) => `${word} is lost`),
    ...unreachable
      .filter((one) => !file?.includes(tidy(writeLine(one))))
      .map((one) => `${one.action} cannot be reached`),
    ...((file === undefined) === (message.body.embeds[0]?.description ?? '').includes('full.txt') ? ['not said'] : []),
  ]
}

describe('10,000 views made at random', () => {
  it('pass every limit of Discord, and what is cut off is said and attached', { timeout: 300_000 }, () => {
    fc.assert(
      fc.property(card, (made) => {
        for (const lang of ['en', 'zh'] satisfies Lang[]) {
          const message = render({ ...made, lang })
          expect([...broken(message), ...lost(made, message)]).toEqual([])
        }
      }),
      { numRuns: RUNS },
    )
  })
})
