// The only list of what can be done. Reads catalog/ and refuses at boot what some surface would refuse later.
import { readdir } from 'node:fs/promises'
import { Type } from 'typebox'
import Schema from 'typebox/schema'
import Value from 'typebox/value'
import type { Action } from './action.js'
import { AppError } from './errors.js'
import { describeFields, type FieldDescription, reasonField } from './fields.js'
import type { Bilingual } from './text.js'

export interface RegisteredAction extends Action {
  /** `container` of `container.list`; undefined for a verb of its own such as `ask`. */
  readonly group?: string
  readonly verb: string
  readonly fields: readonly FieldDescription[]
  /** @returns the input, checked @throws AppError INVALID_INPUT naming every field that is wrong */
  check(input: unknown): Readonly<Record<string, unknown>>
}

export interface Registry {
  readonly actions: readonly RegisteredAction[]
  /** @throws AppError ACTION_UNKNOWN */
  get(name: string): RegisteredAction
}

const NAME = /^[a-z][a-z0-9-]{0,31}(\.[a-z][a-z0-9-]{0,31})?$/

/** Discord, "Application Commands": the tightest of all surfaces, so what fits here fits everywhere. */
const LIMITS = { description: 100, options: 25, choices: 25, choice: 100, name: 32, form: 4 } as const

function problemWith(error: { keyword: string; instancePath: string; message: string; params: unknown }): Bilingual {
  const field = error.instancePath.slice(1)
  const params = (error.params ?? {}) as Record<string, unknown>
  const name = field === '' ? '' : `"${field}" `
  switch (error.keyword) {
    case 'required': {
      const missing = String((params.requiredProperties as string[] | undefined)?.join(', ') ?? params.missingProperty)
      return { en: `"${missing}" is missing`, zh: `缺少“${missing}”` }
    }
    case 'boolean':
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return { en: `${name}is not a field of this command`, zh: `${name}不是该命令的字段` }
    case 'minLength':
      return { en: `${name}is too short`, zh: `${name}太短` }
    case 'maxLength':
      return { en: `${name}is longer than ${params.limit} characters`, zh: `${name}超过 ${params.limit} 个字符` }
    case 'minimum':
      return { en: `${name}is below ${params.limit}`, zh: `${name}小于 ${params.limit}` }
    case 'maximum':
      return { en: `${name}is above ${params.limit}`, zh: `${name}大于 ${params.limit}` }
    case 'enum': {
      const allowed = (params.allowedValues as unknown[] | undefined)?.join(', ') ?? ''
      return { en: `${name}must be one of ${allowed}`, zh: `${name}必须是以下之一：${allowed}` }
    }
    case 'pattern':
      return { en: `${name}has characters that are not allowed`, zh: `${name}包含不允许的字符` }
    case 'type':
      return { en: `${name}must be ${params.type}`, zh: `${name}的类型应为 ${params.type}` }
    default:
      return { en: `${name}is not right (${error.message})`, zh: `${name}无效（${error.message}）` }
  }
}

function checker(action: Action): RegisteredAction['check'] {
  const closed = { ...action.input, additionalProperties: false }
  const validator = Schema.Compile(closed)
  return (input) => {
    if (typeof input !== 'object' || input === null || Array.isArray(input)) {
      throw new AppError('INVALID_INPUT', { problem: { en: 'it must be an object', zh: '应为对象' } })
    }
    // Every field is one value; what is nested could be nested deeper than a stack.
    const nested = Object.entries(input).find(([, field]) => typeof field === 'object')
    if (nested) {
      const name = nested[0].slice(0, 64)
      throw new AppError('INVALID_INPUT', {
        problem: { en: `"${name}" must be one value`, zh: `“${name}”应为单个值` },
      })
    }
    // Query strings, form fields and command lines carry only text; conversion never invents a value.
    const value = Value.Convert(action.input, structuredClone(input)) as Record<string, unknown>
    if (validator.Check(value)) return value
    const [, errors] = validator.Errors(value)
    const problems = errors
      // An unknown field is reported twice, once for the field and once for the object that holds it.
      .filter((error) => !(error.keyword === 'additionalProperties' && error.instancePath === ''))
      .map((error) => problemWith(error))
    throw new AppError('INVALID_INPUT', {
      problem: {
        en: [...new Set(problems.map((problem) => problem.en))].join('; '),
        zh: [...new Set(problems.map((problem) => problem.zh))].join('；'),
      },
    })
  }
}

/** Whatever is not a plain look takes the reason for it, which policy may ask for. */
function withReason(action: Action): Action {
  if (action.effect === 'read' || 'reason' in action.input.properties) return action
  return { ...action, input: Type.Object({ ...action.input.properties, reason: Type.Optional(reasonField) }) }
}

function register(defined: Action): RegisteredAction {
  const action = withReason(defined)
  const refuse = (why: string): never => {
    throw new Error(`action "${action.name}": ${why}`)
  }
  if (!NAME.test(action.name)) refuse('a name is `verb` or `group.verb`, lower case, at most 32 characters each')
  const [first = '', second] = action.name.split('.')
  for (const summary of [action.summary.en, action.summary.zh]) {
    if (summary.length < 1 || summary.length > LIMITS.description) refuse('a summary has 1 to 100 characters')
  }
  const fields = describeFields(action.input)
  if (fields.length + (action.acceptsFile ? 1 : 0) > LIMITS.options) refuse('more than 25 fields')
  for (const field of fields) {
    if (!/^[a-z][a-z0-9-]{0,31}$/.test(field.name)) refuse(`field "${field.name}" is not kebab-case`)
    for (const description of [field.description.en, field.description.zh]) {
      if (description.length > LIMITS.description) refuse(`the description of "${field.name}" exceeds 100 characters`)
    }
    if ((field.choices?.length ?? 0) > LIMITS.choices) refuse(`"${field.name}" has more than 25 choices`)
    if (field.choices?.some((choice) => choice.length > LIMITS.choice))
      refuse(`a choice of "${field.name}" is too long`)
  }
  const has = (name: string) => fields.some((field) => field.name === name)
  if (action.target === 'host' && !has('host')) refuse('its target is a host, so it needs the field `host`')
  if (action.target === 'instance' && !(has('host') && has('container'))) {
    refuse('its target is a container, so it needs the fields `host` and `container`')
  }
  if (action.target === 'image' && !(has('host') && has('image'))) {
    refuse('its target is an image, so it needs the fields `host` and `image`')
  }
  for (const target of ['card', 'artifact'] as const) {
    if (action.target === target && !has(target)) refuse(`its target needs the field \`${target}\``)
  }
  if (action.sendsTo !== undefined && !has('to')) refuse('it sends to another host, so it needs the field `to`')
  if (action.also && action.target !== 'instance') refuse('what it also does, it does to a container')
  if (action.needs !== undefined && !has('host')) refuse('it needs something of an engine, and has no host')
  const { message, form } = action
  const named = [...(message ? [message.into, message.source, message.id] : []), ...form.map(({ field }) => field)]
  const unknown = named.find((name) => name !== undefined && !has(name))
  if (unknown !== undefined) refuse(`it has no field "${unknown}" to be filled in`)
  if (form.length > LIMITS.form) refuse('a form has at most four fields')
  if (message && [message.name.en, message.name.zh].some(({ length }) => length < 1 || length > LIMITS.name)) {
    refuse('what is offered for a message is called something of 1 to 32 characters')
  }
  if (has('confirm') || has('file')) refuse('`confirm` and `file` belong to the call itself')
  return {
    ...action,
    ...(second === undefined ? {} : { group: first }),
    verb: second ?? first,
    fields,
    check: checker(action),
  }
}

/** @throws Error naming the first action that is invalid or defined twice */
export function createRegistry(actions: readonly Action[]): Registry {
  const byName = new Map<string, RegisteredAction>()
  for (const action of actions) {
    if (byName.has(action.name)) throw new Error(`action "${action.name}" is defined twice`)
    byName.set(action.name, register(action))
  }
  for (const action of byName.values()) {
    if (action.group !== undefined && byName.has(action.group)) {
      throw new Error(`"${action.group}" is both an action and a group of actions`)
    }
  }
  const sorted = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    actions: sorted,
    get(name) {
      const action = byName.get(name)
      if (!action) throw new AppError('ACTION_UNKNOWN', { action: name.slice(0, 64) })
      return action
    },
  }
}

/** Reads every file of catalog/: adding a verb is adding a file. */
export async function loadRegistry(): Promise<Registry> {
  const folder = new URL('./catalog/', import.meta.url)
  const files = (await readdir(folder)).filter((file) => /\.(js|ts)$/.test(file) && !file.endsWith('.d.ts')).sort()
  const modules = await Promise.all(
    files.map(async (file) => (await import(new URL(file, folder).href)) as { default?: Action }),
  )
  return createRegistry(
    modules.map((module, index) => {
      if (!module.default) throw new Error(`catalog/${files[index]} has no action as its default export`)
      return module.default
    }),
  )
}
