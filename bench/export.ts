// How fast a large container is exported through the product, beside the raw engine in the same run, and what memory it
// takes. Each round does both, one after the other, so that a machine whose speed drifts drifts for both.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import { findEngine, makeImage, TEST_IMAGE } from '../test/helpers/engine.js'

const SIZE_MIB = Number(process.env.BENCH_MIB ?? 2048)
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5)
const BIN = join(process.cwd(), 'bin', 'hypercall.mjs')

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
const mib = (bytes: number): number => bytes / 1024 ** 2
const seconds = (from: number): number => (performance.now() - from) / 1000

/** The most memory the process has held since it was last reset, in bytes. Linux. */
const peakRss = (pid: number): number => {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1]) * 1024
}
const resetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5')

const engine = await findEngine()
const folder = mkdtempSync(join(tmpdir(), 'hc-bench-'))
const docker: Docker = engine.docker
await makeImage(docker)
console.log(`making a container of ${SIZE_MIB} MiB …`)
const container = await docker.createContainer({
  Image: TEST_IMAGE,
  Cmd: ['/bin/sh', '-c', `dd if=/dev/urandom of=/srv/large bs=1M count=${SIZE_MIB}`],
  HostConfig: { NetworkMode: 'none' },
})
await container.start()
await container.wait()

const env = {
  PATH: process.env.PATH,
  HYPERCALL_STATE: join(folder, 'state'),
  HYPERCALL_PORT: '0',
  HYPERCALL_LOG_LEVEL: 'warn',
  DOCKER_HOST: `unix://${engine.socketPath}`,
}
const server = spawn(process.execPath, [BIN, 'serve'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
const pid = server.pid ?? 0
let said = ''
for await (const chunk of server.stdout.iterator({ destroyOnReturn: false })) {
  said += String(chunk)
  if (said.includes('#login=')) break
}
const url = /http:\/\/[^\s/]+/.exec(said)?.[0] ?? ''
const { token } = JSON.parse(
  execFileSync(process.execPath, [BIN, 'token', 'create', '--name', 'bench', '--role', 'admin', '--json'], {
    env,
    encoding: 'utf8',
  }),
) as { token: string }
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }

interface Answer {
  readonly jobId?: string
  readonly error?: { readonly details: { readonly confirm: string } }
}
async function post(path: string, body: object): Promise<Answer> {
  return (await (
    await fetch(`${url}/api/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  ).json()) as Answer
}

/** @returns seconds from the accepted call to the finished artifact */
async function throughHypercall(): Promise<number> {
  const asked = await post('container/export', { container: container.id })
  const from = performance.now()
  const { jobId } = await post('container/export', { container: container.id, confirm: asked.error?.details.confirm })
  for (;;) {
    const job = (await (await fetch(`${url}/api/v1/job/status?job=${jobId}`, { headers })).json()) as { state: string }
    if (job.state === 'done') return seconds(from)
    if (job.state !== 'running' && job.state !== 'queued') throw new Error(`the export ended as ${job.state}`)
    await sleep(200)
  }
}

/** @returns seconds */
function throughCurl(): number {
  const file = join(folder, 'curl.tar')
  const from = performance.now()
  execFileSync('curl', [
    '-sf',
    '--unix-socket',
    engine.socketPath,
    `http://engine/containers/${container.id}/export`,
    '-o',
    file,
  ])
  const took = seconds(from)
  rmSync(file)
  return took
}

try {
  const ratios: number[] = []
  const growths: number[] = []
  throughCurl()
  for (let round = 1; round <= ROUNDS; round++) {
    const raw = throughCurl()
    resetPeak(pid)
    const before = peakRss(pid)
    const ours = await throughHypercall()
    const growth = peakRss(pid) - before
    ratios.push(raw / ours)
    growths.push(growth)
    console.log(
      `round ${round}: curl ${(SIZE_MIB / raw).toFixed(0)} MiB/s, hypercall ${(SIZE_MIB / ours).toFixed(0)} MiB/s, ` +
        `ratio ${(raw / ours).toFixed(2)}, peak RSS ${mib(before + growth).toFixed(0)} MiB (+${mib(growth).toFixed(0)})`,
    )
    execFileSync('sh', ['-c', `rm -f '${join(folder, 'state')}'/artifacts/*`])
  }
  console.log(
    `median ratio of throughput ${median(ratios).toFixed(2)}, largest growth of RSS ${mib(Math.max(...growths)).toFixed(0)} MiB`,
  )
} finally {
  server.kill('SIGTERM')
  await container.remove({ force: true })
  await engine.stop()
  rmSync(folder, { recursive: true, force: true })
}
