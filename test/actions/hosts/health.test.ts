// The guard before a driver, with a server of ours in the engine's place: one that can fall silent.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bytesOf } from '../../../src/actions/bytes.js'
import { dockerDriver } from '../../../src/actions/hosts/docker/driver.js'
import { type GuardedDriver, guarded } from '../../../src/actions/hosts/health.js'
import { AppError } from '../../../src/actions/index.js'
import { codeOf } from '../../helpers/room.js'

const never = new AbortController().signal
const folder = () => mkdtempSync(join(tmpdir(), 'hc-health-'))

let home: string
let socketPath: string
let server: Server
/** What was asked and waits for its answer. */
let open: ServerResponse[]
let asked: number
let isSilent: boolean
let now: number
let driver: GuardedDriver

const answer = (response: ServerResponse) => response.end('[]')
const listen = () => new Promise<void>((resolve) => server.listen(socketPath, () => resolve()))
const settled = (count: number) => expect.poll(() => open.length).toBeGreaterThanOrEqual(count)

beforeEach(() => {
  home = folder()
  socketPath = join(home, 'engine.sock')
  open = []
  asked = 0
  isSilent = false
  now = 1_000_000
  server = createServer((request, response) => {
    asked += 1
    response.once('error', () => undefined)
    if (isSilent) open.push(response)
    else if (request.url?.endsWith('/export')) response.end(Buffer.alloc(100_000))
    else answer(response)
  })
  driver = guarded('far', dockerDriver('far', { kind: 'unix', path: socketPath }), {
    now: () => now,
    mostAtOnce: 2,
    mostWaiting: 1,
  })
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
  rmSync(home, { recursive: true, force: true })
})

describe('the circuit breaker', () => {
  const list = () => codeOf(driver.list(never))

  it('asks nobody for a while after three failures, then once, and the while grows', async () => {
    expect(driver.health().state).toBe('undetected')
    for (let count = 0; count < 3; count++) expect(await list()).toBe('HOST_UNREACHABLE')
    expect(driver.health()).toMatchObject({ state: 'unhealthy', detail: { en: expect.stringContaining('listens') } })
    await listen()
    expect(await list()).toBe('HOST_UNREACHABLE')
    expect((await driver.probe(never)).state).toBe('unhealthy')
    expect(asked).toBe(0)

    // The one that is let through meets silence again.
    now += 5_000
    isSilent = true
    const leave = new AbortController()
    const trial = codeOf(driver.list(leave.signal))
    await settled(1)
    expect(await list()).toBe('HOST_UNREACHABLE')
    leave.abort(new AppError('HOST_UNREACHABLE', { host: 'far' }))
    expect(await trial).toBe('HOST_UNREACHABLE')
    isSilent = false
    now += 9_999
    expect(await list()).toBe('HOST_UNREACHABLE')
    expect(asked).toBe(1)
    now += 1
    expect(await list()).toBe('OK')
    expect(driver.health().state).toBe('healthy')

    // It begins anew.
    server.close()
    server.closeAllConnections()
    for (let count = 0; count < 2; count++) expect(await list()).toBe('HOST_UNREACHABLE')
    await listen()
    expect(await list()).toBe('OK')
  })

  it('says in how many seconds it is worth another try', async () => {
    for (let count = 0; count < 3; count++) await list()
    now += 1_500
    await expect(driver.list(never)).rejects.toMatchObject({ code: 'HOST_UNREACHABLE', details: { seconds: 4 } })
  })

  it('takes neither a refusal of the engine nor a caller that leaves for a failure', async () => {
    await listen()
    isSilent = true
    for (let count = 0; count < 4; count++) {
      const leave = new AbortController()
      const leaving = codeOf(driver.list(leave.signal))
      await settled(count + 1)
      leave.abort(new AppError('CALLER_GONE'))
      expect(await leaving).toBe('CALLER_GONE')
    }
    expect(driver.health().state).toBe('undetected')
    isSilent = false
    expect(await list()).toBe('OK')
  })

  it('is closed by a test that finds the engine well', async () => {
    for (let count = 0; count < 3; count++) await list()
    await listen()
    expect((await driver.test(never)).state).toBe('healthy')
    expect(await list()).toBe('OK')
  })
})

describe('the limit of what is done at once', () => {
  beforeEach(async () => {
    await listen()
    isSilent = true
  })

  it('lets some in, one wait, and refuses the next with a time to try again', async () => {
    const running = [driver.list(never), driver.list(never)]
    const waiting = driver.list(never)
    await settled(2)
    const refused = driver.list(never)
    await expect(refused).rejects.toMatchObject({ code: 'HOST_BUSY', details: { running: 2, waiting: 1, seconds: 5 } })
    expect(asked).toBe(2)
    for (const response of open) answer(response)
    await Promise.all(running)
    await settled(3)
    open.slice(2).forEach(answer)
    await waiting
    expect(asked).toBe(3)
  })

  it('lets a caller leave the queue, and gives its place to another', async () => {
    const running = [driver.list(never), driver.list(never)]
    const leave = new AbortController()
    const leaving = driver.list(leave.signal)
    leave.abort(new Error('gone'))
    await expect(leaving).rejects.toThrow('gone')
    const waiting = driver.list(never)
    await settled(2)
    for (const response of open) answer(response)
    await Promise.all(running)
    await settled(3)
    open.slice(2).forEach(answer)
    await waiting
  })

  it('counts a stream until it has flowed, or is let go of', async () => {
    isSilent = false
    const [read, dropped] = [await driver.export('a', never), await driver.export('b', never)]
    const waiting = driver.list(never)
    expect(await codeOf(driver.list(never))).toBe('HOST_BUSY')
    dropped.close()
    await waiting
    let bytes = 0
    await read.flow(async (pieces) => {
      for (const piece of pieces) bytes += piece.length
    }, never)
    expect(bytes).toBe(100_000)
    isSilent = true
    const both = [driver.list(never), driver.list(never)]
    await settled(2)
    for (const response of open) answer(response)
    await Promise.all(both)
  })

  it('lets any number wait for an end, and work meanwhile', async () => {
    const ends = Array.from({ length: 5 }, () => codeOf(driver.wait('a', never)))
    await settled(5)
    isSilent = false
    expect(await driver.list(never)).toEqual([])
    for (const response of open) response.end('{"StatusCode":0}')
    expect(await Promise.all(ends)).toEqual(Array(5).fill('OK'))
  })

  it('closes what it was given and does not take', async () => {
    const running = [driver.list(never), driver.list(never), driver.list(never)]
    await settled(2)
    const archive = Readable.from([Buffer.alloc(10)])
    expect(await codeOf(driver.load(bytesOf(archive), never))).toBe('HOST_BUSY')
    expect(archive.destroyed).toBe(true)
    for (const response of open) answer(response)
    await settled(3)
    open.slice(2).forEach(answer)
    await Promise.all(running)
  })
})
