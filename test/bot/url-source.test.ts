import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import type { LookupAddress, LookupAllOptions } from 'node:dns'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import Docker from 'dockerode'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { readableOf } from '../../src/actions/bytes.js'
import { readConfig } from '../../src/bot/config.js'
import { isPublicAddress } from '../../src/bot/public-address.js'
import { fetchingGate, openUrlSources, type UrlOptions } from '../../src/bot/url-source.js'
import { builtFile } from '../helpers/build.js'
import { makeContainer } from '../helpers/engine.js'
import { makeAuthority } from '../helpers/remote.js'
import { codeOf, dockerHost, openRoom, principal } from '../helpers/room.js'

const workFolder = mkdtempSync(join(tmpdir(), 'hc-urls-'))
const CONTENT = '1234567890'
const asked: string[] = []
/** Connections to the place that a name must not lead to: not one may ever be made. */
let trespasses = 0
let port = 0
const servers: Server[] = []

function answer(request: IncomingMessage, response: ServerResponse): unknown {
  asked.push(`${request.method} ${request.url}`)
  const head = request.method === 'HEAD'
  switch (request.url?.split('?')[0]) {
    case '/redirect':
      return response.writeHead(302, { location: '/file' }).end()
    case '/chunked':
      return head ? response.writeHead(200).end() : response.write(CONTENT) && response.end()
    case '/gzip':
      return response.writeHead(200, { 'content-length': '10', 'content-encoding': 'gzip' }).end(head ? '' : CONTENT)
    case '/growing':
      return response.writeHead(200, { 'content-length': head ? '9' : '10' }).end(head ? '' : CONTENT)
    case '/broken':
      response.writeHead(200, { 'content-length': '10' })
      return head ? response.end() : response.write('12345', () => setTimeout(() => response.destroy(), 50))
    case '/file':
    case '/na%20me.txt':
      return response.writeHead(200, { 'content-length': '10' }).end(head ? '' : CONTENT)
    default:
      return response.writeHead(404, { 'content-length': '2' }).end(head ? '' : 'no')
  }
}

beforeAll(async () => {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
  const trap = createTcpServer((socket) => {
    trespasses++
    socket.destroy()
  })
  await new Promise<void>((resolve) => trap.listen(port, '127.0.0.2', resolve))
  servers.push(server, trap)
})
afterAll(() => {
  for (const server of servers) server.close()
  rmSync(workFolder, { recursive: true })
})
afterEach(() => {
  const made = trespasses
  trespasses = 0
  expect(made).toBe(0)
})

/** Answers with the next list each time, and with the last for ever. */
const answering =
  (...lists: readonly (readonly string[])[]) =>
  (_: string, __: LookupAllOptions, done: (error: null, addresses: LookupAddress[]) => void) => {
    const [next = [], ...rest] = lists
    if (rest.length > 0) lists = rest
    done(
      null,
      next.map((address) => ({ address, family: 4 })),
    )
  }

/** 127.0.0.1 stands for the Internet, and 127.0.0.2 for what must not be reached. */
const sources = (more: Partial<UrlOptions> = {}) =>
  openUrlSources({
    hosts: `http://files.test:${port}`,
    workFolder,
    maxBytes: 1000,
    minFreeBytes: 0,
    lookUp: answering(['127.0.0.1']),
    mayReach: (address) => address === '127.0.0.1',
    ...more,
  })
const signal = () => new AbortController().signal
const at = (path: string) => `http://files.test:${port}${path}`

async function fetched(address: string, more: Partial<UrlOptions> = {}): Promise<string> {
  const source = await sources(more)(address, signal())
  return (await buffer(readableOf(await source.open(signal())))).toString()
}

describe('a file at an address', () => {
  it('is fetched from a host on the list, under the last name of its path', async () => {
    expect(await fetched(at('/file?signature=1'))).toBe(CONTENT)
    expect(asked.slice(-2)).toEqual(['HEAD /file?signature=1', 'GET /file?signature=1'])
    const source = await sources()(at('/na%20me.txt'), signal())
    expect(source).toMatchObject({ name: 'na me.txt', sizeBytes: 10 })
    await expect.poll(() => readdirSync(workFolder)).toEqual([])
  })

  it.each([
    'http://other.test:PORT/file',
    'https://files.test:PORT/file',
    'http://files.test/file',
    'http://files.test.other:PORT/file',
    'http://files.test:PORT@other.test/file',
    'http://someone@files.test:PORT/file',
    'file:///etc/passwd',
    'files.test/file',
    '',
  ])('is refused before anything is asked for: %s', async (address) => {
    const before = asked.length
    expect(await codeOf(fetched(address.replace('PORT', String(port))))).toBe('URL_REFUSED')
    expect(asked.length).toBe(before)
  })

  it('is refused from everywhere while no host is on the list', async () => {
    expect(readConfig({}).HYPERCALL_URL_HOSTS).toBe('')
    expect(await codeOf(fetched(at('/file'), { hosts: '' }))).toBe('URL_REFUSED')
    expect(
      await codeOf(fetched('https://files.test/file', { hosts: 'files.test', lookUp: answering(['127.0.0.2']) })),
    ).toBe('URL_REFUSED')
  })

  it('A60: must have a size, not be compressed on the way, and not redirect', async () => {
    for (const path of ['/redirect', '/chunked', '/gzip', '/gone']) {
      expect(await codeOf(fetched(at(path)))).toBe('URL_UNAVAILABLE')
    }
    expect(asked).not.toContain('GET /redirect')
    expect(await codeOf(fetched(at('/file'), { maxBytes: 9 }))).toBe('UPLOAD_TOO_LARGE')
  })

  it('that breaks off, or is of another size the second time, leaves nothing', async () => {
    expect(await codeOf(fetched(at('/broken')))).toBe('URL_UNAVAILABLE')
    expect(await codeOf(fetched(at('/growing')))).toBe('UPLOAD_INCOMPLETE')
    await expect.poll(() => readdirSync(workFolder)).toEqual([])
  })
})

describe('a file behind TLS', () => {
  let built: string
  // It may have to be built first.
  beforeAll(() => {
    built = builtFile('bot/url-source.js')
  }, 180_000)

  it('comes from whom it should, and from nobody whose certificate is of an unknown authority', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hc-url-tls-'))
    const { ca, cert, key } = makeAuthority(folder).issue('files', 'serverAuth')
    const server = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, answer)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const host = `localhost:${(server.address() as AddressInfo).port}`
    const before = asked.length
    expect(await codeOf(fetched(`https://${host}/file`, { hosts: host }))).toBe('URL_UNAVAILABLE')
    expect(asked.length).toBe(before)
    // Authorities are read when a process starts.
    const script = `
      import { openUrlSources } from ${JSON.stringify(built)}
      const options = { hosts: '${host}', workFolder: '${folder}', maxBytes: 1000, minFreeBytes: 0, mayReach: () => true }
      const source = await openUrlSources(options)('https://${host}/file', new AbortController().signal)
      const { signal } = new AbortController()
      const bytes = await source.open(signal)
      await bytes.flow(async (pieces) => pieces.forEach((piece) => process.stdout.write(String(piece))), signal)`
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: ca }
    const words = ['--input-type=module', '-e', script]
    const { stdout } = await promisify(execFile)(process.execPath, words, { env })
    expect(stdout).toBe(CONTENT)
    server.close()
    rmSync(folder, { recursive: true })
  })
})

describe('a name that leads inside', () => {
  it('A58: is refused when it does, among good addresses too', async () => {
    for (const list of [['127.0.0.2'], ['127.0.0.1', '127.0.0.2']]) {
      expect(await codeOf(fetched(at('/file'), { lookUp: answering(list) }))).toBe('URL_REFUSED')
    }
  })

  it('A59: is refused when it does so only the second time', async () => {
    const source = await sources({ lookUp: answering(['127.0.0.1'], ['127.0.0.2']) })(at('/file'), signal())
    expect(await codeOf(source.open(signal()))).toBe('URL_REFUSED')
  })

  it('is refused with the rule and the resolver of every day', async () => {
    const before = asked.length
    const hosts = `http://localhost:${port},http://127.0.0.1:${port}`
    const sourceAt = openUrlSources({ hosts, workFolder, maxBytes: 1000, minFreeBytes: 0 })
    for (const host of ['localhost', '127.0.0.1', '0x7f.1', '2130706433']) {
      expect(await codeOf(sourceAt(`http://${host}:${port}/file`, signal()))).toBe('URL_REFUSED')
    }
    expect(asked.length).toBe(before)
  })

  it.each([
    ['93.184.215.14', true],
    ['2606:2800:21f:cb07:6820:80da:af6b:8b2c', true],
    ['0.0.0.0', false],
    ['10.1.2.3', false],
    ['100.64.0.1', false],
    ['127.0.0.1', false],
    ['127.255.255.255', false],
    ['169.254.169.254', false],
    ['172.31.255.255', false],
    ['172.32.0.1', true],
    ['192.168.1.1', false],
    ['198.19.0.1', false],
    ['224.0.0.1', false],
    ['240.0.0.1', false],
    ['255.255.255.255', false],
    ['::', false],
    ['::1', false],
    ['::ffff:127.0.0.1', false],
    ['::ffff:93.184.215.14', false],
    ['64:ff9b::7f00:1', false],
    ['2002:7f00:1::', false],
    ['2001::1', false],
    ['2001:db8::1', false],
    ['fc00::1', false],
    ['fe80::1', false],
    ['fe80::1%lo', false],
    ['ff02::1', false],
    ['', false],
    ['files.test', false],
  ])('counts %s as public: %s', (address, isPublic) => {
    expect(isPublicAddress(address)).toBe(isPublic)
  })
})

describe('through the gate', () => {
  it('a file comes by its address: confirmed without its signature, and copied in', async () => {
    const socketPath = inject('engineSocket')
    const docker = new Docker({ socketPath })
    const room = await openRoom({ hosts: [dockerHost('local', socketPath)] })
    const gate = fetchingGate(room.actions.gate, sources())
    const made = await makeContainer(docker)
    const caller = { principal: principal(['admin']), surface: 'discord', requestId: randomUUID() } as const
    const call = (input: object, confirm?: string) =>
      gate.call({
        ...caller,
        lang: 'en',
        action: 'container.copy-in',
        input,
        signal: signal(),
        ...(confirm === undefined ? {} : { confirm }),
      })
    const input = { container: made.name, path: '/srv/', url: at('/file?signature=secret') }
    const first = await call(input)
    if (first.status !== 'confirm') throw new Error('it was not asked for a confirmation')
    expect(JSON.stringify(first.view)).toContain(at('/file'))
    expect(JSON.stringify(first.view)).not.toContain('secret')
    // A click carries the token alone.
    const recalled = gate.recall(first.token, caller)
    expect(recalled).toEqual({ action: 'container.copy-in', input })
    const done = await call(recalled.input, first.token)
    expect(done).toMatchObject({ status: 'done', output: { path: '/srv/file', sizeBytes: 10 } })
    const both = await call({ ...input, text: 'x' })
    if (both.status !== 'confirm') throw new Error('it was not asked for a confirmation')
    expect(await codeOf(call({ ...input, text: 'x' }, both.token))).toBe('CONTENT_REQUIRED')
    expect(JSON.stringify(room.db.prepare('SELECT * FROM audit').all())).not.toContain('secret')
    await room.close()
  })

  it('A61: nothing is asked for at an address until policy has allowed all the rest', async () => {
    const socketPath = inject('engineSocket')
    const room = await openRoom({ hosts: [dockerHost('local', socketPath)] })
    const gate = fetchingGate(room.actions.gate, sources())
    const made = await makeContainer(new Docker({ socketPath }))
    const input = { container: made.name, path: '/srv/', url: at('/file?signature=secret') }
    const call = (more: object, roles: readonly string[]) =>
      codeOf(
        gate.call({
          ...{ principal: principal([...roles]), surface: 'rest', requestId: randomUUID(), lang: 'en' },
          ...{ action: 'container.copy-in', input: { ...input, ...more }, signal: signal() },
        }),
      )
    const before = asked.length
    expect(await call({}, ['viewer'])).toBe('FORBIDDEN')
    expect(await call({ mode: '4755' }, ['admin'])).toBe('MODE_REFUSED')
    expect(await call({ container: 'nothing-of-this-name' }, ['admin'])).toBe('INSTANCE_NOT_FOUND')
    expect(asked.length).toBe(before)
    expect(await call({ url: 'no address' }, ['admin'])).toBe('URL_REFUSED')
    expect(await call({ url: at('/gone') }, ['admin'])).toBe('URL_UNAVAILABLE')
    const rows = room.db.prepare("SELECT outcome FROM audit WHERE phase = 'outcome'").all()
    expect(rows.length).toBe(5)
    expect(JSON.stringify(room.db.prepare('SELECT * FROM audit').all())).not.toContain('secret')
    await room.close()
  })
})
