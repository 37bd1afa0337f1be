// Puts the house together and takes it apart again; the ways into it are `serve.ts`'s and the command line's.
import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Logger, pino } from 'pino'
import {
  type Actions,
  defaultHosts,
  type Host,
  HostFileError,
  loadRegistry,
  openActions,
  PolicyError,
  type Registry,
  readHostFile,
  scrubLine,
} from '../actions/index.js'
import { type StartedKnowledge, startKnowledge } from '../knowledge/index.js'
import { openAuditMirror } from './audit-mirror.js'
import { type Config, ConfigError, environment, guildsOf, ratesOf } from './config.js'
import { openDatabase } from './database.js'
import { openCredentialStore } from './http/credential-store.js'
import { type Credentials, openCredentials } from './http/credentials.js'
import { moveOldKnowledge } from './old-knowledge-store.js'
import { fetchingGate, openUrlSources } from './url-source.js'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const CARDS = join(ROOT, 'data', 'knowledge')
/** Made by the build. */
const DICTIONARY = join(ROOT, 'dist', 'dictionary.sqlite')
const DAY_MS = 24 * 60 * 60_000
const KNOWLEDGE_THREAD = join(ROOT, 'dist', 'knowledge', 'worker.js')

export const VERSION = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version

/** Everything but the ways in: what the command line needs, and what the server stands on. */
export interface House {
  readonly config: Config
  readonly log: Logger
  readonly registry: Registry
  readonly actions: Actions
  readonly knowledge: StartedKnowledge
  readonly credentials: Credentials
  readonly hosts: readonly Host[]
  /** Throws when the database does not answer. */
  checkDatabase(): void
  close(graceMs: number): Promise<void>
}

/** A file of the product when the path is relative and nothing of that name is in the working directory. @throws ConfigError */
export function policyPath(path: string): string {
  const candidates = isAbsolute(path) ? [path] : [resolve(path), join(ROOT, path)]
  const found = candidates.find((candidate) => existsSync(candidate))
  if (found === undefined) throw new ConfigError([`HYPERCALL_POLICY: there is no file ${path}`])
  return found
}

/** @returns Cedar text @throws ConfigError */
export const readPolicy = (path: string): string => readFileSync(policyPath(path), 'utf8')

function hostsOf(config: Config): Host[] {
  try {
    if (config.HYPERCALL_HOSTS !== undefined) return readHostFile(config.HYPERCALL_HOSTS, environment)
    return defaultHosts({
      ...(config.DOCKER_HOST === undefined ? {} : { dockerHost: config.DOCKER_HOST }),
      ...(config.DOCKER_TLS_VERIFY !== undefined && config.DOCKER_CERT_PATH !== undefined
        ? { certPath: config.DOCKER_CERT_PATH }
        : {}),
      guilds: guildsOf(config),
    })
  } catch (error) {
    const setting = config.HYPERCALL_HOSTS === undefined ? 'DOCKER_HOST' : 'HYPERCALL_HOSTS'
    if (error instanceof HostFileError) throw new ConfigError(error.problems.map((problem) => `${setting}: ${problem}`))
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new ConfigError([`${setting}: there is no file ${config.HYPERCALL_HOSTS}`])
    }
    throw error
  }
}

/** Where the server of this state can be reached, written down while it runs so that the command line can say it. */
export const addressFile = (config: Config): string => join(config.HYPERCALL_STATE, 'address')

export function publicUrlOf(config: Config): string {
  if (config.HYPERCALL_PUBLIC_URL !== undefined) return config.HYPERCALL_PUBLIC_URL.replace(/\/+$/, '')
  try {
    return readFileSync(addressFile(config), 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return localUrl(config.HYPERCALL_BIND, config.HYPERCALL_PORT)
  }
}

/** A wildcard address listens everywhere, but nobody can be sent there. */
export function localUrl(bind: string, port: number): string {
  const host = bind === '0.0.0.0' ? '127.0.0.1' : bind === '::' ? '[::1]' : bind.includes(':') ? `[${bind}]` : bind
  return `http://${host}:${port}`
}

/** @throws ConfigError for what the operator can mend */
export async function openHouse(config: Config): Promise<House> {
  // Standard output belongs to what was asked for; the log goes beside it.
  const log: Logger = pino(
    { level: config.HYPERCALL_LOG_LEVEL, hooks: { streamWrite: scrubLine } },
    pino.destination({ dest: 2, sync: true }),
  )
  const policy = readPolicy(config.HYPERCALL_POLICY)
  const hosts = hostsOf(config)
  const registry = await loadRegistry()
  const db = openDatabase(config.HYPERCALL_STATE)
  const hasDictionary = existsSync(DICTIONARY)
  // A file of its own: while an import writes to it, jobs and the audit log do not wait.
  const knowledge = startKnowledge(
    KNOWLEDGE_THREAD,
    {
      file: join(config.HYPERCALL_STATE, 'knowledge.db'),
      ...(hasDictionary ? { dictionary: DICTIONARY } : {}),
    },
    {
      folder: CARDS,
      report({ problems }) {
        for (const { message, ...place } of problems)
          log.warn({ ...place, problem: message.en }, 'a knowledge card was left out')
      },
    },
  )
  try {
    const now = Date.now
    if (!hasDictionary) log.warn('the dictionary has not been built: questions find cards of their own language alone')
    await moveOldKnowledge(db, knowledge)
    const actions = await openActions({
      registry,
      db,
      stateFolder: config.HYPERCALL_STATE,
      knowledge,
      hosts,
      environment,
      policy,
      minFreeBytes: config.HYPERCALL_MIN_FREE,
      jobLimits: {
        running: config.HYPERCALL_JOBS,
        perHost: config.HYPERCALL_JOBS_PER_HOST,
        perPrincipal: config.HYPERCALL_JOBS_PER_PERSON,
      },
      rates: ratesOf(config),
      quotaBytes: config.HYPERCALL_ARTIFACT_QUOTA,
      publicUrl: () => publicUrlOf(config),
      ...(config.HYPERCALL_AUDIT_DAYS === 0 ? {} : { auditKeptMs: config.HYPERCALL_AUDIT_DAYS * DAY_MS }),
      onSeal: openAuditMirror(config.HYPERCALL_AUDIT_MIRROR, log),
      now,
      onBug: (err, requestId) => log.error({ err, requestId }, 'a bug'),
    })
    const sourceAt = openUrlSources({
      hosts: config.HYPERCALL_URL_HOSTS,
      workFolder: actions.workFolder,
      maxBytes: config.HYPERCALL_MAX_UPLOAD,
      minFreeBytes: config.HYPERCALL_MIN_FREE,
    })
    return {
      config,
      log,
      registry,
      actions: { ...actions, gate: fetchingGate(actions.gate, sourceAt) },
      knowledge,
      credentials: openCredentials(openCredentialStore(db), now),
      hosts,
      checkDatabase: () => {
        db.pragma('user_version')
      },
      async close(graceMs) {
        await actions.close(graceMs)
        await knowledge.close()
        db.close()
      },
    }
  } catch (error) {
    await knowledge.close()
    db.close()
    if (error instanceof PolicyError) {
      throw new ConfigError(error.problems.map(({ line, message }) => `${config.HYPERCALL_POLICY}:${line}: ${message}`))
    }
    throw error
  }
}

export const loginUrl = (house: House): string =>
  `${publicUrlOf(house.config)}/#login=${house.credentials.createLogin()}`
