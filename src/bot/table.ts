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

const GAP = '  '
const INDENT = '  '

const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - displayWidth(text)))

/** Splits the columns into lines of at most `most`; a row takes as many lines as there are groups. */
function groupsOf(widths: readonly number[], most: number): number[][] {
  const groups: number[][] = []
  let left = 0
  widths.forEach((width, column) => {
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

export interface TableText {
  /** The columns' names and a rule below them. */
  readonly head: string
  /** One text per row, of one or more lines. */
  readonly rows: string[]
}

/**
 * Columns that are empty in every row are left out, as they say nothing.
 * @param most columns of one line: wider tables fold, they lose nothing
 */
export function tableText(columns: readonly string[], rows: readonly (readonly string[])[], most: number): TableText {
  const flat = (cell: string | undefined) => (cell ?? '').replaceAll(/\s+/g, ' ').trim()
  const all = rows.map((row) => columns.map((_, column) => flat(row[column])))
  const used = columns.flatMap((_, column) => (all.some((row) => row[column] !== '') ? [column] : []))
  const kept = used.length > 0 ? used : [...columns.keys()]
  const pick = (row: readonly string[]) => kept.map((column) => row[column] ?? '')
  const names = pick(columns.map(flat))
  const cells = all.map(pick)

  const widths = names.map((name, column) =>
    // One endless cell must not pad all the others.
    Math.min(
      most,
      cells.reduce((width, row) => Math.max(width, displayWidth(row[column] ?? '')), displayWidth(name)),
    ),
  )
  const groups = groupsOf(widths, most)
  const line = (row: readonly string[]) =>
    groups
      .map((group, index) => {
        const text = group.map((column) => pad(row[column] ?? '', widths[column] ?? 0)).join(GAP)
        return `${index === 0 ? '' : INDENT}${text}`.trimEnd()
      })
      .filter((text, index) => index === 0 || text !== '')
      .join('\n')
  const spans = groups.map((group) =>
    group.reduce((sum, column) => sum + (widths[column] ?? 0) + GAP.length, -GAP.length),
  )
  const rule = '-'.repeat(Math.min(most, Math.max(1, ...spans)))
  return { head: `${line(names)}\n${rule}`, rows: cells.map(line) }
}
