/** Checks values against Discord's description of its API: requests and answers alike, unknown properties refused. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { loadDescription } from './description.js'

export interface Spec {
  /** @returns what is wrong with the value, one sentence each; empty when it conforms */
  problems(schema: string, value: unknown): string[]
}

// A union reports every member's complaints. The deepest ones belong to the member that was meant.
function deepest(errors: ErrorObject[]): string[] {
  const depth = (error: ErrorObject) => error.instancePath.split('/').length
  const telling = errors.filter((error) => error.keyword !== 'anyOf' && error.keyword !== 'const')
  const fits = telling.filter((error) => !(error.keyword === 'enum' && error.instancePath.endsWith('/type')))
  const kept = fits.length > 0 ? fits : errors
  const most = Math.max(...kept.map(depth))
  const sentences = kept
    .filter((error) => depth(error) === most)
    .map(({ instancePath, message, params }) => {
      const extra = params.additionalProperty ?? (Array.isArray(params.allowedValues) && params.allowedValues)
      return `${instancePath || '/'} ${message}${extra ? ` (${String(extra)})` : ''}`
    })
  return [...new Set(sentences)].slice(0, 4)
}

/** @param schemas those in use: compiled now, because the first check of a large one would eat into the 3 s clock */
export async function createSpec(schemas: Iterable<string>): Promise<Spec> {
  const ajv = new Ajv2020({ strict: false })
  formats.default(ajv)
  ajv.addSchema({ $id: 'discord', ...(await loadDescription()) })
  const compiled = new Map<string, ValidateFunction>()
  for (const name of schemas) compiled.set(name, ajv.compile({ $ref: `discord#/$defs/${name}` }))

  return {
    problems(schema, value) {
      const validate = compiled.get(schema)
      if (!validate) throw new Error(`${schema} was not among the schemas the double compiled at its start`)
      return validate(value) ? [] : deepest(validate.errors ?? [])
    },
  }
}
