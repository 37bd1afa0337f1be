// One call from a terminal: the house around it, what comes with it, the question before it and the words after it.
import { randomUUID } from 'node:crypto'
import { copyFile, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import {
  AppError,
  bytesOfFile,
  type Call,
  confirmationError,
  type Done,
  type FileSource,
  formatBytes,
  type Lang,
  type RegisteredAction,
} from '../actions/index.js'
import { renderError, renderText } from './cli-render.js'
import { loadConfig } from './config.js'
import { folderSource } from './folder-source.js'
import { OWNER } from './http/credentials.js'
import { type House, openHouse } from './main.js'
import { openProgressBar } from './progress-bar.js'

/** `refused`: Discord does not take the token, so that starting again is of no use. */
export const EXIT = { ok: 0, failed: 1, usage: 2, refused: 3 } as const

/** How a shell says that it was interrupted. */
const INTERRUPTED_EXIT = 130

export const print = (text: string): void => void process.stdout.write(`${text}\n`)
export const complain = (text: string): void => void process.stderr.write(`${text}\n`)
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2))

export interface CommonOptions {
  readonly json?: boolean
  readonly yes?: boolean
  /** Of an earlier run that had to wait for others. */
  readonly confirm?: string
  readonly lang: Lang
  file?: string
  readonly output?: string
}

/** Opens the house for one command, and closes it however that ended. */
export async function inHouse<T>(work: (house: House, signal: AbortSignal) => Promise<T>): Promise<T> {
  const config = loadConfig()
  // A command's own words are its answer; the log would only talk over them.
  const house = await openHouse({
    ...config,
    HYPERCALL_LOG_LEVEL: config.HYPERCALL_LOG_LEVEL === 'info' ? 'warn' : config.HYPERCALL_LOG_LEVEL,
  })
  const stop = new AbortController()
  const interrupt = () => stop.abort(new AppError('CANCELLED'))
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    return await work(house, stop.signal)
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    await house.close(0)
  }
}

async function fileSource(path: string): Promise<FileSource> {
  const info = await stat(path).catch(() => undefined)
  if (!info?.isFile()) {
    throw new AppError('INVALID_INPUT', { problem: { en: `${path} is not a file`, zh: `${path} 不是文件` } })
  }
  const name = basename(path)
  return {
    name,
    sizeBytes: info.size,
    reference: { path: resolve(path), name, sizeBytes: info.size },
    open: () => bytesOfFile(path),
  }
}

/** What a path leads to, as the action takes it. */
async function sourceOf(path: string, action: RegisteredAction): Promise<FileSource> {
  const info = await stat(path).catch(() => undefined)
  return action.acceptsFolder && info?.isDirectory() ? folderSource(path) : fileSource(path)
}

/** Either will do, whatever the language of the question. */
const YES = { en: /^y(es)?$/i, zh: /^[是好]$/ }

async function agrees(question: string, lang: Lang): Promise<boolean> {
  if (!process.stdin.isTTY) return false
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`${question} ${{ en: 'Go on? [y/N] ', zh: '继续？[y/N] ' }[lang]}`)
  terminal.close()
  return YES.en.test(answer.trim()) || YES.zh.test(answer.trim())
}

/** Waits for a job with its progress beside the answer. @returns whether it succeeded */
async function follow(house: House, jobId: string, options: CommonOptions, signal: AbortSignal): Promise<boolean> {
  const { actions } = house
  const cancel = () => {
    try {
      actions.jobs.cancel(jobId, OWNER.tenant)
    } catch (error) {
      // It ended at the very moment it was to be cancelled, which is just as well.
      if (!(error instanceof AppError && error.code === 'JOB_FINISHED')) throw error
    }
  }
  signal.addEventListener('abort', cancel, { once: true })
  for (;;) {
    const job = await actions.jobs.wait(jobId, OWNER.tenant, AbortSignal.timeout(500))
    if (process.stderr.isTTY) process.stderr.write(`\r${formatBytes(job.bytes)}   `)
    if (job.finishedAt === undefined) continue
    if (process.stderr.isTTY) process.stderr.write('\n')
    signal.removeEventListener('abort', cancel)
    if (job.error) {
      complain(renderError(new AppError(job.error.code, job.error.details), options.lang))
      return false
    }
    const artifact = job.artifact === undefined ? undefined : actions.artifacts.get(job.artifact, OWNER.tenant)
    if (artifact && options.output !== undefined) await copyFile(artifact.path, options.output)
    return true
  }
}

/** What the owner of this machine asks for. */
export const ownCall = (
  action: string,
  input: Readonly<Record<string, unknown>>,
  lang: Lang,
  signal: AbortSignal,
  file?: FileSource,
): Call => ({
  principal: OWNER,
  surface: 'cli',
  lang,
  requestId: randomUUID(),
  action,
  input,
  ...(file === undefined ? {} : { file }),
  signal,
})

/** Calls, and where the gate wants a yes first, gets it and calls again. @returns undefined when nobody said yes */
export async function callGate({ actions: { gate } }: House, call: Call, yes: boolean): Promise<Done | undefined> {
  const asked = await gate.call(call)
  if (asked.status === 'done') return asked
  if (asked.approval) {
    complain(renderText(asked.view))
    const again = { en: 'Then run the same command with', zh: '之后再次运行同一命令并加上' }[call.lang]
    complain(`${again} --confirm ${asked.token}`)
    throw confirmationError(asked)
  }
  if (!yes) {
    complain(renderText(asked.view))
    if (!(await agrees('', call.lang))) {
      gate.withdraw(asked.token, { principal: OWNER, surface: 'cli', requestId: randomUUID() })
      complain(
        { en: 'Nothing was done. Say yes, or give --yes.', zh: '未执行任何操作。请确认，或使用 --yes。' }[call.lang],
      )
      return undefined
    }
  }
  const outcome = await gate.call({ ...call, requestId: randomUUID(), confirm: asked.token })
  if (outcome.status === 'confirm') throw new AppError('CONFIRMATION_EXPIRED')
  return outcome
}

/** @returns the exit code */
export async function runAction(
  action: RegisteredAction,
  input: Record<string, unknown>,
  options: CommonOptions,
): Promise<number> {
  return inHouse(async (house, signal) => {
    const source = options.file === undefined ? undefined : await sourceOf(options.file, action)
    // A job tells its own progress.
    const isShown = process.stderr.isTTY && !options.json && !action.startsJob
    const bar = source && isShown ? openProgressBar(source, process.stderr) : undefined
    const own = ownCall(action.name, input, options.lang, signal, bar?.file ?? source)
    const call: Call = options.confirm === undefined ? own : { ...own, confirm: options.confirm }
    const outcome = await callGate(house, call, options.yes ?? false).finally(() => bar?.clear())
    if (outcome === undefined) return EXIT.failed
    if (options.json) printJson(outcome.output)
    else print(renderText(outcome.view))
    if (!action.startsJob) return EXIT.ok
    const { jobId } = outcome.output as { jobId: string }
    if (!(await follow(house, jobId, options, signal))) return signal.aborted ? INTERRUPTED_EXIT : EXIT.failed
    const look = ownCall('job.status', { job: jobId }, options.lang, new AbortController().signal)
    const status = await house.actions.gate.call(look)
    if (!options.json && status.status === 'done') print(`\n${renderText(status.view)}`)
    return EXIT.ok
  })
}
