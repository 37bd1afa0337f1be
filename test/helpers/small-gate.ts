// The gate on its real guard and a database in memory, with a handful of verbs and a world that the test writes down: what
// it makes of a call needs neither an engine nor the catalog, and opens in a few milliseconds.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { Action, Services } from '../../src/actions/action.js'
import { AppError, type ErrorCode } from '../../src/actions/errors.js'
import { type Call, createGate, type Outcome } from '../../src/actions/gate.js'
import { openApprovalStore } from '../../src/actions/guard/approval-store.js'
import { openApprovals } from '../../src/actions/guard/approvals.js'
import { openAudit } from '../../src/actions/guard/audit.js'
import { openSealer } from '../../src/actions/guard/audit-seal.js'
import { type AuditRow, openAuditStore } from '../../src/actions/guard/audit-store.js'
import { openConfirmationStore } from '../../src/actions/guard/confirmation-store.js'
import { openConfirmations } from '../../src/actions/guard/confirmations.js'
import { createLimits, type Rates } from '../../src/actions/guard/limits.js'
import { loadPolicy, type Policy } from '../../src/actions/guard/policy/policy.js'
import { policySchema } from '../../src/actions/guard/policy/schema.js'
import type { Image, InstanceDetail } from '../../src/actions/hosts/driver.js'
import type { Host } from '../../src/actions/hosts/hosts.js'
import { openArtifactStore } from '../../src/actions/jobs/artifact-store.js'
import { openArtifacts, type StoredArtifact } from '../../src/actions/jobs/artifacts.js'
import { openJobStore } from '../../src/actions/jobs/job-store.js'
import { type JobLimits, openJobs } from '../../src/actions/jobs/jobs.js'
import { openLiveness } from '../../src/actions/jobs/liveness-store.js'
import type { Target } from '../../src/actions/targets.js'
import { principal } from './caller.js'
import { verbs } from './verbs.js'
import { BOX, FAR, IMAGE, INSTANCE } from './world.js'

/** Cedar takes longer to read one than the rest of a gate to open. */
const policies = new Map<string, Policy>()

/** What there is; assign to change it. */
export interface World {
  host: Host
  instance: InstanceDetail
  image: Image
  card: { readonly version: number } | undefined
  artifact: StoredArtifact
  destination: Host | undefined
  /** What is said in place of a target. */
  missing: Error | ErrorCode | undefined
}

export const ANN = principal(['ops'], { kind: 'user', id: 'ann', name: 'Ann', tenant: '100' })

export interface SmallGateOptions {
  readonly policy?: string
  readonly rates?: Partial<Rates>
  readonly jobs?: Partial<JobLimits>
  /** Beside those that there always are. */
  readonly verbs?: readonly Action[]
}

export type SmallGate = ReturnType<typeof openSmallGate>

export function openSmallGate(options: SmallGateOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'hc-gate-'))
  const db = new Sqlite(':memory:')
  db.pragma('foreign_keys = ON')
  let clock = Date.UTC(2026, 10, 28, 9)
  const now = () => clock
  const registry = verbs(...(options.verbs ?? []))
  const read = (source: string): Policy => {
    const key = `${registry.actions.map(({ name }) => name).join(' ')} ${source}`
    const policy = policies.get(key) ?? loadPolicy(source, policySchema(registry.actions))
    policies.set(key, policy)
    return policy
  }
  let inForce = read(options.policy ?? '@id("all") permit (principal, action, resource);')
  const liveness = openLiveness(join(folder, 'processes'))
  const audit = openAudit({ store: openAuditStore(db), sealer: openSealer(folder), process: liveness.self, now })
  const limits = { running: 2, perHost: 2, perPrincipal: 2, ...options.jobs }
  const jobs = openJobs({ store: openJobStore(db), audit, liveness, limits, now })
  const artifactStore = openArtifactStore(db)
  const artifacts = openArtifacts({
    store: artifactStore,
    folder: join(folder, 'artifacts'),
    workFolder: liveness.workFolder,
    minFreeBytes: 0,
    quotaBytes: Number.MAX_SAFE_INTEGER,
    publicUrl: () => 'http://x',
    now,
  })
  const approvals = openApprovals(openApprovalStore(db), now)
  const bugs: { readonly error: unknown; readonly requestId: string }[] = []
  const row = { principal: '100/user:ann', name: 'n', media_type: 'text/plain', sha256: 'x', created_at: clock }
  artifactStore.insert({ ...row, id: 'a1', tenant: '100', size_bytes: 50, expires_at: clock + 9e6 })
  const world: World = {
    host: BOX,
    instance: INSTANCE,
    image: IMAGE,
    card: { version: 1 },
    artifact: artifacts.get('a1', '100') as StoredArtifact,
    destination: undefined,
    missing: undefined,
  }
  /** Those that a caller is told of. */
  let visible: readonly Host[] = [BOX, FAR]

  function targetOf(kind: Action['target']): Target {
    const at = { host: world.host, ...(world.destination ? { destination: world.destination } : {}) }
    switch (kind) {
      case 'none':
        return { facts: { kind: 'service' } }
      case 'host':
        return { facts: { kind: 'host', host: world.host }, ...at }
      case 'instance': {
        const { instance } = world
        return { facts: { kind: 'instance', host: world.host, instance }, ...at, instance, copyRisk: false }
      }
      case 'image':
        return { facts: { kind: 'image', host: world.host, image: world.image }, ...at, image: world.image }
      case 'card':
        return {
          facts: { kind: 'card', card: { id: 'x', tags: [], shipped: false } },
          ...(world.card ? { card: world.card } : {}),
        }
      case 'artifact': {
        const { artifact } = world
        return { facts: { kind: 'artifact', artifact: { ...artifact, mine: true } }, artifact }
      }
    }
  }

  const hosts = { visible: () => [...visible] } as unknown as Services['hosts']
  const remembered = { ...hosts }
  const gate = createGate({
    registry,
    policy: () => inForce,
    resolve: async ({ target }) => {
      const { missing } = world
      if (missing === undefined) return targetOf(target)
      throw typeof missing === 'string' ? new AppError(missing, { host: 'h', instance: 'i' }) : missing
    },
    confirmations: openConfirmations(openConfirmationStore(db), approvals, now),
    limits: createLimits({ read: 1e6, change: 1e6, destroy: 1e6, disclose: 1e6, ask: 1e6, ...options.rates }),
    // What no verb here reaches is not there.
    services: { hosts, jobs, artifacts, audit, approvals, now } as unknown as Services,
    rememberedHosts: remembered,
    onBug: (error, requestId) => bugs.push({ error, requestId }),
  })

  const call = (action: string, input: unknown = {}, more: Partial<Call> = {}): Promise<Outcome> =>
    gate.call({
      principal: ANN,
      surface: 'rest',
      lang: 'en',
      requestId: 'r1',
      action,
      input,
      signal: new AbortController().signal,
      ...more,
    })
  return {
    gate,
    db,
    jobs,
    approvals,
    bugs,
    world,
    remembered,
    call,
    replacePolicy: (source: string): void => {
      inForce = read(source)
    },
    see: (...hosts: readonly Host[]): void => {
      visible = hosts
    },
    wait: (ms: number): void => {
      clock += ms
    },
    rows: () => db.prepare<[], AuditRow>('SELECT * FROM audit ORDER BY seq').all(),
    async close() {
      await jobs.close(0)
      liveness.close()
      db.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
