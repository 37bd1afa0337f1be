// Builds the page: its program into one file, its other files beside it.
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const WEB = fileURLToPath(new URL('../src/bot/web/', import.meta.url))

/** @param {string} outFolder made if missing; what the server is to serve below /page/ */
export async function buildPage(outFolder) {
  await mkdir(outFolder, { recursive: true })
  await build({
    entryPoints: [
      { in: join(WEB, 'client', 'main.tsx'), out: 'page' },
      { in: join(WEB, 'page.css'), out: 'page' },
    ],
    outdir: outFolder,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    charset: 'utf8',
    legalComments: 'eof',
    logLevel: 'warning',
  })
  for (const file of ['index.html', 'favicon.svg']) await copyFile(join(WEB, file), join(outFolder, file))
}
