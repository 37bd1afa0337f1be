// Follows a plain tar while its bytes go by, without keeping them: POSIX.1-2001 (pax) and GNU long names.
//
// It guards an engine, whose reader is Go's `archive/tar`: what counts as content has to be the same for both, or a tar
// could hide an entry from this one. What the two may take in two ways is refused; no tool writes it for an engine.
import { posix } from 'node:path'
import { AppError } from '../errors.js'

export const TAR_BLOCK = 512

const CHECKSUM = { start: 148, end: 156 } as const
const SPACE = 0x20

const textIn = (block: Buffer, start: number, end: number): string => {
  const nul = block.indexOf(0, start)
  return block.toString('utf8', start, nul === -1 ? end : Math.min(nul, end))
}

function numberIn(block: Buffer, start: number, end: number): number {
  // A number too large for octal digits is told by the highest bit, and written in base 256.
  if (((block[start] ?? 0) & 0x80) !== 0)
    return block.subarray(start + 1, end).reduce((sum, byte) => sum * 256 + byte, 0)
  const digits = block.toString('latin1', start, end).replaceAll(/^[ \0]+|[ \0]+$/g, '')
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : Number.NaN
}

export const isZeroBlock = (block: Buffer): boolean => block.every((byte) => byte === 0)

/** Old writers summed bytes as signed numbers; engines take either. */
export function hasValidChecksum(block: Buffer): boolean {
  let unsigned = 0
  let signed = 0
  block.forEach((byte, at) => {
    const value = at >= CHECKSUM.start && at < CHECKSUM.end ? SPACE : byte
    unsigned += value
    signed += value > 127 ? value - 256 : value
  })
  const told = numberIn(block, CHECKSUM.start, CHECKSUM.end)
  return told === unsigned || told === signed
}

/** The records of a pax header: `LENGTH NAME=VALUE\n`. */
function paxRecords(content: Buffer): Map<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < content.length; ) {
    const length = Number.parseInt(content.toString('latin1', at, content.indexOf(SPACE, at)), 10)
    if (!(length > 0)) break
    const record = content.toString('utf8', content.indexOf(SPACE, at) + 1, at + length - 1)
    const equals = record.indexOf('=')
    records.set(record.slice(0, equals), record.slice(equals + 1))
    at += length
  }
  return records
}

export interface TarEntry {
  /** The last parts of all the paths that it may be written to: of its header, its prefix and its extensions. */
  readonly names: ReadonlySet<string>
  readonly isFile: boolean
  readonly sizeBytes: number
}

export interface TarListener {
  /** @returns whether the content is wanted */
  entry(entry: TarEntry): boolean
  content(entry: TarEntry, content: Buffer): void
}

const FILES = ['0', '\0', '7']
/** Whatever size they state, no content follows them. */
const WITHOUT_CONTENT = ['1', '2', '3', '4', '5', '6']
/** Names and sizes that do not fit into the header of the entry that follows: of pax and of GNU. */
const EXTENSIONS = ['x', 'g', 'L', 'K']
/** Far more than a name needs. */
const LARGEST_EXTENSION = 1024 * 1024

/** What extensions said of the next entry. */
interface Extended {
  readonly names: readonly string[]
  readonly size?: number
}

const NOTHING: Extended = { names: [] }

const BROKEN = { en: 'its tar headers are broken', zh: '其 tar 头部已损坏' } as const
const broken = (): AppError => new AppError('ARCHIVE_INVALID', { reason: BROKEN })

/** Entries begin at a block's beginning. */
const paddingOf = (bytes: number): number => (TAR_BLOCK - (bytes % TAR_BLOCK)) % TAR_BLOCK

function requireSize(bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw broken()
}

/** @returns a function that takes the next bytes, cut anywhere @throws AppError ARCHIVE_INVALID from that function */
export function createTarReader(listener: TarListener): (bytes: Buffer) => void {
  let gathered: Buffer[] = []
  let left = TAR_BLOCK
  let padding = 0
  let ended = false
  let skipping = false
  /** What the bytes that are being gathered are for. */
  let whole: (content: Buffer) => void
  let extended = NOTHING

  const expectHeader = (): void => {
    left = TAR_BLOCK
    skipping = false
    whole = header
  }
  const skip = (bytes: number): void => {
    if (bytes === 0) {
      expectHeader()
      return
    }
    left = bytes
    skipping = true
    whole = expectHeader
  }
  const gather = (sizeBytes: number, use: (content: Buffer) => void): void => {
    const take = (content: Buffer): void => {
      use(content)
      skip(padding)
    }
    if (sizeBytes === 0) {
      take(Buffer.alloc(0))
      return
    }
    left = sizeBytes
    skipping = false
    whole = take
  }
  const extend = (type: string, content: Buffer): void => {
    if (type === 'L') extended = { ...extended, names: [...extended.names, textIn(content, 0, content.length)] }
    // Go ends with it what was said before.
    if (type === 'g') extended = NOTHING
    if (type !== 'x') return
    const records = paxRecords(content)
    // Another name, and content with holes that this reader does not know.
    if ([...records.keys()].some((key) => key.startsWith('GNU.sparse.'))) throw broken()
    const [path, size] = [records.get('path'), records.get('size')]
    if (size !== undefined && !/^[0-9]+$/.test(size)) throw broken()
    // The last of several counts for the size.
    extended = {
      names: path === undefined ? extended.names : [...extended.names, path],
      ...(size === undefined ? {} : { size: Number(size) }),
    }
  }

  function header(block: Buffer): void {
    if (isZeroBlock(block)) {
      ended = true
      return
    }
    if (!hasValidChecksum(block)) throw broken()
    const type = String.fromCharCode(block[156] ?? 0)
    const told = numberIn(block, 124, 136)
    requireSize(told)
    if (EXTENSIONS.includes(type)) {
      if (told > LARGEST_EXTENSION) throw broken()
      padding = paddingOf(told)
      gather(told, (content) => extend(type, content))
      return
    }
    if (!FILES.includes(type) && !WITHOUT_CONTENT.includes(type)) throw broken()
    const paths = [textIn(block, 0, 100), `${textIn(block, 345, 500)}/${textIn(block, 0, 100)}`, ...extended.names]
    const sizeBytes = WITHOUT_CONTENT.includes(type) ? 0 : (extended.size ?? told)
    requireSize(sizeBytes)
    // A folder, for some readers, of which content follows for others.
    if (sizeBytes > 0 && paths.some((path) => path.endsWith('/'))) throw broken()
    extended = NOTHING
    padding = paddingOf(sizeBytes)
    const names = new Set(paths.map((path) => posix.basename(path)))
    const entry = { names, isFile: FILES.includes(type), sizeBytes }
    if (listener.entry(entry)) gather(sizeBytes, (content) => listener.content(entry, content))
    else skip(sizeBytes + padding)
  }

  whole = header
  return (bytes) => {
    for (let at = 0; at < bytes.length && !ended; ) {
      const next = bytes.subarray(at, at + left)
      // The bytes are lent; what is gathered is copied.
      if (!skipping) gathered.push(Buffer.from(next))
      at += next.length
      left -= next.length
      if (left > 0) continue
      const content = Buffer.concat(gathered)
      gathered = []
      whole(content)
    }
  }
}
