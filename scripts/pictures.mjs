// npm run pictures: builds bench/pictures.ts and runs it on the product as built. Draws docs/discord/*.png.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureBuilt, ROOT } from './ready.mjs'

await ensureBuilt()
const { build } = await import('esbuild')
// As deep below the project as the helpers that it holds, which find what ships by their own place.
const outfile = join(ROOT, '.build', 'pictures', 'main.mjs')
await build({
  entryPoints: [join(ROOT, 'bench', 'pictures.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  plugins: [
    {
      // The catalog is read from its folder, so the product cannot be bundled.
      name: 'as built',
      setup({ onResolve }) {
        onResolve({ filter: /\/src\// }, ({ path }) => {
          return { path: join(ROOT, 'dist', path.slice(path.indexOf('/src/') + '/src/'.length)), external: true }
        })
      },
    },
  ],
})
await import(pathToFileURL(outfile).href)
