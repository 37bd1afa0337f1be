// What a button's or a form's custom_id says: the only thing of ours that Discord keeps and gives back.
import type { Choice } from '../../actions/index.js'
import { cut } from './markdown.js'

/** Discord, "Component Reference": custom_id has 1 to 100 characters. */
const LONGEST = 100

export type Press =
  | { readonly kind: 'confirm' | 'withdraw'; readonly token: string }
  /** A call that waits for its reason. */
  | { readonly kind: 'reason'; readonly token: string }
  /** A call, or the part of it that a form does not ask for. */
  | { readonly kind: 'do'; readonly action: string; readonly input: Readonly<Record<string, unknown>> }
  /** Of a form about a message of the channel that it was opened in. */
  | { readonly kind: 'note'; readonly action: string; readonly message: string; readonly author: string }

export const confirmId = (token: string): string => `confirm:${token}`
export const withdrawId = (token: string): string => `withdraw:${token}`
export const reasonId = (token: string): string => `reason:${token}`

export const noteId = (action: string, message: string, author: string): string => {
  const head = `note:${action}:${message}:`
  return `${head}${cut(author, LONGEST - head.length)}`
}

export const doId = (action: string, input: Readonly<Record<string, unknown>>): string =>
  `do:${action}:${JSON.stringify(input)}`

/** @returns undefined where the input is too long to be carried by a button; a draft is cut to what room there is */
export function choiceId({
  action,
  input,
  draft = {},
}: Pick<Choice, 'action' | 'input' | 'draft'>): string | undefined {
  let words = draft
  let id = doId(action, { ...input, ...words })
  while (id.length > LONGEST) {
    const [name, text] = Object.entries(words).sort(([, a], [, b]) => b.length - a.length)[0] ?? []
    if (name === undefined || text === undefined || text.length <= 1) return undefined
    words = { ...words, [name]: cut(text, text.length - 1) }
    id = doId(action, { ...input, ...words })
  }
  return id
}

function readInput(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** @returns undefined for anything that this bot does not write */
export function readCustomId(id: string): Press | undefined {
  const [, kind, rest = ''] = /^(confirm|withdraw|reason|do|note):(.+)$/s.exec(id) ?? []
  if (kind === 'confirm' || kind === 'withdraw' || kind === 'reason') return { kind, token: rest }
  const [, action, said = ''] = /^([a-z0-9.-]+):(.+)$/s.exec(rest) ?? []
  if (action === undefined) return undefined
  if (kind === 'do') {
    const input = readInput(said)
    return input && { kind, action, input }
  }
  const [, message, author] = /^(\d+):(.*)$/s.exec(said) ?? []
  return message === undefined || author === undefined ? undefined : { kind: 'note', action, message, author }
}
