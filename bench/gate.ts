// What the gate adds to a read: validation, limits, policy and both rows of the audit log, with fifty policies and a log that
// grows; the same read without the gate runs in turn with it. And how long it takes to verify a million rows.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const POLICIES = 50
const SIZES = [1_000, 100_000] as const
const CALLS = Number(process.env.BENCH_CALLS ?? 5_000)
const WARM_UP = 500
const VERIFIED = Number(process.env.BENCH_ROWS ?? 1_000_000)
const BARS = { p99Ms: 3, callsPerSecond: 1_000, growth: 1.1, verifySeconds: 20 } as const

/** What was built: the catalog is read from its folder, so it cannot be bundled. */
const built = <T>(path: string): Promise<T> =>
  import(pathToFileURL(join(process.cwd(), 'dist', path)).href) as Promise<T>
const { loadRegistry, openActions } = await built<typeof import('../src/actions/index.js')>('actions/index.js')
const { openAuditStore } =
  await built<typeof import('../src/actions/guard/audit-store.js')>('actions/guard/audit-store.js')
const { openDatabase } = await built<typeof import('../src/bot/database.js')>('bot/database.js')
const { openKnowledge } = await built<typeof import('../src/knowledge/base.js')>('knowledge/base.js')

const folder = mkdtempSync(join(tmpdir(), 'hc-bench-gate-'))
const registry = await loadRegistry()
const db = openDatabase(folder)
const store = openAuditStore(db)

const shipped = readFileSync('data/policy.cedar', 'utf8')
const more = Math.max(0, POLICIES - (shipped.match(/^(permit|forbid) \(/gm)?.length ?? 0))
const others = Array.from(
  { length: more },
  (_, n) => `@id("more-${n}") permit (principal in Role::"team-${n}", action in Action::"change", resource)
             when { resource is Instance && resource.image like "team-${n}/*" && context.hour >= ${n % 24} };`,
)
const actions = await openActions({
  registry,
  db,
  stateFolder: folder,
  knowledge: openKnowledge(db),
  hosts: [],
  policy: [shipped, ...others].join('\n'),
  jobLimits: { running: 1, perHost: 1, perPrincipal: 1 },
  rates: { read: 1e9, change: 1, destroy: 1, disclose: 1, ask: 1 },
  quotaBytes: Number.MAX_SAFE_INTEGER,
  minFreeBytes: 0,
  publicUrl: () => 'http://localhost',
  now: Date.now,
  onBug: (error) => console.error(error),
})

const principal = { kind: 'user', id: '1', name: 'ann', tenant: '100', roles: ['viewer', 'team-3'] } as const
let asked = 0
const call = async (): Promise<void> => {
  asked += 1
  await actions.gate.call({
    principal,
    surface: 'discord',
    channel: '7',
    lang: 'en',
    requestId: `bench-${asked}`,
    action: 'job.list',
    input: { limit: 5 },
    signal: new AbortController().signal,
  })
}
/** What the verb does itself. */
const bare = async (): Promise<void> => void actions.jobs.recent('100', 5)

/** Rows as calls leave them, written without the calls. @param rows how many there are to be in all */
function fill(rows: number): void {
  const pairs = db.transaction((count: number) => {
    for (let n = 0; n < count; n += 1) {
      const row = {
        at: Date.now(),
        request_id: `fill-${store.highest()}`,
        process: 'bench',
        tenant: '100',
        principal: '100/user:1',
        principal_name: 'ann',
        roles: '["viewer"]',
        surface: 'discord',
        action: 'container.list',
        effect: 'read',
        host: 'box',
        instance: null,
        input: '{"host":"box"}',
        digest: '0'.repeat(64),
        policies: '["viewers-look"]',
        approvals: '[]',
        bytes: null,
      }
      store.insert({ ...row, phase: 'intent', outcome: null, duration_ms: null })
      store.insert({ ...row, phase: 'outcome', outcome: 'OK', duration_ms: 1 })
    }
  })
  while (store.highest() < rows) pairs(Math.min(5_000, Math.ceil((rows - store.highest()) / 2)))
}

const timed = async (work: () => Promise<void>): Promise<number> => {
  const from = performance.now()
  await work()
  return performance.now() - from
}
const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN

interface Measured {
  readonly median: number
  readonly p99: number
  readonly perSecond: number
}

async function measure(rows: number): Promise<Measured> {
  fill(rows)
  for (let n = 0; n < WARM_UP; n += 1) await call()
  const [through, without]: [number[], number[]] = [[], []]
  for (let n = 0; n < CALLS; n += 1) {
    through.push(await timed(call))
    without.push(await timed(bare))
  }
  const took = through.reduce((sum, ms) => sum + ms, 0)
  through.sort((a, b) => a - b)
  without.sort((a, b) => a - b)
  const measured = {
    median: at(through, 0.5) - at(without, 0.5),
    p99: at(through, 0.99) - at(without, 0.5),
    perSecond: (CALLS / took) * 1000,
  }
  console.log(
    `${rows.toLocaleString('en')} rows, ${POLICIES} policies: the gate adds ${measured.median.toFixed(2)} ms (median), ` +
      `${measured.p99.toFixed(2)} ms (p99) to a read of ${at(without, 0.5).toFixed(3)} ms; ` +
      `${measured.perSecond.toFixed(0)} calls/s`,
  )
  return measured
}

const verdict = (what: string, holds: boolean): void =>
  console.log(`bar: ${what}: ${holds ? 'holds' : 'DOES NOT HOLD'}`)

try {
  const [few, many] = [await measure(SIZES[0]), await measure(SIZES[1])]
  const growth = many.median / few.median
  console.log(`from ${SIZES[0].toLocaleString('en')} to ${SIZES[1].toLocaleString('en')} rows: × ${growth.toFixed(3)}`)
  verdict(`p99 < ${BARS.p99Ms} ms`, many.p99 < BARS.p99Ms)
  verdict(`≥ ${BARS.callsPerSecond} calls/s`, many.perSecond >= BARS.callsPerSecond)
  verdict(`growth ≤ ${BARS.growth}`, growth <= BARS.growth)

  console.log(`writing ${VERIFIED.toLocaleString('en')} rows …`)
  fill(VERIFIED)
  const owner = { kind: 'local', id: 'owner', name: 'owner', tenant: 'local', roles: ['admin'] } as const
  const seconds =
    (await timed(async () => {
      await actions.gate.call({
        principal: owner,
        surface: 'cli',
        lang: 'en',
        requestId: 'verify',
        action: 'audit.verify',
        input: {},
        signal: new AbortController().signal,
      })
    })) / 1000
  console.log(`verifying them: ${seconds.toFixed(1)} s`)
  verdict(`verify ≤ ${BARS.verifySeconds} s`, seconds <= BARS.verifySeconds)
} finally {
  await actions.close(0)
  db.close()
  rmSync(folder, { recursive: true, force: true })
}
