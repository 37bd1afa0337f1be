// What a button's custom_id says: the only thing of ours that Discord keeps and gives back.
import type { Choice } from '../../actions/index.js'

/** Discord, "Component Reference": custom_id has 1 to 100 characters. */
const LONGEST = 100

export type Press =
  | { readonly kind: 'confirm' | 'withdraw'; readonly token: string }
  | { readonly kind: 'do'; readonly action: string; readonly input: Readonly<Record<string, unknown>> }

export const confirmId = (token: string): string => `confirm:${token}`
export const withdrawId = (token: string): string => `withdraw:${token}`

/** @returns undefined where the input is too long to be carried by a button */
export function choiceId({ action, input }: Pick<Choice, 'action' | 'input'>): string | undefined {
  const id = `do:${action}:${JSON.stringify(input)}`
  return id.length <= LONGEST ? id : undefined
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
  const [, kind, rest = ''] = /^(confirm|withdraw|do):(.+)$/s.exec(id) ?? []
  if (kind === 'confirm' || kind === 'withdraw') return { kind, token: rest }
  const [, action, json = ''] = (kind === 'do' && /^([a-z0-9.-]+):(.+)$/s.exec(rest)) || []
  const input = action === undefined ? undefined : readInput(json)
  return action === undefined || input === undefined ? undefined : { kind: 'do', action, input }
}
