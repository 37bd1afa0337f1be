// Which engines the operator named: a YAML file, or, without one, the Docker engine of this machine.
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Static, Type } from 'typebox'
import Schema from 'typebox/schema'
import { parseDocument } from 'yaml'
import { bindProblems } from './binds.js'
import { CVE } from './copy-risk.js'
import { dockerDriver } from './docker/driver.js'
import { EndpointError, type EndpointSettings, type Environment, parseEndpoint } from './endpoint.js'
import type { Host } from './hosts.js'

const HostEntry = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,31}$' }),
    endpoint: Type.String({ minLength: 1 }),
    labels: Type.Optional(Type.Record(Type.String(), Type.String())),
    guilds: Type.Optional(Type.Array(Type.String({ pattern: '^[0-9]{5,20}$' }))),
    tls: Type.Optional(
      Type.Object({ ca: Type.String(), cert: Type.String(), key: Type.String() }, { additionalProperties: false }),
    ),
    key: Type.Optional(Type.String()),
    'known-hosts': Type.Optional(Type.String()),
    insecure: Type.Optional(Type.Boolean()),
    binds: Type.Optional(Type.Array(Type.String())),
    backports: Type.Optional(Type.Array(Type.String({ pattern: CVE }))),
  },
  { additionalProperties: false },
)
const HostFile = Type.Object({ hosts: Type.Array(HostEntry) }, { additionalProperties: false })
const hostFile = Schema.Compile(HostFile)

/** Everything wrong with a hosts file, so that one look mends it. */
export class HostFileError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'HostFileError'
    this.problems = problems
  }
}

const settingsOf = (entry: Static<typeof HostEntry>): EndpointSettings => ({
  endpoint: entry.endpoint,
  ...(entry.tls ? { tls: entry.tls } : {}),
  ...(entry.key === undefined ? {} : { key: entry.key }),
  ...(entry['known-hosts'] === undefined ? {} : { knownHosts: entry['known-hosts'] }),
  ...(entry.insecure === undefined ? {} : { insecure: entry.insecure }),
})

/** @param path a YAML file of hosts @throws HostFileError with every problem */
export function readHostFile(path: string, environment: Environment): Host[] {
  const document = parseDocument(readFileSync(path, 'utf8'))
  if (document.errors.length > 0) throw new HostFileError(document.errors.map((error) => error.message))
  const value: unknown = document.toJS()
  if (!hostFile.Check(value)) {
    const [, errors] = hostFile.Errors(value)
    throw new HostFileError(errors.map((error) => `${error.instancePath || '/'} ${error.message}`))
  }
  const problems: string[] = []
  const names = new Set<string>()
  const hosts = (value as Static<typeof HostFile>).hosts.flatMap((entry): Host[] => {
    if (names.has(entry.name)) problems.push(`two hosts are called "${entry.name}"`)
    names.add(entry.name)
    problems.push(...bindProblems(entry.binds ?? []).map(({ en }) => `${entry.name}: ${en}`))
    try {
      const { endpoint, isExposed } = parseEndpoint(settingsOf(entry), environment)
      return [
        {
          name: entry.name,
          labels: entry.labels ?? {},
          tenants: ['local', ...(entry.guilds ?? [])],
          endpoint: entry.endpoint,
          isExposed,
          ...(entry.binds ? { binds: entry.binds } : {}),
          driver: dockerDriver(entry.name, endpoint),
          ...(entry.backports ? { backports: entry.backports } : {}),
        },
      ]
    } catch (error) {
      if (!(error instanceof EndpointError)) throw error
      problems.push(`${entry.name}: ${error.problem.en}`)
      return []
    }
  })
  if (problems.length > 0) throw new HostFileError(problems)
  return hosts
}

export interface DefaultHostOptions {
  /** DOCKER_HOST, as the engine's own tools read it. */
  readonly dockerHost?: string
  /** DOCKER_CERT_PATH, when DOCKER_TLS_VERIFY is set. */
  readonly certPath?: string
  readonly guilds: readonly string[]
}

const DEFAULT_SOCKET = '/var/run/docker.sock'

/**
 * The engine of this machine as host `local`; none when neither DOCKER_HOST nor the default socket is there.
 * @throws HostFileError
 */
export function defaultHosts({ dockerHost, certPath, guilds }: DefaultHostOptions): Host[] {
  if (dockerHost === undefined && !existsSync(DEFAULT_SOCKET)) return []
  const settings: EndpointSettings = {
    endpoint: dockerHost ?? `unix://${DEFAULT_SOCKET}`,
    ...(certPath === undefined ? {} : { tls: tlsFilesIn(resolve(certPath)) }),
    // The operator's own environment already says where the engine is, as it does to the engine's own tools.
    insecure: true,
  }
  try {
    const { endpoint, isExposed } = parseEndpoint(settings, () => undefined)
    return [
      {
        name: 'local',
        labels: {},
        tenants: ['local', ...guilds],
        endpoint: settings.endpoint,
        isExposed,
        driver: dockerDriver('local', endpoint),
      },
    ]
  } catch (error) {
    throw error instanceof EndpointError ? new HostFileError([error.problem.en]) : error
  }
}

const tlsFilesIn = (folder: string) => ({
  ca: join(folder, 'ca.pem'),
  cert: join(folder, 'cert.pem'),
  key: join(folder, 'key.pem'),
})
