/** Owns the cutting of a card into passages: one per section, more when a section is long. */

import { readMarkdown } from './markdown.js'
import type { Passage, Unit } from './model.js'

/** Longest passage in characters. Long enough for an encyclopaedia's paragraph, short enough to rank by. */
const LONGEST_PASSAGE = 1800
/** Deeper headings stay in the passage of the section they stand in. */
const DEEPEST_SECTION = 3

/**
 * @param text the whole file, front matter included
 * @param bodyStart where the Markdown begins
 * @returns passages in order; the ones before the first heading have the heading ''. Headings without text under them
 *   give no passage.
 */
export function passagesOf(text: string, bodyStart: number): Passage[] {
  const passages: Passage[] = []
  const trail: { depth: number; text: string }[] = []
  let units: Unit[] = []

  const flush = () => {
    const heading = trail.map((step) => step.text).join(' › ')
    for (const group of groupsOf(units)) passages.push(toPassage(group, heading, text, bodyStart))
    units = []
  }
  for (const block of readMarkdown(text.slice(bodyStart))) {
    if (block.kind === 'units') {
      units.push(...block.units)
    } else if (block.depth <= DEEPEST_SECTION) {
      flush()
      while ((trail.at(-1)?.depth ?? 0) >= block.depth) trail.pop()
      // The card's title is already known; a level-1 heading would only repeat it in every trail.
      if (block.depth > 1) trail.push({ depth: block.depth, text: block.text })
    }
  }
  flush()
  return passages
}

/** Splits between units only, so that no sentence and no command is torn. */
function groupsOf(units: Unit[]): Unit[][] {
  const groups: Unit[][] = []
  let group: Unit[] = []
  for (const unit of units) {
    const first = group[0]
    if (first !== undefined && unit.end - first.start > LONGEST_PASSAGE) {
      groups.push(group)
      group = []
    }
    group.push(unit)
  }
  if (group.length > 0) groups.push(group)
  return groups
}

function toPassage(units: Unit[], heading: string, text: string, bodyStart: number): Passage {
  const start = Math.min(...units.map((unit) => unit.start))
  const end = Math.max(...units.map((unit) => unit.end))
  return {
    heading,
    body: text.slice(bodyStart + start, bodyStart + end),
    start: bodyStart + start,
    line: text.slice(0, bodyStart + start).split('\n').length,
    units: units.map((unit) => ({ ...unit, start: unit.start - start, end: unit.end - start })),
  }
}
