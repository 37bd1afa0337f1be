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
import { type ByteSource, readableOf } from '../../../src/actions/bytes.js'
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

async function digestIn(request: IncomingMessage): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of request) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** What a server does with a request that asks first whether its body is wanted. */
async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://engine')
  if (pathname === '/refuse') {
    response.writeHead(Number(searchParams.get('status'))).end('{"message":"not here"}')
    return
  }
  if (pathname === '/answered') return void response.end('no need')
  if (pathname !== '/never') response.writeContinue()
  if (pathname === '/silent') return void request.resume()
  if (pathname === '/stalled') return
  if (pathname === '/begun') return void response.write('begun\n')
  if (pathname === '/early') {
    response.write('begun\n')
    await sleep(50)
  }
  if (pathname === '/echo') return void request.pipe(response)
  if (pathname === '/leave' || pathname === '/full') {
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes < 3 * block.length) return
      request.pause()
      if (pathname === '/leave') return void response.destroy()
      // As the servers of engines do: they close only after a while, so that what they said last is not lost.
      response.writeHead(507, { 'content-length': 27 }).write('{"message":"no space left"}')
      setTimeout(() => response.destroy(), 300)
    })
    return
  }
  response.end(await digestIn(request))
}
const onUpload = (request: IncomingMessage, response: ServerResponse) =>
  // A client that broke off is what some of the tests are about.
  void receive(request, response).catch(() => response.destroy())

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
  for (const server of listening) server.on('checkContinue', onUpload)
  const portOf = (server: Server) => (server.address() as AddressInfo).port
  servers.unix = { kind: 'unix', path: at('engine.sock') }
  servers.tcp = { kind: 'tcp', host: '127.0.0.1', port: portOf(tcp) }
  servers.tls = { kind: 'tcp', host: '127.0.0.1', port: portOf(tls), tls: () => ({ ca: cert, cert, key }) }
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

/** The same blocks again, from one piece of memory that is used over and over, as the sources of the product do. */
function upload(failAfter = Number.POSITIVE_INFINITY) {
  const told = { blocks: 0, closed: false }
  const lent = Buffer.allocUnsafe(block.length)
  const body: ByteSource = {
    async flow(take, until) {
      try {
        while (told.blocks < BLOCKS) {
          until.throwIfAborted()
          if (told.blocks >= failAfter) throw new Error('the source broke')
          told.blocks += 1
          block.copy(lent)
          await take([lent.subarray(0, 1), lent.subarray(1, 1), lent.subarray(1)])
          lent.fill(0)
        }
      } finally {
        told.closed = true
      }
    },
    close: () => {
      told.closed = true
    },
  }
  return { body, told }
}

const textOf = async (body: ByteSource): Promise<string> => {
  let text = ''
  for await (const chunk of readableOf(body)) text += String(chunk)
  return text
}

describe.each(['unix', 'tcp', 'tls'])('a body over %s', (name) => {
  const put = (path: string, body: ByteSource, headMs = 5_000, until = signal) =>
    openStream(servers[name] ?? { kind: 'unix', path: '' }, { method: 'PUT', path, body }, headMs, until)

  it('arrives whole and in order, also where the server answers before it has read it, or never asks for it', async () => {
    for (const path of ['/read', '/never']) {
      const { body, told } = upload()
      const answered = await put(path, body)
      expect(answered.statusCode).toBe(200)
      expect(await textOf(answered.body)).toBe(digest)
      expect(told).toEqual({ blocks: BLOCKS, closed: true })
    }
    const { body } = upload()
    const early = await put('/early', body)
    expect(await textOf(early.body)).toBe(`begun\n${digest}`)
  }, 40_000)

  it('waits for the server that reads it, and for whoever takes the answer', async () => {
    const stop = new AbortController()
    const stalled = upload()
    const stalling = put('/stalled', stalled.body, 5_000, stop.signal)
    const { body, told } = upload()
    const echo = await put('/echo', body)
    await sleep(300)
    expect(stalled.told.blocks).toBeLessThan(BLOCKS / 2)
    expect(told.blocks).toBeLessThan(BLOCKS / 2)
    const hash = createHash('sha256')
    await echo.body.flow(async (pieces) => {
      for (const piece of pieces) hash.update(piece)
    }, signal)
    expect(hash.digest('hex')).toBe(digest)
    stop.abort(new Error('enough'))
    await expect(stalling).rejects.toThrow('enough')
    await expect.poll(() => stalled.told.closed).toBe(true)
  })

  it('is not sent where it is refused, or not needed', async () => {
    for (const status of [404, 409]) {
      const { body, told } = upload()
      const refused = await put(`/refuse?status=${status}`, body)
      expect(refused.statusCode).toBe(status)
      expect(await textOf(refused.body)).toBe('{"message":"not here"}')
      expect(told).toEqual({ blocks: 0, closed: true })
    }
    const { body, told } = upload()
    expect(await textOf((await put('/answered', body)).body)).toBe('no need')
    expect(told).toEqual({ blocks: 0, closed: true })
  })

  it('is sent no further once it is refused, and the reason is heard', async () => {
    const { body, told } = upload()
    const refused = await put('/full', body)
    expect(refused.statusCode).toBe(507)
    expect(await textOf(refused.body)).toBe('{"message":"no space left"}')
    expect(told.blocks).toBeLessThan(BLOCKS)
    await expect.poll(() => told.closed).toBe(true)
  })

  it('fails when the server leaves, with what its source fails with, or for want of an answer', async () => {
    const left = upload()
    await expect(put('/leave', left.body)).rejects.toThrow()
    await expect.poll(() => left.told.closed).toBe(true)
    await expect(put('/read', upload(2).body)).rejects.toThrow('the source broke')
    const { body } = await put('/early', upload(BLOCKS - 1).body)
    await expect(textOf(body)).rejects.toThrow('the source broke')
    await expect(put('/silent', upload().body, 100)).rejects.toThrow('did not begin')
  })

  it('ends with the reason of the signal, and is closed if it was never begun', async () => {
    const stop = new AbortController()
    const { body, told } = upload()
    const going = put('/stalled', body, 5_000, stop.signal)
    await expect.poll(() => told.blocks).toBeGreaterThan(0)
    stop.abort(new Error('gone'))
    await expect(going).rejects.toThrow('gone')
    await expect.poll(() => told.closed).toBe(true)
    const late = upload()
    await expect(put('/read', late.body, 5_000, stop.signal)).rejects.toThrow('gone')
    expect(late.told).toEqual({ blocks: 0, closed: true })
  })
})

it('gives what has arrived when nothing follows it', async () => {
  const { body } = upload()
  const stop = new AbortController()
  const early = await openStream(
    servers.unix ?? { kind: 'unix', path: '' },
    { method: 'PUT', path: '/begun', body },
    5_000,
    signal,
  )
  let text = ''
  await expect(
    early.body.flow(async (pieces) => {
      text += Buffer.concat(pieces).toString()
      stop.abort(new Error('heard it'))
    }, stop.signal),
  ).rejects.toThrow('heard it')
  expect(text).toBe('begun\n')
})

it('is refused where nobody listens, and where the certificate is missing', async () => {
  await expect(
    openStream({ kind: 'unix', path: join(folder, 'none') }, { method: 'GET', path: '/' }, 1_000, signal),
  ).rejects.toThrow('ENOENT')
  await expect(open('stranger')).rejects.toThrow()
})
