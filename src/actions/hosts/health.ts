// What stands between callers and a driver of any kind: what is known of its health, a circuit breaker, and a limit of
// how much is done at once.
import type { ByteSource } from '../bytes.js'
import { AppError } from '../errors.js'
import type { Bilingual } from '../text.js'
import { type Attempt, createBreaker } from './breaker.js'
import type { Health, HostDriver, Watched } from './driver.js'
import { createSlots } from './slots.js'
import { SILENT } from './unreachable.js'

export interface GuardedDriver extends HostDriver {
  /** What was last found out. */
  health(): Health
  /** Asks the engine whatever was found out before: one that answers is used again at once. Never rejects. */
  test(signal: AbortSignal): Promise<Health>
  /** Fires at the first `close`: what goes on by itself ends then, as when the host is unlinked. */
  readonly letGo: AbortSignal
}

export interface GuardOptions {
  /** Epoch ms. */
  readonly now: () => number
  readonly mostAtOnce: number
  readonly mostWaiting?: number
}

const MOST_WAITING = 16
const RETRY_SECONDS = 5
const FAILURES = 3
const FIRST_COOL_DOWN_MS = 5_000
const MOST_COOL_DOWN_MS = 5 * 60_000

const UNDETECTED: Health = {
  state: 'undetected',
  detail: { en: 'It has not been asked yet.', zh: '尚未检测。' },
}
const ANSWERS: Bilingual = { en: 'The engine answers.', zh: '引擎响应正常。' }

/** Settles with the work or with the signal's reason, whichever is first: not every client obeys its signal at once. */
function raced<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason)
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}

/** @param host the name that errors call it by */
export function guarded(host: string, driver: HostDriver, options: GuardOptions): GuardedDriver {
  const slots = createSlots(options.mostAtOnce, options.mostWaiting ?? MOST_WAITING)
  const breaker = createBreaker({
    failures: FAILURES,
    firstMs: FIRST_COOL_DOWN_MS,
    mostMs: MOST_COOL_DOWN_MS,
    now: options.now,
  })
  let health = UNDETECTED
  let lastFailure = new AppError('HOST_UNREACHABLE', { host })

  function answered(attempt: Attempt): void {
    attempt.succeeded()
    if (health.state !== 'healthy') health = { state: 'healthy', detail: ANSWERS }
  }

  function judge(error: unknown, signal: AbortSignal, attempt: Attempt): void {
    if (!(error instanceof AppError)) attempt.undecided()
    else if (error.code === 'HOST_UNREACHABLE' || error.code === 'HOST_UNTRUSTED') {
      lastFailure = error
      health = { state: 'unhealthy', detail: (error.details.why as Bilingual | undefined) ?? SILENT }
      attempt.failed()
    } else if (signal.aborted || error.code === 'ENGINE_LOST') attempt.undecided()
    // Whatever an engine refuses, it has answered.
    else answered(attempt)
  }

  function admit(): Attempt {
    const attempt = breaker.admit()
    if (attempt) return attempt
    const seconds = Math.ceil(breaker.remainingMs() / 1000)
    throw new AppError(lastFailure.code, { ...lastFailure.details, seconds }, { cause: lastFailure })
  }

  async function takeSlot(signal: AbortSignal): Promise<() => void> {
    if (breaker.remainingMs() > 0) admit()
    const leave = await slots.take(signal)
    if (leave) return leave
    const { taken: running, waiting } = slots.counts()
    throw new AppError('HOST_BUSY', { host, running, waiting, seconds: RETRY_SECONDS })
  }

  /**
   * @param keep gives the slot back, now or later
   * @param drop takes what comes when the caller has left
   * @param enter takes a slot
   */
  async function through<T>(
    signal: AbortSignal,
    work: () => Promise<T>,
    keep: (value: T, leave: () => void) => T,
    drop: (value: T) => void = () => undefined,
    enter = takeSlot,
  ): Promise<T> {
    const leave = await enter(signal)
    let attempt: Attempt
    try {
      attempt = admit()
    } catch (error) {
      leave()
      throw error
    }
    const working = work()
    try {
      const value = await raced(working, signal)
      answered(attempt)
      return keep(value, leave)
    } catch (error) {
      working.then(drop, () => undefined).finally(leave)
      judge(error, signal, attempt)
      throw error
    }
  }

  type Method<A extends readonly unknown[], T> = (...args: readonly [...A, AbortSignal]) => Promise<T>
  const signalOf = (args: readonly unknown[]) => args.at(-1) as AbortSignal

  const call =
    <A extends readonly unknown[], T>(method: Method<A, T>): Method<A, T> =>
    (...args) =>
      through(signalOf(args), () => method(...args), released)

  /** One that waits for what happens anyway: it is no work for the engine, and any number may wait. */
  const waiting =
    <A extends readonly unknown[], T>(method: Method<A, T>): Method<A, T> =>
    (...args) =>
      through(
        signalOf(args),
        () => method(...args),
        released,
        undefined,
        async () => () => undefined,
      )

  /** One that gives a stream, which counts while it flows. */
  const streaming =
    <A extends readonly unknown[]>(method: Method<A, ByteSource>): Method<A, ByteSource> =>
    (...args) =>
      through(
        signalOf(args),
        () => method(...args),
        held,
        (source) => source.close(),
      )

  /** One that takes a stream, which nobody else would close if the driver were never asked. */
  async function taking<T>(source: ByteSource, work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      source.close()
      throw error
    }
  }

  async function test(signal: AbortSignal): Promise<Health> {
    const attempt = breaker.admit()
    const found = await raced(driver.probe(signal), signal).catch(() => undefined)
    // A caller that did not wait learns what was known before.
    if (found === undefined) {
      attempt?.undecided()
      return health
    }
    health = found
    if (found.state === 'healthy') breaker.close()
    else {
      lastFailure = new AppError('HOST_UNREACHABLE', { host, why: found.detail })
      attempt?.failed()
    }
    return health
  }

  /** It counts for nothing: the engine has nothing to do meanwhile, and what it may tell of health others tell as well. */
  async function watch(onChange: (what: Watched) => void, signal: AbortSignal): Promise<void> {
    if (breaker.remainingMs() > 0) admit()
    return driver.watch(onChange, signal)
  }

  const letGo = new AbortController()
  const putArchive = call(driver.putArchive)
  const load = call(driver.load)
  const importImage = call(driver.importImage)

  return {
    can: driver.can,
    health: () => health,
    test,
    letGo: letGo.signal,
    close() {
      letGo.abort()
      driver.close()
    },
    watch,
    probe: (signal) => (breaker.remainingMs() > 0 ? Promise.resolve(health) : test(signal)),
    usage: call(driver.usage),
    list: call(driver.list),
    inspect: call(driver.inspect),
    run: call(driver.run),
    start: call(driver.start),
    stop: call(driver.stop),
    restart: call(driver.restart),
    pause: call(driver.pause),
    unpause: call(driver.unpause),
    rename: call(driver.rename),
    remove: call(driver.remove),
    logs: streaming(driver.logs),
    sample: call(driver.sample),
    top: call(driver.top),
    exec: call(driver.exec),
    wait: waiting(driver.wait),
    diff: call(driver.diff),
    commit: call(driver.commit),
    stat: call(driver.stat),
    owner: call(driver.owner),
    putArchive: (id, directory, tar, signal) => taking(tar, putArchive(id, directory, tar, signal)),
    getArchive: streaming(driver.getArchive),
    export: streaming(driver.export),
    // Beside an export, which tells of the engine's health: how long this takes does not.
    exportSize: driver.exportSize,
    images: call(driver.images),
    inspectImage: call(driver.inspectImage),
    history: call(driver.history),
    tag: call(driver.tag),
    removeImage: call(driver.removeImage),
    save: streaming(driver.save),
    load: (archive, signal) => taking(archive, load(archive, signal)),
    importImage: (archive, repository, tag, signal) => taking(archive, importImage(archive, repository, tag, signal)),
    pull: call(driver.pull),
  }
}

function released<T>(value: T, leave: () => void): T {
  leave()
  return value
}

/** Gives the slot back when the stream has ended or is let go of. */
const held = (source: ByteSource, leave: () => void): ByteSource => ({
  async flow(take, signal) {
    try {
      await source.flow(take, signal)
    } finally {
      leave()
    }
  },
  close() {
    source.close()
    leave()
  },
})
