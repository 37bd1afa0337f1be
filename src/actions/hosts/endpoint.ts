// Where an engine listens, as an operator writes it and as a connection needs it.
import { readFileSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { isAbsolute } from 'node:path'
import { type Bilingual, fill, say } from '../text.js'
import type { Dialer } from './dialled.js'
import { openSsh } from './ssh.js'
import { Unreachable } from './unreachable.js'

/** What files hold, never shown or stored. */
export interface TlsMaterial {
  readonly ca: Buffer
  readonly cert: Buffer
  readonly key: Buffer
}

export type DockerEndpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | {
      readonly kind: 'tcp'
      readonly host: string
      readonly port: number
      /** Read for each connection: certificates are renewed. @throws Unreachable */
      readonly tls?: () => TlsMaterial
    }
  | { readonly kind: 'dialled'; readonly dialer: Dialer }

/** A file is said by its path, or by the name of an environment variable that holds the path. */
export interface EndpointSettings {
  /** `unix:///path`, `tcp://host:port` or `ssh://user@host:port` */
  readonly endpoint: string
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string }
  /** Of SSH. */
  readonly key?: string
  readonly knownHosts?: string
  /** Plain TCP to another machine is meant. */
  readonly insecure?: boolean
}

export interface Endpoint {
  readonly endpoint: DockerEndpoint
  /** Whoever is on the way can read and change everything, and command the engine. */
  readonly isExposed: boolean
}

export type Environment = (name: string) => string | undefined

/** Settings that cannot be used. */
export class EndpointError extends Error {
  readonly problem: Bilingual

  constructor(problem: Bilingual, values: Readonly<Record<string, string>> = {}, options?: ErrorOptions) {
    const filled = fill(problem, values)
    super(filled.en, options)
    this.name = 'EndpointError'
    this.problem = filled
  }
}

const PROBLEMS = {
  relativeSocket: {
    en: '"{address}" needs an absolute path, as in unix:///var/run/docker.sock',
    zh: '“{address}”需要绝对路径，例如 unix:///var/run/docker.sock',
  },
  form: {
    en: '"{address}" is neither unix:///path, tcp://host:port nor ssh://user@host',
    zh: '“{address}”不是 unix:///路径、tcp://主机:端口 或 ssh://用户@主机',
  },
  plain: {
    en: '"{address}" is plain TCP to another machine: give it tls, or say insecure: true',
    zh: '“{address}”是到其他机器的明文 TCP：请配置 tls，或明确指定 insecure: true',
  },
  sshNeeds: {
    en: '"{address}" needs a key and a known-hosts file',
    zh: '“{address}”需要 key 和 known-hosts 文件',
  },
  notForThis: {
    en: '{field} has no meaning for "{address}"',
    zh: '{field} 不适用于“{address}”',
  },
  variable: { en: 'the environment variable {name} is not set', zh: '未设置环境变量 {name}' },
  relativeFile: {
    en: '"{name}" is neither an absolute path nor the name of an environment variable',
    zh: '“{name}”既不是绝对路径，也不是环境变量名',
  },
  unreadable: { en: 'the file {name} cannot be read ({code})', zh: '无法读取文件 {name}（{code}）' },
} as const

const DEFAULT_PORT = { ssh: 22, tcp: 2375, tls: 2376 } as const
const VARIABLE = /^[A-Z_][A-Z0-9_]*$/

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))

/**
 * Errors call the file as the operator did: a variable may hold something else by mistake, and that would be shown.
 * @throws EndpointError
 */
function readNamed(name: string, environment: Environment): Buffer {
  const path = VARIABLE.test(name) ? environment(name) : name
  if (path === undefined || path === '') throw new EndpointError(PROBLEMS.variable, { name })
  if (!isAbsolute(path)) throw new EndpointError(PROBLEMS.relativeFile, { name })
  try {
    return readFileSync(path)
  } catch (cause) {
    const { code = '?' } = cause as NodeJS.ErrnoException
    throw new EndpointError(PROBLEMS.unreadable, { name, code }, { cause })
  }
}

/** Read now, so that a mistake shows at once, and again for each connection. */
function rereadable(name: string, environment: Environment): () => Buffer {
  readNamed(name, environment)
  return () => {
    try {
      return readNamed(name, environment)
    } catch (error) {
      throw error instanceof EndpointError ? unusable(error) : error
    }
  }
}

const UNUSABLE = { en: 'Its settings cannot be used: {problem}.', zh: '其设置无法使用：{problem}。' } as const
function unusable(error: EndpointError): Unreachable {
  const { en, zh } = error.problem
  return new Unreachable(
    { en: say('en', UNUSABLE, { problem: en }), zh: say('zh', UNUSABLE, { problem: zh }) },
    { cause: error },
  )
}

/** @throws EndpointError for another scheme, a file that is not there, and plain TCP beyond this machine unless asked for */
export function parseEndpoint(settings: EndpointSettings, environment: Environment): Endpoint {
  const { endpoint: address, tls, insecure } = settings
  const refuse = (problem: Bilingual, values: Readonly<Record<string, string>> = {}): never => {
    throw new EndpointError(problem, { address, ...values })
  }
  const scheme = /^(unix|tcp|ssh):\/\//.exec(address)?.[1] ?? refuse(PROBLEMS.form)
  if (tls !== undefined && scheme !== 'tcp') refuse(PROBLEMS.notForThis, { field: 'tls' })
  if (scheme !== 'ssh' && settings.key !== undefined) refuse(PROBLEMS.notForThis, { field: 'key' })
  if (scheme !== 'ssh' && settings.knownHosts !== undefined) refuse(PROBLEMS.notForThis, { field: 'known-hosts' })
  if (scheme === 'unix') {
    const path = address.slice('unix://'.length)
    if (!isAbsolute(path)) refuse(PROBLEMS.relativeSocket)
    return { endpoint: { kind: 'unix', path }, isExposed: false }
  }
  const url = URL.canParse(address) ? new URL(address) : refuse(PROBLEMS.form)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const isWhole =
    host !== '' && url.password === '' && /^\/?$/.test(url.pathname) && url.search === '' && url.hash === ''
  if (!isWhole || (url.username === '') === (scheme === 'ssh')) refuse(PROBLEMS.form)

  if (scheme === 'ssh') {
    const { key, knownHosts } = settings
    if (key === undefined || knownHosts === undefined) return refuse(PROBLEMS.sshNeeds)
    const readKnownHosts = rereadable(knownHosts, environment)
    const dialer = openSsh({
      host,
      port: Number(url.port || DEFAULT_PORT.ssh),
      user: decodeURIComponent(url.username),
      key: rereadable(key, environment),
      knownHosts: () => readKnownHosts().toString(),
    })
    return { endpoint: { kind: 'dialled', dialer }, isExposed: false }
  }
  const port = Number(url.port || DEFAULT_PORT[tls ? 'tls' : 'tcp'])
  if (tls) {
    const read = (name: string) => rereadable(name, environment)
    const [ca, cert, key] = [read(tls.ca), read(tls.cert), read(tls.key)]
    const material = () => ({ ca: ca(), cert: cert(), key: key() })
    return { endpoint: { kind: 'tcp', host, port, tls: material }, isExposed: false }
  }
  const isExposed = !isLoopback(host)
  if (isExposed && insecure !== true) refuse(PROBLEMS.plain)
  return { endpoint: { kind: 'tcp', host, port }, isExposed }
}

/** An endpoint that was good once and is not now: the host stays, and says what is wrong with it. */
export const brokenEndpoint = (error: EndpointError): Endpoint => ({
  endpoint: { kind: 'dialled', dialer: { dial: () => Promise.reject(unusable(error)), close: () => undefined } },
  isExposed: false,
})
