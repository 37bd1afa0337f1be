// Takes up a policy file that has changed while the server runs: whole, or not at all.
import { unwatchFile, watchFile } from 'node:fs'
import type { Logger } from 'pino'
import { type Actions, PolicyError } from '../actions/index.js'
import { policyPath, readPolicy } from './main.js'

/** Looked at by its times: editors and configuration tools put a new file in the place of the old one. */
const LOOK_MS = 1_000

export interface PolicyWatch {
  close(): void
}

export function watchPolicy(file: string, replacePolicy: Actions['replacePolicy'], log: Logger): PolicyWatch {
  const path = policyPath(file)
  let inForce = readPolicy(file)
  const look = (): void => {
    try {
      const source = readPolicy(file)
      if (source === inForce) return
      const { unreachable } = replacePolicy(source)
      inForce = source
      log.info({ policy: path }, 'the policy was changed')
      if (unreachable.length > 0) log.warn({ policy: path, unreachable }, 'some permits can never decide')
    } catch (error) {
      const problems = error instanceof PolicyError ? { problems: error.problems } : { err: error }
      log.error({ policy: path, ...problems }, 'the changed policy cannot be used: the one before stays in force')
    }
  }
  watchFile(path, { interval: LOOK_MS, persistent: false }, look)
  return { close: () => unwatchFile(path, look) }
}
