// The actions room as the product opens it, on a state folder of its own and a real engine.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { dockerDriver } from '../../src/actions/hosts/docker/driver.js'
import {
  type Actions,
  type Call,
  type Host,
  loadRegistry,
  type Outcome,
  openActions,
  type Rates,
  type Seal,
} from '../../src/actions/index.js'
import type { JobLimits } from '../../src/actions/jobs/jobs.js'
import { openDatabase } from '../../src/bot/database.js'
import { type Knowledge, openKnowledge } from '../../src/knowledge/base.js'
import { principal } from './caller.js'

export { codeOf, principal } from './caller.js'

const shipped = (name: string): string => readFileSync(new URL(`../../data/${name}`, import.meta.url), 'utf8')

/** Where a click of the asker's own is enough for nearly everything, so that tests of verbs need nobody else. */
export const POLICY = shipped('policy-small-team.cedar')
/** As a server has it that nobody gave another one. */
export const DEFAULT_POLICY = shipped('policy.cedar')

export const dockerHost = (name: string, socketPath: string, tenants: readonly string[] = ['local']): Host => ({
  name,
  labels: {},
  tenants,
  endpoint: `unix://${socketPath}`,
  driver: dockerDriver(name, { kind: 'unix', path: socketPath }),
})

/** Tests call faster than people do. */
const UNLIMITED: Rates = { read: 1e6, change: 1e6, destroy: 1e6, disclose: 1e6, ask: 1e6 }

export interface Room {
  readonly actions: Actions
  readonly db: Database
  readonly knowledge: Knowledge
  readonly stateFolder: string
  readonly bugs: unknown[]
  /** What was signed. */
  readonly seals: readonly Seal[]
  /** Epoch ms; assign to move the clock. */
  now: () => number
  call(name: string, input: object, more?: Partial<Call>): Promise<Outcome>
  /** Calls, says yes if asked to, and gives back the output. */
  does<T>(name: string, input: object, more?: Partial<Call>): Promise<T>
  close(): Promise<void>
}

export interface RoomOptions {
  readonly hosts?: readonly Host[]
  readonly policy?: string
  readonly stateFolder?: string
  readonly minFreeBytes?: number
  readonly jobs?: Partial<JobLimits>
  readonly rates?: Partial<Rates>
  readonly quotaBytes?: number
  readonly auditKeptMs?: number
  readonly roles?: readonly string[]
  /** What a host's settings may name. */
  readonly environment?: Readonly<Record<string, string>>
}

export async function openRoom(options: RoomOptions = {}): Promise<Room> {
  const stateFolder = options.stateFolder ?? mkdtempSync(join(tmpdir(), 'hc-state-'))
  const db = openDatabase(stateFolder)
  const knowledge = openKnowledge(db)
  const bugs: unknown[] = []
  const seals: Seal[] = []
  const caller = principal(options.roles ?? ['admin'])
  let now = Date.now
  const actions = await openActions({
    registry: await loadRegistry(),
    db,
    stateFolder,
    knowledge,
    hosts: options.hosts ?? [],
    environment: (name) => options.environment?.[name],
    policy: options.policy ?? POLICY,
    minFreeBytes: options.minFreeBytes ?? 0,
    jobLimits: { running: 8, perHost: 4, perPrincipal: 64, ...options.jobs },
    rates: { ...UNLIMITED, ...options.rates },
    quotaBytes: options.quotaBytes ?? Number.MAX_SAFE_INTEGER,
    publicUrl: () => 'http://hypercall.test',
    now: () => now(),
    ...(options.auditKeptMs === undefined ? {} : { auditKeptMs: options.auditKeptMs }),
    onSeal: (seal) => seals.push(seal),
    onBug: (error) => bugs.push(error),
  })
  await actions.sweep()
  const room: Room = {
    actions,
    db,
    knowledge,
    stateFolder,
    bugs,
    seals,
    get now() {
      return now
    },
    set now(clock) {
      now = clock
    },
    call: (action, input, more = {}) =>
      actions.gate.call({
        principal: caller,
        surface: 'rest',
        lang: 'en',
        requestId: randomUUID(),
        action,
        input,
        signal: new AbortController().signal,
        ...more,
      }),
    async does<T>(action: string, input: object, more: Partial<Call> = {}) {
      let outcome = await room.call(action, input, more)
      if (outcome.status === 'confirm') outcome = await room.call(action, input, { ...more, confirm: outcome.token })
      if (outcome.status !== 'done') throw new Error(`${action} asked for a confirmation twice`)
      return outcome.output as T
    },
    async close() {
      await actions.close(0)
      db.close()
      if (options.stateFolder === undefined) rmSync(stateFolder, { recursive: true, force: true })
    },
  }
  return room
}
