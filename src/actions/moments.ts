// A moment as people type it: how long ago (`10m`, `2h`, `1d`), or when (ISO 8601).
import { AppError } from './errors.js'

const SECOND_MS = 1_000
const UNITS_MS: Readonly<Record<string, number>> = {
  s: SECOND_MS,
  m: 60 * SECOND_MS,
  h: 3_600 * SECOND_MS,
  d: 86_400 * SECOND_MS,
}
/** A date, with a time of day and a zone if one is given: what else Date.parse takes differs between machines. */
const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/

/** @param now epoch ms @returns epoch ms @throws AppError INVALID_INPUT */
export function momentOf(text: string, now: number): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  // Without a zone it is UTC, as every time that is shown.
  const zoned = /T.*(Z|[+-]\d\d:\d\d)$/.test(text) || !text.includes('T') ? text : `${text}Z`
  const at =
    count === undefined
      ? ISO.test(text)
        ? Date.parse(zoned)
        : Number.NaN
      : now - Number(count) * (UNITS_MS[unit] ?? 0)
  if (Number.isNaN(at)) {
    throw new AppError('INVALID_INPUT', {
      problem: {
        en: `"${text}" is no time such as 10m, 2h, 1d or 2026-01-31T12:00:00Z`,
        zh: `“${text}”不是时间，应如 10m、2h、1d 或 2026-01-31T12:00:00Z`,
      },
    })
  }
  return at
}
