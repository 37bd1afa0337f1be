// How far the audit log goes, noted where nobody reaches who can only reach the database.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { startServer } from '../helpers/server.js'

const folder = mkdtempSync(join(tmpdir(), 'hc-mirror-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Note {
  readonly head: string
  readonly seq: number
  readonly hash: string
  readonly signature: string
}

it('is added to a file and posted to an address; a place that is not reached keeps nobody waiting', async () => {
  const posted: Note[] = []
  const listener = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += String(chunk)
    })
    request.on('end', () => {
      posted.push(JSON.parse(body) as Note)
      response.end()
    })
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as AddressInfo
  const file = join(folder, 'heads.jsonl')
  const server = await startServer({
    HYPERCALL_AUDIT_MIRROR: `log,${file},http://127.0.0.1:${port}/heads,http://127.0.0.1:1/nobody`,
  })
  const { head, last } = (await (await server.as('admin')('/api/v1/audit/verify')).json()) as {
    head: string
    last: number
  }
  await server.close()

  await expect.poll(() => posted.length, { timeout: 10_000 }).toBe(1)
  const [note] = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Note)
  expect(posted).toEqual([note])
  // The look at the log has an outcome, which came after it.
  expect(note?.seq).toBe(last + 1)
  expect(note?.head).toBe(`${note?.seq}:${note?.hash}`)
  expect(note?.hash).not.toBe(head)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  await new Promise((resolve) => listener.close(resolve))
})
