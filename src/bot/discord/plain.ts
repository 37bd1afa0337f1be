// A view as a plain text file, whole: what is attached when a message could not hold all of it.
import type { Block, Choice, View } from '../../actions/index.js'
import { writeLine } from '../line.js'
import { tableText } from '../table.js'
import { tidy } from './markdown.js'

function blockText(block: Block): string {
  switch (block.kind) {
    case 'text':
      return block.text
    case 'prose':
      return block.markdown
    case 'code':
      return block.code
    case 'facts':
      return block.facts.map(({ label, value }) => `${label}: ${value}`).join('\n')
    case 'table': {
      const { head, rows } = tableText(block.columns, block.rows, { most: Number.POSITIVE_INFINITY })
      return [head, ...rows].join('\n')
    }
    case 'progress':
      return block.ratio === undefined ? block.label : `${Math.round(block.ratio * 100)}% ${block.label}`
    case 'link':
      return `${block.label}: ${block.url}`
    case 'picture':
      return [...new Set([block.caption, block.alt])].join('\n')
  }
}

/** Where a message has buttons, a file has the commands that they stand for. */
const stepText = (choice: Choice): string => `${choice.label}: ${writeLine(choice)}`

export function plainText({ about = '', heading = '', blocks, choices = [] }: View): string {
  const parts = [about, heading, ...blocks.map(blockText), choices.map(stepText).join('\n')]
  return `${tidy(parts.filter((part) => part !== '').join('\n\n'))}\n`
}
