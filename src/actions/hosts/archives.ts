// The only archives that cross the border: plain tars built here go in; of what comes out, one file at most is opened.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { posix } from 'node:path'
import { Readable } from 'node:stream'
import { extract, pack } from 'tar-stream'
import type { FileSource } from '../action.js'
import { type ByteSource, watched } from '../bytes.js'
import { AppError } from '../errors.js'
import type { Entry, HostDriver, Owner } from './driver.js'

/** A tar on its way in, and the digest of its one file. */
export interface PackedFile {
  readonly tar: ByteSource
  /** Lower-case hex, once the tar has been read to its end. */
  digest(): string
}

export interface PackedEntry extends Owner {
  readonly name: string
  readonly mode: number
  readonly mtime: Date
}

const BLOCK = 512
/** Two blocks of zeros end an archive (POSIX.1-2001, pax). */
const END_BYTES = 2 * BLOCK

/** What stands before the content: only this is the library's, since content that went through it would be copied twice. */
async function headerOf(entry: PackedEntry, sizeBytes: number): Promise<Buffer> {
  const tar = pack()
  tar.entry({ ...entry, size: sizeBytes, type: 'file' })
  await once(tar, 'readable')
  const read = (): Buffer | null => tar.read() as Buffer | null
  const parts: Buffer[] = []
  for (let part = read(); part !== null; part = read()) parts.push(part)
  tar.destroy()
  return Buffer.concat(parts)
}

/** @returns an uncompressed tar that holds `source` alone, whatever its bytes look like */
export async function packFile(source: FileSource, entry: PackedEntry, signal: AbortSignal): Promise<PackedFile> {
  const { sizeBytes } = source
  const header = await headerOf(entry, sizeBytes)
  const content = await source.open(signal)
  const end = Buffer.alloc(((BLOCK - (sizeBytes % BLOCK)) % BLOCK) + END_BYTES)
  // One that is known need not be made again: at the speed of an engine it costs a fifth of the throughput.
  const { sha256: known } = source.reference
  const hash = typeof known === 'string' ? undefined : createHash('sha256')
  let got = 0
  const requireSize = (isFit: boolean): void => {
    if (!isFit) throw new AppError('UPLOAD_INCOMPLETE', { got, expected: sizeBytes })
  }
  const measured = watched(content, (piece) => {
    got += piece.length
    requireSize(got <= sizeBytes)
    hash?.update(piece)
  })
  return {
    tar: {
      async flow(take, until) {
        try {
          await take([header])
        } catch (error) {
          measured.close()
          throw error
        }
        await measured.flow(take, until)
        requireSize(got === sizeBytes)
        await take([end])
      },
      close: () => measured.close(),
    },
    digest() {
      requireSize(got === sizeBytes)
      return hash?.digest('hex') ?? String(known)
    },
  }
}

/**
 * @param archive a tar of one file
 * @returns that file's bytes
 * @throws AppError TARGET_CHANGED when what comes first is something else: it was a file a moment ago
 */
export function fileIn(archive: Readable): Readable {
  const entries = extract()
  archive.on('error', (error) => entries.destroy(error))
  async function* bytes() {
    let first = true
    // Not before someone reads: an entry that comes before its reader is lost.
    archive.pipe(entries)
    // Read to its end, so that an archive that breaks off is noticed and not taken for a short file.
    for await (const entry of entries) {
      if (!first) {
        entry.resume()
        continue
      }
      first = false
      if (entry.header.type !== 'file') throw new AppError('TARGET_CHANGED')
      yield* entry
    }
    if (first) throw new AppError('TARGET_CHANGED')
  }
  // A pipe does not take its source down with it, and an engine keeps a container locked while it waits for a reader.
  return Readable.from(bytes(), { objectMode: false }).once('close', () => archive.destroy())
}

export interface Located {
  /** Where the entry really is, or would be: a link followed. */
  readonly path: string
  /** Absent when nothing is there. */
  readonly entry?: Entry
}

/** What is at `path`; a link is followed only as the engine resolves it, inside the instance. */
export async function locate(driver: HostDriver, id: string, path: string, signal: AbortSignal): Promise<Located> {
  const plain = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
  const look = async (at: string): Promise<Located> => {
    const entry = await driver.stat(id, at, signal)
    return { path: at, ...(entry ? { entry } : {}) }
  }
  const found = await look(plain)
  // The engine tells where a chain of links ends, so that one step is all of them.
  return found.entry?.linkTarget === undefined
    ? found
    : look(posix.resolve(posix.dirname(plain), found.entry.linkTarget))
}
