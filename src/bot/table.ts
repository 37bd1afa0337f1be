// Tables in a fixed-width font, where a Chinese character takes two columns and a narrow screen folds what is wide.

/** Extended pictographs and the East Asian wide and full-width blocks (Unicode, UAX #11). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u

/** Columns that a text takes in a fixed-width font. */
export function displayWidth(text: string): number {
  let width = 0
  for (const character of text) width += NO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return width
}

const IDEOGRAPHIC_SPACE = '\u3000'

/** Lines of a row, beyond which an eye no longer finds its column. */
const MOST_FOLDS = 2
const GAP = '  '
const INDENT = '  '

/** How many characters of a text are wide, and how many columns its others take. */
function widthsOf(text: string): { wide: number; narrow: number } {
  let wide = 0
  let narrow = 0
  for (const character of text) {
    if (NO_WIDTH.test(character)) continue
    if (WIDE.test(character)) wide += 1
    else narrow += 1
  }
  return { wide, narrow }
}

/** A column: how wide it is, and how a cell of it is filled up. */
interface Column {
  readonly width: number
  pad(text: string): string
}

/** Of as many numbers as there are: a call takes only so many arguments. */
const largest = (numbers: readonly number[]): number => numbers.reduce((most, number) => Math.max(most, number), 0)

function exactColumn(cells: readonly string[], most: number): Column {
  // One endless cell must not pad all the others.
  const width = Math.min(most, largest(cells.map(displayWidth)))
  return { width, pad: (text) => text + ' '.repeat(Math.max(0, width - displayWidth(text))) }
}

function lenientColumn(cells: readonly string[], most: number): Column {
  const widths = cells.map(widthsOf)
  const wide = largest(widths.map((one) => one.wide))
  const narrow = largest(widths.map((one) => one.narrow))
  const width = 2 * wide + narrow
  if (width > most) return exactColumn(cells, most)
  const pad = (text: string) => {
    const own = widthsOf(text)
    return text + IDEOGRAPHIC_SPACE.repeat(wide - own.wide) + ' '.repeat(narrow - own.narrow)
  }
  return { width, pad }
}

/** Splits the columns into lines of at most `most`; a row takes as many lines as there are groups. */
function groupsOf(columns: readonly Column[], most: number): number[][] {
  const groups: number[][] = []
  let left = 0
  columns.forEach(({ width }, column) => {
    const group = groups.at(-1)
    if (group && width + GAP.length <= left) {
      group.push(column)
      left -= width + GAP.length
    } else {
      left = most - width - (groups.length === 0 ? 0 : INDENT.length)
      groups.push([column])
    }
  })
  return groups
}

export interface Grid {
  readonly names: readonly string[]
  /** One line each. */
  readonly rows: readonly (readonly string[])[]
}

/** Without the columns that are empty in every row, as they say nothing. */
export function gridOf(columns: readonly string[], rows: readonly (readonly string[])[]): Grid {
  const flat = (cell: string | undefined) => (cell ?? '').replaceAll(/\s+/g, ' ').trim()
  const all = rows.map((row) => columns.map((_, column) => flat(row[column])))
  const used = columns.flatMap((_, column) => (all.some((row) => row[column] !== '') ? [column] : []))
  const kept = used.length > 0 ? used : [...columns.keys()]
  const pick = (row: readonly string[]) => kept.map((column) => row[column] ?? '')
  return { names: pick(columns.map(flat)), rows: all.map(pick) }
}

export interface TableText {
  /** The columns' names and a rule below them. */
  readonly head: string
  /** One text per row, of one or more lines. */
  readonly rows: string[]
  /** Whether columns still stand below each other: every cell fits into a line, and lines hold more than one of them. */
  readonly isLegible: boolean
}

export interface TableOptions {
  /** Columns of one line: wider tables fold, they lose nothing. */
  readonly most: number
  /**
   * Aligned also where a wide character is not as wide as two others, as in most fonts but a terminal's: each cell of a column
   * gets as many wide characters as the others. Takes more room where only some have any.
   */
  readonly isLenient?: boolean
}

export function tableText(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  { most, isLenient = false }: TableOptions,
): TableText {
  const grid = gridOf(columns, rows)
  const cellsOf = (column: number) => [grid.names, ...grid.rows].map((row) => row[column] ?? '')
  const made = grid.names.map((_, column) => (isLenient ? lenientColumn : exactColumn)(cellsOf(column), most))
  const groups = groupsOf(made, most)
  const line = (row: readonly string[]) =>
    groups
      .map((group, index) => {
        const text = group.map((column) => made[column]?.pad(row[column] ?? '')).join(GAP)
        return `${index === 0 ? '' : INDENT}${text}`.trimEnd()
      })
      .filter((text, index) => index === 0 || text !== '')
      .join('\n')
  const spans = groups.map((group, index) =>
    group.reduce(
      (sum, column) => sum + (made[column]?.width ?? 0) + GAP.length,
      (index === 0 ? 0 : INDENT.length) - GAP.length,
    ),
  )
  const rule = '-'.repeat(Math.min(most, Math.max(1, ...spans)))
  const isLegible =
    groups.length <= MOST_FOLDS &&
    (groups.length === 1 || groups.length < made.length) &&
    grid.rows.every((row) => row.every((cell) => displayWidth(cell) <= most - INDENT.length))
  return { head: `${line(grid.names)}\n${rule}`, rows: grid.rows.map(line), isLegible }
}
