// An HTTP/1.1 answer without its framing (RFC 9112): status, then the body's bytes as views of what was read.

export interface Answer {
  /** The request's body is wanted: 100 (Continue). */
  proceed?(): void
  head(statusCode: number): void
  /** @param bytes a view of what was given to `read` */
  body(bytes: Buffer): void
  /** The whole answer has been read; whatever follows is not part of it. */
  end(): void
}

export interface AnswerReader {
  /** Takes the next bytes, cut anywhere. @throws Error when they are not such an answer */
  read(bytes: Buffer): void
  /** The connection has ended. @throws Error when the answer had not */
  close(): void
}

export interface AnswerOptions {
  /** An answer without a length ends with its connection, and is none without this: it could have been cut off. */
  readonly untilClose?: boolean
}

type State = 'status' | 'headers' | 'size' | 'chunk' | 'chunk end' | 'trailers' | 'plain' | 'until close' | 'end'

const MAX_LINE_BYTES = 16 * 1024
const LINE_FEED = 10

export function createAnswerReader(answer: Answer, { untilClose = false }: AnswerOptions = {}): AnswerReader {
  let state: State = 'status'
  let line = ''
  let statusCode = 0
  let chunked = false
  /** Of the body or of the chunk, in bytes. */
  let remaining = Number.NaN

  const end = (): void => {
    state = 'end'
    answer.end()
  }

  const beginBody = (): void => {
    const hasLength = chunked || !Number.isNaN(remaining)
    if (!hasLength && !untilClose) throw new Error('an answer without a length')
    answer.head(statusCode)
    state = chunked ? 'size' : hasLength ? 'plain' : 'until close'
    if (!chunked && remaining === 0) end()
  }

  const header = (text: string): void => {
    const [name = '', value = ''] = text.split(/:\s*/, 2)
    if (/^transfer-encoding$/i.test(name)) chunked = /^chunked$/i.test(value.trim())
    if (/^content-length$/i.test(name) && /^\d+$/.test(value.trim())) remaining = Number(value)
  }

  const onLine = (text: string): void => {
    switch (state) {
      case 'status': {
        const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(text)
        if (!status) throw new Error('not an answer of HTTP/1.1')
        statusCode = Number(status[1])
        state = 'headers'
        break
      }
      case 'headers':
        if (text !== '') header(text)
        // 1xx announces the answer; it is none.
        else if (statusCode < 200) {
          if (statusCode === 100) answer.proceed?.()
          state = 'status'
        } else beginBody()
        break
      case 'size': {
        const size = /^([0-9a-f]{1,12})(?:\s*;.*)?$/i.exec(text)
        if (!size) throw new Error('a chunk without a size')
        remaining = Number.parseInt(size[1] ?? '', 16)
        state = remaining === 0 ? 'trailers' : 'chunk'
        break
      }
      case 'chunk end':
        if (text !== '') throw new Error('a chunk longer than its size')
        state = 'size'
        break
      case 'trailers':
        if (text === '') end()
        break
    }
  }

  return {
    read(bytes) {
      let at = 0
      while (at < bytes.length && state !== 'end') {
        if (state === 'chunk' || state === 'plain') {
          const piece = bytes.subarray(at, at + remaining)
          at += piece.length
          remaining -= piece.length
          answer.body(piece)
          if (remaining > 0) continue
          if (state === 'plain') end()
          else state = 'chunk end'
          continue
        }
        if (state === 'until close') {
          answer.body(bytes.subarray(at))
          return
        }
        const feed = bytes.indexOf(LINE_FEED, at)
        const stop = feed === -1 ? bytes.length : feed
        line += bytes.toString('latin1', at, stop)
        if (line.length > MAX_LINE_BYTES) throw new Error('a line too long')
        at = stop + 1
        if (feed === -1) continue
        const text = line.endsWith('\r') ? line.slice(0, -1) : line
        line = ''
        onLine(text)
      }
    },
    close() {
      if (state === 'until close') end()
      else if (state !== 'end') throw new Error('the connection ended in the middle of an answer')
    },
  }
}
