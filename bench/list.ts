// How long a list of containers takes through the gate: a thousand of them beside the engine's own answer in the same run,
// and many hosts of which some accept connections and say nothing.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { makeImage, startEngine, TEST_IMAGE } from '../test/helpers/engine.js'

const CONTAINERS = Number(process.env.BENCH_CONTAINERS ?? 1_000)
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 15)
const HOSTS = 20
const DEAD = 5
/** As container.list has it. */
const DEADLINE_MS = 5_000

/** What was built: the catalog is read from its folder, so it cannot be bundled. */
const built = <T>(path: string): Promise<T> =>
  import(pathToFileURL(join(process.cwd(), 'dist', path)).href) as Promise<T>
const { loadRegistry, openActions, readHostFile } =
  await built<typeof import('../src/actions/index.js')>('actions/index.js')
const { openDatabase } = await built<typeof import('../src/bot/database.js')>('bot/database.js')
const { openKnowledge } = await built<typeof import('../src/knowledge/base.js')>('knowledge/base.js')

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}

const folder = mkdtempSync(join(tmpdir(), 'hc-bench-list-'))

/** @param hosts name → endpoint @returns a call of container.list through a gate that knows these hosts */
async function gateTo(name: string, hosts: Readonly<Record<string, string>>) {
  const stateFolder = join(folder, name)
  const file = join(folder, `${name}.yaml`)
  writeFileSync(
    file,
    JSON.stringify({ hosts: Object.entries(hosts).map(([host, endpoint]) => ({ name: host, endpoint })) }),
  )
  const db = openDatabase(stateFolder)
  const actions = await openActions({
    registry: await loadRegistry(),
    db,
    stateFolder,
    knowledge: openKnowledge(db),
    hosts: readHostFile(file, () => undefined),
    policy: readFileSync('data/policy.cedar', 'utf8'),
    jobLimits: { running: 1, perHost: 1, perPrincipal: 1 },
    rates: { read: 1e6, change: 1, destroy: 1, disclose: 1, ask: 1 },
    quotaBytes: Number.MAX_SAFE_INTEGER,
    minFreeBytes: 0,
    publicUrl: () => 'http://localhost',
    now: Date.now,
    onBug: (error) => console.error(error),
  })
  return {
    list: () =>
      actions.gate.call({
        principal: { kind: 'local', id: 'owner', name: 'owner', tenant: 'local', roles: ['admin'] },
        surface: 'cli',
        lang: 'en',
        requestId: name,
        action: 'container.list',
        input: {},
        signal: new AbortController().signal,
      }),
    async close() {
      await actions.close(0)
      db.close()
    },
  }
}

const engine = await startEngine()

/** The engine's own answer, read to its end and no further. */
const raw = (): Promise<void> =>
  new Promise((resolve, reject) => {
    request({ socketPath: engine.socketPath, path: '/containers/json?all=1' }, (answer) => {
      answer.resume().once('end', resolve).once('error', reject)
    })
      .once('error', reject)
      .end()
  })

async function manyHosts(): Promise<void> {
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const hosts = Object.fromEntries(
    Array.from({ length: HOSTS }, (_, index): [string, string] => [
      `host-${index}`,
      index < DEAD ? `tcp://127.0.0.1:${port}` : `unix://${engine.socketPath}`,
    ]),
  )
  const gate = await gateTo('many', hosts)
  for (let round = 1; round <= 4; round++) {
    const took = await timed(gate.list)
    console.log(
      `${HOSTS} hosts, ${DEAD} of them silent, call ${round}: ${took.toFixed(0)} ms ` +
        `(deadline ${DEADLINE_MS} ms, ${(took / DEADLINE_MS).toFixed(3)} of it)`,
    )
  }
  await gate.close()
  silent.close()
}

async function manyContainers(): Promise<void> {
  console.log(`making ${CONTAINERS} containers …`)
  const left = Array.from({ length: CONTAINERS }, (_, index) => index)
  const make = async () => {
    for (let index = left.pop(); index !== undefined; index = left.pop()) {
      await engine.docker.createContainer({ Image: TEST_IMAGE, name: `listed-${index}`, Labels: { index: `${index}` } })
    }
  }
  await Promise.all(Array.from({ length: 4 }, make))
  const gate = await gateTo('one', { local: `unix://${engine.socketPath}` })
  await raw()
  await gate.list()
  const raws: number[] = []
  const ours: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    raws.push(await timed(raw))
    ours.push(await timed(gate.list))
  }
  console.log(
    `${CONTAINERS} containers, medians of ${ROUNDS}: engine ${median(raws).toFixed(1)} ms, ` +
      `gate ${median(ours).toFixed(1)} ms, ratio ${(median(ours) / median(raws)).toFixed(2)}`,
  )
  await gate.close()
}

try {
  await makeImage(engine.docker)
  await manyHosts()
  await manyContainers()
} finally {
  await engine.stop()
  rmSync(folder, { recursive: true, force: true })
}
