// Work that outlives its call: queued → running → done | failed | cancelled, with progress, cancel and recovery.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, type ErrorCode, type ErrorDetails, isErrorCode } from '../errors.js'
import type { AuditLog, AuditOutcome } from '../guard/audit.js'
import type { JobRow, JobState, JobStore } from './job-store.js'
import type { Liveness } from './liveness-store.js'

export interface Job {
  readonly id: string
  readonly principal: string
  readonly action: string
  readonly host?: string
  readonly instance?: string
  readonly state: JobState
  readonly phase?: Phase
  readonly bytes: number
  /** About how many there will be. */
  readonly totalBytes?: number
  readonly error?: { readonly code: ErrorCode; readonly details: ErrorDetails }
  readonly artifact?: string
  readonly result?: JobResult
  /** Epoch ms, as are the others. */
  readonly createdAt: number
  readonly startedAt?: number
  readonly finishedAt?: number
}

/** What a job does now, where it is not just moving bytes. */
export const PHASES = ['unpacking', 'checking'] as const
export type Phase = (typeof PHASES)[number]

export interface JobProgress {
  /** @param bytes moved so far @param totalBytes about how many there will be, where that is known */
  report(bytes: number, totalBytes?: number): void
  enter(phase: Phase): void
}

/** What a job came to, besides an artifact: small, and kept as long as the job is. */
export interface JobResult {
  /** The images that an engine has now. */
  readonly images?: readonly { readonly id: string; readonly tags: readonly string[] }[]
  /** Mounts inside the container that the artifact does not hold. */
  readonly leftOut?: readonly string[]
  /** Mounts inside the container, and the ids of the artifacts that hold them. */
  readonly volumes?: readonly { readonly path: string; readonly artifact: string }[]
}

export interface JobYield extends JobResult {
  /** The id of the artifact that was made. */
  readonly artifact?: string
}

export type JobWork = (signal: AbortSignal, progress: JobProgress) => Promise<JobYield>

/** Where a job belongs, and who is told in the same transaction that it ended. */
export interface JobContext {
  readonly tenant: string
  readonly principal: string
  readonly action: string
  readonly host?: string
  /** Another host that is busy with it. */
  readonly destination?: string
  readonly instance?: string
  settle(outcome: AuditOutcome): void
  /** A failure that is a bug: logged where bugs are logged. */
  onBug(error: unknown): void
  /** Lets go of what the work was given, even where it was cancelled before it began. */
  release?(): void
}

export interface Jobs {
  /** @throws AppError QUEUE_FULL, JOBS_LIMIT, SHUTTING_DOWN */
  start(context: JobContext, work: JobWork): Job
  /** @throws AppError JOB_NOT_FOUND */
  get(id: string, tenant: string): Job
  /** Newest first. @param principal only those that it began */
  recent(tenant: string, limit: number, principal?: string): Job[]
  /** Takes effect within a second, whichever process runs it. @throws AppError JOB_NOT_FOUND, JOB_FINISHED */
  cancel(id: string, tenant: string): Job
  /** Resolves with the job once it has ended, or as it is when the signal fires. @throws AppError JOB_NOT_FOUND */
  wait(id: string, tenant: string, signal: AbortSignal): Promise<Job>
  /** Marks what dead processes were running as failed. @returns how many */
  recover(): number
  counts(): { running: number; queued: number }
  /** Takes nothing new, gives what runs a grace, then marks the rest as interrupted. */
  close(graceMs: number): Promise<void>
}

const MOST_WAITING = 32
const TICK_MS = 500
/** Half a minute of trying to write down how a job ended. */
const RECORD_TRIES = 60

interface Live {
  readonly id: string
  readonly context: JobContext
  readonly work: JobWork
  readonly abort: AbortController
  bytes: number
  totalBytes: number | undefined
  phase: Phase | undefined
  /** Whether there is progress that the store does not know. */
  moved: boolean
  ended: Promise<void>
}

export const isPhase = (phase: string): phase is Phase => (PHASES as readonly string[]).includes(phase)
const phaseOf = (phase: string | null, over: boolean): { phase?: Phase } =>
  phase !== null && !over && isPhase(phase) ? { phase } : {}
const totalOf = (totalBytes: number | null): { totalBytes?: number } => (totalBytes === null ? {} : { totalBytes })

function jobOf(row: JobRow, live: Live | undefined): Job {
  const code = row.error_code
  const over = row.finished_at !== null
  return {
    id: row.id,
    principal: row.principal,
    action: row.action,
    ...(row.host === null ? {} : { host: row.host }),
    ...(row.instance === null ? {} : { instance: row.instance }),
    state: row.state,
    ...phaseOf(live?.phase ?? row.phase, over),
    bytes: live?.bytes ?? row.bytes,
    ...totalOf(live?.totalBytes ?? row.total_bytes),
    ...(over && code !== null && isErrorCode(code)
      ? { error: { code, details: JSON.parse(row.error_details ?? '{}') as ErrorDetails } }
      : {}),
    ...(row.artifact === null ? {} : { artifact: row.artifact }),
    ...(row.result === null ? {} : { result: JSON.parse(row.result) as JobResult }),
    createdAt: row.created_at,
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.finished_at === null ? {} : { finishedAt: row.finished_at }),
  }
}

export interface JobLimits {
  /** At a time. */
  readonly running: number
  /** At a time, of those that keep one host busy. */
  readonly perHost: number
  /** Of one principal's, running and waiting. */
  readonly perPrincipal: number
}

export interface JobsOptions {
  readonly store: JobStore
  readonly audit: AuditLog
  readonly liveness: Liveness
  readonly limits: JobLimits
  /** Epoch ms. */
  readonly now: () => number
}

export function openJobs({ store, audit, liveness, limits, now }: JobsOptions): Jobs {
  const live = new Map<string, Live>()
  const waiting: Live[] = []
  let closing = false

  // One timer for all jobs: saves progress, and finds cancellations that another process asked for.
  const tick = () => {
    for (const job of live.values()) {
      if (!job.moved) continue
      store.setProgress(job.id, job.bytes, job.totalBytes ?? null, job.phase ?? null)
      job.moved = false
    }
    for (const id of store.cancelAsked(liveness.self)) live.get(id)?.abort.abort(new AppError('CANCELLED'))
  }
  let ticking: NodeJS.Timeout | undefined
  const onTick = () => {
    try {
      tick()
    } catch (error) {
      // A full disk must not end the process: the next tick tries again, and the end of the job is written in any case.
      for (const job of live.values()) job.context.onBug(error)
    }
  }

  const find = (id: string, tenant: string): JobRow => {
    const row = store.get(id, tenant)
    if (!row) throw new AppError('JOB_NOT_FOUND', { job: id })
    return row
  }

  const finish = (job: Live, state: 'done' | 'failed' | 'cancelled', made: JobYield, error?: AppError): void => {
    const { artifact, ...result } = made
    audit.atomically(() => {
      const first = store.end({
        id: job.id,
        state,
        bytes: job.bytes,
        error_code: error?.code ?? null,
        error_details: error ? JSON.stringify(error.details) : null,
        artifact: artifact ?? null,
        result: Object.keys(result).length === 0 ? null : JSON.stringify(result),
        finished_at: now(),
      })
      if (first) job.context.settle({ code: error?.code ?? 'OK', bytes: job.bytes })
    })
  }

  /** The end of a job is not given up on because the disk is full at that moment: what is freed next makes room for it. */
  const record = async (...end: Parameters<typeof finish>): Promise<void> => {
    for (let tries = 1; ; tries++) {
      try {
        return finish(...end)
      } catch (error) {
        // The next start finds the job unfinished and says that it was interrupted.
        if (tries === RECORD_TRIES) throw error
        end[0].context.onBug(error)
        await sleep(TICK_MS)
      }
    }
  }

  const perform = async (job: Live): Promise<{ made: JobYield; error?: AppError }> => {
    try {
      job.abort.signal.throwIfAborted()
      store.setRunning(job.id, now())
      const made = await job.work(job.abort.signal, {
        report: (bytes, totalBytes) => {
          job.bytes = bytes
          if (totalBytes !== undefined) job.totalBytes = totalBytes
          job.moved = true
        },
        enter: (phase) => {
          job.phase = phase
          job.moved = true
        },
      })
      return { made }
    } catch (error) {
      const reason: unknown = job.abort.signal.aborted ? job.abort.signal.reason : error
      if (reason instanceof AppError) return { made: {}, error: reason }
      job.context.onBug(reason)
      return { made: {}, error: new AppError('INTERNAL', { requestId: job.id }, { cause: reason }) }
    }
  }

  const performAndRecord = async (job: Live): Promise<void> => {
    const { made, error } = await perform(job)
    const state = error === undefined ? 'done' : error.code === 'CANCELLED' ? 'cancelled' : 'failed'
    await record(job, state, made, error)
  }

  const run = (job: Live): void => {
    ticking ??= setInterval(onTick, TICK_MS).unref()
    job.ended = performAndRecord(job)
      .catch(job.context.onBug)
      .finally(() => {
        job.context.release?.()
        live.delete(job.id)
        for (const next of [...waiting]) if (hasRoom(next.context)) runWaiting(next)
        if (live.size === 0) {
          clearInterval(ticking)
          ticking = undefined
        }
      })
  }
  const runWaiting = (job: Live): void => {
    waiting.splice(waiting.indexOf(job), 1)
    run(job)
  }
  const running = () => live.size - waiting.length
  const hostsOf = ({ host, destination }: JobContext): string[] =>
    [host, destination].filter((name) => name !== undefined)
  const busyOn = (host: string): number =>
    [...live.values()].filter((job) => !waiting.includes(job) && hostsOf(job.context).includes(host)).length
  const hasRoom = (context: JobContext): boolean =>
    running() < limits.running && hostsOf(context).every((host) => busyOn(host) < limits.perHost)

  const jobs: Jobs = {
    start(context, work) {
      if (closing) throw new AppError('SHUTTING_DOWN')
      const own = [...live.values()].filter((job) => job.context.principal === context.principal).length
      if (own >= limits.perPrincipal) throw new AppError('JOBS_LIMIT', { count: own })
      const free = hasRoom(context)
      if (!free && waiting.length >= MOST_WAITING) throw new AppError('QUEUE_FULL', { waiting: waiting.length })
      // Hex: an id that began with a dash would be an option on a command line.
      const id = randomBytes(8).toString('hex')
      store.insert({
        id,
        process: liveness.self,
        tenant: context.tenant,
        principal: context.principal,
        action: context.action,
        host: context.host ?? null,
        instance: context.instance ?? null,
        state: 'queued',
        created_at: now(),
      })
      const job: Live = {
        id,
        context,
        work,
        abort: new AbortController(),
        bytes: 0,
        totalBytes: undefined,
        phase: undefined,
        moved: false,
        ended: Promise.resolve(),
      }
      live.set(id, job)
      if (free) run(job)
      else waiting.push(job)
      return jobs.get(id, context.tenant)
    },
    get: (id, tenant) => jobOf(find(id, tenant), live.get(id)),
    recent: (tenant, limit, principal) =>
      store.recent(tenant, limit, principal).map((row) => jobOf(row, live.get(row.id))),
    cancel(id, tenant) {
      const { state } = find(id, tenant)
      if (!store.askCancel(id, tenant)) throw new AppError('JOB_FINISHED', { state })
      const job = live.get(id)
      if (job) {
        job.abort.abort(new AppError('CANCELLED'))
        if (waiting.includes(job)) runWaiting(job)
      }
      return jobs.get(id, tenant)
    },
    async wait(id, tenant, signal) {
      for (;;) {
        const job = jobs.get(id, tenant)
        if (job.finishedAt !== undefined || signal.aborted) return job
        const stop = new AbortController()
        const pause = new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, TICK_MS)
          const done = () => {
            clearTimeout(timer)
            resolve()
          }
          signal.addEventListener('abort', done, { once: true, signal: stop.signal })
        })
        const own = live.get(id)?.ended
        await (own && !waiting.some((queued) => queued.id === id) ? Promise.race([own, pause]) : pause)
        stop.abort()
      }
    },
    recover() {
      return audit.atomically(() => {
        const gone = store.unfinished().filter((row) => !liveness.isAlive(row.process))
        for (const row of gone) {
          store.end({
            id: row.id,
            state: 'failed',
            bytes: row.bytes,
            error_code: 'INTERRUPTED',
            error_details: '{}',
            artifact: null,
            result: null,
            finished_at: now(),
          })
        }
        audit.settleInterrupted(liveness.isAlive)
        return gone.length
      })
    },
    counts: () => ({ running: running(), queued: waiting.length }),
    async close(graceMs) {
      closing = true
      for (const job of waiting.splice(0)) {
        job.abort.abort(new AppError('INTERRUPTED'))
        run(job)
      }
      const all = [...live.values()]
      let timer: NodeJS.Timeout | undefined
      const grace = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, graceMs)
      })
      await Promise.race([Promise.allSettled(all.map((job) => job.ended)), grace])
      clearTimeout(timer)
      for (const job of live.values()) job.abort.abort(new AppError('INTERRUPTED'))
      await Promise.allSettled(all.map((job) => job.ended))
      clearInterval(ticking)
    },
  }
  return jobs
}
