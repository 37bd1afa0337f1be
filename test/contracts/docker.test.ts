// One engine, reached in the three ways there are.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { dockerDriver } from '../../src/actions/hosts/docker/driver.js'
import { type EndpointSettings, parseEndpoint } from '../../src/actions/hosts/endpoint.js'
import { type Engine, makeImage, startEngine, TEST_IMAGE } from '../helpers/engine.js'
import { requireProgram } from '../helpers/packages.js'
import { type CertificateFiles, freePort, makeAuthority, type Sshd, startSshd } from '../helpers/remote.js'
import { codeOf } from '../helpers/room.js'
import { hostDriverContract } from './host-driver.js'

const folder = mkdtempSync(join(tmpdir(), 'hc-contract-'))
let engine: Engine
let sshd: Sshd
let tcp: EndpointSettings
let stranger: CertificateFiles

beforeAll(async () => {
  const authority = makeAuthority(folder)
  const server = authority.issue('server', 'serverAuth')
  const port = await freePort()
  engine = await startEngine([
    ...['-H', `tcp://127.0.0.1:${port}`, '--tlsverify'],
    ...['--tlscacert', server.ca, '--tlscert', server.cert, '--tlskey', server.key],
  ])
  await makeImage(engine.docker)
  sshd = await startSshd(`DOCKER_HOST=unix://${engine.socketPath} ${requireProgram('docker')} system dial-stdio`)
  tcp = { endpoint: `tcp://127.0.0.1:${port}`, tls: authority.issue('client', 'clientAuth') }
  const elsewhere = join(folder, 'elsewhere')
  mkdirSync(elsewhere)
  stranger = { ...makeAuthority(elsewhere).issue('client', 'clientAuth'), ca: authority.ca }
})
afterAll(async () => {
  await sshd?.stop()
  await engine?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const reached = (settings: () => EndpointSettings) => async () => ({
  driver: dockerDriver('engine', parseEndpoint(settings(), () => undefined).endpoint),
  image: TEST_IMAGE,
})

hostDriverContract(
  'over its socket',
  reached(() => ({ endpoint: `unix://${engine.socketPath}` })),
)
hostDriverContract(
  'over TCP with mutual TLS',
  reached(() => tcp),
)
hostDriverContract(
  'over SSH',
  reached(() => ({
    endpoint: `ssh://${sshd.user}@127.0.0.1:${sshd.port}`,
    key: sshd.key,
    knownHosts: sshd.knownHosts,
  })),
)

it('is refused over TCP with a certificate of another authority, and told so', async () => {
  const { driver } = await reached(() => ({ ...tcp, tls: stranger }))()
  const { signal } = new AbortController()
  expect(await codeOf(driver.list(signal))).toBe('HOST_UNREACHABLE')
  expect((await driver.probe(signal)).detail.en).toMatch(/refused our TLS certificate/)
})
