// From one engine into another, by way of our memory alone: nothing of it touches our disk.
import { type ByteSource, losing, watched } from '../bytes.js'
import { AppError } from '../errors.js'
import type { JobProgress } from '../jobs/jobs.js'
import type { Host } from './hosts.js'

export interface Relay {
  /** The name of the host that it comes from. */
  readonly from: string
  readonly source: ByteSource
  /** About how much will flow, once that is known. */
  readonly total: () => number | undefined
  readonly to: Host
  /** Shown all that flows. */
  readonly see?: (piece: Buffer) => void
  /** Gives it to the destination. @returns the id of the image that was made of it */
  give(archive: ByteSource, signal: AbortSignal): Promise<string>
  /** Looks at what was made, and gives it its names. @throws whatever is wrong with it; then it is taken back */
  accept(imageId: string, signal: AbortSignal): Promise<void>
}

const TAKE_BACK_MS = 60_000

/**
 * Streams from one engine into another; when it fails, on either side or in between, nothing stays at the destination.
 * @returns the id of the image there
 * @throws AppError ENGINE_LOST for the side that broke off, what `give` and `accept` throw, or the signal's reason
 */
export async function relay(plan: Relay, signal: AbortSignal, progress: JobProgress): Promise<string> {
  const { from, to } = plan
  let bytes = 0
  let sent = false
  const counted = watched(plan.source, (piece) => {
    plan.see?.(piece)
    bytes += piece.length
    progress.report(bytes, plan.total())
  })
  const told = losing(counted, (cause) => new AppError('ENGINE_LOST', { host: from }, { cause }))
  const archive: ByteSource = {
    async flow(take, until) {
      await told.flow(take, until)
      sent = true
      progress.enter('unpacking')
    },
    close: () => told.close(),
  }
  const takeBack = async (imageId: string): Promise<void> => {
    const inTime = AbortSignal.timeout(TAKE_BACK_MS)
    const { tags } = await to.driver.inspectImage(imageId, inTime)
    // One that has a name by now is somebody else's too.
    if (tags.length === 0) await to.driver.removeImage(imageId, false, inTime)
  }

  const stop = new AbortController()
  const { promise: left, reject: leave } = withRejection()
  const onAbort = () => {
    // An engine that has everything finishes what it began, whoever still listens.
    if (sent) leave(signal.reason)
    else stop.abort(signal.reason)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    const giving = plan.give(archive, stop.signal)
    const imageId = await Promise.race([giving, left]).catch((error: unknown) => {
      giving.then(takeBack).catch(() => undefined)
      throw error
    })
    progress.enter('checking')
    try {
      await plan.accept(imageId, signal)
      return imageId
    } catch (error) {
      // Whatever becomes of that, this is what was wrong.
      await takeBack(imageId).catch(() => undefined)
      throw error
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function withRejection(): { promise: Promise<never>; reject: (reason: unknown) => void } {
  let reject: (reason: unknown) => void = () => undefined
  const promise = new Promise<never>((_, refuse) => {
    reject = refuse
  })
  return { promise, reject }
}
