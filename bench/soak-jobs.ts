// Kills the server at random moments of running jobs, over and over, and looks at what is left each time: every job's state
// is true, nothing half is under a final name, nothing temporary stays, every intent in the audit log has its outcome, and
// the log's chain verifies.
// SOAK_KILLS is how often, SOAK_SEED makes a run the same again. Ends with 1 where something did not hold.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { makeImage, startEngine, TEST_IMAGE } from '../test/helpers/engine.js'
import { pick, randomFrom } from './search-random.js'
import { type Served, serve } from './served.js'

const KILLS = Number(process.env.SOAK_KILLS ?? 100)
const SEED = Number(process.env.SOAK_SEED ?? Date.now() % 100_000)
const MIB = 16
/** Long enough that some jobs end before. */
const LONGEST_MS = 4_000
const JOBS_A_ROUND = 5

const random = randomFrom(SEED)
const folder = mkdtempSync(join(tmpdir(), 'hc-soak-'))
const here = await startEngine()
const there = await startEngine()
await makeImage(here.docker)
const container = await here.docker.createContainer({
  Image: TEST_IMAGE,
  name: 'soaked',
  Cmd: ['/bin/sh', '-c', `dd if=/dev/urandom of=/srv/large bs=1M count=${MIB}; cp /srv/large /data/large`],
  HostConfig: { NetworkMode: 'none', Mounts: [{ Type: 'volume', Source: 'soaked', Target: '/data' }] },
})
await container.start()
await container.wait()
await container.commit({ repo: 'soak/image', tag: '1' })

const hosts = { here: `unix://${here.socketPath}`, there: `unix://${there.socketPath}` }
const onHere = { host: 'here', container: 'soaked' }
/** What a round chooses from. */
const CALLS: readonly (readonly [action: string, input: Readonly<Record<string, unknown>>])[] = [
  ['container.export', onHere],
  ['container.export', { ...onHere, gzip: true }],
  ['container.export', { ...onHere, 'with-volumes': true }],
  ['container.copy-out', { ...onHere, path: '/srv/large' }],
  ['container.copy-out', { ...onHere, path: '/srv' }],
  ['image.save', { host: 'here', image: 'soak/image:1' }],
  ['container.transfer', { ...onHere, to: 'there', reference: 'soak/moved' }],
  ['image.transfer', { host: 'here', image: 'soak/image:1', to: 'there' }],
]

interface JobRow {
  readonly id: string
  readonly action: string
  readonly state: string
  readonly error_code: string | null
  readonly artifact: string | null
  readonly result: string | null
}
interface ArtifactRow {
  readonly id: string
  readonly size_bytes: number
  readonly sha256: string
}

const problems: string[] = []
const seen: Record<string, number> = {}
const checked = new Set<string>()

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** An archive without a row: one that was whole when the server died before it could say so. */
function isWhole(file: string): boolean {
  try {
    execFileSync('sh', ['-c', `gzip -t < "$1" 2> /dev/null || tar -tf "$1" > /dev/null 2>&1`, 'sh', file])
    return true
  } catch {
    return statSync(file).size === MIB * 1024 ** 2
  }
}

/** Looks at what the last server left, once the next one has started. */
async function look(round: number, { stateFolder, call }: Served): Promise<void> {
  const db = new Database(join(stateFolder, 'hypercall.db'), { readonly: true })
  const fail = (what: string): void => void problems.push(`after kill ${round}: ${what}`)
  const jobs = db.prepare<[], JobRow>('SELECT * FROM jobs').all()
  const artifacts = new Map(
    db
      .prepare<[], ArtifactRow>('SELECT * FROM artifacts')
      .all()
      .map((row) => [row.id, row]),
  )
  for (const job of jobs.filter(({ id }) => !checked.has(id))) {
    if (job.state === 'queued' || job.state === 'running') fail(`${job.action} ${job.id} is still ${job.state}`)
    const volumes = (JSON.parse(job.result ?? '{}') as { volumes?: { artifact: string }[] }).volumes ?? []
    for (const id of [...(job.artifact === null ? [] : [job.artifact]), ...volumes.map(({ artifact }) => artifact)]) {
      if (!artifacts.has(id)) fail(`${job.action} ${job.id} is ${job.state}, and its artifact ${id} is not there`)
    }
    const end = job.error_code ?? job.state
    seen[end] = (seen[end] ?? 0) + 1
    checked.add(job.id)
  }
  const files = join(stateFolder, 'artifacts')
  for (const name of readdirSync(files)) {
    const row = artifacts.get(name)
    const file = join(files, name)
    if (row === undefined) {
      if (!isWhole(file)) fail(`half a file is called ${name}`)
    } else if (statSync(file).size !== row.size_bytes || (await digestOf(file)) !== row.sha256) {
      fail(`the artifact ${name} is not what its row says`)
    }
    artifacts.delete(name)
  }
  for (const id of artifacts.keys()) fail(`the artifact ${id} has a row and no file`)
  const work = readdirSync(join(stateFolder, 'processes'), { recursive: true }).map(String)
  const left = work.filter((name) => name.includes('/') || name.includes('.part'))
  if (left.length > 0) fail(`left over: ${left.join(', ')}`)
  if (work.filter((name) => name.endsWith('.lock')).length !== 1) fail('a dead process is still registered')
  const open = db
    .prepare<[], { request_id: string; intents: number; outcomes: number }>(
      `SELECT request_id, sum(phase = 'intent') AS intents, sum(phase = 'outcome') AS outcomes FROM audit
       GROUP BY request_id, action HAVING intents <> outcomes`,
    )
    .all()
  for (const { request_id } of open) fail(`an intent of ${request_id} has no outcome, or more than one`)
  const ends = db
    .prepare<[], { code: string; jobs: number; outcomes: number }>(
      `SELECT j.code, j.jobs, (SELECT count(*) FROM audit WHERE phase = 'outcome' AND outcome = j.code
          AND action IN (SELECT action FROM jobs)) AS outcomes
       FROM (SELECT CASE state WHEN 'done' THEN 'OK' ELSE error_code END AS code, count(*) AS jobs FROM jobs GROUP BY 1) j
       WHERE code IN ('OK', 'CANCELLED')`,
    )
    .all()
  for (const { code, jobs: ended, outcomes } of ends) {
    if (ended !== outcomes) fail(`${ended} jobs ended with ${code}, and ${outcomes} are in the audit log`)
  }
  db.close()
  const { answer } = await call('audit.verify', {})
  if (answer.error !== undefined) fail(`the audit chain does not verify: ${JSON.stringify(answer.error)}`)
}

/** Starts some jobs, cancels one now and then, and does not wait for any. */
async function begin(served: Served): Promise<void> {
  const calls = Array.from({ length: JOBS_A_ROUND }, () => pick(CALLS, random()))
  const started = calls.map(async (call) => {
    const { answer } = await served.call(...call)
    if (random() < 0.15) await served.call('job.cancel', { job: answer.jobId })
  })
  // What the kill interrupts is not this one's to tell; what is left of it is looked at.
  void Promise.allSettled(started)
  await sleep(random() * LONGEST_MS)
}

/** Makes room: what a kill may interrupt as well. */
async function clear(served: Served): Promise<void> {
  const listed = await fetch(`${served.url}/api/v1/artifact/list`, { headers: served.headers })
  const { artifacts } = (await listed.json()) as { artifacts: { id: string }[] }
  for (const { id } of artifacts) await served.call('artifact.remove', { artifact: id })
}

console.log(`${KILLS} kills, seed ${SEED}`)
let served: Served | undefined
try {
  let token: string | undefined
  for (let round = 0; round <= KILLS; round++) {
    served = await serve(folder, hosts, token === undefined ? {} : { token })
    token = served.token
    if (round > 0) await look(round, served)
    if (round === KILLS) break
    await clear(served)
    await begin(served)
    await served.kill()
    if ((round + 1) % 10 === 0)
      console.log(`${round + 1} kills, ${problems.length} problems, jobs: ${JSON.stringify(seen)}`)
  }
  const images = await there.docker.listImages({ filters: { dangling: ['true'] } })
  console.log(`images without a name on the second engine: ${images.length}`)
  for (const problem of problems) console.log(problem)
  console.log(problems.length === 0 ? 'all of it holds' : `${problems.length} things do not hold`)
} finally {
  await served?.kill()
  await Promise.all([here.stop(), there.stop()])
  rmSync(folder, { recursive: true, force: true })
}
if (problems.length > 0) process.exitCode = 1
