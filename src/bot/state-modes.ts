// What of the state folder others on this machine could read or change.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const OTHERS = 0o077

/** @returns the paths, each with its mode in octal */
export function openToOthers(folder: string): { readonly path: string; readonly mode: string }[] {
  const paths = [folder, ...readdirSync(folder).map((name) => join(folder, name))]
  return paths.flatMap((path) => {
    const stat = statSync(path, { throwIfNoEntry: false })
    const mode = (stat?.mode ?? 0) & 0o777
    return (mode & OTHERS) === 0 ? [] : [{ path, mode: mode.toString(8) }]
  })
}
