// A View as plain text for a terminal.
import type { AppError, Block, Choice, View } from '../actions/index.js'
import { tableText } from './table.js'

// A container chooses its own name and labels: nothing it writes may steer the terminal.
const STEERING = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu
const harmless = (text: string): string =>
  text.replaceAll(STEERING, (char) => (char === '\n' || char === '\t' ? char : '\ufffd'))

/** Terminals wrap by themselves: a table here is as wide as it needs to be. */
const UNFOLDED = { most: Number.MAX_SAFE_INTEGER }

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const { head, rows: lines } = tableText(
    columns,
    rows.map((row) => row.map(harmless)),
    UNFOLDED,
  )
  // A rule as wide as the table would wrap where the table is wide.
  return [head.split('\n', 1)[0], ...lines].join('\n')
}

/** A table without a head. */
function facts(pairs: readonly { readonly label: string; readonly value: string }[]): string {
  return tableText(
    ['', ''],
    pairs.map(({ label, value }) => [harmless(label), harmless(value)]),
    UNFOLDED,
  ).rows.join('\n')
}

function block(part: Block): string {
  switch (part.kind) {
    case 'text':
      return harmless(part.text)
    case 'prose':
      return harmless(part.markdown)
    case 'code':
      return harmless(part.code)
    case 'facts':
      return facts(part.facts)
    case 'table':
      return table(part.columns, part.rows)
    case 'progress':
      return harmless(part.label)
    case 'link':
      return `${harmless(part.label)}: ${part.url}`
    case 'picture':
      return ''
  }
}

/** A word of a command line, as a shell takes it. */
const shellWord = (text: string): string =>
  /^[\w./:@+,][\w./:@+,-]*$/.test(text) ? text : `'${harmless(text).replaceAll("'", `'\\''`)}'`

/** Where others have buttons, a terminal has the commands that they stand for. */
const choices = (next: readonly Choice[]): string =>
  facts(
    next.map(({ label, action, input }) => {
      const options = Object.entries(input).flatMap(([name, value]) =>
        value === true ? [`--${name}`] : [`--${name}`, shellWord(String(value))],
      )
      return { label, value: ['hypercall', ...action.split('.'), ...options].join(' ') }
    }),
  )

export function renderText(view: View): string {
  const next = (view.choices ?? []).filter(({ draft }) => draft === undefined)
  return [
    ...(view.heading === undefined ? [] : [harmless(view.heading)]),
    ...view.blocks.map(block),
    ...(next.length > 0 ? [choices(next)] : []),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

export const renderError = (error: AppError, lang: 'zh' | 'en'): string =>
  `${error.code}: ${harmless(error.describe(lang))}`
