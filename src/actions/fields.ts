// The input fields that verbs share, and what surfaces read off a field: its words and where its completions come from.
import { type TObject, type TSchema, Type } from 'typebox'
import type { Bilingual } from './text.js'

/** Which live values can complete a field. */
export type Completion = 'host' | 'container' | 'image' | 'job' | 'artifact' | 'approval' | 'card' | 'action'

/** What the id in a field is the id of; where a surface can offer these, people choose one. */
export type Reference = 'role' | 'channel'

interface FieldOptions {
  readonly optional?: true
  readonly complete?: Completion
  readonly secret?: true
  readonly refers?: Reference
}

/** Extra keywords: validators ignore them, OpenAPI prints them, surfaces read them through `describeField`. */
const ZH = 'x-zh'
const COMPLETE = 'x-complete'
const SECRET = 'x-secret'
const REFERS = 'x-refers'

const words = (description: Bilingual, options: FieldOptions) => ({
  description: description.en,
  [ZH]: description.zh,
  ...(options.complete ? { [COMPLETE]: options.complete } : {}),
  ...(options.secret ? { [SECRET]: true } : {}),
  ...(options.refers ? { [REFERS]: options.refers } : {}),
})

export const text = (
  description: Bilingual,
  limits: {
    min?: number
    max: number
    pattern?: string
    complete?: Completion
    /** Neither the audit log nor a confirmation shows its value; of `NAME=value` words they show the names. */
    secret?: true
    refers?: Reference
  },
) =>
  Type.String({
    minLength: limits.min ?? 1,
    maxLength: limits.max,
    ...(limits.pattern ? { pattern: limits.pattern } : {}),
    ...words(description, {
      ...(limits.complete ? { complete: limits.complete } : {}),
      ...(limits.secret ? { secret: limits.secret } : {}),
      ...(limits.refers ? { refers: limits.refers } : {}),
    }),
  })

export const integer = (description: Bilingual, limits: { min: number; max: number; byDefault?: number }) =>
  Type.Integer({
    minimum: limits.min,
    maximum: limits.max,
    ...(limits.byDefault === undefined ? {} : { default: limits.byDefault }),
    ...words(description, {}),
  })

export const flag = (description: Bilingual) => Type.Boolean(words(description, {}))

export const oneOf = <const Values extends string[]>(description: Bilingual, values: readonly [...Values]) =>
  Type.Enum([...values] as [...Values], words(description, {}))

/** What a surface needs to ask for one field. */
export interface FieldDescription {
  readonly name: string
  readonly required: boolean
  readonly type: 'string' | 'integer' | 'boolean'
  readonly description: Bilingual
  readonly choices?: readonly string[]
  readonly complete?: Completion
  readonly secret?: boolean
  readonly refers?: Reference
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
}

const optionalNumber = <K extends string>(key: K, value: unknown): { readonly [P in K]?: number } =>
  (typeof value === 'number' ? { [key]: value } : {}) as { readonly [P in K]?: number }

function describeField(name: string, schema: TSchema, required: boolean): FieldDescription {
  const raw = schema as unknown as Record<string, unknown>
  const choices = Array.isArray(raw.enum) ? raw.enum.map(String) : undefined
  const type = choices ? 'string' : raw.type
  if (type !== 'string' && type !== 'integer' && type !== 'boolean') {
    throw new Error(
      `field "${name}" is neither a string, an integer, a boolean nor a choice: surfaces cannot ask for it`,
    )
  }
  if (typeof raw.description !== 'string' || typeof raw[ZH] !== 'string') {
    throw new Error(`field "${name}" lacks a description in both languages`)
  }
  return {
    name,
    required,
    type,
    description: { en: raw.description, zh: raw[ZH] },
    ...(choices ? { choices } : {}),
    ...(typeof raw[COMPLETE] === 'string' ? { complete: raw[COMPLETE] as Completion } : {}),
    ...(raw[SECRET] === true ? { secret: true } : {}),
    ...(typeof raw[REFERS] === 'string' ? { refers: raw[REFERS] as Reference } : {}),
    ...optionalNumber('minLength', raw.minLength),
    ...optionalNumber('maxLength', raw.maxLength),
    ...optionalNumber('minimum', raw.minimum),
    ...optionalNumber('maximum', raw.maximum),
  }
}

/** The fields of an action's input, required ones first as Discord demands. @throws Error for a field no surface could ask for */
export function describeFields(input: TObject): FieldDescription[] {
  const required = new Set(input.required ?? [])
  return Object.entries(input.properties)
    .map(([name, schema]) => describeField(name, schema, required.has(name)))
    .sort((a, b) => Number(b.required) - Number(a.required))
}

export const hostField = text(
  { en: 'The host, by name; needed only where several are linked', zh: '主机名称；仅在连接多台主机时需要' },
  { max: 32, complete: 'host' },
)

/** Of an action that `sendsTo`. */
export const toField = text({ en: 'The host that it goes to', zh: '目标主机名称' }, { max: 32, complete: 'host' })

/** The engine's own rule for names; a reference can therefore stand in a URL path as it is. */
export const INSTANCE_PATTERN = '^[a-zA-Z0-9][a-zA-Z0-9_.-]*$'

export const containerField = text(
  { en: 'The container, by name or id', zh: '容器名称或 ID' },
  { max: 128, pattern: INSTANCE_PATTERN, complete: 'container' },
)

/** The engine wants at least two characters. */
export const newNameField = text(
  { en: 'Its new name: letters, digits, _ . -', zh: '新名称：字母、数字、_ . -' },
  { min: 2, max: 128, pattern: INSTANCE_PATTERN },
)

/** A tag with its registry and digest, or an id. */
export const IMAGE_PATTERN = '^[a-zA-Z0-9][a-zA-Z0-9_./:@-]*$'

export const imageField = text(
  { en: 'The image, by tag or id', zh: '镜像标签或 ID' },
  { max: 255, pattern: IMAGE_PATTERN, complete: 'image' },
)

/** A new name for an image; the engine's whole rule is checked when it is read. */
export const referenceField = text(
  { en: 'A name for it, as repository:tag, such as team/app:1.2', zh: '镜像名称，格式为 仓库:标签，例如 team/app:1.2' },
  { max: 400 },
)

export const artifactField = text(
  { en: 'The artifact, by its id', zh: '制品 ID' },
  { max: 64, pattern: '^[0-9a-f]+$', complete: 'artifact' },
)

export const approvalField = text(
  { en: 'The request for approval, by its id', zh: '审批请求 ID' },
  { max: 64, complete: 'approval' },
)

/** Of every action that is not a plain look, unless it has one of its own. */
export const reasonField = text(
  { en: 'What it is for; kept in the audit log', zh: '操作原因，记入审计日志' },
  { max: 300 },
)

export const jobField = text({ en: 'The job, by its id', zh: '任务 ID' }, { max: 64, complete: 'job' })

/** As the engine's own tools do. */
export const GRACE_SECONDS = 10

export const graceField = integer(
  { en: 'Seconds it gets to end by itself before it is killed', zh: '强制结束前等待其自行退出的秒数' },
  { min: 0, max: 300, byDefault: GRACE_SECONDS },
)

/** What an action on a host is told. */
export const onHost = { host: Type.Optional(hostField) }

/** What an action on one image is told. */
export const onImage = { host: Type.Optional(hostField), image: imageField }

/** What an action on one container is told. */
export const onContainer = { host: Type.Optional(hostField), container: containerField }
