// The only archives that cross the border: plain tars built here go in; of what comes out, one file at most is opened.
import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract, pack } from 'tar-stream'
import type { FileSource } from '../action.js'
import { AppError } from '../errors.js'
import type { Entry, HostDriver, Owner } from './driver.js'

/** A tar on its way in, and the digest of its one file, known once the tar has been read to its end. */
export interface PackedFile {
  readonly tar: Readable
  /** Lower-case hex. @throws AppError UPLOAD_INCOMPLETE when the content was not as long as was said */
  digest(): Promise<string>
}

/** @returns an uncompressed tar that holds `source` alone, whatever its bytes look like */
export async function packFile(
  source: FileSource,
  entry: Owner & { readonly name: string; readonly mode: number; readonly mtime: Date },
  signal: AbortSignal,
): Promise<PackedFile> {
  const content = await source.open(signal)
  const hash = createHash('sha256')
  let bytes = 0
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > source.sizeBytes) return done(incomplete(bytes))
      hash.update(chunk)
      done(null, chunk)
    },
    flush: (done) => (bytes === source.sizeBytes ? done() : done(incomplete(bytes))),
  })
  const incomplete = (got: number) => new AppError('UPLOAD_INCOMPLETE', { got, expected: source.sizeBytes })
  const tar = pack()
  const file = tar.entry({ ...entry, size: source.sizeBytes, type: 'file' })
  const filled = pipeline(content, counted, file, { signal }).then(
    () => tar.finalize(),
    (error: unknown) => {
      tar.destroy(error instanceof Error ? error : new Error(String(error)))
      throw error
    },
  )
  // Whoever reads the tar sees it fail; this promise is looked at again only by `digest`.
  filled.catch(() => undefined)
  return {
    tar: Readable.from(tar, { objectMode: false, highWaterMark: 256 * 1024 }),
    async digest() {
      await filled
      return hash.digest('hex')
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
