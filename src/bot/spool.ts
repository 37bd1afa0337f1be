// A file on its way to an engine, fetched whole first: engines unpack while they read, and what breaks off must leave nothing.
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { AppError, type ByteSource, bytesOf, bytesOfFile, transfer } from '../actions/index.js'

export interface SpoolOptions {
  /** Where the file lies until it has been read. */
  readonly workFolder: string
  /** As it was said to be: another size is refused. */
  readonly sizeBytes: number
  readonly maxBytes: number
  readonly minFreeBytes: number
  readonly signal: AbortSignal
  /** What it means when the source breaks off. */
  readonly sourceLost: (cause: unknown) => AppError
}

/** @throws AppError UPLOAD_INCOMPLETE, UPLOAD_TOO_LARGE, STORAGE_FULL; no file is left then */
export async function spooled(
  body: Readable,
  { workFolder, sizeBytes, ...options }: SpoolOptions,
): Promise<ByteSource> {
  const path = join(workFolder, `fetched-${randomUUID()}`)
  const fetched = await transfer(bytesOf(body), path, {
    ...options,
    temporary: `${path}.part`,
    isPassing: true,
  })
  if (fetched.sizeBytes !== sizeBytes) {
    await rm(path)
    throw new AppError('UPLOAD_INCOMPLETE', { got: fetched.sizeBytes, expected: sizeBytes })
  }
  const bytes = await bytesOfFile(path)
  await rm(path)
  return bytes
}
