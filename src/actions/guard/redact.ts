// What a call was given, in a form fit to be kept: long texts become their digest, secrets never get in.
import { createHash } from 'node:crypto'

const LONGEST_KEPT = 512

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** JSON with sorted keys: the same value always gives the same text, whatever order it was typed in. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${entries.map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`).join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}

/** The input as the audit log keeps it: a text to be copied in is content, so only its size and digest stay. */
export function redactInput(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) =>
      typeof value === 'string' && (name === 'text' || value.length > LONGEST_KEPT)
        ? [name, { characters: value.length, sha256: sha256(value) }]
        : [name, value],
    ),
  )
}
