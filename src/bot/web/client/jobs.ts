// Jobs that answers speak of: which of them still run, so that their cards follow them, also after a reload.
import { useEffect } from 'preact/hooks'
import { type Api, type Done, Failure } from './api.js'

const KEY = 'hypercall.jobs'
const POLL_MS = 1_000

/** Per tab, and gone with it; ids only, which are worth nothing without the session. */
function read(): string[] {
  try {
    return sessionStorage.getItem(KEY)?.split(',').filter(Boolean) ?? []
  } catch (error) {
    if (error instanceof DOMException) return []
    throw error
  }
}

function write(ids: readonly string[]): void {
  try {
    sessionStorage.setItem(KEY, ids.join(','))
  } catch (error) {
    // A browser that remembers nothing still follows jobs until the page is left.
    if (!(error instanceof DOMException)) throw error
  }
}

export const keepJob = (id: string): void => write([...new Set([...read(), id])])
export const forgetJob = (id: string): void => write(read().filter((known) => known !== id))

/** @returns the jobs that ran when the page was left, each of them once */
export function takeKeptJobs(): string[] {
  const ids = read()
  write([])
  return ids
}

export interface JobNews {
  readonly id: string
  readonly unfinished: boolean
}

/** @returns the job that an answer is about, if it is about one */
export function jobOf({ output, startsJob }: Done): JobNews | undefined {
  if (typeof output !== 'object' || output === null) return undefined
  if (startsJob && 'jobId' in output && typeof output.jobId === 'string') return { id: output.jobId, unfinished: true }
  if (!('job' in output && 'state' in output && typeof output.job === 'string')) return undefined
  return { id: output.job, unfinished: output.state === 'queued' || output.state === 'running' }
}

interface Follower {
  onNews(answer: Done): void
  /** Told once contact is lost, and again when it is back. */
  onContact(isLost: boolean): void
  /** The job cannot be followed any more. */
  onEnd(failure: Failure): void
}

/** Asks for a job's state every second until it has ended; a page nobody looks at does not ask. */
export function useFollow(job: string | undefined, api: Api, follower: Follower): void {
  useEffect(() => {
    if (job === undefined) return
    const stopper = new AbortController()
    let timer: number | undefined
    const next = () => {
      clearTimeout(timer)
      if (!stopper.signal.aborted && !document.hidden) timer = window.setTimeout(ask, POLL_MS)
    }
    const ask = async () => {
      try {
        const answer = await api.call({ action: 'job.status', input: { job } }, { signal: stopper.signal })
        if (stopper.signal.aborted || answer.status !== 'done') return
        follower.onContact(false)
        follower.onNews(answer)
        next()
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        if (stopper.signal.aborted) return
        // A session that ended may begin again, and the job goes on meanwhile.
        if (error.retry || error.status === 401) {
          follower.onContact(true)
          next()
        } else follower.onEnd(error)
      }
    }
    document.addEventListener('visibilitychange', next)
    next()
    return () => {
      stopper.abort()
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', next)
    }
    // The follower is made anew at every drawing; the job is what decides whether to start over.
  }, [job, api])
}
