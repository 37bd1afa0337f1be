// How an engine puts standard output and standard error into one stream: a header of eight bytes before each piece.
import type { ByteSource } from '../../bytes.js'

const HEADER_BYTES = 8
const STDERR = 2

/** @returns a function that takes the next bytes, cut anywhere; the pieces it gives are views of them */
export function createDemultiplexer(take: (bytes: Buffer, from: 'stdout' | 'stderr') => void): (bytes: Buffer) => void {
  const header = Buffer.alloc(HEADER_BYTES)
  let headerBytes = 0
  let remaining = 0
  return (bytes) => {
    for (let at = 0; at < bytes.length; ) {
      if (remaining === 0) {
        const copied = bytes.copy(header, headerBytes, at, at + HEADER_BYTES - headerBytes)
        at += copied
        headerBytes += copied
        if (headerBytes < HEADER_BYTES) return
        headerBytes = 0
        remaining = header.readUInt32BE(4)
        continue
      }
      const piece = bytes.subarray(at, at + remaining)
      at += piece.length
      remaining -= piece.length
      take(piece, header[0] === STDERR ? 'stderr' : 'stdout')
    }
  }
}

/** Both streams as they came, without their headers. */
export const demultiplexed = (source: ByteSource): ByteSource => ({
  flow(take, signal) {
    let pieces: Buffer[] = []
    const read = createDemultiplexer((piece) => pieces.push(piece))
    return source.flow(async (given) => {
      pieces = []
      for (const piece of given) read(piece)
      if (pieces.length > 0) await take(pieces)
    }, signal)
  },
  close: () => source.close(),
})
