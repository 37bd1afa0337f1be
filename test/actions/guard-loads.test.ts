// Each part of the guard loads by itself: a test file that cannot be loaded says less than a test that fails.
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const ROOT = new URL('../../src/actions/', import.meta.url)
const parts = readdirSync(fileURLToPath(new URL('guard/', ROOT)), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `guard/${name}`)
const loaded = await Promise.all(
  ['gate.ts', ...parts].map(async (part) => {
    const failure: unknown = await import(new URL(part, ROOT).href).then(
      () => undefined,
      (error: unknown) => error,
    )
    return [part, failure] as const
  }),
)

it.each(loaded)('%s', (_, failure) => {
  expect(failure).toBeUndefined()
})
