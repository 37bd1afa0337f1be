/**
 * Owns what is in a zip that somebody brings: documents, one at a time in memory, and a word about each that cannot be
 * taken. Nothing is written to disk, and what the archive says of its own sizes is never believed.
 */
import { pipeline, type Readable } from 'node:stream'
import { crc32, createInflateRaw } from 'node:zlib'
import { type Entry, getFileNameLowLevel, openPromise, validateFileName, type ZipFile } from 'yauzl'
import type { Told } from '../model.js'
import { tooManyBytes, Unreadable } from './unreadable.js'

export interface ArchiveLimits {
  /** Folders and files that are passed over count as well. */
  entries: number
  /** Uncompressed. */
  entryBytes: number
  /** Uncompressed and together, including what was inflated of entries that were then refused. */
  totalBytes: number
  /** How many times larger than its compressed form an entry may become. Text comes to 5, a log to 50, a bomb to 1000. */
  ratio: number
}

const MIB = 1024 * 1024
export const ARCHIVE_LIMITS: Readonly<ArchiveLimits> = {
  entries: 10_000,
  entryBytes: 16 * MIB,
  totalBytes: 256 * MIB,
  ratio: 200,
}
/** Below it the ratio says nothing: a page of the same word a thousand times is small and harmless. */
const RATIO_MATTERS_BYTES = MIB

/** `name` is a path relative to the archive's root, with `/`; where there is a problem it may be anything at all. */
export type ArchiveEntry = { name: string; bytes: Buffer } | { name: string; problem: Told }

const WANTED = /\.(?:md|markdown|html?|pdf|jsonl)$/i
/** Hidden files and those that came along with a packer or a package. */
const PASSED_OVER = /(?:^|\/)(?:\.|__MACOSX\/|node_modules\/)/
const FILE_TYPE = 0o170000
const SYMBOLIC_LINK = 0o120000
const NAME_IS_UTF8 = 0x800
const UNICODE_PATH_FIELD = 0x7075
const STORED = 0
const DEFLATED = 8

/**
 * @param file path of the zip on disk
 * @returns entries in the archive's order; whatever is no document (folders, links, hidden and other files, archives) is
 *   passed over without a word. Once `totalBytes` is used up, the entry it happened in is the last, as a problem.
 * @throws Unreadable when it is no zip, a damaged one, or has too many entries; what the file system fails with
 */
export async function* entriesOf(
  file: string,
  limits: ArchiveLimits = ARCHIVE_LIMITS,
): AsyncGenerator<ArchiveEntry, void, undefined> {
  // Names are decoded here, so that a bad one is a problem of its entry; sizes are compared here, for the same reason.
  const zip = await broken(openPromise(file, { decodeStrings: false, validateEntrySizes: false }))
  try {
    if (zip.entryCount > limits.entries) throw new Unreadable(tooManyEntries(limits.entries))
    const entries = zip.eachEntry()
    let left = limits.totalBytes
    for (;;) {
      const next: IteratorResult<Entry, unknown> = await broken(entries.next())
      if (next.done === true) return
      const name = nameOf(next.value)
      const invalid = validateFileName(name) !== null || /\p{Cc}/u.test(name)
      if (invalid) yield { name, problem: NO_PATH }
      if (invalid || !isDocument(name, next.value)) continue
      const { used, ...content } = await contentOf(zip, next.value, limits, left)
      left -= used
      yield { name, ...content }
      if (left < 0) return
    }
  } finally {
    zip.close()
  }
}

const isDocument = (name: string, { externalFileAttributes }: Entry): boolean =>
  // A folder's name ends with "/", and so with nothing that is wanted.
  WANTED.test(name) && !PASSED_OVER.test(name) && ((externalFileAttributes >>> 16) & FILE_TYPE) !== SYMBOLIC_LINK

/** Windows writes Chinese names in GBK and says nothing of it; what says nothing is code page 437 by the standard. */
function nameOf({ fileNameRaw, generalPurposeBitFlag, extraFields }: Entry): string {
  const isSaid = (generalPurposeBitFlag & NAME_IS_UTF8) !== 0 || extraFields.some(({ id }) => id === UNICODE_PATH_FIELD)
  for (const encoding of isSaid ? [] : ['utf-8', 'gbk']) {
    try {
      return new TextDecoder(encoding, { fatal: true }).decode(fileNameRaw).replaceAll('\\', '/')
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
    }
  }
  return getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, false)
}

const NO_PATH: Told = { en: 'its name is no path within the archive', zh: '其名称不是压缩包内的路径' }
const WRONG_SUM: Told = { en: 'damaged: its checksum differs', zh: '已损坏：校验和不符' }
const tooManyEntries = (most: number): Told => ({
  en: `an archive of more than ${most} entries`,
  zh: `压缩包超过 ${most} 个条目`,
})
const unknownMethod = (method: number): Told => ({
  en: `it is compressed by method ${method}, which is not supported`,
  zh: `使用了不支持的压缩方法 ${method}`,
})
const inflatesBeyond = (most: number): Told => ({
  en: `the archive inflates to more than ${most} bytes`,
  zh: `压缩包解压后超过 ${most} 字节`,
})
const inflatesTimes = (ratio: number): Told => ({
  en: `it inflates to more than ${ratio} times its size`,
  zh: `解压后超过其大小的 ${ratio} 倍`,
})

type Content = { bytes: Buffer } | { problem: Told }

/** @param left how many bytes may still be inflated  @returns with `used`, how many were */
async function contentOf(
  zip: ZipFile,
  entry: Entry,
  limits: ArchiveLimits,
  left: number,
): Promise<Content & { used: number }> {
  if (entry.isEncrypted()) return { problem: { en: 'it is encrypted', zh: '已加密' }, used: 0 }
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) {
    return { problem: unknownMethod(entry.compressionMethod), used: 0 }
  }
  const ratioBytes = Math.max(RATIO_MATTERS_BYTES, entry.compressedSize * limits.ratio)
  const parts: Buffer[] = []
  let used = 0
  let sum = 0
  try {
    for await (const chunk of await inflated(zip, entry)) {
      const part = chunk as Buffer
      used += part.length
      sum = crc32(part, sum)
      if (used > left) return { problem: inflatesBeyond(limits.totalBytes), used }
      if (used > limits.entryBytes) return { problem: tooManyBytes(limits.entryBytes), used }
      if (used > ratioBytes) return { problem: inflatesTimes(limits.ratio), used }
      parts.push(part)
    }
  } catch (error) {
    if (isOfFileSystem(error)) throw error
    const { message } = error as Error
    return { problem: { en: `damaged: ${message}`, zh: `已损坏：${message}` }, used }
  }
  if (sum !== entry.crc32) return { problem: WRONG_SUM, used }
  return { bytes: Buffer.concat(parts), used }
}

async function inflated(zip: ZipFile, entry: Entry): Promise<Readable> {
  const raw = await zip.openReadStreamPromise(entry, { decodeFileData: false })
  // Whoever reads the stream gets its errors; leaving it early closes both.
  return entry.compressionMethod === STORED ? raw : pipeline(raw, createInflateRaw(), () => {})
}

/** What yauzl fails with is the archive's fault, unless it never came to read it. */
async function broken<Result>(reading: Promise<Result>): Promise<Result> {
  try {
    return await reading
  } catch (error) {
    if (isOfFileSystem(error)) throw error
    const { message } = error as Error
    const told = { en: `not a zip, or a damaged one: ${message}`, zh: `不是 zip 或已损坏：${message}` }
    throw new Unreadable(told, 1, undefined, { cause: error })
  }
}

const isOfFileSystem = (error: unknown): boolean => error instanceof Error && 'syscall' in error
