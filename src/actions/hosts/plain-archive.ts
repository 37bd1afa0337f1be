// The archives that an engine may be given: plain tars. An engine would unpack a compressed one by itself, in memory and on
// a disk that are not ours to fill, so those are refused by their first bytes, before the engine is given any.
import type { ByteSource } from '../bytes.js'
import { AppError } from '../errors.js'
import { hasValidChecksum, isZeroBlock, TAR_BLOCK } from './tar-reader.js'

interface Compression {
  readonly format: string
  readonly magic: readonly number[]
  /** What makes a plain one of it. */
  readonly command: string
}

/** All that engines look for (moby, `go-archive/compression`). */
const COMPRESSIONS: readonly Compression[] = [
  { format: 'gzip', magic: [0x1f, 0x8b], command: 'gunzip' },
  { format: 'bzip2', magic: [0x42, 0x5a, 0x68], command: 'bunzip2' },
  { format: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], command: 'unxz' },
  { format: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], command: 'unzstd' },
]

/** RFC 8878: any of sixteen numbers, with which a zstd stream may begin as well. */
const isSkippableFrame = (head: Buffer): boolean =>
  head.length >= 4 && (head.readUInt32LE(0) & 0xfffffff0) === 0x184d2a50

const compressionOf = (head: Buffer): Compression | undefined =>
  COMPRESSIONS.find(
    ({ magic, format }) =>
      magic.every((byte, at) => head[at] === byte) || (format === 'zstd' && isSkippableFrame(head)),
  )

const NO_TAR = { en: 'it is no tar archive', zh: '它不是 tar 归档' } as const
const EMPTY = { en: 'it holds nothing', zh: '其中没有任何内容' } as const

/** @param head the first block at least, or all there is */
function requirePlainTar(head: Buffer): void {
  const compression = compressionOf(head)
  if (compression) {
    const { format, command } = compression
    throw new AppError('ARCHIVE_COMPRESSED', { format, command })
  }
  const block = head.subarray(0, TAR_BLOCK)
  if (block.length === TAR_BLOCK && hasValidChecksum(block)) return
  throw new AppError('ARCHIVE_INVALID', { reason: isZeroBlock(block) ? EMPTY : NO_TAR })
}

/** The same bytes; its flow fails with ARCHIVE_COMPRESSED or ARCHIVE_INVALID before it has given any. */
export const plainArchive = (source: ByteSource): ByteSource => ({
  async flow(take, signal) {
    let head: Buffer | undefined = Buffer.alloc(0)
    await source.flow(async (pieces) => {
      if (head === undefined) {
        await take(pieces)
        return
      }
      const begun: Buffer = Buffer.concat([head, ...pieces])
      if (begun.length < TAR_BLOCK) {
        head = begun
        return
      }
      requirePlainTar(begun)
      head = undefined
      await take([begun])
    }, signal)
    if (head !== undefined) requirePlainTar(head)
  },
  close: () => source.close(),
})
