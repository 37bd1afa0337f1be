// Bytes on their way, in memory that is used again. A stream of Node gives its buffers away, so a source of gigabytes has
// to allocate gigabytes; at 300 MiB/s that alone costs a fifth of the throughput.
import { open } from 'node:fs/promises'
import { type Duplex, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AppError } from './errors.js'

/** Takes the next pieces, in order. They are lent: once the promise has settled, their memory holds something else. */
export type Taker = (pieces: readonly Buffer[]) => Promise<void>

export interface ByteSource {
  /**
   * Gives everything, to be called once. A taker is not called again before its last promise has settled.
   * @param signal ends it, with the signal's reason
   * @throws what the taker throws, or what the source fails with; the source is closed in any case
   */
  flow(take: Taker, signal: AbortSignal): Promise<void>
  /** Lets go of a source that nobody will read. */
  close(): void
}

const BUFFER_BYTES = 256 * 1024

/** A stream, led through others, as a source: what gathers while the taker is busy is given in one go. */
export function bytesOf(stream: Readable, ...through: readonly Duplex[]): ByteSource {
  // It may fail before anybody reads it: then whoever does is told, and the process does not end over it.
  stream.on('error', () => undefined)
  return {
    flow(take, signal) {
      const sink = new Writable({
        highWaterMark: BUFFER_BYTES,
        write: (chunk: Buffer, _encoding, done) => void take([chunk]).then(() => done(), done),
        writev: (chunks, done) => void take(chunks.map(({ chunk }) => chunk as Buffer)).then(() => done(), done),
      })
      return pipeline([stream, ...through, sink], { signal })
    },
    close: () => void stream.destroy(),
  }
}

/** A piece of a file: fewer of them cost less, and larger ones no longer fit into a processor's cache. */
const FILE_BYTES = 512 * 1024

/**
 * The bytes of a file, which is opened now: it can be read to its end even if it is removed meanwhile.
 * @throws what the system says when it cannot be opened
 */
export async function bytesOfFile(path: string): Promise<ByteSource> {
  const file = await open(path)
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= file.close()
    return closed
  }
  return {
    async flow(take, signal) {
      const [one, other] = [Buffer.allocUnsafeSlow(FILE_BYTES), Buffer.allocUnsafeSlow(FILE_BYTES)]
      const read = (into: Buffer) => file.read(into, 0, FILE_BYTES, null)
      let [taken, filled] = [one, other]
      let reading = read(filled)
      try {
        for (;;) {
          signal.throwIfAborted()
          const { bytesRead } = await reading
          if (bytesRead === 0) return
          ;[taken, filled] = [filled, taken]
          // The next piece is read while this one is on its way.
          reading = read(filled)
          await take([taken.subarray(0, bytesRead)])
        }
      } finally {
        // What went wrong with a piece that nobody takes any more is of no interest.
        await reading.catch(() => undefined)
        await close()
      }
    },
    close: () => void close().catch(() => undefined),
  }
}

/** A source as a stream, at the price of a copy. */
export function readableOf(source: ByteSource): Readable {
  const stop = new AbortController()
  let flowing = false
  let taken: (() => void) | undefined
  const stream: Readable = new Readable({
    highWaterMark: BUFFER_BYTES,
    read() {
      taken?.()
      if (flowing) return
      flowing = true
      source
        .flow(async (pieces) => {
          if (stream.push(Buffer.concat(pieces))) return
          await new Promise<void>((resolve) => {
            taken = resolve
          })
        }, stop.signal)
        .then(
          () => stream.push(null),
          (error: Error) => stream.destroy(error),
        )
    },
    destroy(error, done) {
      stop.abort()
      taken?.()
      if (!flowing) source.close()
      done(error)
    },
  })
  return stream
}

/** The same source, which shows each piece as it passes; what `see` throws ends it. */
export const watched = (source: ByteSource, see: (piece: Buffer) => void): ByteSource => ({
  flow: (take, signal) =>
    source.flow(async (pieces) => {
      for (const piece of pieces) see(piece)
      await take(pieces)
    }, signal),
  close: () => source.close(),
})

/** The same source, whose own failure is told as `lost` tells it; what its taker fails with stays what it is. */
export const losing = (source: ByteSource, lost: (cause: unknown) => Error): ByteSource => ({
  async flow(take, signal) {
    let takerFailed = false
    try {
      await source.flow(async (pieces) => {
        try {
          await take(pieces)
        } catch (error) {
          takerFailed = true
          throw error
        }
      }, signal)
    } catch (error) {
      throw takerFailed || signal.aborted || error instanceof AppError ? error : lost(error)
    }
  },
  close: () => source.close(),
})
