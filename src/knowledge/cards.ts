/** Owns the reading of a folder of cards: which files count, what makes one unreadable, and who owns an id. */
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { passagesOf } from './chunk.js'
import { NOT_UTF8, NUL_BYTE, tooManyBytes } from './formats/unreadable.js'
import { readFrontMatter } from './front-matter.js'
import type { Card, Lang, Problem, Told } from './model.js'

const LANGS: readonly Lang[] = ['zh', 'en']
/** A card is a page, not a book; anything larger is a mistake and would stall the ingest. */
const LARGEST_CARD_BYTES = 1024 * 1024
/** Part of every content hash: raise it when cutting or tokenizing changes, and every card is ingested anew. */
export const PIPELINE = 'knowledge-2'

/** What is already known of a file: the card it held, and the hash of its content then. */
export interface KnownFile {
  id: string
  hash: string
}

/** What a folder holds. */
export interface CardFolder {
  /** Cards that are new or differ from what is known, no two with the same language and id. */
  cards: Card[]
  /** Cards whose file is as it was. */
  unchanged: { lang: Lang; id: string }[]
  /** Every card file that exists, readable or not, relative to the folder. */
  files: Set<string>
  problems: Problem[]
}

/**
 * @param dir a folder with `zh` and `en` below it; a missing language has no cards
 * @param known by file, relative to `dir`: what need not be read again
 * @throws the file system's error when `dir` itself cannot be read
 */
export async function readCards(dir: string, known: ReadonlyMap<string, KnownFile>): Promise<CardFolder> {
  if (!(await stat(dir)).isDirectory()) throw new Error(`not a folder: ${dir}`)
  const folder: CardFolder = { cards: [], unchanged: [], files: new Set(), problems: [] }
  for (const lang of LANGS) {
    const owners = new Map<string, string>()
    for (const name of await markdownFiles(join(dir, lang))) {
      const file = `${lang}/${name.split(sep).join('/')}`
      folder.files.add(file)
      const read = await readCard(join(dir, lang, name), file, lang, known.get(file))
      folder.problems.push(...read.problems)
      if (read.id === undefined) continue
      const owner = owners.get(read.id)
      if (owner !== undefined) {
        folder.problems.push({
          file,
          line: 1,
          message: { en: `the id "${read.id}" is already taken by ${owner}`, zh: `ID“${read.id}”已被 ${owner} 使用` },
        })
        continue
      }
      owners.set(read.id, file)
      if (read.card === undefined) folder.unchanged.push({ lang, id: read.id })
      else folder.cards.push(read.card)
    }
  }
  return folder
}

/** Sorted, so that which of two duplicates wins does not depend on the file system. */
async function markdownFiles(dir: string): Promise<string[]> {
  const names = await readdir(dir, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names.filter((name) => name.endsWith('.md')).sort()
}

interface ReadCard {
  /** Missing when the file is no card. */
  id?: string
  /** Missing when the file is no card, or is as it was. */
  card?: Card
  problems: Problem[]
}

const NO_TEXT: Told = { en: 'the card has no text below its front matter', zh: '卡片的 front matter 之下没有正文' }

async function readCard(path: string, file: string, lang: Lang, known: KnownFile | undefined): Promise<ReadCard> {
  const refuse = (message: Told, line = 1): ReadCard => ({ problems: [{ file, line, message }] })
  let bytes: Buffer
  try {
    const info = await stat(path)
    if (!info.isFile()) return refuse({ en: 'not a file', zh: '不是文件' })
    if (info.size > LARGEST_CARD_BYTES) return refuse(tooManyBytes(LARGEST_CARD_BYTES))
    bytes = await readFile(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    return refuse({ en: `cannot be read: ${code}`, zh: `无法读取：${code}` })
  }
  const hash = createHash('sha256').update(PIPELINE).update('\0').update(bytes).digest('hex')
  if (known?.hash === hash) return { id: known.id, problems: [] }

  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return refuse(NOT_UTF8)
  }
  const nul = text.indexOf('\0')
  if (nul !== -1) return refuse(NUL_BYTE, lineAt(text, nul))

  const { head, complaints, bodyStart } = readFrontMatter(text)
  if (head === undefined) return { problems: complaints.map((complaint) => ({ file, ...complaint })) }
  const passages = passagesOf(text, bodyStart)
  if (passages.length === 0) return refuse(NO_TEXT, lineAt(text, bodyStart))
  return { id: head.id, card: { ...head, lang, file, hash, text, passages }, problems: [] }
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length
