// The rows of docs/security.md that are tried from the network, by number.
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openDatabase } from '../../src/bot/database.js'
import { openCredentialStore } from '../../src/bot/http/credential-store.js'
import { openCredentials } from '../../src/bot/http/credentials.js'
import { isPublicAddress } from '../../src/bot/public-address.js'
import { makeContainer } from '../helpers/engine.js'
import { startServer, type TestServer } from '../helpers/server.js'

const socketPath = inject('engineSocket')
const docker = new Docker({ socketPath })

let server: TestServer
let get: ReturnType<TestServer['as']>
beforeAll(async () => {
  server = await startServer({ DOCKER_HOST: `unix://${socketPath}`, HYPERCALL_URL_HOSTS: 'files.example' })
  get = server.as('admin')
})
afterAll(() => server.close())

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  get(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
const codeOf = async (response: Response): Promise<string> =>
  response.ok ? 'OK' : ((await response.json()) as { error: { code: string } }).error.code

/** Bytes as they are, which no HTTP client would send. @returns what came back until the server hung up */
const raw = (bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url)
    let said = ''
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    socket.setTimeout(3_000, () => socket.destroy())
    socket.on('data', (chunk) => {
      said += String(chunk)
    })
    socket.on('close', () => resolve(said))
    socket.on('error', reject)
  })

describe('somebody comes without the right', () => {
  it('A39: with headers that a proxy might believe', async () => {
    for (const name of ['x-forwarded-user', 'x-hypercall-roles', 'x-remote-user', 'x-forwarded-for']) {
      expect((await fetch(`${server.url}/api/v1/host/list`, { headers: { [name]: 'admin' } })).status).toBe(401)
    }
  })

  it('A40: with tokens that are none', async () => {
    for (const authorization of [
      'Bearer',
      'Bearer ',
      'Bearer undefined',
      'Basic YTpi',
      'Bearer  x',
      'bearer null',
      "Bearer ' OR 1=1 --",
    ]) {
      expect([
        authorization,
        (await fetch(`${server.url}/api/v1/host/list`, { headers: { authorization } })).status,
      ]).toEqual([authorization, 401])
    }
  })

  it('A41: with a token that was revoked, has expired, or is of another guild', async () => {
    const db = openDatabase(server.stateFolder)
    let now = Date.now()
    const credentials = openCredentials(openCredentialStore(db), () => now)
    const { token } = credentials.createToken('gone', ['admin'])
    credentials.revokeToken('gone')
    now -= 2 * 24 * 60 * 60_000
    const old = credentials.createToken('old', ['admin'], { days: 1 }).token
    const away = credentials.createToken('away', ['admin'], { guild: '100000000000000009' }).token
    const with_ = (bearer: string, path: string) =>
      fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${bearer}` } })
    expect((await with_(token, '/api/v1/host/list')).status).toBe(401)
    expect((await with_(old, '/api/v1/host/list')).status).toBe(401)
    expect(await (await with_(away, '/api/v1/host/list')).json()).toEqual({ hosts: [] })
    expect(() => credentials.createToken('x', ['admin'], { days: 0 })).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT' }),
    )
    expect(() => credentials.createToken('x', ['admin'], { guild: 'local' })).not.toThrow()
    expect(() => credentials.createToken('y', ['admin'], { guild: 'x' })).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT' }),
    )
    db.close()
  })

  it('A42: with a copy of the database, in which no token, link or session stands', async () => {
    const token = server.token('admin')
    await fetch(`${server.url}/api/v1/host/list`, { headers: { authorization: `Bearer ${token}` } })
    const bytes = ['hypercall.db', 'hypercall.db-wal']
      .map((file) => readFileSync(join(server.stateFolder, file)).toString('latin1'))
      .join('')
    expect(bytes).toContain('test-')
    expect(bytes).not.toContain(token.slice(3))
    expect(bytes).not.toContain(new URL(server.loginUrl).hash.replace('#login=', ''))
  })

  it('A43: by guessing, until told to wait', async () => {
    const own = await startServer({ DOCKER_HOST: `unix://${socketPath}` })
    const guess = (n: number) =>
      fetch(`${own.url}/page/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token: `guess-${n}` }),
      })
    const statuses: number[] = []
    for (let n = 0; n < 25; n += 1) statuses.push((await guess(n)).status)
    expect(new Set(statuses.slice(0, 20))).toEqual(new Set([401]))
    expect(new Set(statuses.slice(20))).toEqual(new Set([429]))
    await own.close()
  })

  it("A44: from another site, with the owner's own cookie", async () => {
    const token = new URL(server.loginUrl).hash.replace('#login=', '')
    const login = await fetch(`${server.url}/page/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    })
    const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? ''
    const call = (headers: Record<string, string>) =>
      fetch(`${server.url}/page/call`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', cookie, ...headers },
        body: '{"line":"/host list"}',
      })
    expect((await call({ origin: server.url })).status).toBe(200)
    for (const headers of [
      {},
      { origin: 'null' },
      { origin: 'https://evil.example' },
      { origin: server.url.replace('http', 'https') },
      { origin: server.url, 'sec-fetch-site': 'cross-site' },
    ]) {
      expect([headers, (await call(headers as Record<string, string>)).status]).toEqual([headers, 403])
    }
  })

  it('A45: in a frame, or by a script of their own', async () => {
    const { headers } = await fetch(`${server.url}/`)
    expect(headers.get('content-security-policy')).toMatch(
      /default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/,
    )
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })
})

describe('somebody sends what HTTP does not foresee', () => {
  it('A46: one length in two ways', async () => {
    const smuggled =
      'POST /api/v1/host/list HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/v1/audit/list HTTP/1.1\r\nHost: x\r\n\r\n'
    const said = await raw(smuggled)
    expect(said).toMatch(/^HTTP\/1\.1 400 /)
    expect(said.match(/HTTP\/1\.1/g)).toHaveLength(1)
    const two = await raw(
      'POST /api/v1/host/list HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n0123',
    )
    expect(two).toMatch(/^HTTP\/1\.1 400 /)
  })

  it('A47: a header that ends in the middle', async () => {
    const said = await raw('GET /d/x/y%0d%0aset-cookie:%20a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect(said).toMatch(/^HTTP\/1\.1 404 /)
    expect(said.toLowerCase()).not.toContain('set-cookie')
  })

  it('A48: addresses that are written otherwise', async () => {
    for (const path of [
      '/api/v1/container%2Flist',
      '/api/v1/container%252Flist',
      '/api/v1//container/list',
      '/api/v1/container/../audit/list%00',
      '/API/V1/container/list',
      '/api/v1/container.list',
    ]) {
      const status = Number(
        /^HTTP\/1\.1 (\d+)/.exec(await raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`))?.[1],
      )
      expect([path, status]).toEqual([path, expect.toSatisfy((one: number) => [400, 401, 404].includes(one))])
    }
  })

  it('A49: files that are none of the page', async () => {
    for (const path of [
      '/../package.json',
      '/..%2f..%2fpackage.json',
      '/assets/../../../../etc/passwd',
      '/diagrams/..%2f..%2fhypercall.db',
      '/.env',
      '/d/..%2f..%2fhypercall.db/x',
    ]) {
      const said = await raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      expect([path, Number(/^HTTP\/1\.1 (\d+)/.exec(said)?.[1])]).toEqual([
        path,
        expect.toSatisfy((one: number) => one === 404 || one === 400 || one === 403),
      ])
      expect(said).not.toMatch(/"dependencies"|root:x:/)
    }
  })

  it('A50: more than fits, and deeper than a stack', async () => {
    expect((await post('/api/v1/ask', { question: 'x'.repeat(2_000_000) })).status).toBe(400)
    expect(await codeOf(await post('/api/v1/ask', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`))).toBe(
      'INVALID_INPUT',
    )
    expect(await codeOf(await post('/api/v1/ask', `${'['.repeat(100_000)}`))).toBe('INVALID_INPUT')
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  })

  it('A51: names that objects have by themselves', async () => {
    for (const body of [
      '{"__proto__":{"roles":["admin"]},"question":"x"}',
      '{"constructor":{"prototype":{"x":1}},"question":"x"}',
    ]) {
      expect(await codeOf(await post('/api/v1/ask', body))).toBe('INVALID_INPUT')
    }
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  it('A52: the same field twice, in an address and in a form', async () => {
    expect((await get('/api/v1/container/inspect?container=a&container=b')).status).toBe(400)
    const form = new FormData()
    for (const value of ['a', 'b']) form.append('container', value)
    form.set('path', '/x')
    expect((await get('/api/v1/container/copy-in', { method: 'POST', body: form })).status).toBe(400)
  })

  it('A53: a look that would change something', async () => {
    const { name } = await makeContainer(docker, { start: false })
    expect((await get(`/api/v1/container/start?container=${name}`)).status).toBe(404)
    expect((await docker.getContainer(name).inspect()).State.Status).toBe('created')
  })
})

describe('somebody wants the bot to go where they cannot', () => {
  it('A54: an address of its own machine or network, however it is written', async () => {
    for (const address of [
      '127.0.0.1',
      '10.1.2.3',
      '172.16.0.1',
      '192.168.1.1',
      '169.254.169.254',
      '100.64.0.1',
      '0.0.0.0',
      '::1',
      'fe80::1',
      'fc00::1',
      '::ffff:127.0.0.1',
      '64:ff9b::7f00:1',
      '224.0.0.1',
      '255.255.255.255',
    ]) {
      expect([address, isPublicAddress(address)]).toEqual([address, false])
    }
    const { name } = await makeContainer(docker, { start: false })
    for (const url of [
      `${server.url}/healthz`,
      'http://169.254.169.254/latest/meta-data',
      'https://files.example.evil.test/x',
      'https://files.example@evil.test/x',
      'https://[::1]/x',
      'https://2130706433/x',
    ]) {
      const code = await codeOf(await post('/api/v1/container/copy-in', { container: name, path: '/srv/x', url }))
      expect([url, code]).toEqual([url, expect.stringMatching(/^(URL_|INVALID_INPUT)/)])
    }
  })

  it('A55: a socket of its machine, by a link', async () => {
    expect(await codeOf(await post('/api/v1/host/link', { name: 'x', endpoint: 'unix:///var/run/docker.sock' }))).toBe(
      'FORBIDDEN',
    )
  })
})

describe('somebody writes into what others read', () => {
  it('A56: a line of the log', async () => {
    const forged = 'x\n{"level":30,"msg":"forged"}\u001b[2J'
    const failing = await post('/api/v1/container/inspect', { container: forged })
    expect(await codeOf(failing)).toBe('INVALID_INPUT')
    const found = await get('/api/v1/audit/list?limit=50&outcome=INVALID_INPUT')
    const { rows } = (await found.json()) as { rows: { principal: string }[] }
    expect(rows.every(({ principal }) => principal.startsWith('local/token:'))).toBe(true)
  })

  it('A57: an error that tells of the inside', async () => {
    for (const path of ['/api/v1/container/inspect?container=no-such', '/api/v1/nothing', '/d/none/none']) {
      const said = await (await get(path)).text()
      expect(said).not.toMatch(/node_modules|\.ts:|\.js:|at \w+ \(|SQLITE|\/tmp\/|docker\.sock/)
    }
  })
})
