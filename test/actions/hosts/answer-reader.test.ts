import { describe, expect, it } from 'vitest'
import { createAnswerReader } from '../../../src/actions/hosts/answer-reader.js'

interface Read {
  status: number
  body: string
  ended: boolean
}

/** Reads an answer in pieces of `size` bytes. */
function read(text: string, size = text.length): Read {
  const seen: Read = { status: 0, body: '', ended: false }
  const reader = createAnswerReader({
    head: (statusCode) => {
      seen.status = statusCode
    },
    body: (bytes) => {
      seen.body += bytes.toString('latin1')
    },
    end: () => {
      seen.ended = true
    },
  })
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length; at += size) reader.read(bytes.subarray(at, at + size))
  return seen
}

const CHUNKED =
  'HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n' +
  '5\r\nhello\r\n1;note=x\r\n \r\nB\r\nworld\r\n0\r\n\r\r\n0\r\nTrailer: t\r\n\r\n'
const BODY = 'hello world\r\n0\r\n\r'
const SIZED = 'HTTP/1.1 404 Not Found\r\ncontent-length:  7\r\n\r\nmissing'

describe('an answer of HTTP/1.1', () => {
  it('is read the same wherever its bytes are cut', () => {
    for (let size = 1; size <= CHUNKED.length; size++) {
      expect(read(CHUNKED, size)).toEqual({ status: 200, body: BODY, ended: true })
    }
    for (let size = 1; size <= SIZED.length; size++) {
      expect(read(SIZED, size)).toEqual({ status: 404, body: 'missing', ended: true })
    }
  })

  it('has not ended before its last byte', () => {
    for (let length = 0; length < CHUNKED.length; length++) expect(read(CHUNKED.slice(0, length)).ended).toBe(false)
    for (let length = 0; length < SIZED.length; length++) expect(read(SIZED.slice(0, length)).ended).toBe(false)
  })

  it('may be empty, may be announced by a 100, and what follows is not part of it', () => {
    expect(read('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nrest')).toEqual({ status: 200, body: '', ended: true })
    expect(read(`HTTP/1.1 100 Continue\r\n\r\n${SIZED}rest`)).toEqual({ status: 404, body: 'missing', ended: true })
    expect(read(`${CHUNKED}HTTP/1.1 500`)).toEqual({ status: 200, body: BODY, ended: true })
  })

  it.each([
    ['is something else', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['does not say where it ends', 'HTTP/1.1 200 OK\r\n\r\nendless'],
    ['has a chunk without a size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
    ['has a chunk longer than its size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n'],
    ['has a line without an end', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(20_000)}`],
  ])('is refused when it %s', (_, text) => {
    expect(() => read(text)).toThrow()
  })
})
