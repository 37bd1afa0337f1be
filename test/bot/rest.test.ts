import { createHash, randomBytes } from 'node:crypto'
import { statSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import Docker from 'dockerode'
import { extract } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { makeContainer } from '../helpers/engine.js'
import { startServer, type TestServer } from '../helpers/server.js'

const socketPath = inject('engineSocket')
const docker = new Docker({ socketPath })

type Body = Record<string, unknown>
interface ErrorBody {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly details: Body
    readonly requestId: string
  }
}

let server: TestServer
let admin: ReturnType<TestServer['as']>

beforeAll(async () => {
  server = await startServer({ DOCKER_HOST: `unix://${socketPath}` })
  admin = server.as('admin')
})
afterAll(() => server.close())

const json = (body: object, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
})

/** Sends it, and sends it again with the confirmation that was asked for. */
async function confirmed(path: string, body: Body): Promise<Response> {
  const first = await admin(path, json(body))
  if (first.status !== 409) return first
  const { error } = (await first.json()) as ErrorBody
  expect(error.code).toBe('CONFIRMATION_REQUIRED')
  return admin(path, json({ ...body, confirm: error.details.confirm }))
}

/** Without fetch, which asks every cache on the way to look again when it is given a condition. */
const statusOf = (url: string, headers: Record<string, string>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    get(url, { headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).on('error', reject)
  })

interface JobBody {
  readonly state: string
  readonly error?: { readonly code: string }
  readonly artifact: { readonly id: string; readonly sizeBytes: number; readonly sha256: string; readonly url: string }
}

async function finished(location: string): Promise<JobBody> {
  for (let tries = 0; tries < 300; tries++) {
    const job = (await (await admin(location)).json()) as JobBody
    if (job.state !== 'queued' && job.state !== 'running') return job
    await sleep(50)
  }
  throw new Error('the job did not end')
}

describe('asking', () => {
  it.each([
    ['What is a type 1 hypervisor?', 'en'],
    ['什么是半虚拟化？', 'zh'],
  ])('answers %j in its language, with citations', async (question, lang) => {
    const response = await admin('/api/v1/ask', json({ question }))
    const body = (await response.json()) as {
      found: boolean
      answer: string
      lang: string
      citations: Body[]
      confidence: number
    }
    expect(response.status).toBe(200)
    expect(body).toMatchObject({ found: true, lang })
    expect(body.answer).toContain('[1]')
    expect(body.citations[0]).toMatchObject({
      card: expect.any(String),
      title: expect.any(String),
      quote: expect.any(String),
      lang,
    })
    expect(body.confidence).toBeGreaterThan(0)
  })

  it('says that it does not know, and names what is near', async () => {
    const body = await (await admin('/api/v1/ask', json({ question: 'How do I bake sourdough bread?' }))).json()
    expect(body).toMatchObject({ found: false, answer: '', citations: [] })
  })

  it('searches with a query that is no syntax', async () => {
    const query = new URLSearchParams({ q: '"KVM" AND (半虚拟化 NEAR', limit: '3' })
    const body = (await (await admin(`/api/v1/knowledge/search?${query}`)).json()) as { hits: Body[] }
    expect(body.hits.length).toBeGreaterThan(0)
    expect(body.hits.length).toBeLessThanOrEqual(3)
    expect(body.hits[0]).toMatchObject({
      passage: expect.any(String),
      card: expect.any(String),
      snippet: expect.any(String),
      score: expect.any(Number),
    })
  })
})

describe('acting', () => {
  it('lists over GET, and starts with a confirmation that is sent back', async () => {
    const made = await makeContainer(docker, { start: false })
    const listed = (await (await admin('/api/v1/container/list?host=local')).json()) as { instances: Body[] }
    expect(listed.instances).toContainEqual(
      expect.objectContaining({ host: 'local', name: made.name, state: 'created' }),
    )
    const started = await confirmed('/api/v1/container/start', { host: 'local', container: made.name })
    expect(started.status).toBe(200)
    expect(await started.json()).toMatchObject({ name: made.name, state: 'running' })
  })

  it('copies in what a form carries, wherever the file stands among the fields', async () => {
    const made = await makeContainer(docker, { start: false })
    const content = randomBytes(3 * 1024 * 1024)
    const sha256 = createHash('sha256').update(content).digest('hex')
    const send = (confirm: string | undefined, fileFirst: boolean) => {
      const form = new FormData()
      const fields = { host: 'local', container: made.name, path: '/srv/', ...(confirm ? { confirm } : {}) }
      if (fileFirst) form.set('file', new Blob([content]), 'data.bin')
      for (const [name, value] of Object.entries(fields)) form.set(name, value)
      if (!fileFirst) form.set('file', new Blob([content]), 'data.bin')
      return admin('/api/v1/container/copy-in', { method: 'POST', body: form })
    }
    for (const fileFirst of [false, true]) {
      const { error } = (await (await send(undefined, fileFirst)).json()) as ErrorBody
      const done = await send(String(error.details.confirm), fileFirst)
      expect(done.status).toBe(200)
      expect(await done.json()).toMatchObject({ path: '/srv/data.bin', sizeBytes: content.length, sha256 })
    }
    const archive = extract()
    Readable.from(await made.getArchive({ path: '/srv/data.bin' })).pipe(archive)
    for await (const entry of archive) {
      const hash = createHash('sha256')
      for await (const chunk of entry) hash.update(chunk as Buffer)
      expect(hash.digest('hex')).toBe(sha256)
    }
  })

  it('exports as a job whose link gives the bytes, whole and in ranges', async () => {
    const made = await makeContainer(docker, { start: false })
    const accepted = await confirmed('/api/v1/container/export', { host: 'local', container: made.name })
    expect(accepted.status).toBe(202)
    const { jobId } = (await accepted.json()) as { jobId: string }
    const location = accepted.headers.get('location') ?? ''
    expect(location).toBe(`/api/v1/job/status?job=${jobId}`)
    const { artifact, state } = await finished(location)
    expect(state).toBe('done')

    const whole = await fetch(artifact.url)
    const bytes = Buffer.from(await whole.arrayBuffer())
    expect(bytes.length).toBe(artifact.sizeBytes)
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(artifact.sha256)
    expect(whole.headers.get('content-disposition')).toContain(`${made.name}.tar`)
    expect(whole.headers.get('repr-digest')).toBe(`sha-256=:${Buffer.from(artifact.sha256, 'hex').toString('base64')}:`)

    const etag = whole.headers.get('etag') ?? ''
    const part = await fetch(artifact.url, { headers: { range: 'bytes=512-1023', 'if-range': etag } })
    expect(part.status).toBe(206)
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(512, 1024))).toBe(true)
    expect(await statusOf(artifact.url, { 'if-none-match': etag })).toBe(304)
    const head = await fetch(artifact.url, { method: 'HEAD' })
    expect(head.headers.get('content-length')).toBe(String(artifact.sizeBytes))
    expect((await fetch(artifact.url.replace(/\/d\/.{4}/, '/d/AAAA'))).status).toBe(404)
  })
})

describe('refusing', () => {
  const errorOf = async (response: Promise<Response>) => {
    const answer = await response
    return { status: answer.status, ...((await answer.json()) as ErrorBody).error }
  }

  it('wants a token, and one that exists', async () => {
    for (const authorization of [undefined, 'Bearer hc_wrong', 'Basic eDp5']) {
      const init = authorization === undefined ? {} : { headers: { authorization } }
      expect(await errorOf(fetch(`${server.url}/api/v1/container/list`, init))).toMatchObject({
        status: 401,
        code: 'UNAUTHENTICATED',
      })
    }
  })

  it('gives one error shape, in the language that was asked for, with the request id', async () => {
    const response = await admin('/api/v1/container/inspect?container=no-such', {
      headers: { 'accept-language': 'zh-CN,zh;q=0.9' },
    })
    const body = (await response.json()) as ErrorBody
    expect(response.status).toBe(404)
    expect(body.error).toMatchObject({ code: 'INSTANCE_NOT_FOUND', details: { container: 'no-such', host: 'local' } })
    expect(body.error.message).toContain('没有容器')
    expect(body.error.requestId).toBe(response.headers.get('x-request-id'))
  })

  it.each([
    ['a field that is unknown', json({ container: 'x', nonsense: 1 }), 400, 'INVALID_INPUT'],
    ['a body that is no JSON', { ...json({}), body: '{' }, 400, 'INVALID_INPUT'],
    ['a body that is a list', { ...json({}), body: '[1]' }, 400, 'INVALID_INPUT'],
    [
      'another content type',
      { method: 'POST', body: '<x/>', headers: { 'content-type': 'text/xml' } },
      415,
      'INVALID_INPUT',
    ],
  ])('refuses %s', async (_, init, status, code) => {
    const refused = await errorOf(admin('/api/v1/container/start', init))
    expect(refused.code).toBe(code)
    expect([400, status]).toContain(refused.status)
    expect(JSON.stringify(refused)).not.toMatch(/node_modules|\bat .*\.[jt]s:/)
  })

  it('reads by GET and acts by POST alone', async () => {
    expect((await admin('/api/v1/container/start?container=x')).status).toBe(404)
    expect(await errorOf(admin('/api/v1/no/such'))).toMatchObject({ status: 404, code: 'ROUTE_UNKNOWN' })
  })

  it('refuses an upload over the limit and keeps nothing of it', async () => {
    const small = await startServer({ DOCKER_HOST: `unix://${socketPath}`, HYPERCALL_MAX_UPLOAD: '1000' })
    const made = await makeContainer(docker, { start: false })
    const form = new FormData()
    form.set('container', made.name)
    form.set('path', '/srv/')
    form.set('file', new Blob([randomBytes(5000)]), 'big')
    const refused = await errorOf(small.as('admin')('/api/v1/container/copy-in', { method: 'POST', body: form }))
    expect(refused).toMatchObject({ status: 413, code: 'UPLOAD_TOO_LARGE' })
    await small.close()
  })
})

describe('the page session', () => {
  const signIn = async () => {
    const token = new URL(server.loginUrl).hash.replace('#login=', '')
    return fetch(`${server.url}/page/login`, json({ token }))
  }

  it('begins with a link that works once, and only obeys its own page', async () => {
    const response = await signIn()
    expect(response.status).toBe(200)
    const cookie = response.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/HttpOnly/i)
    expect(cookie).toMatch(/SameSite=Strict/i)
    expect((await signIn()).status).toBe(401)

    const session = { cookie: cookie.split(';')[0] ?? '' }
    expect((await fetch(`${server.url}/page/me`, { headers: session })).status).toBe(200)
    const ask = (headers: Record<string, string>) =>
      fetch(`${server.url}/api/v1/ask`, json({ question: 'What is KVM?' }, { ...session, ...headers }))
    expect((await ask({ origin: server.url })).status).toBe(200)
    expect((await ask({ origin: 'https://evil.example' })).status).toBe(403)
    expect((await ask({ 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await ask({})).status).toBe(403)
  })
})

describe('who guesses', () => {
  it('is told to wait, and keeps nobody with the right token waiting', async () => {
    const own = await startServer({ DOCKER_HOST: `unix://${socketPath}` })
    const good = own.as('viewer')
    const guess = (n: number) => fetch(`${own.url}/api/v1/host/list`, { headers: { authorization: `Bearer hc_${n}` } })
    const codes: number[] = []
    for (let n = 0; n < 22; n += 1) codes.push((await guess(n)).status)
    expect(codes).toEqual([...Array.from({ length: 20 }, () => 401), 429, 429])
    const slowed = await guess(0)
    expect(Number(slowed.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await fetch(`${own.url}/page/login`, json({ token: 'x' }))).status).toBe(429)
    expect((await good('/api/v1/host/list')).status).toBe(200)
    // Who brings nothing has guessed nothing.
    expect((await fetch(`${own.url}/api/v1/host/list`)).status).toBe(401)
    await own.close()
  })
})

describe('for operators', () => {
  it('tells its health, its metrics and its interface', async () => {
    expect(await (await fetch(`${server.url}/healthz`)).json()).toEqual({ status: 'ok' })
    expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({ status: 'ready' })
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    expect(metrics).toMatch(/hypercall_calls_total\{action="container.list",surface="rest",outcome="OK"\} [1-9]/)
    const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as { paths: Record<string, object> }
    expect(Object.keys(document.paths)).toContain('/api/v1/container/copy-in')
  })

  it('keeps the state to its owner', async () => {
    expect(statSync(server.stateFolder).mode & 0o077).toBe(0)
    expect(statSync(join(server.stateFolder, 'hypercall.db')).mode & 0o077).toBe(0)
  })

  it('starts without any engine, and says so when one is needed', async () => {
    const hosts = join(server.stateFolder, 'none.yaml')
    writeFileSync(hosts, 'hosts: []\n')
    const alone = await startServer({ HYPERCALL_HOSTS: hosts })
    const call = alone.as('admin')
    expect(await (await call('/api/v1/container/list')).json()).toEqual({ instances: [], unreachable: [] })
    expect(await errorOfResponse(call('/api/v1/host/status'))).toBe('NO_HOSTS')
    expect((await call('/api/v1/ask', json({ question: 'What is KVM?' }))).status).toBe(200)
    await alone.close()
  })
})

const errorOfResponse = async (response: Promise<Response>): Promise<string> =>
  ((await (await response).json()) as ErrorBody).error.code
