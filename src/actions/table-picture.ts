// Draws a table as a picture, for chats break a wide table. Pure text work: what the letters measure is estimated, on
// the wide side, since nothing here knows a font.

export const PAPER = '#faf8f3'
export const INK = '#22303c'
const HEADER = '#bfd7ea'
const ZEBRA = ['#ffffff', '#edf1f4'] as const
export const EDGE = '#8995a1'

export const WIDTH = 1200
export const MARGIN = 40
const PADDING = { x: 16, y: 13 } as const
const MAX_LINES = 4
const MAX_TITLE_LINES = 2
const TITLE_SIZE = 38
const BOLD = 1.06

export interface TableOfTexts {
  readonly title?: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** In em. A Chinese font draws dashes, quotes and signs as wide as Han characters. */
function emOf(char: string): number {
  const code = char.codePointAt(0) ?? 0
  if (code >= 0x2000) return 1
  if (code >= 0x80) return /\p{L}/u.test(char) ? 0.7 : 1
  if (/[mwMW@%]/.test(char)) return 0.9
  return /[A-Z&+=<>~^#]/.test(char) ? 0.67 : 0.56
}

/** @param size of the font in pixels @returns pixels, rather too many than too few */
export function estimateWidth(text: string, size: number, bold = false): number {
  let em = 0
  for (const char of text) em += emOf(char)
  return em * size * (bold ? BOLD : 1)
}

interface Face {
  readonly size: number
  readonly bold: boolean
}

const widthOf = (text: string, face: Face) => estimateWidth(text, face.size, face.bold)

// Where a line may end: at spaces and around each Han character, but not before a closing mark or after an opening one.
const UNITS = /\s+|[（《〈「『【“‘]*(?:[!-\u1fff]+|[^\s!-\u1fff])[，。、；：！？）》〉」』】”’…]*/gu

/** Cuts what is longer than a line by itself, such as a path or a digest. */
function pieces(unit: string, width: number, face: Face): string[] {
  const cut: string[] = []
  let piece = ''
  for (const char of unit) {
    if (piece !== '' && widthOf(piece + char, face) > width) {
      cut.push(piece)
      piece = ''
    }
    piece += char
  }
  return [...cut, piece]
}

function wrapLine(text: string, width: number, face: Face): string[] {
  const lines: string[] = []
  let line = ''
  for (const unit of text.match(UNITS) ?? []) {
    if (widthOf(line + unit.trimEnd(), face) <= width) {
      line += unit
      continue
    }
    if (line.trim() !== '') lines.push(line.trimEnd())
    const cut = pieces(unit.trimStart(), width, face)
    lines.push(...cut.slice(0, -1))
    line = cut.at(-1) ?? ''
  }
  return [...lines, line.trimEnd()]
}

function shorten(line: string, width: number, face: Face): string {
  const chars = [...line]
  while (chars.length > 0 && widthOf(`${chars.join('')}…`, face) > width) chars.pop()
  return `${chars.join('').trimEnd()}…`
}

function wrap(text: string, width: number, face: Face, maxLines: number): string[] {
  const lines = text.split(/\r\n|\r|\n/).flatMap((part) => wrapLine(clean(part), width, face))
  if (lines.length <= maxLines) return lines
  return [...lines.slice(0, maxLines - 1), shorten(lines[maxLines - 1] ?? '', width, face)]
}

/** XML forbids some signs whatever one escapes, and marks that show nothing would only turn the text around. */
export const clean = (text: string) =>
  text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\ufffe\uffff]/gu, '')
    .trim()

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
export const escapeXml = (text: string) => text.replaceAll(/[&<>"]/g, (char) => ESCAPES[char] ?? '')

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

/** Columns that want little get it; the others share what is left evenly. */
function shareEvenly(wants: readonly number[], total: number): number[] {
  const shares = wants.map(() => 0)
  const ascending = wants.map((want, column) => ({ want, column })).sort((a, b) => a.want - b.want)
  let left = total
  for (const [at, { want, column }] of ascending.entries()) {
    const share = Math.min(want, left / (ascending.length - at))
    shares[column] = share
    left -= share
  }
  return shares
}

/** What a column wants, the most pressing first: to cut no word, then to cut no cell short, then to wrap none. */
type Wants = readonly [words: number, cells: number, lines: number]

/** @param faceOf how the cell of a row is written */
function wantsOf(cells: readonly string[], faceOf: (row: number) => Face): Wants {
  const edges = 2 * PADDING.x + 2
  let words = 0
  let whole = 0
  for (const [row, cell] of cells.entries()) {
    const face = faceOf(row)
    const text = clean(cell)
    const longest = Math.max(2 * face.size, ...(text.match(UNITS) ?? []).map((unit) => widthOf(unit, face)))
    // Longer than this it is a path or a digest, which may be cut.
    words = Math.max(words, Math.min(longest, 11 * face.size))
    whole = Math.max(whole, longest, widthOf(text, face))
  }
  return [words + edges, (whole / MAX_LINES) * 1.15 + edges, whole + edges]
}

function shareWidth(wants: readonly Wants[], total: number): number[] {
  let shares = wants.map(() => 0)
  for (const level of [0, 1, 2] as const) {
    const missing = wants.map((want, column) => Math.max(0, want[level] - (shares[column] ?? 0)))
    const more = shareEvenly(missing, total - sum(shares))
    shares = shares.map((share, column) => share + (more[column] ?? 0))
  }
  // What nobody wants goes to all.
  return shares.map((share) => Math.floor((share * total) / sum(shares)))
}

function drawLines(lines: readonly string[], x: number, top: number, face: Face): string {
  const step = lineHeight(face.size)
  return lines
    .map((line, at) => {
      if (line === '') return ''
      const y = Math.round(top + at * step + step / 2 + face.size * 0.35)
      const weight = face.bold ? ' font-weight="700"' : ''
      return `<text x="${x}" y="${y}" font-size="${face.size}"${weight}>${escapeXml(line)}</text>`
    })
    .join('')
}

const lineHeight = (size: number) => Math.round(size * 1.38)

/**
 * @param table rows have as many cells as there are columns; what a row lacks stays empty
 * @returns an SVG 1200 wide that names its own height; a cell shows at most four lines, the last with … where cut
 */
export function tablePicture({ title, columns, rows }: TableOfTexts): string {
  const size = columns.length > 4 ? 22 : 26
  const inner = WIDTH - 2 * MARGIN
  const faceOf = (column: number, header: boolean): Face => ({ size, bold: header || column === 0 })
  const table = [columns, ...rows].map((cells) => columns.map((_, column) => cells[column] ?? ''))
  const wants = columns.map((_, column) => {
    const cells = table.map((row) => row[column] ?? '')
    return wantsOf(cells, (row) => faceOf(column, row === 0))
  })
  const widths = shareWidth(wants, inner)
  const lefts = widths.map((_, column) => MARGIN + sum(widths.slice(0, column)))
  const right = MARGIN + sum(widths)

  const drawn: string[] = []
  let y = MARGIN
  if (title) {
    const face = { size: TITLE_SIZE, bold: true }
    const lines = wrap(title, inner, face, MAX_TITLE_LINES)
    drawn.push(drawLines(lines, MARGIN, y, face))
    y += lines.length * lineHeight(TITLE_SIZE) + 18
  }
  const top = y
  for (const [row, cells] of table.entries()) {
    const wrapped = cells.map((cell, column) =>
      wrap(cell, (widths[column] ?? 0) - 2 * PADDING.x, faceOf(column, row === 0), MAX_LINES),
    )
    const height = Math.max(1, ...wrapped.map((lines) => lines.length)) * lineHeight(size) + 2 * PADDING.y
    const fill = row === 0 ? HEADER : ZEBRA[row % 2]
    drawn.push(`<rect x="${MARGIN}" y="${y}" width="${right - MARGIN}" height="${height}" fill="${fill}"/>`)
    for (const [column, lines] of wrapped.entries()) {
      drawn.push(drawLines(lines, (lefts[column] ?? 0) + PADDING.x, y + PADDING.y, faceOf(column, row === 0)))
    }
    y += height
  }
  for (const x of lefts.slice(1)) drawn.push(`<path d="M${x},${top} V${y}" stroke="${EDGE}" stroke-opacity="0.4"/>`)
  drawn.push(
    `<rect x="${MARGIN}" y="${top}" width="${right - MARGIN}" height="${y - top}" fill="none" stroke="${EDGE}" stroke-width="2"/>`,
  )
  const height = y + MARGIN
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img"`,
    ` font-family="Noto Sans SC, Noto Sans, sans-serif" fill="${INK}">`,
    title ? `<title>${escapeXml(clean(title))}</title>` : '',
    `<rect width="${WIDTH}" height="${height}" rx="24" fill="${PAPER}"/>`,
    ...drawn.filter((part) => part !== ''),
    '</svg>',
  ].join('\n')
}
