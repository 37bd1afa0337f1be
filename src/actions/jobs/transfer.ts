// One stream into one file: metered, hashed, and under its final name only once it is whole and on the disk.
import { createHash } from 'node:crypto'
import { type FileHandle, open, rename, rm, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { constants, createGzip } from 'node:zlib'
import { type ByteSource, bytesOf, losing, readableOf } from '../bytes.js'
import { AppError } from '../errors.js'
import { type Writing, writingDirectly } from './direct-file.js'

export interface Transferred {
  readonly sizeBytes: number
  /** Lower-case hex. */
  readonly sha256: string
}

export interface TransferOptions {
  /** Where the bytes gather until they are whole: on the same disk as `file`. */
  readonly temporary: string
  readonly signal: AbortSignal
  /** Free space that must remain on the disk, in bytes: the database needs room to record how this ended. */
  readonly minFreeBytes: number
  readonly gzip?: boolean
  /** The file is read and removed again: it need not outlive a power cut, which is what waiting for the disk is for. */
  readonly isPassing?: boolean
  /** What it means when the source breaks off. */
  readonly sourceLost?: (cause: unknown) => AppError
  /** A longer stream is refused. */
  readonly maxBytes?: number
  /** Asked before the first byte, and before any that are written; refuses them by throwing. */
  admit?(bytes: number): void
  /** @param bytes read from the source so far */
  onBytes?(bytes: number): void
}

/** How often the free space is asked for: far less work than the bytes themselves. */
const CHECK_EVERY_BYTES = 32 * 1024 * 1024
/** How many bytes the system may keep to itself before it is told to bring them to the disk. */
const FLUSH_EVERY_BYTES = 32 * 1024 * 1024

async function requireSpace(folder: string, minFreeBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < minFreeBytes) throw new AppError('STORAGE_FULL')
}

const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')

/** Writes all of them: the system may write less than it was given. */
async function writeAll(file: FileHandle, pieces: readonly Buffer[]): Promise<void> {
  let left = pieces
  for (;;) {
    let { bytesWritten } = await file.writev(left)
    const partial = left.findIndex((piece) => {
      if (bytesWritten < piece.length) return true
      bytesWritten -= piece.length
      return false
    })
    if (partial === -1) return
    left = [left[partial]?.subarray(bytesWritten) ?? Buffer.alloc(0), ...left.slice(partial + 1)]
  }
}

/**
 * Brings a file to the disk while it is still being written: a system with much memory would keep gigabytes of it until
 * the end, and then everybody waits for the disk alone.
 */
function writingTo(file: FileHandle, isPassing: boolean): Writing {
  let waiting = 0
  let flushing: Promise<void> | undefined
  let failure: unknown
  const flush = (): void => {
    waiting = 0
    flushing = file
      .datasync()
      .catch((error: unknown) => {
        // The system tells of a failure once, and to whoever asks first: here it must not get lost.
        failure ??= error
      })
      .finally(() => {
        flushing = undefined
      })
  }
  return {
    async write(pieces) {
      await writeAll(file, pieces)
      if (failure !== undefined) throw failure
      waiting += pieces.reduce((sum, piece) => sum + piece.length, 0)
      if (waiting >= FLUSH_EVERY_BYTES && flushing === undefined) flush()
    },
    async end() {
      await flushing
      if (failure !== undefined) throw failure
      if (!isPassing) await file.sync()
    },
    async close() {
      await flushing
    },
  }
}

/**
 * Writes `source` to `file`, which must not exist yet; memory stays flat whatever the size.
 * @returns size and digest of what was written (after compression)
 * @throws AppError STORAGE_FULL, UPLOAD_TOO_LARGE, or whatever the source fails with; no file is left then
 */
export async function transfer(source: ByteSource, file: string, options: TransferOptions): Promise<Transferred> {
  const { signal, temporary, maxBytes = Number.POSITIVE_INFINITY, isPassing = false } = options
  const folder = dirname(file)
  const hash = createHash('sha256')
  const gzip = options.gzip ? createGzip({ level: constants.Z_BEST_SPEED }) : undefined
  const told = options.sourceLost ? losing(source, options.sourceLost) : source
  const bytes = gzip ? bytesOf(readableOf(told), gzip) : told
  let sizeBytes = 0
  let checkedAt = 0

  const write = async (file: Writing, pieces: readonly Buffer[]): Promise<void> => {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    sizeBytes += length
    options.admit?.(length)
    const read = gzip?.bytesWritten ?? sizeBytes
    options.onBytes?.(read)
    if (read > maxBytes) throw new AppError('UPLOAD_TOO_LARGE', { limit: maxBytes })
    if (sizeBytes - checkedAt >= CHECK_EVERY_BYTES) {
      checkedAt = sizeBytes
      await requireSpace(folder, options.minFreeBytes)
    }
    // The digest is made while the system takes the bytes.
    const writing = file.write(pieces)
    for (const piece of pieces) hash.update(piece)
    await writing
  }

  try {
    await requireSpace(folder, options.minFreeBytes)
    options.admit?.(0)
    const handle = await open(temporary, 'wx', 0o600)
    let writing: Writing | undefined
    try {
      // What is read again at once is best left in memory.
      const through = (isPassing ? undefined : await writingDirectly(temporary, handle)) ?? writingTo(handle, isPassing)
      writing = through
      await bytes.flow((pieces) => write(through, pieces), signal)
      // The name must never promise bytes that a power cut could take back.
      await through.end()
    } finally {
      await writing?.close()
      // Until the file is closed its bytes stay on the disk, whatever is removed.
      await handle.close()
    }
    await rename(temporary, file)
    if (!isPassing) await syncFolder(folder)
    return { sizeBytes, sha256: hash.digest('hex') }
  } catch (error) {
    bytes.close()
    await rm(temporary, { force: true })
    throw isFull(error) ? new AppError('STORAGE_FULL', {}, { cause: error }) : error
  }
}

/** A rename is on the disk only once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
