// npm run bench:NAME, npm run eval: builds bench/NAME.ts beside the product and runs it. Benchmarks print; `eval` fails
// under its floor.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureBuilt, ROOT } from './ready.mjs'

await ensureBuilt()
const { build } = await import('esbuild')
const name = process.argv[2]
const outfile = join(ROOT, '.build', `bench-${name}.mjs`)
await build({
  entryPoints: [join(ROOT, 'bench', `${name}.ts`)],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
})
await import(pathToFileURL(outfile).href)
