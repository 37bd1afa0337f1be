/**
 * Owns what a team brings in: documents as JSON Lines or one Markdown file, each becoming a card of its tenant. Whatever
 * is wrong with one document is reported with its line, and the others are imported all the same.
 */
import { createHash } from 'node:crypto'
import { PIPELINE } from './cards.js'
import { passagesOf } from './chunk.js'
import { readFrontMatter } from './front-matter.js'
import { languageOf } from './language.js'
import { type Line, linesOf } from './lines.js'
import type { Card, CardHead, Lang, Problem } from './model.js'
import type { Store } from './store.js'

export interface ImportOptions {
  /** Whose cards they become. */
  tenant: string
  /** The name under which they belong together. */
  collection: string
  /** What problems call the source; a name that ends in `.md` makes it one Markdown document. */
  file: string
  /** Who brings them, for the history of each card. */
  author: string
  /** Checks everything and changes nothing. */
  dryRun?: boolean
  signal?: AbortSignal
}

export interface ImportReport {
  added: number
  changed: number
  unchanged: number
  /** Documents that could not be taken. */
  rejected: number
  /** What was wrong with the first hundred of them. */
  problems: Problem[]
}

const LONGEST_DOCUMENT_BYTES = 1024 * 1024
const MOST_PROBLEMS = 100
const LONGEST_ID = 200
/** As many documents as are written in one go; between two goes the process answers others. */
const BATCH = 16

/** A document as a team writes it. */
interface Document {
  id: string
  title: string
  /** Markdown, without front matter. */
  text: string
  head: Partial<CardHead>
  lang: Lang
  file: string
  /** Where in `file` it begins, 1-based. */
  line: number
}

class Unreadable extends Error {
  constructor(
    message: string,
    readonly line: number,
    readonly file?: string,
  ) {
    super(message)
  }
}

/**
 * Adds documents to a tenant's cards, or replaces the ones with their language and id; a second time nothing changes.
 * What has been written stays when it is broken off, and the next run goes on from there.
 * @param source UTF-8, one Markdown document or JSON Lines: `{id, title?, text, lang?, url?, tags?}`, or
 *   `{file, markdown}` for a Markdown file, `{file, problem}` for one that could not be read
 * @throws the signal's reason, or what the source fails with
 */
export async function importDocuments(
  source: AsyncIterable<Uint8Array>,
  options: ImportOptions,
  store: Store,
): Promise<ImportReport> {
  const report: ImportReport = { added: 0, changed: 0, unchanged: 0, rejected: 0, problems: [] }
  const seen = new Set<string>()
  let batch: Card[] = []

  const write = async (): Promise<void> => {
    const cards = batch
    batch = []
    store.atomically(() => {
      for (const card of cards) {
        const before = store.hashOf({ tenant: options.tenant, lang: card.lang, id: card.id })
        report[before === undefined ? 'added' : before === card.hash ? 'unchanged' : 'changed'] += 1
        if (before !== card.hash && options.dryRun !== true)
          store.put(card, options, { author: options.author, at: Date.now(), reason: 'imported' })
      }
    })
    await new Promise(setImmediate)
  }

  for await (const line of documentLines(source, options.file)) {
    options.signal?.throwIfAborted()
    try {
      const card = cardOf(documentOf(line, options.file))
      const key = `${card.lang}/${card.id}`
      if (seen.has(key)) throw new Unreadable(`the id "${card.id}" stands twice`, line.number)
      seen.add(key)
      batch.push(card)
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      report.rejected += 1
      const problem = { file: error.file ?? options.file, line: error.line, message: error.message }
      if (report.problems.length < MOST_PROBLEMS) report.problems.push(problem)
    }
    if (batch.length === BATCH) await write()
  }
  await write()
  return report
}

/** The lines that hold a document each; a Markdown file is one. */
async function* documentLines(source: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Line> {
  const lines = linesOf(source, LONGEST_DOCUMENT_BYTES)
  if (!isMarkdown(file)) {
    for await (const line of lines) if (line.text?.trim() !== '') yield line
    return
  }
  const texts: string[] = []
  let size = 0
  for await (const { number, text, problem } of lines) {
    size += text?.length ?? 0
    if (text === undefined || size > LONGEST_DOCUMENT_BYTES) {
      return yield { number, problem: problem ?? `longer than ${LONGEST_DOCUMENT_BYTES} bytes` }
    }
    texts.push(text)
  }
  yield { number: 1, text: texts.join('\n') }
}

function documentOf({ number, text, problem }: Line, file: string): Document {
  if (text === undefined) throw new Unreadable(problem ?? 'unreadable', number)
  if (isMarkdown(file)) return markdownDocument(text, file)
  const row = jsonOf(text, number)
  if (typeof row.file === 'string' && typeof row.markdown === 'string') return markdownDocument(row.markdown, row.file)
  if (typeof row.file === 'string' && typeof row.problem === 'string') throw new Unreadable(row.problem, 1, row.file)
  const refuse = (message: string): never => {
    throw new Unreadable(message, number)
  }
  const { id, title, text: body, lang, url, tags } = row
  if (typeof id !== 'string' || id.trim() === '' || id.length > LONGEST_ID) {
    return refuse(`"id" must be a text of 1 to ${LONGEST_ID} characters`)
  }
  if (typeof body !== 'string') return refuse('"text" is missing')
  if (title !== undefined && typeof title !== 'string') return refuse('"title" must be a text')
  if (lang !== undefined && lang !== 'zh' && lang !== 'en') return refuse('"lang" must be "zh" or "en"')
  if (tags !== undefined && !isTexts(tags)) return refuse('"tags" must be a list of texts')
  // Anything but a web address (javascript:, file:) could become a link on the page.
  if (url !== undefined && !(typeof url === 'string' && /^https?:\/\//.test(url))) {
    return refuse('"url" must be a web address')
  }
  const name = title?.trim() || id
  return {
    id,
    title: name,
    text: body,
    head: { ...(tags ? { tags } : {}), ...(url ? { sources: [{ title: name, url }] } : {}) },
    lang: lang ?? languageOf(body),
    file,
    line: number,
  }
}

const isMarkdown = (file: string): boolean => /\.md$/i.test(file)

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')

function jsonOf(text: string, line: number): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new Unreadable('not a line of JSON', line)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Unreadable('not a JSON object', line)
  }
  return value as Record<string, unknown>
}

/** A Markdown file with front matter like ours, or without any: then its path is its id and its first heading its title. */
function markdownDocument(text: string, file: string): Document {
  if (/^---\r?\n/.test(text)) {
    const { head, complaints, bodyStart } = readFrontMatter(text)
    const [complaint] = complaints
    if (head === undefined) throw new Unreadable(complaint?.message ?? 'no front matter', complaint?.line ?? 1, file)
    const body = text.slice(bodyStart)
    const line = text.slice(0, bodyStart).split('\n').length
    return { id: head.id, title: head.title, text: body, head, lang: languageOf(head.title + body), file, line }
  }
  const id = file.replace(/\.md$/i, '').slice(-LONGEST_ID)
  const title = /^#\s+(.+)$/m.exec(text)?.[1]?.trim() ?? id
  return { id, title, text, head: {}, lang: languageOf(text), file, line: 1 }
}

function cardOf({ id, title, text, head, lang, file, line }: Document): Card {
  if (text.includes('\0')) throw new Unreadable('holds a NUL byte: not a text', line, file)
  const passages = passagesOf(text, 0)
  if (passages.length === 0) throw new Unreadable('there is no text in it', line, file)
  const hash = createHash('sha256')
    .update(JSON.stringify([PIPELINE, title, head, text]))
    .digest('hex')
  return {
    aliases: [],
    tags: [],
    systems: [],
    level: 'working',
    sources: [],
    ...head,
    id,
    title,
    lang,
    file,
    hash,
    text,
    passages,
  }
}
