/**
 * Owns what the print on a page was before it was print: lines that were one paragraph, words that were one before a
 * hyphen, headings, listings. A PDF only says what stands where.
 */
import type { RootContent } from 'mdast'

/** A stretch of print in one font, in the order of the file. Lengths are in points, `y` grows upwards. */
export interface Run {
  text: string
  x: number
  y: number
  width: number
  /** Of the font. */
  size: number
  isCode: boolean
  endsLine: boolean
}

interface Line {
  text: string
  left: number
  right: number
  y: number
  size: number
  isCode: boolean
}

/** How much larger than most of the print a heading is, and how long at most. */
const HEADING_SIZE = 1.15
const LONGEST_HEADING = 120
/** Distance of two lines of one paragraph, in sizes of their font; and of two of a listing, between which one is empty. */
const WIDEST_LEADING = 1.7
const WIDEST_GAP_IN_CODE = 3.2
/** A first line stands in by this much, in sizes of its font. */
const INDENT = 0.8
/** A last line ends this much before the others, as a part of the width of the text. */
const SHORT = 0.15
/** Of indentation in a listing. */
const MOST_COLUMNS = 80
/** Pages from which a line that is on most of them is taken for a header or footer. */
const FEWEST_PAGES_WITH_HEADERS = 4

const LIST_ITEM =
  /^(?:[•‣▪●○◦]\s*|[–—-]\s+|\(?(?:\d{1,3}|[a-z])[.)]\s+|(?:\d{1,3}|[一二三四五六七八九十]{1,3})[、）]\s*|[（(][一二三四五六七八九十\d]{1,3}[）)]\s*)\S/u
const WIDE = '[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\u3000-\\u303f\\uff00-\\uffef“”‘’…—]'
const HAN = /\p{Script=Han}/gu
const BETWEEN_HAN = new RegExp(`(?<=${WIDE})[ \\t]+(?=\\p{Script=Han})|(?<=\\p{Script=Han})[ \\t]+(?=${WIDE})`, 'gu')
const ENDS_WIDE = new RegExp(`${WIDE}$`, 'u')
const BEGINS_WIDE = new RegExp(`^${WIDE}`, 'u')
/** What a font draws without saying which character it is. */
const NO_CHARACTERS = /[\p{Cc}\p{Co}\p{Cn}\ufffd]/gu
/** Of a table of contents: a heading again, with nothing below it. */
const DOT_LEADER = /(?:[.…·]\s?){4,}\s*[\divxlc]*$/i
/** Fonts write characters as the radicals that look the same, which no search would find. */
const RADICALS = /[\u2e80-\u2fdf]/g

/** @returns for each page that has text a heading `p. N` of depth 2, then its paragraphs, headings (3) and listings */
export function blocksOf(pages: readonly (readonly Run[])[]): RootContent[] {
  const lines = withoutHeaders(pages.map(linesOf))
  const body = commonSize(lines.flat())
  return lines.flatMap((page, index): RootContent[] => {
    if (page.length === 0) return []
    return [heading(2, `p. ${index + 1}`), ...pageBlocks(page, body)]
  })
}

const heading = (depth: 2 | 3, value: string): RootContent => ({
  type: 'heading',
  depth,
  children: [{ type: 'text', value }],
})

function linesOf(runs: readonly Run[]): Line[] {
  const lines: Line[] = []
  let line: Run[] = []
  const flush = () => {
    while (line[0]?.text.trim() === '') line.shift()
    const inked = line.filter(({ text }) => text.trim() !== '')
    const [first] = inked
    const last = inked.at(-1)
    if (first !== undefined && last !== undefined) {
      const text = line.map((run) => run.text).join('')
      // Han characters are as wide as each other in any font.
      const isCode = inked.every((run) => run.isCode) && (text.match(HAN)?.length ?? 0) < text.length / 2
      lines.push({
        text: isCode ? text.replace(NO_CHARACTERS, ' ').trimEnd() : legible(text),
        left: first.x,
        right: last.x + last.width,
        y: first.y,
        // A footnote's mark or a subscript does not make the line small.
        size: inked.reduce((largest, { size }) => Math.max(largest, size), 0),
        isCode,
      })
    }
    line = []
  }
  for (const run of runs) {
    line.push(run)
    if (run.endsLine) flush()
  }
  flush()
  return lines.filter(({ text, isCode }) => text.trim() !== '' && (isCode || !DOT_LEADER.test(text)))
}

const legible = (text: string): string =>
  text
    .replace(NO_CHARACTERS, ' ')
    .replace(RADICALS, (radical) => radical.normalize('NFKC'))
    .replace(/\s+/g, ' ')
    .replace(BETWEEN_HAN, '')
    .trim()

/** Page numbers, and what most pages begin or end with but for its numbers. */
function withoutHeaders(pages: readonly Line[][]): Line[][] {
  const edges = (page: readonly Line[]) => new Set([page[0], page.at(-1)].map((line) => line && shape(line)))
  const counts = new Map<string | undefined, number>()
  for (const page of pages) for (const edge of edges(page)) counts.set(edge, (counts.get(edge) ?? 0) + 1)
  const isHeader = (line: Line): boolean =>
    shape(line) === '#' ||
    (pages.length >= FEWEST_PAGES_WITH_HEADERS && (counts.get(shape(line)) ?? 0) > pages.length / 2)
  return pages.map((page) =>
    page.filter((line, index) => !((index === 0 || index === page.length - 1) && isHeader(line))),
  )
}

const shape = ({ text }: Line): string => text.replace(/\d+/g, '#').replace(/^[-–—\s]+|[-–—\s]+$/g, '')

/** The size that most characters have. */
function commonSize(lines: readonly Line[]): number {
  const counts = new Map<number, number>()
  for (const { size, text } of lines) {
    const rounded = Math.round(size * 2) / 2
    counts.set(rounded, (counts.get(rounded) ?? 0) + text.length)
  }
  let common = 0
  for (const [size, count] of counts) if (count > (counts.get(common) ?? 0)) common = size
  return common
}

function pageBlocks(lines: readonly Line[], body: number): RootContent[] {
  const left = lines.reduce((least, line) => Math.min(least, line.left), Number.POSITIVE_INFINITY)
  const right = lines.reduce((most, line) => Math.max(most, line.right), 0)
  const groups: Line[][] = []
  for (const line of lines) {
    const group = groups.at(-1)
    const before = group?.at(-1)
    if (group !== undefined && before !== undefined && belongs(line, before, right, right - left)) group.push(line)
    else groups.push([line])
  }
  return groups.map((group): RootContent => {
    if (group.every(({ isCode }) => isCode)) return { type: 'code', value: listing(group) }
    const text = group.map((line) => line.text).reduce(joined)
    const isHeading = group.every(({ size }) => size >= body * HEADING_SIZE) && text.length <= LONGEST_HEADING
    return isHeading ? heading(3, text) : { type: 'paragraph', children: [{ type: 'text', value: text }] }
  })
}

/** Does a line go on with what the one before it began? */
function belongs(line: Line, before: Line, right: number, width: number): boolean {
  if (line.isCode !== before.isCode || Math.abs(line.size - before.size) > before.size * 0.1) return false
  const down = before.y - line.y
  if (down <= 0 || down > before.size * (line.isCode ? WIDEST_GAP_IN_CODE : WIDEST_LEADING)) return false
  if (line.isCode) return true
  const isIndented = line.left - before.left > line.size * INDENT && !LIST_ITEM.test(before.text)
  const isLast = right - before.right > width * SHORT && /[.!?:。！？：]["'”’）)]?$/u.test(before.text)
  return !isIndented && !isLast && !LIST_ITEM.test(line.text)
}

/** @param text ends where the line did on which `next` follows */
function joined(text: string, next: string): string {
  if (text.endsWith('\u00ad')) return text.slice(0, -1) + next
  if (/\p{Ll}[-‐]$/u.test(text) && /^\p{Ll}/u.test(next)) return text.slice(0, -1) + next
  return ENDS_WIDE.test(text) && BEGINS_WIDE.test(next) ? text + next : `${text} ${next}`
}

/** Lines as they stood, those further right behind as many spaces as their characters are wide. */
function listing(lines: readonly Line[]): string {
  const left = lines.reduce((least, line) => Math.min(least, line.left), Number.POSITIVE_INFINITY)
  const rows: string[] = []
  let y = Number.NEGATIVE_INFINITY
  for (const line of lines) {
    if (y - line.y > line.size * WIDEST_LEADING) rows.push('')
    const character = (line.right - line.left) / line.text.length
    const columns = Math.round((line.left - left) / character) || 0
    rows.push(' '.repeat(Math.min(MOST_COLUMNS, columns)) + line.text)
    y = line.y
  }
  return rows.join('\n')
}
