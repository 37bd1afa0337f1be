// One stream into one file: metered, hashed, and under its final name only once it is whole and on the disk.
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { open, rename, rm, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Readable, Transform } from 'node:stream'
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
/** Chunks come in tens of KiB: those that gather while one write is under way go down together in the next. */
const BUFFER_BYTES = 1024 * 1024

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
  const folder = dirname(file)
  const hash = createHash('sha256')
  const gzip = options.gzip ? createGzip({ level: constants.Z_BEST_SPEED }) : undefined
  let sizeBytes = 0
  let checkedAt = 0
  // Whichever side fails first takes the other down with it, and only the first says what went wrong.
  let broken: unknown
  source.once('error', (error) => {
    broken = error
  })
  let refused: unknown
  const refuse = (error: unknown): void => {
    if (broken === undefined) refused ??= error
  }

  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      sizeBytes += chunk.length
      const read = gzip?.bytesWritten ?? sizeBytes
      options.onBytes?.(read)
      if (read > maxBytes) return done(new AppError('UPLOAD_TOO_LARGE', { limit: maxBytes }))
      if (sizeBytes - checkedAt < CHECK_EVERY_BYTES) return done(null, chunk)
      checkedAt = sizeBytes
      requireSpace(folder, options.minFreeBytes).then(() => done(null, chunk), done)
    },
  })
  meter.once('error', refuse)

  try {
    await requireSpace(folder, options.minFreeBytes)
    const sink = createWriteStream(temporary, {
      flags: 'wx',
      mode: 0o600,
      highWaterMark: BUFFER_BYTES,
      // Sync on close: the name must never promise bytes that a power cut could take back.
      flush: true,
    })
    sink.once('error', refuse)
    const closed = new Promise<void>((resolve) => sink.once('close', resolve))
    try {
      await (gzip ? pipeline(source, gzip, meter, sink, { signal }) : pipeline(source, meter, sink, { signal }))
    } finally {
      // Until the file is closed its bytes stay on the disk, whatever is removed.
      sink.destroy()
      await closed
    }
    await rename(temporary, file)
    await syncFolder(folder)
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

/** A rename is on the disk only once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
