// One stream into one file: metered, hashed, and under its final name only once it is whole and on the disk.
import { createHash } from 'node:crypto'
import { type FileHandle, open, rename, rm, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import { AppError } from '../errors.js'

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
  /** What it means when the source breaks off. */
  readonly sourceLost?: (cause: unknown) => AppError
  /** A longer stream is refused. */
  readonly maxBytes?: number
  /** @param bytes read from the source so far */
  onBytes?(bytes: number): void
}

/** How often the free space is asked for: far less work than the bytes themselves. */
const CHECK_EVERY_BYTES = 32 * 1024 * 1024
/** Chunks come in tens of KiB; gathered to this size they go down in one call while the next ones gather. */
const BATCH_BYTES = 1024 * 1024

async function requireSpace(folder: string, minFreeBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < minFreeBytes) throw new AppError('STORAGE_FULL')
}

const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')

/**
 * Writes `source` to `file`, which must not exist yet; memory stays flat whatever the size.
 * @returns size and digest of what was written (after compression)
 * @throws AppError STORAGE_FULL, UPLOAD_TOO_LARGE, or whatever the source fails with; no file is left then
 */
export async function transfer(source: Readable, file: string, options: TransferOptions): Promise<Transferred> {
  const { signal, temporary, maxBytes = Number.POSITIVE_INFINITY } = options
  const hash = createHash('sha256')
  const gzip = options.gzip ? createGzip({ level: constants.Z_BEST_SPEED }) : undefined
  let sizeBytes = 0
  // Whichever side fails first takes the other down with it, and only the first says what went wrong.
  let broken: unknown
  let refused: unknown
  source.once('error', (error) => {
    broken = error
  })

  const write = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      let batch: Buffer[] = []
      let batched = 0
      let checkedAt = 0
      // One write is under way while the next batch gathers: the disk and the source work at the same time.
      let writing: Promise<unknown> = Promise.resolve()
      for await (const chunk of chunks) {
        hash.update(chunk)
        batch.push(chunk)
        batched += chunk.length
        sizeBytes += chunk.length
        const read = gzip?.bytesWritten ?? sizeBytes
        if (read > maxBytes) throw new AppError('UPLOAD_TOO_LARGE', { limit: maxBytes })
        options.onBytes?.(read)
        if (batched < BATCH_BYTES) continue
        await writing
        if (sizeBytes - checkedAt >= CHECK_EVERY_BYTES) {
          checkedAt = sizeBytes
          await requireSpace(dirname(file), options.minFreeBytes)
        }
        writing = writeAll(handle, batch)
        // It is awaited a batch later; until then its failure must not count as unhandled.
        writing.catch(() => undefined)
        batch = []
        batched = 0
      }
      await writing
      await writeAll(handle, batch)
      // The name must never promise bytes that a power cut could take back.
      await handle.sync()
    } catch (error) {
      if (broken === undefined) refused = error
      throw error
    } finally {
      await handle.close()
    }
  }

  try {
    await requireSpace(dirname(file), options.minFreeBytes)
    await (gzip ? pipeline(source, gzip, write, { signal }) : pipeline(source, write, { signal }))
    await rename(temporary, file)
    await syncFolder(dirname(file))
    return { sizeBytes, sha256: hash.digest('hex') }
  } catch (caught) {
    const error = refused ?? caught
    source.destroy()
    await rm(temporary, { force: true })
    if (isFull(error)) throw new AppError('STORAGE_FULL', {}, { cause: error })
    const lost = broken !== undefined && refused === undefined && !signal.aborted && !(error instanceof AppError)
    throw lost && options.sourceLost ? options.sourceLost(broken) : error
  }
}

/** A write may take less than it was given; what it left comes again. */
async function writeAll(handle: FileHandle, batch: Buffer[]): Promise<void> {
  let left = batch
  while (left.length > 0) {
    let { bytesWritten } = await handle.writev(left)
    let whole = 0
    for (const chunk of left) {
      if (bytesWritten < chunk.length) break
      bytesWritten -= chunk.length
      whole += 1
    }
    const partial = left[whole]
    left = partial === undefined ? [] : [partial.subarray(bytesWritten), ...left.slice(whole + 1)]
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
