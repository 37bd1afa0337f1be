// Which processes that share this state are alive. Each holds a lock on a file of its own; the kernel lets go of it
// when the process ends, however it ends, so no heartbeat and no guess about process ids is needed.
import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'

export interface Liveness {
  /** This process's name in the register. */
  readonly self: string
  /** A folder of this process's own, for what is not whole yet. */
  readonly workFolder: string
  isAlive(process: string): boolean
  /** Removes what dead processes left: their half-written files first, then their names. */
  sweep(): void
  close(): void
}

const tryLock = (file: string): Sqlite.Database | undefined => {
  const db = new Sqlite(file, { timeout: 0 })
  try {
    db.exec('BEGIN EXCLUSIVE')
    return db
  } catch (error) {
    db.close()
    if (error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')) return undefined
    throw error
  }
}

/** @param folder where the lock files are; made if missing */
export function openLiveness(folder: string): Liveness {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const self = randomUUID()
  const fileOf = (process: string) => join(folder, `${process}.lock`)
  const workOf = (process: string) => join(folder, process)
  const own = tryLock(fileOf(self))
  if (!own) throw new Error(`another process holds ${fileOf(self)}`)
  mkdirSync(workOf(self), { mode: 0o700 })
  const known = () =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.lock'))
      .map((name) => name.slice(0, -'.lock'.length))

  const isAlive = (process: string): boolean => {
    if (process === self) return true
    if (!known().includes(process)) return false
    const lock = tryLock(fileOf(process))
    lock?.close()
    return lock === undefined
  }
  return {
    self,
    workFolder: workOf(self),
    isAlive,
    sweep() {
      for (const process of known()) {
        if (isAlive(process)) continue
        rmSync(workOf(process), { recursive: true, force: true })
        rmSync(fileOf(process), { force: true })
      }
    },
    close() {
      rmSync(workOf(self), { recursive: true, force: true })
      own.close()
      rmSync(fileOf(self), { force: true })
    },
  }
}
