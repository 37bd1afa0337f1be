import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseKnownHosts } from '../../../src/actions/hosts/known-hosts.js'

const blob = (type: string, seed: string): Buffer =>
  Buffer.concat([Buffer.from([0, 0, 0, type.length]), Buffer.from(type), Buffer.from(seed)])
const ours = blob('ssh-ed25519', 'ours')
const other = blob('ssh-ed25519', 'other')
const line = (hosts: string, key = ours, marker = ''): string =>
  `${marker}${hosts} ${key.subarray(4, 15).toString()} ${key.toString('base64')} a comment`
const hashed = (name: string): string => {
  const salt = Buffer.from('0123456789abcdefghij')
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}

describe('a known_hosts file', () => {
  it.each([
    ['a name', line('db.example'), 'db.example', 22, 'known'],
    ['a name in other letters', line('DB.example'), 'db.EXAMPLE', 22, 'known'],
    ['one of several names', line('web,db.example'), 'db.example', 22, 'known'],
    ['a name that holds it', line('xdb.example'), 'db.example', 22, 'unknown'],
    ['a dot is no wildcard', line('dbxexample'), 'db.example', 22, 'unknown'],
    ['another key', line('db.example', other), 'db.example', 22, 'changed'],
    ['one of its keys', `${line('db.example', other)}\n${line('db.example')}`, 'db.example', 22, 'known'],
    ['a port', line('[db.example]:2222'), 'db.example', 2222, 'known'],
    ['another port', line('[db.example]:2222'), 'db.example', 2223, 'unknown'],
    ['the usual port is not every port', line('db.example'), 'db.example', 2222, 'unknown'],
    ['an address of IPv6', line('[::1]:2222'), '::1', 2222, 'known'],
    ['a wildcard', line('*.example'), 'db.example', 22, 'known'],
    ['a wildcard for one character', line('d?.example'), 'db.example', 22, 'known'],
    ['a wildcard in a port', line('[*.example]:2222'), 'db.example', 2222, 'known'],
    ['an exception', line('*.example,!db.example'), 'db.example', 22, 'unknown'],
    ['an exception alone', line('!web.example'), 'db.example', 22, 'unknown'],
    ['a hash', line(hashed('db.example')), 'db.example', 22, 'known'],
    ['a hash with a port', line(hashed('[db.example]:2222')), 'db.example', 2222, 'known'],
    ['the hash of another', line(hashed('web.example')), 'db.example', 22, 'unknown'],
    ['a revoked key', `${line('db.example')}\n${line('*', ours, '@revoked ')}`, 'db.example', 22, 'revoked'],
    [
      'another key that is revoked',
      `${line('db.example')}\n${line('*', other, '@revoked ')}`,
      'db.example',
      22,
      'known',
    ],
    ['an authority, which is no key', line('*', ours, '@cert-authority '), 'db.example', 22, 'unknown'],
    [
      'comments, empty lines and rubbish',
      `# db.example\n\n   \nrubbish\n\t${line('db.example')}\r`,
      'db.example',
      22,
      'known',
    ],
    ['nothing', '', 'db.example', 22, 'unknown'],
  ])('knows by %s', (_, text, host, port, verdict) => {
    expect(parseKnownHosts(text).judge(host, port, ours)).toBe(verdict)
  })

  it('says which types of keys it knows a host by', () => {
    const text = [line('a'), line('a', blob('ssh-rsa\0\0\0\0', 'x')), line('a', other, '@revoked '), line('b')].join(
      '\n',
    )
    expect(parseKnownHosts(text).keyTypes('a', 22)).toHaveLength(2)
    expect(parseKnownHosts(text).keyTypes('c', 22)).toEqual([])
  })

  it('reads what ssh-keygen hashed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hc-known-'))
    const file = join(folder, 'known_hosts')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')])
    const [type, key = ''] = readFileSync(join(folder, 'key.pub'), 'utf8').split(' ')
    writeFileSync(file, `db.example ${type} ${key}\n[db.example]:2222 ${type} ${key}\n`)
    execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' })
    const text = readFileSync(file, 'utf8')
    expect(text).not.toContain('db.example')
    for (const port of [22, 2222]) {
      expect(parseKnownHosts(text).judge('db.example', port, Buffer.from(key, 'base64'))).toBe('known')
    }
    rmSync(folder, { recursive: true, force: true })
  })
})
