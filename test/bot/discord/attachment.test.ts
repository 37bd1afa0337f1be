import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readableOf } from '../../../src/actions/bytes.js'
import { readConfig } from '../../../src/bot/config.js'
import { attachmentSource, recalledSource } from '../../../src/bot/discord/attachment.js'
import { codeOf } from '../../helpers/room.js'

let server: Server
let origin: string
const asked: string[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (request.url === '/cdn/redirect') return response.writeHead(302, { location: '/secret' }).end()
    if (request.url === '/cdn/broken') {
      response.writeHead(200, { 'content-length': '10' }).write('12345')
      setTimeout(() => response.destroy(), 50)
      return
    }
    if (request.url === '/cdn/slow') return response.writeHead(200, { 'content-length': '10' }).write('12345')
    if (request.url === '/cdn/chunked') return response.writeHead(200).end('1234567890')
    return request.url?.startsWith('/cdn/file') ? response.end('1234567890') : response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const workFolder = mkdtempSync(join(tmpdir(), 'hc-attachments-'))
afterAll(() => rmSync(workFolder, { recursive: true }))
const downloads = (settings = {}) => ({
  config: readConfig({ DISCORD_CDN: `${origin}/cdn`, HYPERCALL_MIN_FREE: '0', ...settings }),
  workFolder,
})
const signal = () => new AbortController().signal
const fetched = async (path: string, sizeBytes = 10, within = signal()) =>
  (
    await buffer(
      readableOf(await attachmentSource({ url: `${origin}${path}`, name: 'f', sizeBytes }, downloads()).open(within)),
    )
  ).toString()

describe('an attachment', () => {
  it('is streamed from the CDN, its signature kept', async () => {
    expect(await fetched('/cdn/file?ex=1&hm=2')).toBe('1234567890')
    expect(asked.at(-1)).toBe('/cdn/file?ex=1&hm=2')
    expect(await fetched('/cdn/chunked')).toBe('1234567890')
    await expect.poll(() => readdirSync(workFolder)).toEqual([])
  })

  it.each([
    'http://localhost/cdn/file',
    'https://127.0.0.1/cdn/file',
    'http://127.0.0.1:1/cdn/file',
    'ORIGIN/secret',
    'ORIGIN/cdn',
    'ORIGIN/cdn-other/file',
    'ORIGIN/cdn/../secret',
    'ORIGIN/cdn/%2e%2e/secret',
    'http://cdn.discordapp.com@127.0.0.1/cdn/file',
    'file:///etc/passwd',
    '//127.0.0.1/cdn/file',
    '',
  ])('at %s is refused before anything is asked for', async (address) => {
    const before = asked.length
    const url = address.replace('ORIGIN', origin)
    expect(await codeOf((async () => attachmentSource({ url, name: 'f', sizeBytes: 1 }, downloads()))())).toBe(
      'ATTACHMENT_REFUSED',
    )
    expect(await codeOf((async () => recalledSource({ url, name: 'f', sizeBytes: 1 }, downloads()))())).toBe(
      'ATTACHMENT_REFUSED',
    )
    expect(asked.length).toBe(before)
  })

  it('A78: that redirects is not followed', async () => {
    expect(await codeOf(fetched('/cdn/redirect'))).toBe('ATTACHMENT_UNAVAILABLE')
    expect(asked).not.toContain('/secret')
  })

  it('that is gone, cut off or of another size than was said is an error of its own', async () => {
    expect(await codeOf(fetched('/cdn/gone'))).toBe('ATTACHMENT_UNAVAILABLE')
    expect(await codeOf(fetched('/cdn/broken'))).toBe('ATTACHMENT_UNAVAILABLE')
    expect(await codeOf(fetched('/cdn/file', 11))).toBe('UPLOAD_INCOMPLETE')
    expect(await codeOf(fetched('/cdn/chunked', 11))).toBe('UPLOAD_INCOMPLETE')
    expect(await codeOf(fetched('/cdn/chunked', 9))).toBe('UPLOAD_INCOMPLETE')
    await expect.poll(() => readdirSync(workFolder)).toEqual([])
  })

  it('larger than the limit is refused before anything is asked for', async () => {
    const before = asked.length
    const facts = { url: `${origin}/cdn/file`, name: 'f', sizeBytes: 11 }
    const opening = (async () => attachmentSource(facts, downloads({ HYPERCALL_MAX_UPLOAD: '10' })))()
    expect(await codeOf(opening)).toBe('UPLOAD_TOO_LARGE')
    expect(asked.length).toBe(before)
  })

  it('ends when its call does', async () => {
    const abort = new AbortController()
    const reading = fetched('/cdn/slow', 10, abort.signal)
    setTimeout(() => abort.abort(), 100)
    await expect(reading).rejects.toThrow(/abort/i)
  })

  it('that a confirmation remembers wrongly is refused', async () => {
    expect(await codeOf((async () => recalledSource({ url: 1, name: 'f', sizeBytes: 1 }, downloads()))())).toBe(
      'ATTACHMENT_REFUSED',
    )
  })
})
