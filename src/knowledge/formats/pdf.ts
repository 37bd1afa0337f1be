/**
 * Owns the reading of a PDF: its text, page by page, as Markdown. The reader is a thread of its own that is ended when it
 * takes too long or too much: a PDF of a megabyte can mean gigabytes of streams, and what reads it does not ask first.
 */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { writeMarkdown } from './markdown.js'
import { blocksOf, type Run } from './pdf-layout.js'
import { Unreadable } from './unreadable.js'

const MIB = 1024 * 1024
const MOST_PAGES = 2000
/** Characters. The thickest manuals have about 5 million. */
const LONGEST_TEXT = 8 * MIB
/** Two thousand full pages take ten seconds. */
const LONGEST_MS = 60_000
/** Objects of JavaScript; what streams inflate to lies outside and is watched below. */
const LARGEST_HEAP_MIB = 512
/** By how much the whole process may grow meanwhile, which is all that can be seen of a busy thread from outside. */
const MOST_GROWTH_BYTES = 768 * MIB
const WATCH_EVERY_MS = 50

type Message =
  | { kind: 'page'; runs: Run[] }
  | { kind: 'end'; title: unknown }
  | { kind: 'problem'; name: string; message: string }

/**
 * As text, because a thread cannot be started from TypeScript that is not compiled. Nothing is fetched: the paths lead to
 * the package's own files, and its tables of characters are needed for Chinese fonts that bring none.
 */
const READER = `
const { parentPort, workerData } = require('node:worker_threads')
const read = async ({ getDocument }) => {
  const document = await getDocument({
    data: workerData.bytes,
    verbosity: 0,
    isEvalSupported: false,
    enableXfa: false,
    useWasm: false,
    useSystemFonts: false,
    disableFontFace: true,
    cMapUrl: workerData.cMaps,
    cMapPacked: true,
    standardFontDataUrl: workerData.fonts,
  }).promise
  if (document.numPages > workerData.mostPages) throw Object.assign(new Error(), { name: 'TooManyPages' })
  for (let number = 1; number <= document.numPages; number += 1) {
    const page = await document.getPage(number)
    const { items, styles } = await page.getTextContent()
    const runs = items.map(({ str, transform, width, height, fontName, hasEOL }) => ({
      text: str, x: transform[4], y: transform[5], width, size: height,
      isCode: styles[fontName]?.fontFamily === 'monospace', endsLine: hasEOL,
    }))
    parentPort.postMessage({ kind: 'page', runs })
    page.cleanup()
  }
  const { info } = await document.getMetadata()
  parentPort.postMessage({ kind: 'end', title: info.Title })
}
import(workerData.pdfjs).then((pdfjs) =>
  read(pdfjs).catch(({ name, message }) => parentPort.postMessage({ kind: 'problem', name, message })),
)
`

/**
 * @param bytes a whole PDF; they are copied
 * @returns paragraphs under a heading `## p. N` for each page that has any, larger print as headings below it
 * @throws Unreadable when it is encrypted, broken, without text, or more than a document; the signal's reason
 */
export async function pdfToMarkdown(
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<{ title?: string; markdown: string }> {
  const { pages, title } = await pagesOf(bytes, signal)
  const blocks = blocksOf(pages)
  if (blocks.length === 0)
    throw new Unreadable({
      en: 'a PDF without text (a scan?): nothing to search in',
      zh: 'PDF 中没有文字（扫描件？），无可检索内容',
    })
  // Printed by Word, a title begins with its name.
  const name =
    typeof title === 'string'
      ? title
          .replace(/[\s\0]+/g, ' ')
          .replace(/^Microsoft \w+ - /, '')
          .trim()
      : ''
  return { ...(name === '' || /^untitled$/i.test(name) ? {} : { title: name }), markdown: writeMarkdown(blocks) }
}

async function pagesOf(bytes: Uint8Array, signal?: AbortSignal): Promise<{ pages: Run[][]; title: unknown }> {
  signal?.throwIfAborted()
  const worker = startReader(bytes)
  const rssAtStart = process.memoryUsage.rss()
  const pages: Run[][] = []
  let length = 0
  let watch: NodeJS.Timeout | undefined
  let deadline: NodeJS.Timeout | undefined
  let onAbort: (() => void) | undefined
  try {
    return await new Promise((resolve, reject) => {
      const refuse = (en: string, zh: string) => reject(new Unreadable({ en, zh }))
      const takesTooMuch = () => refuse('a PDF that takes too much memory', '读取该 PDF 占用内存过多')
      onAbort = () => reject(signal?.reason)
      signal?.addEventListener('abort', onAbort)
      deadline = setTimeout(
        () =>
          refuse(
            `a PDF that takes longer than ${LONGEST_MS / 1000} s to read`,
            `读取该 PDF 超过 ${LONGEST_MS / 1000} 秒`,
          ),
        LONGEST_MS,
      )
      watch = setInterval(() => {
        if (process.memoryUsage.rss() - rssAtStart > MOST_GROWTH_BYTES) takesTooMuch()
      }, WATCH_EVERY_MS)
      worker.on('message', (message: Message) => {
        if (message.kind === 'end') resolve({ pages, title: message.title })
        else if (message.kind === 'problem') reject(unreadable(message))
        else {
          pages.push(message.runs)
          for (const run of message.runs) length += run.text.length
          if (length > LONGEST_TEXT) {
            refuse(`a PDF with more than ${LONGEST_TEXT} characters of text`, `PDF 的文字超过 ${LONGEST_TEXT} 个字符`)
          }
        }
      })
      worker.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') takesTooMuch()
        else reject(error)
      })
      worker.on('exit', (code) => reject(new Error(`the reader of PDFs ended by itself, with ${code}`)))
    })
  } finally {
    clearTimeout(deadline)
    clearInterval(watch)
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort)
    await worker.terminate()
  }
}

function startReader(bytes: Uint8Array): Worker {
  const pdfjs = createRequire(import.meta.url).resolve('pdfjs-dist/legacy/build/pdf.mjs')
  const folder = join(dirname(pdfjs), '..', '..')
  const copy = Uint8Array.from(bytes)
  const worker = new Worker(READER, {
    eval: true,
    // It needs none of our secrets, and its warnings are no news of ours.
    env: {},
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: LARGEST_HEAP_MIB },
    workerData: {
      bytes: copy,
      pdfjs: pathToFileURL(pdfjs).href,
      cMaps: join(folder, 'cmaps', '/'),
      fonts: join(folder, 'standard_fonts', '/'),
      mostPages: MOST_PAGES,
    },
    transferList: [copy.buffer],
  })
  worker.stdout.resume()
  worker.stderr.resume()
  return worker
}

function unreadable({ name, message }: { name: string; message: string }): Unreadable {
  if (name === 'TooManyPages') {
    return new Unreadable({ en: `a PDF of more than ${MOST_PAGES} pages`, zh: `PDF 超过 ${MOST_PAGES} 页` })
  }
  if (name === 'PasswordException') {
    return new Unreadable({
      en: 'an encrypted PDF: it cannot be read without its password',
      zh: 'PDF 已加密：没有密码无法读取',
    })
  }
  return new Unreadable({ en: `a broken PDF: ${message}`, zh: `PDF 已损坏：${message}` })
}
