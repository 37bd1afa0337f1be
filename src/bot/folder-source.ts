// A folder of Markdown files as one stream: a line of JSON for each file, made while it is read.
import { lstat, readdir, readFile } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import { Readable } from 'node:stream'
import type { FileSource } from '../actions/index.js'

/** The Markdown files below a folder, hidden ones, links and those of packages left out; sorted, so that every run is the same. */
async function markdownFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true })
  return names.filter((name) => /\.md$/i.test(name) && !/(?:^|[/\\])(?:\.|node_modules[/\\])/.test(name)).sort()
}

/** A document is a page; what is larger is not read, and is reported like any other that cannot be taken. */
const LARGEST_BYTES = 1024 * 1024

async function* lines(folder: string, files: readonly string[]): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for (const name of files) {
    const path = join(folder, name)
    const info = await lstat(path)
    if (!info.isFile()) continue
    const file = name.split(sep).join('/')
    let problem: string | undefined
    let markdown = ''
    if (info.size > LARGEST_BYTES) problem = `larger than ${LARGEST_BYTES} bytes`
    else {
      try {
        markdown = decoder.decode(await readFile(path))
      } catch (error) {
        if (!(error instanceof TypeError)) throw error
        problem = 'not valid UTF-8'
      }
    }
    yield Buffer.from(`${JSON.stringify({ file, ...(problem === undefined ? { markdown } : { problem }) })}\n`)
  }
}

export async function folderSource(folder: string): Promise<FileSource> {
  const files = await markdownFiles(folder)
  const sizes = await Promise.all(files.map(async (name) => (await lstat(join(folder, name))).size))
  // With a slash, so that a folder called `notes.md` is not taken for a file.
  const name = `${basename(folder)}/`
  return {
    name,
    sizeBytes: sizes.reduce((sum, size) => sum + size, 0),
    reference: { path: folder, name, files: files.length },
    open: async () => Readable.from(lines(folder, files)),
  }
}
