// Distant hosts that are not who they should be, or no longer, or do not let us in; and the one connection of SSH.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { dockerDriver } from '../../../src/actions/hosts/docker/driver.js'
import { type EndpointSettings, parseEndpoint } from '../../../src/actions/hosts/endpoint.js'
import { requireProgram } from '../../helpers/packages.js'
import { type Authority, type CertificateFiles, makeAuthority, type Sshd, startSshd } from '../../helpers/remote.js'
import { codeOf } from '../../helpers/room.js'

const never = new AbortController().signal
const folder = mkdtempSync(join(tmpdir(), 'hc-remote-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const driverOf = (settings: EndpointSettings, environment: Readonly<Record<string, string>> = {}) =>
  dockerDriver('far', parseEndpoint(settings, (name) => environment[name]).endpoint)

/** @returns what a call and a look at its health say */
async function verdict(settings: EndpointSettings): Promise<string> {
  const driver = driverOf(settings)
  const code = await codeOf(driver.list(never))
  const health = await driver.probe(never)
  driver.close()
  return `${code} ${health.state}: ${health.detail.en}`
}

describe('over SSH', () => {
  let sshd: Sshd
  let settings: EndpointSettings & { readonly knownHosts: string }

  beforeAll(async () => {
    sshd = await startSshd(`DOCKER_HOST=unix://${inject('engineSocket')} ${requireProgram('docker')} system dial-stdio`)
    const endpoint = `ssh://${sshd.user}@127.0.0.1:${sshd.port}`
    settings = { endpoint, key: sshd.key, knownHosts: sshd.knownHosts }
  })
  afterAll(() => sshd.stop())

  const connections = (): number =>
    execFileSync('ss', ['-Htn', 'state', 'established', `( sport = :${sshd.port} )`], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean).length

  const known = (name: string, text: string): EndpointSettings => {
    const knownHosts = join(folder, name)
    writeFileSync(knownHosts, text)
    return { ...settings, knownHosts }
  }
  const keyOf = (type: string): string => {
    const file = join(folder, `other-${type}`)
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', file])
    return readFileSync(`${file}.pub`, 'utf8').split(' ').slice(0, 2).join(' ')
  }

  it('uses one connection for many at once, and makes a new one when that is gone', async () => {
    const driver = driverOf(settings)
    await Promise.all(Array.from({ length: 12 }, () => driver.list(never)))
    expect(connections()).toBe(1)
    sshd.dropConnections()
    await expect.poll(connections).toBe(0)
    expect(await codeOf(driver.list(never))).toBe('OK')
    expect(connections()).toBe(1)
    driver.close()
    await expect.poll(connections).toBe(0)
  })

  it('A71: refuses a host key that has changed, is unknown, or was revoked, and says its fingerprint', async () => {
    const name = `[127.0.0.1]:${sshd.port}`
    const shown = execFileSync('ssh-keygen', ['-lf', '-'], { input: sshd.hostKey, encoding: 'utf8' })
    const fingerprint = shown.split(' ')[1] ?? ''
    expect(await verdict(known('changed', `${name} ${keyOf('ed25519')}\n`))).toMatch(
      /^HOST_UNTRUSTED unhealthy: .*not the one in the known-hosts file/,
    )
    expect(await verdict(known('changed', `${name} ${keyOf('ecdsa')}\n`))).toMatch(/^HOST_UNTRUSTED .*not the one/)
    const unknown = await verdict(known('unknown', '# nobody\n'))
    expect(unknown).toMatch(/^HOST_UNTRUSTED unhealthy: .*is not in the known-hosts file/)
    expect(unknown).toContain(fingerprint)
    expect(await verdict(known('revoked', `${name} ${sshd.hostKey}\n@revoked * ${sshd.hostKey}\n`))).toMatch(
      /^HOST_UNTRUSTED unhealthy: .*revoked/,
    )
    await expect.poll(connections).toBe(0)
  })

  it('knows a host by its hash, and sees a file that was mended without a restart', async () => {
    const later = known('later', '')
    const driver = driverOf(later)
    expect(await codeOf(driver.list(never))).toBe('HOST_UNTRUSTED')
    known('later', `[127.0.0.1]:${sshd.port} ${sshd.hostKey}\n`)
    execFileSync('ssh-keygen', ['-H', '-f', join(folder, 'later')], { stdio: 'ignore' })
    expect(await codeOf(driver.list(never))).toBe('OK')
    driver.close()
  })

  it('says when the key is not let in, is no key, or the engine is not there', async () => {
    keyOf('rsa')
    expect(await verdict({ ...settings, key: join(folder, 'other-rsa') })).toMatch(
      /^HOST_UNREACHABLE unhealthy: SSH did not let us in/,
    )
    expect(await verdict({ ...settings, key: sshd.knownHosts })).toMatch(/^HOST_UNREACHABLE .*key cannot be used/)
    const bare = await startSshd(`DOCKER_HOST=unix:///nowhere.sock ${requireProgram('docker')} system dial-stdio`)
    const there = { endpoint: `ssh://${bare.user}@127.0.0.1:${bare.port}`, key: bare.key, knownHosts: bare.knownHosts }
    expect(await verdict(there)).toMatch(/^HOST_UNREACHABLE .*`docker system dial-stdio` does not/)
    await bare.stop()
    const nobody = { ...settings, endpoint: `ssh://${sshd.user}@127.0.0.1:${bare.port}` }
    expect(await verdict(nobody)).toMatch(/^HOST_UNREACHABLE .*Nothing listens there/)
  })

  it('finds its files by variables, whose values no error shows', async () => {
    const named = { ...settings, key: 'FAR_KEY', knownHosts: 'FAR_HOSTS' }
    const driver = driverOf(named, { FAR_KEY: sshd.key, FAR_HOSTS: sshd.knownHosts })
    expect(await codeOf(driver.list(never))).toBe('OK')
    driver.close()
    expect(() => driverOf(named)).toThrow('the environment variable FAR_HOSTS is not set')
    for (const value of ['s3cr3t', '/s3cr3t']) {
      expect(() => driverOf(named, { FAR_KEY: value, FAR_HOSTS: sshd.knownHosts })).toThrow(/FAR_KEY/)
      expect(() => driverOf(named, { FAR_KEY: value, FAR_HOSTS: sshd.knownHosts })).not.toThrow(/s3cr3t/)
    }
  })
})

describe('over TLS', () => {
  let authority: Authority
  let client: CertificateFiles
  const servers: Server[] = []

  beforeAll(() => {
    authority = makeAuthority(folder)
    client = authority.issue('client', 'clientAuth')
  })
  afterAll(() => {
    for (const server of servers) {
      server.closeAllConnections()
      server.close()
    }
  })

  async function serving(files: CertificateFiles): Promise<EndpointSettings> {
    const server = createServer(
      {
        cert: readFileSync(files.cert),
        key: readFileSync(files.key),
        ca: readFileSync(authority.ca),
        requestCert: true,
        rejectUnauthorized: true,
      },
      (_, response) => response.end('[]'),
    )
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { endpoint: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, tls: client }
  }

  it('takes a certificate that is right', async () => {
    expect(await verdict(await serving(authority.issue('right', 'serverAuth')))).toBe('OK healthy: The engine answers.')
  })

  it('reads our certificate again for each connection, and says so when it is gone', async () => {
    const own = mkdtempSync(join(folder, 'own-'))
    const strangers = makeAuthority(mkdtempSync(join(folder, 'others-')))
    const copy = (files: CertificateFiles): void => {
      cpSync(files.cert, join(own, 'cert.pem'))
      cpSync(files.key, join(own, 'key.pem'))
    }
    copy(strangers.issue('client', 'clientAuth'))
    const settings = await serving(authority.issue('again', 'serverAuth'))
    const tls = { ca: authority.ca, cert: join(own, 'cert.pem'), key: join(own, 'key.pem') }
    const driver = driverOf({ ...settings, tls })
    const lists = () => codeOf(driver.list(never))
    expect(await lists()).toBe('HOST_UNREACHABLE')
    copy(client)
    expect(await lists()).toBe('OK')
    rmSync(own, { recursive: true })
    await expect(driver.list(never)).rejects.toMatchObject({
      code: 'HOST_UNREACHABLE',
      details: { why: { en: expect.stringContaining('cannot be read') } },
    })
    driver.close()
  })

  it('A72: says when the certificate has expired, is for another name, or of an authority that nobody knows', async () => {
    const expired = authority.issue('expired', 'serverAuth', undefined, -1)
    expect(await verdict(await serving(expired))).toMatch(/^HOST_UNTRUSTED unhealthy: Its TLS certificate has expired/)
    const other = authority.issue('other', 'serverAuth', 'DNS:other.example')
    expect(await verdict(await serving(other))).toMatch(/^HOST_UNTRUSTED unhealthy: .*for another name/)
    const strangers = mkdtempSync(join(folder, 'strangers-'))
    const stranger = makeAuthority(strangers)
    expect(await verdict(await serving(stranger.issue('right', 'serverAuth')))).toMatch(
      /^HOST_UNTRUSTED unhealthy: .*authority/,
    )
  })
})

describe('an endpoint', () => {
  it.each([
    ['http://host:1', 'is neither'],
    ['unix://docker.sock', 'absolute path'],
    ['tcp://host', 'plain TCP to another machine'],
    ['tcp://host/path', 'is neither'],
    ['tcp://user@host', 'is neither'],
    ['ssh://host', 'is neither'],
    ['ssh://user:password@host', 'is neither'],
    ['ssh://user@host', 'needs a key and a known-hosts file'],
  ])('%s is refused', (endpoint, why) => {
    expect(() => parseEndpoint({ endpoint }, () => undefined)).toThrow(why)
  })

  it('is exposed only where plain TCP leaves the machine and that was asked for', () => {
    const exposed = (endpoint: string) => parseEndpoint({ endpoint, insecure: true }, () => undefined).isExposed
    expect(exposed('tcp://10.0.0.1')).toBe(true)
    for (const near of ['tcp://127.0.0.1', 'tcp://localhost', 'tcp://[::1]', 'unix:///x'])
      expect(exposed(near)).toBe(false)
  })

  it('has no fields of another kind of endpoint', () => {
    const parse = (settings: EndpointSettings) => () => parseEndpoint(settings, () => undefined)
    expect(parse({ endpoint: 'unix:///x', tls: { ca: 'A', cert: 'B', key: 'C' } })).toThrow('tls has no meaning')
    expect(parse({ endpoint: 'tcp://127.0.0.1', key: '/k' })).toThrow('key has no meaning')
  })
})
