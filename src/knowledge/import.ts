/**
 * Owns what a team brings in: documents in many forms, each becoming a card of its tenant. Whatever is wrong with one
 * document is reported with its line, and the others are imported all the same.
 */
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { cardOf, type Document, idOfFile, LONGEST_TEXT, markdownDocument } from './document.js'
import { NOT_UTF8, tooManyBytes, Unreadable } from './formats/unreadable.js'
import { LONGEST_ID } from './front-matter.js'
import { languageOf } from './language.js'
import { linesOf } from './lines.js'
import type { Card, Problem, Told } from './model.js'
import type { Store } from './store.js'

export interface ImportOptions {
  /** Whose cards they become. */
  tenant: string
  /** The name under which they belong together. */
  collection: string
  /** What problems call the source; its ending tells its form, and what has none is taken for JSON Lines. */
  file: string
  /** Who brings them, for the history of each card. */
  author: string
  /** Checks everything and changes nothing. */
  dryRun?: boolean
  /**
   * Makes the collection equal to the source: cards of it that no document stands for any more are removed, unless
   * something could not be read, since that may be what they came from.
   */
  mirror?: boolean
  signal?: AbortSignal
}

export interface ImportReport {
  added: number
  changed: number
  unchanged: number
  /** Only when mirroring. */
  removed: number
  /** Documents that could not be taken. */
  rejected: number
  /** What was wrong with the first hundred of them. */
  problems: Problem[]
}

/** Room for the largest document of a folder as one line: base64 takes a third more. */
const LONGEST_LINE_BYTES = 24 * 2 ** 20
const LARGEST_FILE_BYTES = 64 * 2 ** 20
const LARGEST_ARCHIVE_BYTES = 512 * 2 ** 20
const MOST_PROBLEMS = 100
/**
 * What is written in one go. In a large base each write touches the pages of nearly every common token, so that fewer and
 * larger ones are what its speed depends on; what is broken off has about three seconds' work to do again.
 */
const BATCH = { documents: 16_384, characters: 3 * 2 ** 21, ms: 3_000 }

/** Bytes of which the ending of their name tells what they are. */
interface File {
  name: string
  bytes: Buffer
}
type Found = Document | { problem: Problem }

/**
 * Adds documents to a tenant's cards, or replaces the ones with their language and id; a second time nothing changes.
 * What has been written stays when it is broken off, and the next run goes on from there.
 * @param source one Markdown, HTML or PDF file, a zip of such, or JSON Lines: `{id, title?, text, lang?, url?, tags?}`,
 *   or for a file `{file, base64}`, or `{file, problem}` for one that could not be read
 * @param onProgress told after each write, with what is safe by then
 * @throws the signal's reason, or what the source fails with
 */
export async function importDocuments(
  source: AsyncIterable<Uint8Array>,
  options: ImportOptions,
  store: Store,
  onProgress?: (report: ImportReport) => void,
): Promise<ImportReport> {
  const { tenant, collection, author, signal, dryRun = false } = options
  const report: ImportReport = { added: 0, changed: 0, unchanged: 0, removed: 0, rejected: 0, problems: [] }
  const seen = new Set<string>()
  let batch: Card[] = []
  let characters = 0
  let begun = performance.now()

  const reject = (problem: Problem): void => {
    report.rejected += 1
    if (report.problems.length < MOST_PROBLEMS) report.problems.push(problem)
  }
  const write = async (): Promise<void> => {
    const cards = batch
    batch = []
    characters = 0
    const counts = { added: 0, changed: 0, unchanged: 0 }
    store.atomically(() => {
      for (const card of cards) {
        const before = store.find({ tenant, lang: card.lang, id: card.id })
        // The same card from another collection moves: mirroring that one must not take it away.
        const isSame = before?.hash === card.hash && before.collection === collection
        counts[before === undefined ? 'added' : isSame ? 'unchanged' : 'changed'] += 1
        if (isSame || dryRun) continue
        store.put(card, { tenant, collection }, { author, at: Date.now(), reason: `import: ${collection}` })
      }
    })
    // Only what has been committed is counted.
    report.added += counts.added
    report.changed += counts.changed
    report.unchanged += counts.unchanged
    onProgress?.({ ...report })
    begun = performance.now()
    await new Promise(setImmediate)
  }

  for await (const found of documentsIn(source, options.file, signal)) {
    signal?.throwIfAborted()
    try {
      if ('problem' in found) throw new Unreadable(found.problem.message, found.problem.line, found.problem.file)
      const card = cardOf(found)
      const key = `${card.lang}/${card.id}`
      if (seen.has(key))
        throw new Unreadable(
          { en: `the id "${card.id}" stands twice`, zh: `ID“${card.id}”重复出现` },
          found.line,
          found.file,
        )
      seen.add(key)
      batch.push(card)
      characters += card.text.length
    } catch (error) {
      reject(problemOf(error, options.file))
    }
    const isLong = batch.length > 0 && performance.now() - begun > BATCH.ms
    if (isLong || batch.length >= BATCH.documents || characters >= BATCH.characters) await write()
  }
  await write()
  if (options.mirror === true && report.rejected === 0) {
    const gone = store
      .inventory(tenant)
      .filter((card) => card.collection === collection && !seen.has(`${card.lang}/${card.id}`))
    store.atomically(() => {
      for (const { lang, id } of dryRun ? [] : gone) {
        store.remove({ tenant, lang, id }, { author, at: Date.now(), reason: `no longer in ${collection}` })
      }
    })
    report.removed = gone.length
  }
  return report
}

function problemOf(error: unknown, file: string): Problem {
  if (!(error instanceof Unreadable)) throw error
  return { file: error.file ?? file, line: error.line, message: error.told }
}

async function* documentsIn(
  source: AsyncIterable<Uint8Array>,
  name: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Found> {
  try {
    if (/\.zip$/i.test(name)) yield* inArchive(source, signal)
    else if (isDocument(name)) {
      yield await documentOf({ name, bytes: await whole(source, sizeLimit(name)) }, signal)
    } else yield* inLines(source, name, signal)
  } catch (error) {
    yield { problem: problemOf(error, name) }
  }
}

const isDocument = (name: string): boolean => /\.(?:md|markdown|html?|pdf)$/i.test(name)
const sizeLimit = (name: string): number => (/\.pdf$/i.test(name) ? LARGEST_FILE_BYTES : 16 * 2 ** 20)

/** @throws Unreadable; the signal's reason */
async function documentOf({ name, bytes }: File, signal?: AbortSignal): Promise<Document> {
  const id = idOfFile(name)
  if (/\.pdf$/i.test(name)) {
    const { pdfToMarkdown } = await import('./formats/pdf.js')
    const { title = id, markdown } = await pdfToMarkdown(bytes, signal)
    return { id, title, text: markdown, head: {}, lang: languageOf(markdown), file: name, line: 1 }
  }
  const text = decode(bytes)
  if (/\.html?$/i.test(name)) {
    const { htmlToMarkdown } = await import('./formats/html.js')
    const { title = id, markdown, lang = languageOf(markdown) } = htmlToMarkdown(text)
    return { id, title, text: markdown, head: {}, lang, file: name, line: 1 }
  }
  return markdownDocument(text, name)
}

/** @throws Unreadable that names the line which is no UTF-8 */
function decode(bytes: Buffer): string {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    return decoder.decode(bytes)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    let line = 1
    for (let from = 0; from < bytes.length; line += 1) {
      const feed = bytes.indexOf(0x0a, from)
      const to = feed === -1 ? bytes.length : feed + 1
      if (!isUtf8(bytes.subarray(from, to))) break
      from = to
    }
    throw new Unreadable(NOT_UTF8, line)
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

async function whole(source: AsyncIterable<Uint8Array>, most: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const chunk of source) {
    size += chunk.length
    if (size > most) throw new Unreadable(tooManyBytes(most))
    parts.push(Buffer.from(chunk))
  }
  return Buffer.concat(parts)
}

/** A zip's list of contents stands at its end, so it lies on the disk while it is read. */
async function* inArchive(source: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): AsyncGenerator<Found> {
  const folder = await mkdtemp(join(tmpdir(), 'hypercall-import-'))
  try {
    const file = join(folder, 'archive.zip')
    await pipeline(Readable.from(limited(source, LARGEST_ARCHIVE_BYTES)), createWriteStream(file, { mode: 0o600 }))
    const { entriesOf } = await import('./formats/archive.js')
    for await (const entry of entriesOf(file)) {
      if ('problem' in entry) yield { problem: { file: entry.name, line: 1, message: entry.problem } }
      else if (/\.jsonl$/i.test(entry.name)) yield* inLines([entry.bytes], entry.name, signal)
      else yield await orProblem(entry.name, () => documentOf(entry, signal))
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function* limited(source: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of source) {
    size += chunk.length
    if (size > most) throw new Unreadable({ en: `an archive larger than ${most} bytes`, zh: `压缩包超过 ${most} 字节` })
    yield chunk
  }
}

async function orProblem(file: string, make: () => Document | Promise<Document>): Promise<Found> {
  try {
    return await make()
  } catch (error) {
    return { problem: problemOf(error, file) }
  }
}

async function* inLines(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  file: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Found> {
  for await (const { number, text, problem } of linesOf(source, LONGEST_LINE_BYTES)) {
    if (text?.trim() === '') continue
    yield await orProblem(file, async () => {
      if (text === undefined) throw new Unreadable(problem ?? { en: 'unreadable', zh: '无法读取' }, number)
      const row = jsonOf(text, number)
      const { file: name } = row
      const told = toldIn(row.problem)
      if (typeof name === 'string' && told !== undefined) throw new Unreadable(told, 1, name)
      if (typeof name !== 'string' || typeof row.base64 !== 'string') return documentOfRow(row, file, number)
      if (!isDocument(name)) throw new Unreadable({ en: 'not a document', zh: '不是文档' }, 1, name)
      try {
        return await documentOf({ name, bytes: Buffer.from(row.base64, 'base64') }, signal)
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error
        throw new Unreadable(error.told, error.line, name, { cause: error })
      }
    })
  }
}

function documentOfRow(row: Record<string, unknown>, file: string, line: number): Document {
  const refuse = (en: string, zh: string): never => {
    throw new Unreadable({ en, zh }, line)
  }
  const { id, title, text, lang, url, tags } = row
  if (typeof id !== 'string' || id.trim() === '' || id.length > LONGEST_ID) {
    return refuse(`"id" must be a text of 1 to ${LONGEST_ID} characters`, `"id" 应为 1 到 ${LONGEST_ID} 个字符的文本`)
  }
  if (typeof text !== 'string') return refuse('"text" is missing', '缺少 "text"')
  if (text.length > LONGEST_TEXT)
    return refuse(`"text" is longer than ${LONGEST_TEXT} characters`, `"text" 超过 ${LONGEST_TEXT} 个字符`)
  if (title !== undefined && typeof title !== 'string') return refuse('"title" must be a text', '"title" 应为文本')
  if (lang !== undefined && lang !== 'zh' && lang !== 'en')
    return refuse('"lang" must be "zh" or "en"', '"lang" 应为 "zh" 或 "en"')
  if (tags !== undefined && !isTexts(tags)) return refuse('"tags" must be a list of texts', '"tags" 应为文本列表')
  // Anything but a web address (javascript:, file:) could become a link on the page.
  if (url !== undefined && !(typeof url === 'string' && /^https?:\/\//.test(url))) {
    return refuse('"url" must be a web address', '"url" 应为网址')
  }
  const name = title?.trim() || id
  return {
    id,
    title: name,
    text,
    head: { ...(tags ? { tags } : {}), ...(url ? { sources: [{ title: name, url }] } : {}) },
    lang: lang ?? languageOf(text),
    file,
    line,
  }
}

/** Why a file could not be read, as whoever tried says it: in both languages, or in one for both. */
function toldIn(problem: unknown): Told | undefined {
  if (typeof problem === 'string') return { en: problem, zh: problem }
  if (typeof problem !== 'object' || problem === null) return undefined
  const { en, zh } = problem as Readonly<Record<string, unknown>>
  return typeof en === 'string' && typeof zh === 'string' ? { en, zh } : undefined
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')

function jsonOf(text: string, line: number): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new Unreadable({ en: 'not a line of JSON', zh: '不是一行 JSON' }, line)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Unreadable({ en: 'not a JSON object', zh: '不是 JSON 对象' }, line)
  }
  return value as Record<string, unknown>
}
