// What a program writes, as much of it as can be shown, and how much there was.
import { StringDecoder } from 'node:string_decoder'
import { stripVTControlCharacters } from 'node:util'

/** Text of bytes that may have been cut in the middle of a character, which is then left off. */
export const textOf = (bytes: Buffer): string => new StringDecoder('utf8').write(bytes)

/** As one reads it in a terminal: without colours and cursor movements. */
export const readable = (text: string): string =>
  stripVTControlCharacters(text).replaceAll(/\r+\n/g, '\n').replace(/\n+$/, '')

export interface Beginning {
  /** @param bytes lent: what is kept is copied */
  take(bytes: Buffer): void
  readonly bytes: Buffer
  /** How many were given. */
  readonly total: number
}

export function keepBeginning(mostBytes: number): Beginning {
  const kept: Buffer[] = []
  let total = 0
  return {
    take(bytes) {
      if (total < mostBytes) kept.push(Buffer.from(bytes.subarray(0, mostBytes - total)))
      total += bytes.length
    },
    get bytes() {
      return Buffer.concat(kept)
    },
    get total() {
      return total
    },
  }
}

const LINE_FEED = 10

export interface End {
  take(bytes: Buffer): void
  readonly bytes: Buffer
  readonly total: number
  readonly lines: number
}

/** The last bytes of a stream of any length. */
export function keepEnd(mostBytes: number): End {
  let kept = Buffer.alloc(0)
  let total = 0
  let feeds = 0
  let last: number | undefined
  return {
    take(bytes) {
      if (bytes.length === 0) return
      for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) feeds += 1
      last = bytes.at(-1)
      total += bytes.length
      const end = bytes.subarray(-mostBytes)
      kept = Buffer.concat([kept.subarray(Math.max(0, kept.length + end.length - mostBytes)), end])
    },
    get bytes() {
      return kept
    },
    get total() {
      return total
    },
    get lines() {
      return feeds + (last === undefined || last === LINE_FEED ? 0 : 1)
    },
  }
}
