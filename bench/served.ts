// The product as it is served, for what measures it or tries it from outside.
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'

const BIN = join(process.cwd(), 'bin', 'hypercall.mjs')
/** As often as the page asks: each question is a call of its own, which would take from what is measured. */
const POLL_MS = 1_000

export interface Job {
  readonly state: string
  readonly artifact?: { readonly id: string }
  readonly error?: { readonly code: string }
}

interface Answer {
  readonly jobId?: string
  readonly error?: { readonly code: string; readonly details: { readonly confirm?: string } }
}

export interface Served {
  readonly url: string
  readonly stateFolder: string
  /** An admin's, good for the same folder later. */
  readonly token: string
  readonly headers: Readonly<Record<string, string>>
  /** Calls a verb, and says yes if asked to. @returns its answer, and when that call began (`performance.now`) */
  call(action: string, input: object): Promise<{ readonly answer: Answer; readonly from: number }>
  /** Calls a verb that starts a job. @returns the job when it has ended well, and how many seconds it took */
  job(action: string, input: object): Promise<{ readonly job: Job; readonly seconds: number }>
  /** From here on, {@link grown} counts anew. */
  resetPeak(): void
  /** By how many bytes the process's peak of memory lies over what it held at the last reset. Linux. */
  grown(): number
  /** Bytes that the process holds. Linux. */
  resident(): number
  stop(): void
  /** Ends it at once, as a power cut would. @returns when it is gone */
  kill(): Promise<void>
}

/** @returns an admin's token */
function makeToken(env: Readonly<Record<string, string | undefined>>): string {
  const words = ['token', 'create', '--name', 'bench', '--role', 'admin', '--json']
  const made = execFileSync(process.execPath, [BIN, ...words], { env: { ...env }, encoding: 'utf8' })
  return (JSON.parse(made) as { token: string }).token
}

export interface ServeOptions {
  /** Of an earlier run. */
  readonly token?: string
  /** Beside the usual ones. */
  readonly settings?: Readonly<Record<string, string>>
  /** Whose the hosts are besides this machine's. */
  readonly guilds?: readonly string[]
}

/** @param hosts name → endpoint */
export async function serve(
  folder: string,
  hosts: Readonly<Record<string, string>>,
  { token: known, settings = {}, guilds = [] }: ServeOptions = {},
): Promise<Served> {
  const stateFolder = join(folder, 'state')
  const hostFile = join(folder, 'hosts.yaml')
  const listed = Object.entries(hosts).map(([name, endpoint]) => ({
    name,
    endpoint,
    guilds,
  }))
  writeFileSync(hostFile, JSON.stringify({ hosts: listed }))
  const env = {
    PATH: process.env.PATH,
    HYPERCALL_STATE: stateFolder,
    HYPERCALL_PORT: '0',
    HYPERCALL_LOG_LEVEL: 'warn',
    HYPERCALL_HOSTS: hostFile,
    // There is nobody else here to agree to an export.
    HYPERCALL_POLICY: 'data/policy-small-team.cedar',
    HYPERCALL_RATES: 'read=1000000,change=1000000,destroy=1000000,disclose=1000000',
    HYPERCALL_JOBS_PER_PERSON: '64',
    ...settings,
  }
  const server = spawn(process.execPath, [BIN, 'serve'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const pid = server.pid ?? 0
  let said = ''
  for await (const chunk of server.stdout.iterator({ destroyOnReturn: false })) {
    said += String(chunk)
    if (said.includes('#login=')) break
  }
  const url = /http:\/\/[^\s/]+/.exec(said)?.[0] ?? ''
  const token = known ?? makeToken(env)
  // Not kept alive: while curl runs, nobody here would notice that the server ended a connection.
  const headers = { authorization: `Bearer ${token}`, connection: 'close' }
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))

  const pathOf = (action: string) => `${url}/api/v1/${action.replace('.', '/')}`
  async function post(action: string, input: object): Promise<Answer> {
    const body = JSON.stringify(input)
    const sent = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body }
    return (await (await fetch(pathOf(action), sent)).json()) as Answer
  }
  const memory = (field: 'VmHWM' | 'VmRSS'): number => {
    const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return Number(line?.[1]) * 1024
  }
  let before = 0
  /** When a job ended, to the millisecond, which its view rounds. @returns ms since the epoch */
  const endOf = (job: string | undefined): number => {
    const db = new Database(join(stateFolder, 'hypercall.db'), { readonly: true })
    try {
      return (
        db.prepare<[string | undefined], number>('SELECT finished_at FROM jobs WHERE id = ?').pluck().get(job) ?? NaN
      )
    } finally {
      db.close()
    }
  }

  const served: Served = {
    url,
    stateFolder,
    token,
    headers,
    async call(action, input) {
      let from = performance.now()
      let answer = await post(action, input)
      const confirm = answer.error?.details.confirm
      if (confirm !== undefined) {
        from = performance.now()
        answer = await post(action, { ...input, confirm })
      }
      if (answer.error) throw new Error(`${action}: ${answer.error.code}`)
      return { answer, from }
    },
    async job(action, input) {
      const { answer, from } = await served.call(action, input)
      for (;;) {
        const asked = await fetch(`${pathOf('job.status')}?job=${answer.jobId}`, { headers })
        const job = (await asked.json()) as Job
        if (job.state === 'done') {
          return { job, seconds: (endOf(answer.jobId) - performance.timeOrigin - from) / 1000 }
        }
        if (job.state !== 'running' && job.state !== 'queued') {
          throw new Error(`${action} ended as ${job.state}: ${job.error?.code}`)
        }
        await sleep(POLL_MS)
      }
    },
    resetPeak() {
      writeFileSync(`/proc/${pid}/clear_refs`, '5')
      before = memory('VmRSS')
    },
    grown: () => memory('VmHWM') - before,
    resident: () => memory('VmRSS'),
    stop: () => void server.kill('SIGTERM'),
    async kill() {
      server.kill('SIGKILL')
      await ended
    },
  }
  return served
}
