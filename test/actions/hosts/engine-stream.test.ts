import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readableOf } from '../../../src/actions/bytes.js'
import type { DockerEndpoint } from '../../../src/actions/hosts/endpoint.js'
import { openStream } from '../../../src/actions/hosts/engine-stream.js'
import { requireProgram } from '../../helpers/packages.js'

const folder = mkdtempSync(join(tmpdir(), 'hc-stream-'))
const block = randomBytes(1024 * 1024)
const BLOCKS = 40
const expected = createHash('sha256')
for (let count = 0; count < BLOCKS; count++) expected.update(block)
const digest = expected.digest('hex')

/** How many blocks the server has been able to hand to the system. */
let sent = 0

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === '/silent') return
  if (request.url === '/missing') return void response.writeHead(404).end('{"message":"nothing"}')
  if (request.url === '/cut') {
    response.write(block.subarray(0, 300_000))
    await sleep(20)
    return void response.destroy()
  }
  sent = 0
  Readable.from(
    (function* () {
      for (let count = 0; count < BLOCKS; count++) {
        sent += 1
        yield block
      }
    })(),
  ).pipe(response)
}
const onRequest = (request: IncomingMessage, response: ServerResponse) => void answer(request, response)

const listening: Server[] = []
const servers: Record<string, DockerEndpoint> = {}
beforeAll(async () => {
  requireProgram('openssl')
  const at = (name: string) => join(folder, name)
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ...['-keyout', at('key.pem'), '-out', at('cert.pem')],
    ],
    { stdio: 'ignore' },
  )
  const key = readFileSync(at('key.pem'))
  const cert = readFileSync(at('cert.pem'))
  const unix = createServer(onRequest)
  const tcp = createServer(onRequest)
  const tls = createTlsServer({ key, cert, ca: cert, requestCert: true, rejectUnauthorized: true }, onRequest)
  const open = (server: Server, address: object) =>
    new Promise<void>((resolve) => server.listen(address, () => resolve()))
  await Promise.all([
    open(unix, { path: at('engine.sock') }),
    open(tcp, { host: '127.0.0.1', port: 0 }),
    open(tls, { host: '127.0.0.1', port: 0 }),
  ])
  listening.push(unix, tcp, tls)
  const portOf = (server: Server) => (server.address() as AddressInfo).port
  servers.unix = { kind: 'unix', path: at('engine.sock') }
  servers.tcp = { kind: 'tcp', host: '127.0.0.1', port: portOf(tcp) }
  servers.tls = { kind: 'tcp', host: '127.0.0.1', port: portOf(tls), tls: { ca: cert, cert, key } }
  servers.stranger = { kind: 'tcp', host: '127.0.0.1', port: portOf(tls) }
})
afterAll(() => {
  for (const server of listening) {
    server.closeAllConnections()
    server.close()
  }
  rmSync(folder, { recursive: true, force: true })
})

const signal = new AbortController().signal
const open = (name: string, path = '/', headMs = 5_000, until = signal) =>
  openStream(servers[name] ?? { kind: 'unix', path: '' }, { method: 'GET', path }, headMs, until)

describe.each(['unix', 'tcp', 'tls'])('a stream over %s', (name) => {
  it('arrives whole, whether it is taken at once, slowly, or as a stream of Node', async () => {
    for (const pause of [0, 3]) {
      const { statusCode, body } = await open(name)
      expect(statusCode).toBe(200)
      const hash = createHash('sha256')
      await body.flow(async (pieces) => {
        if (pause > 0) await sleep(pause)
        for (const piece of pieces) hash.update(piece)
      }, signal)
      expect(hash.digest('hex')).toBe(digest)
    }
    const hash = createHash('sha256')
    for await (const chunk of readableOf((await open(name)).body)) hash.update(chunk as Buffer)
    expect(hash.digest('hex')).toBe(digest)
  })

  it('waits for whoever takes it', async () => {
    const { body } = await open(name)
    await sleep(300)
    expect(sent).toBeLessThan(BLOCKS / 2)
    body.close()
  })

  it('fails when the connection ends before the answer does', async () => {
    const { body } = await open(name, '/cut')
    let bytes = 0
    const flowing = body.flow(async (pieces) => {
      for (const piece of pieces) bytes += piece.length
    }, signal)
    await expect(flowing).rejects.toThrow('in the middle of an answer')
    expect(bytes).toBeLessThanOrEqual(300_000)
  })

  it('ends with the reason of the signal, and fails with what its taker fails with', async () => {
    const stop = new AbortController()
    const flowing = (await open(name)).body.flow(async () => stop.abort(new Error('enough')), stop.signal)
    await expect(flowing).rejects.toThrow('enough')
    const refusing = (await open(name)).body.flow(() => Promise.reject(new Error('no room')), signal)
    await expect(refusing).rejects.toThrow('no room')
  })

  it('has a status and a body when the engine refuses', async () => {
    const { statusCode, body } = await open(name, '/missing')
    expect(statusCode).toBe(404)
    let text = ''
    for await (const chunk of readableOf(body)) text += String(chunk)
    expect(text).toBe('{"message":"nothing"}')
  })

  it('is given up when the engine does not begin in time, or the asker leaves', async () => {
    await expect(open(name, '/silent', 100)).rejects.toThrow('did not begin')
    const stop = new AbortController()
    const opening = open(name, '/silent', 5_000, stop.signal)
    stop.abort(new Error('gone'))
    await expect(opening).rejects.toThrow('gone')
    await expect(open(name, '/', 5_000, stop.signal)).rejects.toThrow('gone')
  })
})

it('is refused where nobody listens, and where the certificate is missing', async () => {
  await expect(
    openStream({ kind: 'unix', path: join(folder, 'none') }, { method: 'GET', path: '/' }, 1_000, signal),
  ).rejects.toThrow('ENOENT')
  await expect(open('stranger')).rejects.toThrow()
})
