// Which engines the operator named: a YAML file, or, without one, the Docker engine of this machine.
import { existsSync, readFileSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { join } from 'node:path'
import { type Static, Type } from 'typebox'
import Schema from 'typebox/schema'
import { parseDocument } from 'yaml'
import { bindProblems } from './binds.js'
import { dockerDriver } from './docker/driver.js'
import type { DockerEndpoint } from './endpoint.js'
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
    insecure: Type.Optional(Type.Boolean()),
    binds: Type.Optional(Type.Array(Type.String())),
    backports: Type.Optional(Type.Array(Type.String({ pattern: '^CVE-[0-9]{4}-[0-9]{4,}$' }))),
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

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'))

interface TlsFiles {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

function readTls(files: TlsFiles): { ca: Buffer; cert: Buffer; key: Buffer } {
  const read = (path: string) => {
    try {
      return readFileSync(path)
    } catch (cause) {
      throw new HostFileError([
        `cannot read the TLS file ${path}: ${cause instanceof Error ? cause.message : 'unknown'}`,
      ])
    }
  }
  return { ca: read(files.ca), cert: read(files.cert), key: read(files.key) }
}

/**
 * @param address `unix:///path` or `tcp://host:port`
 * @throws HostFileError for another scheme, and for plain TCP beyond this machine unless that was asked for
 */
export function parseEndpoint(address: string, options: { tls?: TlsFiles; insecure?: boolean } = {}): DockerEndpoint {
  if (address.startsWith('unix://')) {
    const path = address.slice('unix://'.length)
    if (!path.startsWith('/'))
      throw new HostFileError([`"${address}" needs an absolute path, as in unix:///var/run/docker.sock`])
    return { kind: 'unix', path }
  }
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url?.protocol !== 'tcp:' || url.hostname === '' || url.username !== '') {
    throw new HostFileError([`"${address}" is neither unix:///path nor tcp://host:port`])
  }
  const port = Number(url.port || (options.tls ? 2376 : 2375))
  if (!options.tls && !isLoopback(url.hostname) && options.insecure !== true) {
    throw new HostFileError([`"${address}" is plain TCP to another machine: give it tls, or say insecure: true`])
  }
  return { kind: 'tcp', host: url.hostname, port, ...(options.tls ? { tls: readTls(options.tls) } : {}) }
}

/** @param path a YAML file of hosts @throws HostFileError with every problem */
export function readHostFile(path: string): Host[] {
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
    problems.push(...bindProblems(entry.binds ?? []).map((problem) => `${entry.name}: ${problem}`))
    try {
      const endpoint = parseEndpoint(entry.endpoint, {
        ...(entry.tls ? { tls: entry.tls } : {}),
        ...(entry.insecure === undefined ? {} : { insecure: entry.insecure }),
      })
      return [
        {
          name: entry.name,
          labels: entry.labels ?? {},
          tenants: ['local', ...(entry.guilds ?? [])],
          endpoint: entry.endpoint,
          ...(entry.binds ? { binds: entry.binds } : {}),
          driver: dockerDriver(entry.name, endpoint),
          ...(entry.backports ? { backports: entry.backports } : {}),
        },
      ]
    } catch (error) {
      if (!(error instanceof HostFileError)) throw error
      problems.push(...error.problems.map((problem) => `${entry.name}: ${problem}`))
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

/** The engine of this machine as host `local`; none when neither DOCKER_HOST nor the default socket is there. */
export function defaultHosts({ dockerHost, certPath, guilds }: DefaultHostOptions): Host[] {
  if (dockerHost === undefined && !existsSync(DEFAULT_SOCKET)) return []
  const address = dockerHost ?? `unix://${DEFAULT_SOCKET}`
  const tls = certPath === undefined ? undefined : tlsFilesIn(certPath)
  // The operator's own environment already says where the engine is, as it does to the engine's own tools.
  const endpoint = parseEndpoint(address, { ...(tls ? { tls } : {}), insecure: true })
  return [
    {
      name: 'local',
      labels: {},
      tenants: ['local', ...guilds],
      endpoint: address,
      driver: dockerDriver('local', endpoint),
    },
  ]
}

const tlsFilesIn = (folder: string): TlsFiles => ({
  ca: join(folder, 'ca.pem'),
  cert: join(folder, 'cert.pem'),
  key: join(folder, 'key.pem'),
})
