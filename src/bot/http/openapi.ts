// Registry → OpenAPI. The input and output schemas are what the gate checks, so the document cannot drift from it.
import { ERRORS, type RegisteredAction, type Registry } from '../../actions/index.js'
import { routeOf } from './actions.js'

type Json = Readonly<Record<string, unknown>>

const ERROR_SCHEMA: Json = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message', 'details', 'requestId'],
      properties: {
        code: { enum: Object.keys(ERRORS) },
        message: { type: 'string' },
        details: { type: 'object' },
        requestId: { type: 'string' },
      },
    },
  },
}

const errorResponse: Json = {
  description: 'A failure; error.code says which',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
}

const CONFIRM: Json = {
  type: 'string',
  description: 'details.confirm of an earlier CONFIRMATION_REQUIRED or APPROVAL_REQUIRED',
}

function operation(action: RegisteredAction, method: 'get' | 'post'): Json {
  const properties = action.input.properties as Json
  const required = action.input.required ?? []
  const body = {
    type: 'object',
    required,
    properties: { ...properties, confirm: CONFIRM },
    additionalProperties: false,
  }
  const form = {
    ...body,
    properties: { ...body.properties, file: { type: 'string', format: 'binary', description: 'The content' } },
  }
  const output = { 'application/json': { schema: action.output } }
  return {
    operationId: `${action.name.replaceAll(/[.-]/g, '_')}${method === 'get' ? '' : '_post'}`,
    tags: [action.group ?? action.verb],
    summary: action.summary.en,
    'x-summary-zh': action.summary.zh,
    'x-effect': action.effect,
    ...(method === 'get'
      ? {
          parameters: Object.entries(properties).map(([name, schema]) => ({
            name,
            in: 'query',
            required: required.includes(name),
            schema,
          })),
        }
      : {
          requestBody: {
            required: required.length > 0,
            content: {
              'application/json': { schema: body },
              ...(action.acceptsFile ? { 'multipart/form-data': { schema: form } } : {}),
            },
          },
        }),
    responses: {
      ...(action.startsJob
        ? {
            202: {
              description: 'A job to follow',
              headers: { Location: { schema: { type: 'string' }, description: 'The job' } },
              content: output,
            },
          }
        : { 200: { description: 'Done', content: output } }),
      default: errorResponse,
    },
  }
}

export const openApi = (registry: Registry, version: string, publicUrl: string): Json => ({
  openapi: '3.1.0',
  info: { title: 'Hypercall', version, license: { name: 'MIT', identifier: 'MIT' } },
  servers: [{ url: publicUrl }],
  security: [{ token: [] }],
  paths: Object.fromEntries(
    registry.actions.map((action) => [
      routeOf(action),
      { ...(action.effect === 'read' ? { get: operation(action, 'get') } : {}), post: operation(action, 'post') },
    ]),
  ),
  components: {
    securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    schemas: { Error: ERROR_SCHEMA },
  },
})
