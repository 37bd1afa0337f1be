// What could come next in a half-typed command: its name, its fields, their values. Reads the line as the server will.
import type { FieldDescription, Lang } from '../../../actions/index.js'
import { assign, commandOf, positionalFields, quote, spell, type Token, tokensOf } from '../../line.js'
import type { Choice, Command } from './api.js'
import { say } from './text.js'
import { WORDS } from './words.js'

export interface Suggestion {
  readonly label: string
  readonly detail: string
  /** Put in place of what was typed so far. */
  readonly insert: string
  readonly required?: boolean
}

/** A field whose values only the server knows. */
export interface LiveField {
  readonly action: string
  readonly field: string
  readonly typed: string
  readonly input: Readonly<Record<string, unknown>>
}

export interface Completion {
  /** The part of the line that a suggestion replaces. */
  readonly start: number
  readonly end: number
  readonly suggestions: readonly Suggestion[]
  readonly live?: LiveField
  /** The first suggestion is what Enter takes: the line cannot be sent as it is. */
  readonly preselect: boolean
  /** What is being filled in. */
  readonly hint?: { readonly command: Command; readonly field?: string }
}

const MOST = 12

/** The page's own command, which the server does not know. */
export const HELP_COMMAND: Command = {
  name: 'help',
  summary: WORDS.helpSummary,
  effect: 'read',
  acceptsFile: false,
  fileTypes: [],
  fields: [],
}

const holds = (text: string, typed: string): boolean => text.toLowerCase().includes(typed.toLowerCase())
const begins = (text: string, typed: string): boolean => text.toLowerCase().startsWith(typed.toLowerCase())

function commandSuggestions(typed: string, commands: readonly Command[], lang: Lang, slash: string): Suggestion[] {
  const wanted = typed.toLowerCase().replaceAll(/[\s.]+/g, ' ')
  const spelled = commands.map((command) => ({ command, words: spell(command.name).slice(1) }))
  const first = spelled.filter(({ words }) => words.startsWith(wanted))
  const then = spelled.filter(({ words }) => !words.startsWith(wanted) && words.includes(wanted.trim()))
  return [...first, ...then].slice(0, MOST).map(({ command, words }) => ({
    label: `/${words}`,
    detail: say(lang, command.summary),
    insert: `${slash}${words}${slash !== '' && command.fields.length > 0 ? ' ' : ''}`,
  }))
}

const valueSuggestion = (value: string, detail: string): Suggestion => ({
  label: value,
  detail,
  insert: `${quote(value)} `,
})

function valuesOf(field: FieldDescription, typed: string, jobs: readonly string[]): Suggestion[] {
  const known = field.choices ?? (field.type === 'boolean' ? ['true', 'false'] : field.complete === 'job' ? jobs : [])
  return known.filter((value) => holds(value, typed)).map((value) => valueSuggestion(value, ''))
}

/** Of jobs the conversation knows those that matter in it. */
const isLive = (field: FieldDescription | undefined): boolean =>
  field?.complete !== undefined && field.complete !== 'job'

export const choiceSuggestions = (choices: readonly Choice[]): Suggestion[] =>
  choices.map(({ value, label }) => valueSuggestion(value, label))

interface Place {
  readonly command: Command
  readonly before: readonly Token[]
  readonly current: Token | undefined
}

/** @returns the field whose value stands at the caret, if its name does too, and where that value begins */
function namedValue(
  { command, before, current }: Place,
  caret: number,
): { field: FieldDescription; start: number } | undefined {
  const fieldOf = (token: Token | undefined) => command.fields.find((field) => field.name === token?.name)
  const own = current?.separated ? fieldOf(current) : undefined
  if (own && current) return { field: own, start: current.valueStart }
  const last = before.at(-1)
  const field = fieldOf(last)
  const waits = last && !last.quoted && (last.separated ? last.text === '' : field?.type !== 'boolean')
  return field && waits ? { field, start: current?.start ?? caret } : undefined
}

function fieldCompletion(line: string, caret: number, place: Place, lang: Lang, jobs: readonly string[]): Completion {
  const { command, before, current } = place
  const named = namedValue(place, caret)
  // What comes before the caret without the word at it, which is not finished.
  const settled = named && !current?.separated ? before.slice(0, -1) : before
  const { input } = assign(line, settled, command)
  const live = (field: FieldDescription, typed: string): { live?: LiveField } =>
    isLive(field) ? { live: { action: command.name, field: field.name, typed, input } } : {}
  const base = { end: caret, preselect: false }
  if (named) {
    const typed = current?.text ?? ''
    return {
      ...base,
      start: named.start,
      suggestions: valuesOf(named.field, typed, jobs),
      ...live(named.field, typed),
      hint: { command, field: named.field.name },
    }
  }
  const typed = current?.text ?? ''
  const next = positionalFields(command).find((field) => !Object.hasOwn(input, field.name))
  const fields = command.fields
    .filter((field) => !Object.hasOwn(input, field.name) && begins(field.name, typed.replace(/^--/, '')))
    // Its values are offered already.
    .filter((field) => typed !== '' || field !== next || !isLive(field))
    .map((field): Suggestion => {
      const isFlag = field.type === 'boolean'
      return {
        label: isFlag ? field.name : `${field.name}:`,
        detail: say(lang, field.description),
        insert: isFlag ? `${field.name} ` : `${field.name}:`,
        required: field.required,
      }
    })
  return {
    ...base,
    start: current?.start ?? caret,
    suggestions: [...(next ? valuesOf(next, typed, jobs) : []), ...fields],
    ...(next ? live(next, typed) : {}),
    hint: { command, ...(next ? { field: next.name } : {}) },
  }
}

/**
 * @param caret where the next character would go; what is behind it stays
 * @param jobs the jobs that this conversation knows of
 * @returns undefined where nothing is to be completed, as in a question
 */
export function completionAt(
  line: string,
  caret: number,
  commands: readonly Command[],
  lang: Lang,
  jobs: readonly string[],
): Completion | undefined {
  const head = line.slice(0, caret)
  if (!head.startsWith('/')) return undefined
  const help = /^\/help\s+/i.exec(head)
  if (help) {
    const suggestions = commandSuggestions(head.slice(help[0].length), commands, lang, '')
    return { start: help[0].length, end: caret, suggestions, preselect: false }
  }
  const tokens = tokensOf(head)
  const last = tokens.at(-1)
  const current = last && (last.open || last.end === caret) ? last : undefined
  const before = current ? tokens.slice(0, -1) : tokens
  const found = commandOf(before, commands)
  if (found) return fieldCompletion(head, caret, { command: found.command, before: found.words, current }, lang, jobs)
  const typed = head.slice(1)
  const all = [...commands, HELP_COMMAND]
  const isWhole = all.some((command) => spell(command.name) === head.trimEnd().toLowerCase())
  return { start: 0, end: caret, suggestions: commandSuggestions(typed, all, lang, '/'), preselect: !isWhole }
}
