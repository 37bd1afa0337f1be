// A View as plain text for a terminal.
import type { AppError, Block, View } from '../actions/index.js'

/** Cells that East Asian terminals draw twice as wide. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u

const widthOf = (text: string): number => [...text].reduce((sum, char) => sum + (WIDE.test(char) ? 2 : 1), 0)
const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)))

// A container chooses its own name and labels: nothing it writes may steer the terminal.
const STEERING = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu
const harmless = (text: string): string =>
  text.replaceAll(STEERING, (char) => (char === '\n' || char === '\t' ? char : '\ufffd'))

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [columns, ...rows].map((row) => row.map((cell) => harmless(cell).replaceAll('\n', ' ')))
  const widths = columns.map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ''))))
  return all
    .map((row) =>
      row
        .map((cell, column) => padded(cell, widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
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
      return table(
        ['', ''],
        part.facts.map((fact) => [fact.label, fact.value]),
      ).trimStart()
    case 'table':
      return table(part.columns, part.rows)
    case 'progress':
      return harmless(part.label)
    case 'link':
      return `${harmless(part.label)}: ${part.url}`
  }
}

export const renderText = (view: View): string =>
  [...(view.heading === undefined ? [] : [harmless(view.heading)]), ...view.blocks.map(block)]
    .filter((part) => part !== '')
    .join('\n\n')

export const renderError = (error: AppError, lang: 'zh' | 'en'): string =>
  `${error.code}: ${harmless(error.describe(lang))}`
