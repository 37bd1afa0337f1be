// What a call was given, in a form fit to be kept: long texts become their digest, secrets never get in.
import { createHash } from 'node:crypto'
import { wordsOf } from '../words.js'
import { scrub } from './secrets.js'

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

const NAME = /^[A-Za-z_][A-Za-z0-9_]*(?==)/

/** A value that is not as it should be may hold the secret anywhere, so nothing of it is shown. */
function hide(value: string): string {
  const names = (wordsOf(value) ?? ['']).map((word) => NAME.exec(word)?.[0])
  return names.includes(undefined) ? '…' : names.map((name) => `${name}=…`).join(' ')
}

/** @param fields those of the action that it is the input of @returns the input without secrets, fit to be shown and kept */
export function withoutSecrets(
  input: Readonly<Record<string, unknown>>,
  fields: readonly { readonly name: string; readonly secret?: boolean }[],
): Readonly<Record<string, unknown>> {
  const secret = new Set(fields.filter((field) => field.secret).map(({ name }) => name))
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => [
      name,
      secret.has(name) ? hide(String(value)) : typeof value === 'string' ? scrub(value) : value,
    ]),
  )
}
