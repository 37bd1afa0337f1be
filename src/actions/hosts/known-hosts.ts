// An OpenSSH known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): which keys a host is known by.
import { createHmac } from 'node:crypto'

export type Verdict = 'known' | 'unknown' | 'changed' | 'revoked'

export interface KnownHosts {
  /** Types of the keys that a host is known by: it is asked for one of those. */
  keyTypes(host: string, port: number): string[]
  /** @param key as the host presented it, in SSH's own encoding */
  judge(host: string, port: number, key: Buffer): Verdict
}

interface Line {
  readonly revoked: boolean
  readonly patterns: readonly string[]
  readonly type: string
  readonly key: Buffer
}

const SSH_PORT = 22
const HASHED = /^\|1\|([^|]+)\|([^|]+)$/

function isMatch(pattern: string, name: string): boolean {
  const hashed = HASHED.exec(pattern)
  if (hashed) {
    const [, salt = '', hash = ''] = hashed
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
  }
  const source = pattern
    .toLowerCase()
    .replaceAll(/[^\w*?]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`).test(name)
}

/** One pattern with a `!` takes the host out, whatever the others say. */
const isAbout = ({ patterns }: Line, name: string): boolean =>
  patterns.some((pattern) => isMatch(pattern, name)) &&
  !patterns.some((pattern) => pattern.startsWith('!') && isMatch(pattern.slice(1), name))

function lineOf(text: string): Line[] {
  const fields = text.trim().split(/\s+/)
  const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined
  const [hosts = '', type, key] = fields
  if (hosts === '' || hosts.startsWith('#') || type === undefined || key === undefined) return []
  // A certificate authority vouches for host certificates, which our client of SSH does not know.
  if (marker !== undefined && marker !== '@revoked') return []
  return [{ revoked: marker === '@revoked', patterns: hosts.split(','), type, key: Buffer.from(key, 'base64') }]
}

export function parseKnownHosts(text: string): KnownHosts {
  const lines = text.split('\n').flatMap(lineOf)
  const about = (host: string, port: number): Line[] => {
    const name = host.toLowerCase()
    const listed = port === SSH_PORT ? name : `[${name}]:${port}`
    return lines.filter((line) => isAbout(line, listed))
  }
  return {
    keyTypes: (host, port) => [
      ...new Set(
        about(host, port)
          .filter(({ revoked }) => !revoked)
          .map(({ type }) => type),
      ),
    ],
    judge(host, port, key) {
      const found = about(host, port)
      if (found.some((line) => line.revoked && line.key.equals(key))) return 'revoked'
      const keys = found.filter((line) => !line.revoked)
      if (keys.length === 0) return 'unknown'
      return keys.some((line) => line.key.equals(key)) ? 'known' : 'changed'
    },
  }
}
