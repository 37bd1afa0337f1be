// A folder of documents as one stream: a line of JSON for each file, made while it is read. JSON Lines in a folder are not
// taken: in a stream of other lines, what is wrong with one of theirs could not be told by its file. They are imported
// by themselves.
import { lstat, open, readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { type Bilingual, bytesOf, type FileSource, fill } from '../actions/index.js'

/** As large as a line of the import may be, in base64; what is larger is not read, and reported like a broken one. */
const LARGEST_BYTES = 16 * 2 ** 20
/** What is handed on at once, in bytes of a file: many small ones together, a large one in parts that base64 can join. */
const PIECE_BYTES = 3 * 64 * 1024

const DOCUMENT = /\.(?:md|markdown|html?|pdf)$/i
const isPassedOver = (name: string): boolean => name.startsWith('.') || name === 'node_modules'

interface FoundFile {
  /** Relative to the folder, with `/`. */
  readonly name: string
  readonly sizeBytes: number
  /** Other than before when the file may be. */
  readonly stamp: string
  /** Why it is not read; of a folder too, which must not look as if it were empty. */
  readonly problem?: Bilingual
}

export interface Contents {
  /** The folder itself, as the empty name, and those below it. */
  readonly folders: readonly { readonly name: string; readonly identity: string }[]
  readonly files: readonly FoundFile[]
}

/** How the system says no: `EACCES`. Everything else is a bug. */
function systemCode(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === undefined) throw error
  return code
}

const UNREADABLE: Bilingual = { en: 'cannot be read: {code}', zh: '无法读取：{code}' }
const TOO_LARGE = fill({ en: 'larger than {most} bytes', zh: '超过 {most} 字节' }, { most: LARGEST_BYTES })

function unreadable(name: string, error: unknown): FoundFile {
  const code = systemCode(error)
  return { name, sizeBytes: 0, stamp: `cannot be read: ${code}`, problem: fill(UNREADABLE, { code }) }
}

async function foundFile(folder: string, name: string): Promise<FoundFile> {
  try {
    const { size, ino, mtimeMs, ctimeMs } = await lstat(join(folder, name))
    const problem = size > LARGEST_BYTES ? { problem: TOO_LARGE } : {}
    return { name, sizeBytes: size, stamp: `${ino} ${size} ${mtimeMs} ${ctimeMs}`, ...problem }
  } catch (error) {
    return unreadable(name, error)
  }
}

/**
 * The documents below a folder; hidden ones, links and those of packages left out, and sorted, so that every run is the
 * same.
 * @throws what the system says when the folder itself cannot be read
 */
export async function contentsOf(folder: string): Promise<Contents> {
  const folders: { name: string; identity: string }[] = []
  const files: FoundFile[] = []
  const visit = async (name: string): Promise<void> => {
    const path = join(folder, name)
    const { dev, ino } = await stat(path)
    const entries = (await readdir(path, { withFileTypes: true })).filter((entry) => !isPassedOver(entry.name))
    folders.push({ name, identity: `${dev} ${ino}` })
    const within = (entry: { name: string }): string => (name === '' ? entry.name : `${name}/${entry.name}`)
    const documents = entries.filter((entry) => entry.isFile() && DOCUMENT.test(entry.name))
    files.push(...(await Promise.all(documents.map((entry) => foundFile(folder, within(entry))))))
    for (const entry of entries.filter((candidate) => candidate.isDirectory())) {
      await visit(within(entry)).catch((error: unknown) => files.push(unreadable(`${within(entry)}/`, error)))
    }
  }
  await visit('')
  return { folders, files: files.sort((a, b) => (a.name < b.name ? -1 : 1)) }
}

const problemLine = (file: string, problem: Bilingual): string => `${JSON.stringify({ file, problem })}\n`
const beginning = (file: string): string => `${JSON.stringify({ file, base64: '' }).slice(0, -2)}`
const ENDING = '"}\n'

const lengthOf = ({ name, sizeBytes, problem }: FoundFile): number =>
  problem === undefined
    ? Buffer.byteLength(beginning(name)) + Math.ceil(sizeBytes / 3) * 4 + ENDING.length
    : Buffer.byteLength(problemLine(name, problem))

/** @returns its bytes, or why there are none: it may have grown, or gone, since it was found */
async function contentOf(path: string): Promise<Buffer | Bilingual> {
  try {
    const file = await open(path)
    try {
      const { size } = await file.stat()
      return size > LARGEST_BYTES ? TOO_LARGE : await file.readFile()
    } finally {
      await file.close()
    }
  } catch (error) {
    return fill(UNREADABLE, { code: systemCode(error) })
  }
}

async function* lines(folder: string, files: readonly FoundFile[]): AsyncGenerator<string> {
  for (const { name, problem } of files) {
    const content = problem ?? (await contentOf(join(folder, name)))
    if (!Buffer.isBuffer(content)) {
      yield problemLine(name, content)
      continue
    }
    yield beginning(name)
    for (let at = 0; at < content.length; at += PIECE_BYTES) {
      yield content.subarray(at, at + PIECE_BYTES).toString('base64')
    }
    yield ENDING
  }
}

/** Each piece is a round trip to whoever reads them. */
async function* gathered(pieces: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let text = ''
  for await (const piece of pieces) {
    text += piece
    if (text.length < PIECE_BYTES) continue
    yield Buffer.from(text)
    text = ''
  }
  if (text !== '') yield Buffer.from(text)
}

/** @throws what the system says when the folder cannot be read */
export async function folderSource(folder: string): Promise<FileSource> {
  const { files } = await contentsOf(folder)
  // With a slash, so that a folder called `notes.md` is not taken for a file.
  const name = `${basename(resolve(folder))}/`
  return {
    name,
    sizeBytes: files.reduce((sum, file) => sum + lengthOf(file), 0),
    reference: { path: resolve(folder), name, files: files.length },
    open: async () => bytesOf(Readable.from(gathered(lines(folder, files)), { objectMode: false })),
  }
}
