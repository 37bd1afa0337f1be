// The actions room, put together: everything behind one gate. The only file of this room that others construct from.
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import type { Knowledge } from '../knowledge/index.js'
import { openGapStore } from './gaps/gap-store.js'
import { openGaps } from './gaps/gaps.js'
import { createGate, type Gate } from './gate.js'
import { type ApprovalNotices, openApprovalNoticeStore } from './guard/approval-notice-store.js'
import { openApprovalStore } from './guard/approval-store.js'
import { type Approvals, openApprovals } from './guard/approvals.js'
import { openAudit } from './guard/audit.js'
import { openSealer, type Seal } from './guard/audit-seal.js'
import { openAuditStore } from './guard/audit-store.js'
import { openConfirmationStore } from './guard/confirmation-store.js'
import { openConfirmations } from './guard/confirmations.js'
import { createExplain, type Explain } from './guard/explain.js'
import { createLimits, type Rates } from './guard/limits.js'
import { openPolicy, type Policy } from './guard/policy/policy.js'
import { policySchema } from './guard/policy/schema.js'
import type { Environment } from './hosts/endpoint.js'
import { openHostStore } from './hosts/host-store.js'
import { createHosts, type Host, type Hosts } from './hosts/hosts.js'
import { openLinks } from './hosts/links.js'
import { recallOf } from './hosts/recall.js'
import { openSampler } from './hosts/sampler.js'
import { openArtifactStore } from './jobs/artifact-store.js'
import { type Artifacts, openArtifacts } from './jobs/artifacts.js'
import { openJobStore } from './jobs/job-store.js'
import { type JobLimits, type Jobs, openJobs } from './jobs/jobs.js'
import { openLiveness } from './jobs/liveness-store.js'
import type { Registry } from './registry.js'
import { openSettings, type Settings } from './settings/settings.js'
import { openSettingsStore } from './settings/settings-store.js'
import { createTargets } from './targets.js'

export interface ActionsOptions {
  readonly registry: Registry
  readonly db: Database
  /** Where artifacts and half-written files live; the database's own folder. */
  readonly stateFolder: string
  readonly knowledge: Knowledge
  readonly hosts: readonly Host[]
  /** What a host's settings may name. */
  readonly environment?: Environment
  /** Cedar text. */
  readonly policy: string
  readonly minFreeBytes: number
  readonly jobLimits: JobLimits
  readonly rates: Rates
  /** What all artifacts may take together. */
  readonly quotaBytes: number
  readonly publicUrl: () => string
  /** How long rows of the audit log are kept; for ever when absent. */
  readonly auditKeptMs?: number
  /** Told how far the audit log goes whenever that was signed, to note it where nobody reaches who can reach the log. */
  readonly onSeal?: (seal: Seal) => void
  /** Epoch ms. */
  readonly now: () => number
  readonly onBug: (error: unknown, requestId: string) => void
}

export interface Actions {
  readonly gate: Gate
  readonly jobs: Jobs
  readonly artifacts: Artifacts
  readonly hosts: Hosts
  readonly approvals: Approvals
  readonly explain: Explain
  readonly notices: ApprovalNotices
  readonly settings: Settings
  /** What is decided from now on. @throws PolicyError: then nothing changes */
  replacePolicy(source: string): Policy
  /** Grows whenever a call from memory may be answered otherwise than before: a host or the policy has changed. */
  changes(): number
  /** This process's own folder for uploads on their way; emptied when it ends, however it ends. */
  readonly workFolder: string
  /** Removes what has had its time, as is done every ten minutes. */
  sweep(): Promise<void>
  /** How many jobs of processes that died were found and marked at the start. */
  readonly recovered: number
  /** Takes nothing new, gives running jobs a grace, marks the rest, and lets go of everything. */
  close(graceMs: number): Promise<void>
}

/** What one host does at a time besides its jobs, so that these never keep everyone waiting. */
const BESIDE_JOBS = 4
const SWEEP_MS = 10 * 60_000
/** How much of the log's end may be cut off unnoticed at most. */
const SEAL_MS = 60_000

/** @throws PolicyError when the policy must not be used */
export async function openActions(options: ActionsOptions): Promise<Actions> {
  const { registry, db, stateFolder, knowledge, now } = options
  const policy = openPolicy(options.policy, policySchema(registry.actions))
  const liveness = openLiveness(join(stateFolder, 'processes'))
  const audit = openAudit({
    store: openAuditStore(db),
    sealer: openSealer(stateFolder),
    process: liveness.self,
    now,
  })
  const jobs = openJobs({ store: openJobStore(db), audit, liveness, limits: options.jobLimits, now })
  const artifacts = openArtifacts({
    store: openArtifactStore(db),
    folder: join(stateFolder, 'artifacts'),
    workFolder: liveness.workFolder,
    minFreeBytes: options.minFreeBytes,
    quotaBytes: options.quotaBytes,
    publicUrl: options.publicUrl,
    now,
  })
  const gaps = openGaps(openGapStore(db), now)
  const { environment = () => undefined } = options
  const guard = { now, mostAtOnce: options.jobLimits.perHost + BESIDE_JOBS }
  const links = openLinks({ store: openHostStore(db), environment, guard })
  const hosts = createHosts({ settled: options.hosts, links, guard })
  const recall = recallOf(hosts, now)
  const sampler = openSampler(now)
  const approvals = openApprovals(openApprovalStore(db), now)
  const notices = openApprovalNoticeStore(db)
  const confirmations = openConfirmations(openConfirmationStore(db), approvals, now)
  const settings = openSettings(openSettingsStore(db))
  const resolve = createTargets({ knowledge, hosts, artifacts, now })
  const explain = createExplain({ registry, policy: policy.current, resolve, now })
  const gate = createGate({
    registry,
    policy: policy.current,
    resolve,
    confirmations,
    limits: createLimits(options.rates),
    rememberedHosts: recall.hosts,
    services: { knowledge, hosts, sampler, jobs, artifacts, gaps, audit, approvals, explain, settings, now },
    onBug: options.onBug,
  })

  // Jobs first: they are judged by who is alive, and the sweep forgets the dead.
  const recovered = jobs.recover()
  liveness.sweep()

  let replacements = 0
  const closing = new AbortController()
  const seal = (): void => {
    const sealed = audit.seal()
    if (sealed) options.onSeal?.(sealed)
  }
  const sweep = async (): Promise<void> => {
    gaps.sweep()
    await artifacts.sweep()
    const { auditKeptMs } = options
    if (auditKeptMs !== undefined) await audit.removeBefore(now() - auditKeptMs, closing.signal)
  }
  const every = (ms: number, name: string, work: () => Promise<void> | void) =>
    setInterval(() => {
      Promise.resolve()
        .then(work)
        .catch((error: unknown) => options.onBug(error, name))
    }, ms).unref()
  const timers = [every(SWEEP_MS, 'sweep', sweep), every(SEAL_MS, 'seal', seal)]

  return {
    gate,
    jobs,
    artifacts,
    hosts,
    approvals,
    explain,
    notices,
    settings,
    replacePolicy(source) {
      const replaced = policy.replace(source)
      replacements += 1
      return replaced
    },
    changes: () => recall.changes() + replacements,
    workFolder: liveness.workFolder,
    sweep,
    recovered,
    async close(graceMs) {
      timers.forEach(clearInterval)
      closing.abort()
      sampler.close()
      recall.close()
      await jobs.close(graceMs)
      seal()
      hosts.close()
      liveness.close()
    },
  }
}

export {
  type Effect,
  type FileSource,
  type FormField,
  type FromMessage,
  type Principal,
  principalKey,
  type Surface,
} from './action.js'
export { approvalOutput, approvalView } from './approval-views.js'
export { type ByteSource, bytesOf, bytesOfFile, watched } from './bytes.js'
export { AppError, ERRORS, type ErrorCode } from './errors.js'
export type { Completion, FieldDescription } from './fields.js'
export { type Call, type ConfirmFirst, confirmationError, type Done, type Gate, type Outcome } from './gate.js'
export type { ApprovalNotices, NoticeRow } from './guard/approval-notice-store.js'
export { type Approval, becauseOf, pendingError } from './guard/approvals.js'
export type { Seal } from './guard/audit-seal.js'
export type { FileReference } from './guard/confirmations.js'
export { type Counter, openCounter, type Rates } from './guard/limits.js'
export { type CaseResult, PolicyCasesError, readPolicyCases, runPolicyCase } from './guard/policy/cases.js'
export { PolicyError, type PolicyProblem } from './guard/policy/file.js'
export { loadPolicy, type Policy } from './guard/policy/policy.js'
export { policySchema } from './guard/policy/schema.js'
export { scrub, scrubLine } from './guard/secrets.js'
export { defaultHosts, HostFileError, readHostFile } from './hosts/host-file.js'
export type { Host, Hosts } from './hosts/hosts.js'
export { type JobOutput, jobOutput, jobView } from './job-views.js'
export type { Artifacts, StoredArtifact } from './jobs/artifacts.js'
export type { Jobs } from './jobs/jobs.js'
export { transfer } from './jobs/transfer.js'
export { migrateStore } from './migrate-store.js'
export { zhName } from './names.js'
export { createRegistry, loadRegistry, type RegisteredAction, type Registry } from './registry.js'
export type { ChannelProblem, Language, RoleMapping, Settings } from './settings/settings.js'
export { PROBLEM_WORDS } from './settings-views.js'
export { type Bilingual, fill, formatBytes, formatTime, type Lang, say } from './text.js'
export type { Block, Choice, Fact, PictureBlock, View } from './view.js'
export { within } from './within.js'
