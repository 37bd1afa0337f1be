// What people type for a new container, checked and taken apart: `A=1 B=2`, `8080:80/udp`, `data:/data:ro`, `512m`.
import { isIP } from 'node:net'
import { AppError } from '../errors.js'
import { itemsOf, wordsOf } from '../words.js'
import { allowedBind } from './binds.js'
import type { MountRequest, PortMapping } from './driver.js'
import type { Host } from './hosts.js'
import { instancePath } from './paths.js'

const wrong = (en: string, zh: string): AppError => new AppError('INVALID_INPUT', { problem: { en, zh } })

/** @throws AppError INVALID_INPUT for quotation marks that are left open, and for no word at all */
export function commandOf(line: string): string[] {
  const words = wordsOf(line)
  if (!words) throw wrong('a quotation mark of the command is not closed', '命令中的引号没有闭合')
  if (words.length === 0 || words[0] === '') throw wrong('the command is empty', '命令为空')
  if (words.some((word) => word.includes('\0'))) throw wrong('the command holds a NUL character', '命令包含 NUL 字符')
  return words
}

const ENVIRONMENT_PAIR = /^([A-Za-z_][A-Za-z0-9_]*)=([^\0]*)$/

/** Nothing that was typed is repeated in an error: it may be a secret. @throws AppError INVALID_INPUT */
export function environmentOf(line: string): Record<string, string> {
  const words = wordsOf(line)
  if (!words) throw wrong('a quotation mark in "env" is not closed', '“env”中的引号没有闭合')
  return Object.fromEntries(
    words.map((word, index) => {
      const [, name, value] = ENVIRONMENT_PAIR.exec(word) ?? []
      if (name === undefined || value === undefined) {
        throw wrong(`word ${index + 1} of "env" is not NAME=value`, `“env”的第 ${index + 1} 个词不是 名称=值`)
      }
      return [name, value]
    }),
  )
}

const HIGHEST_PORT = 65_535
/** An address is a name's own colons in brackets, or has none. */
const PORT = /^(?:(?:(\[[^\]]*\]|[^:[\]]*):)?(\d{0,5}):)?(\d{1,5})(?:\/(tcp|udp))?$/

function portOf(item: string): PortMapping {
  const [, address, outer, inner, protocol] = PORT.exec(item) ?? []
  const hostIp = address?.replaceAll(/[[\]]/g, '')
  const ports = [inner, ...(outer ? [outer] : [])].map(Number)
  const fits = ports.every((port) => port >= 1 && port <= HIGHEST_PORT)
  if (inner === undefined || !fits || (hostIp !== undefined && isIP(hostIp) === 0)) {
    throw wrong(
      `"${item}" is no port such as 80, 8080:80 or 127.0.0.1:53:53/udp`,
      `“${item}”不是端口，应如 80、8080:80 或 127.0.0.1:53:53/udp`,
    )
  }
  return {
    ...(hostIp === undefined ? {} : { hostIp }),
    ...(outer ? { hostPort: Number(outer) } : {}),
    port: Number(inner),
    protocol: protocol === 'udp' ? 'udp' : 'tcp',
  }
}

/** @throws AppError INVALID_INPUT naming what is no port */
export const portsOf = (list: string): PortMapping[] => itemsOf(list).map(portOf)

const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/

function mountOf(item: string, host: Host): MountRequest {
  const [source = '', target = '', access = 'rw', ...more] = item.split(':')
  const isBind = source.startsWith('/')
  if (more.length > 0 || target === '' || !['ro', 'rw'].includes(access) || !(isBind || VOLUME_NAME.test(source))) {
    throw wrong(
      `"${item}" is no volume such as data:/data or /srv/site:/site:ro`,
      `“${item}”不是卷，应如 data:/data 或 /srv/site:/site:ro`,
    )
  }
  return {
    kind: isBind ? 'bind' : 'volume',
    source: isBind ? allowedBind(source, host) : source,
    destination: instancePath(target),
    readOnly: access === 'ro',
  }
}

/** @throws AppError INVALID_INPUT, PATH_INVALID, BIND_NOT_ALLOWED */
export const mountsOf = (list: string, host: Host): MountRequest[] => itemsOf(list).map((item) => mountOf(item, host))

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }
/** The engine's own least. */
const LEAST_MEMORY = 6 * 1024 ** 2

/** @returns bytes @throws AppError INVALID_INPUT */
export function memoryOf(size: string): number {
  const [, count, unit = ''] = /^(\d{1,15})([bkmg]?)(?:i?b)?$/i.exec(size) ?? []
  const bytes = Number(count) * (UNITS[unit.toLowerCase()] ?? Number.NaN)
  if (!Number.isSafeInteger(bytes) || bytes < LEAST_MEMORY) {
    throw wrong(
      `"${size}" is no size such as 512m or 2g, of at least 6m`,
      `“${size}”不是大小，应如 512m 或 2g，至少 6m`,
    )
  }
  return bytes
}

const MOST_CPUS = 4096

/** @throws AppError INVALID_INPUT */
export function cpusOf(count: string): number {
  const cpus = /^\d{1,4}(\.\d{1,3})?$/.test(count) ? Number(count) : Number.NaN
  if (!(cpus >= 0.01 && cpus <= MOST_CPUS)) {
    throw wrong(`"${count}" is no number of processors such as 0.5 or 2`, `“${count}”不是处理器数量，应如 0.5 或 2`)
  }
  return cpus
}
