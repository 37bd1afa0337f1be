// Libraries that are made of hundreds of small modules, each in one file: Node keeps tens of kilobytes for a module beside what
// is in it, which for typebox alone makes 20 MB of the process, and a fifth of a second of its start (`npm run bench:idle`).
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { build } from 'esbuild'

const LIBRARIES = /^(typebox|parse5|hast-util-|mdast-util-|micromark-)/
const IMPORTED = /(?<=\b(?:from |import\()')[^'.\n][^'\n]*(?=')/g

/** `typebox/value` → `typebox-value` */
const nameOf = (library) => library.replaceAll('/', '-')

/**
 * Bundles them and leads what was compiled to the bundles.
 * @param {string} dist what the compiler wrote
 */
export async function bundleLibraries(dist) {
  const folder = join(dist, 'libraries')
  const files = (await readdir(dist, { recursive: true })).filter((file) => file.endsWith('.js'))
  const found = new Set()
  for (const file of files) {
    const path = join(dist, file)
    const before = await readFile(path, 'utf8')
    const after = before.replaceAll(IMPORTED, (library) => {
      if (!LIBRARIES.test(library)) return library
      found.add(library)
      const to = relative(dirname(path), join(folder, `${nameOf(library)}.js`)).replaceAll('\\', '/')
      return to.startsWith('.') ? to : `./${to}`
    })
    if (after !== before) await writeFile(path, after)
  }
  await build({
    entryPoints: [...found].map((library) => ({ in: library, out: nameOf(library) })),
    outdir: folder,
    bundle: true,
    // What several of them need is there once.
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    legalComments: 'eof',
    logLevel: 'warning',
  })
}
