// What is built, for tests of that which runs in a thread or a process of its own.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** Builds when a source is newer than the build, as the command line does. @param file below dist @returns its path */
export function builtFile(file: string): string {
  execFileSync(process.execPath, [at('bin/hypercall.mjs'), '--version'], { stdio: ['ignore', 'ignore', 'inherit'] })
  return at(`dist/${file}`)
}
