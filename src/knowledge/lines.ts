/** Owns the cutting of a stream into lines, none of which may grow without bound or be silently mended. */
import { NOT_UTF8 } from './formats/unreadable.js'
import type { Told } from './model.js'

export interface Line {
  /** 1-based. */
  number: number
  /** Missing when the line is no valid UTF-8, or longer than was allowed; `problem` says which. */
  text?: string
  problem?: Told
}

const LINE_FEED = 10

/** @param longest in bytes; of a longer line nothing is kept, whatever its length */
export async function* linesOf(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  longest: number,
): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let number = 0
  let parts: Uint8Array[] = []
  let size = 0
  const line = (): Line => {
    number += 1
    const bytes = Buffer.concat(parts)
    const tooLong = size > longest
    parts = []
    size = 0
    if (tooLong) return { number, problem: { en: `longer than ${longest} bytes`, zh: `超过 ${longest} 字节` } }
    try {
      return { number, text: decoder.decode(bytes).replace(/\r$/, '') }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      return { number, problem: NOT_UTF8 }
    }
  }
  for await (const chunk of source) {
    let from = 0
    while (from < chunk.length) {
      const feed = chunk.indexOf(LINE_FEED, from)
      const to = feed === -1 ? chunk.length : feed
      size += to - from
      // A copy: whoever gives the chunks may use their memory again.
      if (size <= longest) parts.push(Uint8Array.prototype.slice.call(chunk, from, to))
      else parts = []
      if (feed !== -1) yield line()
      from = to + 1
    }
  }
  if (size > 0) yield line()
}
