/**
 * Discord's own description of its API, as one JSON Schema document.
 *
 * The registry has it only as generated zod code (`discord-api-spec/zod`; no package ships the OpenAPI file). That code
 * is regular, so it is run here against a stand-in for `zod/mini` whose functions write JSON Schema. Every object refuses
 * unknown properties (the package's own `setStrictObject` comes too late: its schemas are built on import).
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import vm from 'node:vm'
import { transform } from 'esbuild'

export type Json = Record<string, unknown>

/** Documented, but absent from the description; discord.js sends them as `false`. */
const UNDESCRIBED = { tts: { type: 'boolean' }, enforce_nonce: { type: 'boolean' } }

/** One schema of the package. Rendered late: it may refer to schemas that are declared after it. */
class Part {
  constructor(
    readonly render: () => Json,
    readonly optional = false,
    readonly target: () => Part = () => this,
  ) {}

  check(...keywords: Json[]): Part {
    return new Part(() => Object.assign({}, this.render(), ...keywords), this.optional)
  }
}

const part = (schema: Json) => new Part(() => schema)
const closedObject = (properties: Json, required: string[]): Json => ({
  type: 'object',
  properties: { ...('allowed_mentions' in properties ? UNDESCRIBED : {}), ...properties },
  required,
  additionalProperties: false,
})
const objectOf = (shape: Record<string, Part>) =>
  closedObject(
    Object.fromEntries(Object.entries(shape).map(([key, value]) => [key, value.render()])),
    Object.keys(shape).filter((key) => !shape[key]?.optional),
  )
const orNull = (inner: Part) => () => ({ anyOf: [inner.render(), { const: null }] })

function zodWritingJsonSchema(nameOf: (target: Part) => string) {
  return {
    object: (shape: Record<string, Part>) => new Part(() => objectOf(shape)),
    lazy: (target: () => Part) => new Part(() => ({ $ref: `#/$defs/${nameOf(target())}` }), false, target),
    optional: (inner: Part) => new Part(inner.render, true),
    nullable: (inner: Part) => new Part(orNull(inner), inner.optional),
    nullish: (inner: Part) => new Part(orNull(inner), true),
    union: (members: Part[]) => new Part(() => ({ anyOf: members.map((member) => member.render()) })),
    array: (items: Part) => new Part(() => ({ type: 'array', items: items.render() })),
    record: (_key: Part, value: Part) => new Part(() => ({ type: 'object', additionalProperties: value.render() })),
    // Merged, not `allOf`: each closed half would refuse what the other half allows.
    intersection: (...halves: Part[]) =>
      new Part(() => {
        const [a, b] = halves.map((half) => half.target().render()) as { properties: Json; required: string[] }[]
        return closedObject({ ...a?.properties, ...b?.properties }, [...(a?.required ?? []), ...(b?.required ?? [])])
      }),
    literal: (value: unknown) => part({ enum: Array.isArray(value) ? value : [value] }),
    string: () => part({ type: 'string' }),
    number: () => part({ type: 'number' }),
    int32: () => part({ type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 }),
    boolean: () => part({ type: 'boolean' }),
    null: () => part({ const: null }),
    undefined: () => part({ not: {} }),
    unknown: () => part({}),
    minLength: (n: number) => ({ minLength: n, minItems: n, minProperties: n }),
    maxLength: (n: number) => ({ maxLength: n, maxItems: n, maxProperties: n }),
    minimum: (n: number) => ({ minimum: n }),
    maximum: (n: number) => ({ maximum: n }),
    regex: (pattern: RegExp) => ({ pattern: pattern.source }),
    url: () => ({ format: 'uri' }),
    iso: { datetime: () => ({ format: 'date-time' }) },
  }
}

/** Where the description is stricter than Discord, which takes a permission set as text and a file's index as a number. */
const TOLERATED = [
  ['ApplicationCommandUpdateRequest', 'default_member_permissions', { type: 'string', pattern: '^\\d{1,20}$' }],
  ['MessageAttachmentRequest', 'id', { type: 'integer', minimum: 0 }],
] as const

/** @returns `{ $defs }` with every schema of the description under its name there, e.g. `MessageResponse` */
export async function loadDescription(): Promise<{ $defs: Record<string, Json> }> {
  const path = fileURLToPath(import.meta.resolve('discord-api-spec/zod'))
  const { code } = await transform(await readFile(path, 'utf8'), { format: 'cjs' })
  const names = new Map<Part, string>()
  const z = zodWritingJsonSchema((target) => names.get(target) ?? 'unnamed')
  const module: { exports: Json } = { exports: {} }
  const requireZod = () => z
  vm.runInThisContext(`(function (module, require) {${code}\n})`, { filename: path })(module, requireZod)
  for (const [name, value] of Object.entries(module.exports)) {
    if (value instanceof Part) names.set(value, name.replace(/Schema$/, ''))
  }
  const $defs = Object.fromEntries([...names].map(([value, name]) => [name, value.render()]))
  for (const [schema, key, also] of TOLERATED) {
    const properties = $defs[schema]?.properties as Json
    properties[key] = { anyOf: [also, properties[key]] }
  }
  return { $defs }
}
