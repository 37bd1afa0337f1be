/** Owns the reading of Markdown: from text to headings and findable units, each with its place in the text. */
import type { Nodes, PhrasingContent, RootContent } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table'
import { toString as plainText } from 'mdast-util-to-string'
import { gfmTable } from 'micromark-extension-gfm-table'
import { sentences } from './language.js'
import type { Unit } from './model.js'

/** A heading, or a block whose units belong together. Offsets are into the parsed text. */
export type Block = { kind: 'heading'; depth: number; text: string } | { kind: 'units'; units: Unit[] }

/** Raw HTML is neither indexed nor quoted: a card may hold a script, and nothing of it may reach a page. */
export function readMarkdown(text: string): Block[] {
  if (!MARKUP.test(text)) return plainBlocks(text)
  const tree = fromMarkdown(text, { extensions: [gfmTable()], mdastExtensions: [gfmTableFromMarkdown()] })
  return tree.children.flatMap((node) => blocksOf(node, text))
}

/** Whatever could mean something in Markdown. Most of what a team brings in bulk has none of it, and a parser costs more than all else. */
const MARKUP = /[*_`[\]<>|&\\~#\t\r\0]|^[ +=-]|^\d+[.)]|[ ]$/m

/** Paragraphs between empty lines, as the parser would find them. */
function plainBlocks(text: string): Block[] {
  const blocks: Block[] = []
  for (const { 0: paragraph, index } of text.matchAll(/(?:.|\n(?!\n))+/g)) {
    const units = sentences(paragraph).map(
      ({ start, end }): Unit => ({
        kind: 'sentence',
        start: index + start,
        end: index + end,
        text: paragraph.slice(start, end),
      }),
    )
    blocks.push(...unitBlock(units))
  }
  return blocks
}

function blocksOf(node: RootContent, text: string): Block[] {
  switch (node.type) {
    case 'heading':
      return [{ kind: 'heading', depth: node.depth, text: plainText(node).trim() }]
    case 'paragraph':
      return unitBlock(sentenceUnits(node.children, text))
    case 'code':
      return unitBlock([{ kind: 'code', ...place(node), text: node.value }])
    case 'table':
      return unitBlock(
        node.children.map((row) => ({
          kind: 'row',
          ...place(row),
          text: row.children.map((cell) => plainText(cell)).join(' | '),
        })),
      )
    case 'list':
    case 'listItem':
    case 'blockquote': {
      const inner = node.children.flatMap((child) => blocksOf(child, text))
      // One list is one block: its items are read together, and a heading inside a quote is only words.
      return unitBlock(inner.flatMap((block) => (block.kind === 'units' ? block.units : [])))
    }
    default:
      return []
  }
}

const unitBlock = (units: Unit[]): Block[] => (units.length === 0 ? [] : [{ kind: 'units', units }])

function place(node: Nodes): { start: number; end: number } {
  return { start: node.position?.start.offset ?? 0, end: node.position?.end.offset ?? 0 }
}

/**
 * Sentences of a paragraph. They are cut in the readable text, then widened to the markup around them, so that the
 * slice of the source can be shown as Markdown and still be found in the card character for character.
 */
function sentenceUnits(children: PhrasingContent[], text: string): Unit[] {
  let plain = ''
  const origin: number[] = []
  const isCode: boolean[] = []
  const spans: { start: number; end: number }[] = []

  const add = (value: string, start: number, code: boolean) => {
    for (let i = 0; i < value.length; i += 1) {
      origin.push(start + i)
      isCode.push(code)
    }
    plain += value
  }
  const walk = (node: PhrasingContent) => {
    const { start, end } = place(node)
    if (node.type === 'text') {
      // Escapes and entities make the value shorter than its source; the source keeps the offsets right.
      add(node.value.length === end - start ? node.value : text.slice(start, end), start, false)
    } else if (node.type === 'inlineCode') {
      spans.push({ start, end })
      const inside = text.indexOf(node.value, start)
      add(node.value, inside === -1 ? start : inside, true)
    } else if (node.type === 'break') {
      add('\n', start, false)
    } else if ('children' in node) {
      spans.push({ start, end })
      for (const child of node.children) walk(child)
    }
  }
  for (const child of children) walk(child)

  return sentences(plain, (offset) => isCode[offset] === true).map((range) => {
    let start = origin[range.start] ?? 0
    let end = (origin[range.end - 1] ?? start) + 1
    for (const span of spans) {
      if (span.start < end && span.end > start) {
        start = Math.min(start, span.start)
        end = Math.max(end, span.end)
      }
    }
    return { kind: 'sentence', start, end, text: plain.slice(range.start, range.end) }
  })
}
