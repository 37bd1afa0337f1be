// In a file of its own, and so in a process of its own: everything in it is made to wait.
import { expect, it } from 'vitest'
import { startServer } from '../helpers/server.js'

it('a server with more to do than it can says so at once and when to come back, and still tells that it is alive', {
  timeout: 60_000,
}, async () => {
  const own = await startServer({})
  const get = own.as('viewer')
  const block = setInterval(() => {
    const until = performance.now() + 700
    while (performance.now() < until);
  }, 1)
  try {
    await expect.poll(async () => (await get('/api/v1/host/list')).status, { timeout: 30_000 }).toBe(503)
    const refused = await get('/api/v1/host/list')
    expect(refused.headers.get('retry-after')).toBe('5')
    expect(((await refused.json()) as { error: { code: string } }).error.code).toBe('OVERLOADED')
    expect((await fetch(`${own.url}/healthz`)).status).toBe(200)
  } finally {
    clearInterval(block)
  }
  await expect.poll(async () => (await get('/api/v1/host/list')).status, { timeout: 15_000 }).toBe(200)
  await own.close()
})
