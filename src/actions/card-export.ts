// A team's own cards as one stream of bytes, a page at a time, in a form that knowledge.import reads again.
import { PassThrough, Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { ZipFile } from 'yazl'
import type { Knowledge } from '../knowledge/index.js'
import { type ByteSource, bytesOf } from './bytes.js'

type CardFile = Awaited<ReturnType<Knowledge['files']>>[number]

async function* filesOf(
  knowledge: Knowledge,
  tenant: string,
  collection: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<CardFile> {
  for (let after: CardFile | undefined; ; ) {
    signal.throwIfAborted()
    const page = await knowledge.files(tenant, after)
    if (page.length === 0) return
    for (const file of page) if (collection === undefined || file.collection === collection) yield file
    after = page.at(-1)
  }
}

/** An id may be a path; nothing that unpacks it may be led out of its folder. */
const nameInZip = ({ lang, id }: CardFile): string =>
  `${lang}/${id
    .split(/[/\\]/)
    .map((part) => part.replace(/[^\p{L}\p{N}._-]/gu, '_').replace(/^\.+/, '_'))
    .join('/')}.md`

async function* jsonLines(files: AsyncIterable<CardFile>): AsyncGenerator<Buffer> {
  for await (const { id, lang, title, text, tags, url } of files) {
    yield Buffer.from(`${JSON.stringify({ id, lang, title, text, tags, ...(url === undefined ? {} : { url }) })}\n`)
  }
}

/** Waiting in memory for the reader: beyond it no more is packed. */
const MOST_WAITING_BYTES = 1024 * 1024

function zipped(files: AsyncIterable<CardFile>): Readable {
  const zip = new ZipFile()
  // It takes what there is also before anybody reads.
  const out = zip.outputStream.pipe(new PassThrough({ highWaterMark: 2 * MOST_WAITING_BYTES }))
  const fill = async (): Promise<void> => {
    for await (const file of files) {
      while (out.readableLength > MOST_WAITING_BYTES && !out.destroyed) await turn()
      if (out.destroyed) return
      zip.addBuffer(Buffer.from(file.markdown), nameInZip(file))
    }
    zip.end()
  }
  fill().catch((error: Error) => out.destroy(error))
  return out
}

export function exportOf(
  knowledge: Knowledge,
  tenant: string,
  collection: string | undefined,
  format: 'markdown' | 'jsonl',
  signal: AbortSignal,
): ByteSource {
  const files = filesOf(knowledge, tenant, collection, signal)
  return bytesOf(format === 'jsonl' ? Readable.from(jsonLines(files), { objectMode: false }) : zipped(files))
}
