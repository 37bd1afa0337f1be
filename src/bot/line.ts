// One typed line and the call it means, both ways: `/container start host:local web`. What is no command is a question.
// Read by the server for what it runs and by the page for what it offers to complete, so it needs neither of them.
import { AppError } from '../actions/errors.js'
import type { Bilingual, FieldDescription } from '../actions/index.js'

/** As much of an action as a line needs to know. */
export interface LineCommand {
  /** `verb` or `group.verb`. */
  readonly name: string
  readonly fields: readonly FieldDescription[]
}

export interface LineCall {
  readonly action: string
  /** Text as it was typed, `true` for a bare flag: whoever runs the call converts and checks. */
  readonly input: Readonly<Record<string, unknown>>
}

export interface Token {
  /** Where it stands in the line, end exclusive. */
  readonly start: number
  readonly end: number
  /** Where its value begins: `start`, or after the `name:`. */
  readonly valueStart: number
  /** What stands before `:` or `=`, or after `--`. */
  readonly name?: string
  /** Whether it began with `--`. */
  readonly dashed: boolean
  /** Whether a `:` or `=` follows the name. */
  readonly separated: boolean
  readonly quoted: boolean
  /** Whether its quotation mark was never closed. */
  readonly open: boolean
  /** The value without its quotation marks. */
  readonly text: string
}

/** Chinese input methods type the wide forms, and nobody means them otherwise here. */
const CLOSING: Readonly<Record<string, string>> = { '"': '"', "'": "'", '“': '”' }
const HEAD = /^(--)?([a-z][a-z0-9-]*)([:=：＝])?/

const isSpace = (character: string | undefined): boolean => character !== undefined && /\s/.test(character)

function tokenAt(line: string, start: number): Token {
  const [, dashes, name, separator] = HEAD.exec(line.slice(start)) ?? []
  const named = name !== undefined && (dashes !== undefined || separator !== undefined)
  const valueStart = separator === undefined ? start : start + (dashes?.length ?? 0) + (name?.length ?? 0) + 1
  let at = valueStart
  let text = ''
  const closing = CLOSING[line[at] ?? '']
  let open = closing !== undefined
  if (closing !== undefined) {
    for (at += 1; at < line.length && open; at += 1) {
      const escaped = closing === '"' && line[at] === '\\' && (line[at + 1] === '"' || line[at + 1] === '\\')
      if (escaped) at += 1
      else if (line[at] === closing) {
        open = false
        continue
      }
      text += line[at]
    }
  }
  for (; at < line.length && !isSpace(line[at]); at += 1) text += line[at]
  return {
    start,
    end: at,
    valueStart,
    ...(named ? { name } : {}),
    dashed: dashes !== undefined,
    separated: separator !== undefined,
    quoted: closing !== undefined,
    open,
    text,
  }
}

/** The words of a line; a quotation mark counts where a word or its value begins, so that "what's" is one word. */
export function tokensOf(line: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < line.length; ) {
    if (isSpace(line[at])) {
      at += 1
      continue
    }
    const token = tokenAt(line, at)
    tokens.push(token)
    at = token.end
  }
  return tokens
}

/** The fields whose names may be left out, in order: the required ones, or the only one there is. */
export function positionalFields({ fields }: LineCommand): readonly FieldDescription[] {
  const required = fields.filter((field) => field.required)
  return required.length === 0 && fields.length === 1 ? fields : required
}

/** The field that takes all words which belong to no other: a question needs no quotation marks. */
function sentenceField(command: LineCommand): FieldDescription | undefined {
  const [only, second] = positionalFields(command)
  const isFree = only?.required && only.type === 'string' && !only.choices && !only.complete
  return isFree && !second ? only : undefined
}

/** How a command is typed. */
export const spell = (action: string): string => `/${action.replace('.', ' ')}`

/** Puts a value into quotation marks if it would be misread without. */
export const quote = (value: string): string =>
  value === '' || /[\s"]|^['“]/.test(value) ? `"${value.replaceAll(/[\\"]/g, '\\$&')}"` : value

/** @returns a line that `readLine` reads as this call */
export function writeLine({ action, input }: LineCall): string {
  const { question, ...rest } = input
  if (action === 'ask' && typeof question === 'string' && Object.keys(rest).length === 0 && !isCommand(question)) {
    return question.trim()
  }
  const words = Object.entries(input)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => (value === true ? name : `${name}:${quote(String(value))}`))
  return [spell(action), ...words].join(' ')
}

export const isCommand = (line: string): boolean => line.trimStart().startsWith('/')

/** @returns the command that the first words name, and the words after it */
export function commandOf<C extends LineCommand>(
  tokens: readonly Token[],
  commands: readonly C[],
): { readonly command: C; readonly words: readonly Token[] } | undefined {
  const spoken = tokens.slice(0, 2).map((token) => token.text.toLowerCase())
  const [first = '', second] = [spoken[0]?.slice(1), spoken[1]]
  const single = commands.find((candidate) => candidate.name === first)
  if (single) return { command: single, words: tokens.slice(1) }
  const double = second === undefined ? undefined : commands.find(({ name }) => name === `${first}.${second}`)
  return double && { command: double, words: tokens.slice(2) }
}

export interface Assigned {
  readonly input: Record<string, string | boolean>
  readonly problems: readonly Bilingual[]
}

/** Gives each word to its field. What does not fit is told, not dropped, so that a half-typed line can be read too. */
export function assign(line: string, words: readonly Token[], command: LineCommand): Assigned {
  const input: Record<string, string | boolean> = {}
  const problems: Bilingual[] = []
  const sentence = sentenceField(command)
  const names = command.fields.map((field) => field.name).join(', ')
  const fieldOf = (name: string | undefined) => command.fields.find((field) => field.name === name)
  const set = (name: string, value: string | boolean): void => {
    if (Object.hasOwn(input, name)) problems.push({ en: `"${name}" is given twice`, zh: `“${name}”重复出现` })
    else input[name] = value
  }
  /** A word that is a value although it looks named, as in `http://…`. */
  const whole = (token: Token): string => line.slice(token.start, token.valueStart) + token.text
  const loose: Token[] = []
  for (let at = 0; at < words.length; at += 1) {
    const token = words[at]
    if (!token) continue
    const field = fieldOf(token.name)
    const flag = token.separated || token.quoted ? undefined : fieldOf(token.name ?? token.text)
    if (flag?.type === 'boolean') set(flag.name, true)
    else if (field && field === sentence) {
      if (token.separated) loose.push(token)
    } else if (field && token.separated && (token.text !== '' || token.quoted)) set(field.name, token.text)
    else if (field) {
      at += 1
      const value = words[at]
      if (value) set(field.name, whole(value))
      else problems.push({ en: `"${field.name}" lacks a value`, zh: `“${field.name}”缺少值` })
    } else if (token.name !== undefined && !sentence) {
      problems.push({
        en: `"${token.name}" is not a field of ${spell(command.name)}, which takes: ${names || 'none'}`,
        zh: `“${token.name}”不是 ${spell(command.name)} 的字段，可用字段：${names || '无'}`,
      })
    } else loose.push(token)
  }
  if (sentence) {
    const isOwn = (token: Token) => token.name === sentence.name
    const [only, second] = loose
    if (only && !second) set(sentence.name, isOwn(only) ? only.text : whole(only))
    else if (only) {
      // Several words are a sentence as it stands, its quotation marks included.
      const spoken = loose.map((token) => line.slice(isOwn(token) ? token.valueStart : token.start, token.end))
      set(sentence.name, spoken.join(' ').trim())
    }
    return { input, problems }
  }
  if (words.some((token) => token.open)) {
    problems.unshift({ en: 'a quotation mark is not closed', zh: '引号没有闭合' })
  }
  const places = positionalFields(command).filter((field) => !Object.hasOwn(input, field.name))
  loose.forEach((token, index) => {
    const field = places[index]
    if (field) set(field.name, whole(token))
    else {
      problems.push({
        en: `"${whole(token)}" is one value too many for ${spell(command.name)}, which takes: ${names || 'none'}`,
        zh: `${spell(command.name)} 不需要多余的值“${whole(token)}”，可用字段：${names || '无'}`,
      })
    }
  })
  return { input, problems }
}

/**
 * @param line a question, or a command beginning with `/`
 * @throws AppError ACTION_UNKNOWN, INVALID_INPUT naming the fields the command has
 */
export function readLine(line: string, commands: readonly LineCommand[]): LineCall {
  if (!isCommand(line)) return { action: 'ask', input: { question: line.trim() } }
  const tokens = tokensOf(line)
  const found = commandOf(tokens, commands)
  if (!found) {
    const spoken = tokens.slice(0, 2).map((token) => token.text)
    throw new AppError('ACTION_UNKNOWN', { action: spoken.join(' ').slice(0, 64) })
  }
  const { input, problems } = assign(line, found.words, found.command)
  const [problem] = problems
  if (problem) throw new AppError('INVALID_INPUT', { problem })
  return { action: found.command.name, input }
}
