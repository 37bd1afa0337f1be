// What makes a changed row show: each row's hash is over all that it says and over the hash of the row before it.
import { createHash } from 'node:crypto'

/** What a row says, in the order in which it is hashed. A column, once here, stays where it is. */
export const COLUMNS = [
  'seq',
  'at',
  'request_id',
  'phase',
  'process',
  'tenant',
  'principal',
  'principal_name',
  'roles',
  'surface',
  'action',
  'effect',
  'host',
  'instance',
  'input',
  'digest',
  'policies',
  'approvals',
  'outcome',
  'bytes',
  'duration_ms',
] as const

export type Said = Readonly<Record<(typeof COLUMNS)[number], string | number | null>>

/** The hash before the first row. */
export const START = '0'.repeat(64)

/** @param before hash of the row before, in hex @returns this row's */
export const linkOf = (before: string, row: Said): string =>
  createHash('sha256')
    .update(before)
    .update(JSON.stringify(COLUMNS.map((column) => row[column])))
    .digest('hex')

/** Rows that are not as they were written, from `from` to `to` and both included; or a signature over one that is not ours. */
export interface Broken {
  readonly what: 'changed' | 'gone' | 'unsigned'
  readonly from: number
  readonly to: number
}

/** A row, as it is known from elsewhere. */
export interface Known {
  readonly seq: number
  readonly hash: string
}

/** Where the log begins. */
export const BEGINNING: Known = { seq: 0, hash: START }

/**
 * Follows the chain row by row, and takes it up again behind what is broken, so that only that is named.
 * @param base the row before the first @param known rows that must be there as they are known
 */
export function createFollower(base: Known, known: readonly Known[]) {
  let before = base.hash
  let last = base.seq
  let rows = 0
  const expected = new Map(known.map(({ seq, hash }) => [seq, hash]))
  const broken: Broken[] = []
  const add = (what: Broken['what'], from: number, to: number): void => {
    const latest = broken.at(-1)
    if (latest?.what === what && latest.to === from - 1) broken[broken.length - 1] = { ...latest, to }
    else broken.push({ what, from, to })
  }
  return {
    next(row: Said & Known): void {
      const isGap = row.seq !== last + 1
      if (isGap) add('gone', last + 1, row.seq - 1)
      const isKnown = (expected.get(row.seq) ?? row.hash) === row.hash
      // Behind a gap nobody knows what the row before it held, so only the next can be checked again.
      if (!isKnown || (!isGap && linkOf(before, row) !== row.hash)) add('changed', row.seq, row.seq)
      before = row.hash
      last = row.seq
      rows += 1
    },
    /** @param highest the highest number that was ever given to a row */
    end(highest: number): { rows: number; last: number; head: string; broken: readonly Broken[] } {
      const end = Math.max(highest, ...known.map(({ seq }) => seq))
      if (end > last) add('gone', last + 1, end)
      return { rows, last, head: before, broken }
    },
  }
}
