// Brings a clone to where it can run: packages as the lockfile says, and a build as new as the sources.
// Uses nothing but Node itself, since it may run before anything is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))
const at = (...parts) => join(ROOT, ...parts)

const digestOf = (file) => createHash('sha256').update(readFileSync(file)).digest('hex')
const readIfThere = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined)

/** Runs a program in the project; its output goes where errors go, so that ours stays clean. Exits as it does. */
export function run(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { cwd: ROOT, stdio: ['ignore', 2, 2], ...options })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

/** Installs when the lockfile is not the one that was installed from, or Node's version changed under a native module. */
export function ensureInstalled() {
  const stamp = at('node_modules', '.hypercall')
  const wanted = `${digestOf(at('package-lock.json'))} node-${process.versions.modules}`
  if (readIfThere(stamp) === wanted) return
  console.error('Installing packages (better-sqlite3 compiles: about two minutes the first time) …')
  run(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund'])
  writeFileSync(stamp, wanted)
}

function newest(folder) {
  let time = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    time = Math.max(time, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs)
  }
  return time
}

/** Builds when a source, or how it is built, is newer than the last build that finished. */
export async function ensureBuilt() {
  ensureInstalled()
  const stamp = at('dist', '.built')
  const sources = Math.max(
    newest(at('src')),
    newest(at('data', 'knowledge', 'diagrams')),
    ...[
      'tsconfig.json',
      'tsconfig.build.json',
      'package-lock.json',
      'scripts/build-libraries.mjs',
      'scripts/build-page.mjs',
      'scripts/build-dictionary.mjs',
      'scripts/build-diagrams.mjs',
      'scripts/build-traditional.mjs',
      'data/knowledge/glossary.yaml',
    ].map((file) => statSync(at(file)).mtimeMs),
  )
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= sources) return
  console.error('Building …')
  rmSync(at('dist'), { recursive: true, force: true })
  run(process.execPath, [at('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'])
  const { bundleLibraries } = await import('./build-libraries.mjs')
  await bundleLibraries(at('dist'))
  const { buildPage } = await import('./build-page.mjs')
  await buildPage(at('dist', 'bot', 'web'))
  const { buildDictionaryFile } = await import('./build-dictionary.mjs')
  await buildDictionaryFile(at('dist', 'dictionary.sqlite'))
  const { buildDiagrams } = await import('./build-diagrams.mjs')
  await buildDiagrams(at('dist', 'diagrams'))
  const { buildTraditional } = await import('./build-traditional.mjs')
  await buildTraditional(at('dist', 'traditional.json'))
  mkdirSync(at('dist', 'fonts'))
  for (const weight of ['Regular', 'Bold']) {
    const name = `NotoSansHans-${weight}.otf`
    copyFileSync(at('node_modules', '@embedpdf', 'fonts-sc', 'fonts', name), at('dist', 'fonts', name))
  }
  writeFileSync(stamp, '')
}
