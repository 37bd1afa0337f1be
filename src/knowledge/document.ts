/** Owns the making of a card out of what somebody wrote, whatever way it came, and the writing of it back as a file. */
import { createHash } from 'node:crypto'
import { stringify } from 'yaml'
import { PIPELINE } from './cards.js'
import { passagesOf } from './chunk.js'
import { NUL_BYTE, Unreadable } from './formats/unreadable.js'
import { LONGEST_ID, readFrontMatter } from './front-matter.js'
import { languageOf } from './language.js'
import type { Card, CardHead, Lang } from './model.js'
import { SHARED } from './store.js'

/** Of one document, in characters. */
export const LONGEST_TEXT = 1024 * 1024

export interface Document {
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

/** @throws Unreadable when there is nothing in it to find */
export function cardOf({ id, title, text, head, lang, file, line }: Document): Card {
  if (text.includes('\0')) throw new Unreadable(NUL_BYTE, line, file)
  if (text.length > LONGEST_TEXT)
    throw new Unreadable(
      { en: `longer than ${LONGEST_TEXT} characters`, zh: `超过 ${LONGEST_TEXT} 个字符` },
      line,
      file,
    )
  const passages = passagesOf(text, 0)
  if (passages.length === 0) throw new Unreadable({ en: 'there is no text in it', zh: '其中没有文字' }, line, file)
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

/** A path as an id: its end, for that is what tells files apart. */
export const idOfFile = (file: string): string => file.replace(/\.[a-z]+$/i, '').slice(-LONGEST_ID)

/**
 * A Markdown file, with front matter or without; what that does not say, its path and first heading do.
 * @throws Unreadable naming the line of the front matter that is wrong
 */
export function markdownDocument(text: string, file: string): Document {
  const id = idOfFile(file)
  const title = /^#\s+(.+)$/m.exec(text)?.[1]?.trim() ?? id
  if (!/^\uFEFF?---[ \t]*\r?\n/.test(text)) {
    return { id, title, text, head: {}, lang: languageOf(text), file, line: 1 }
  }
  const { head, lang, complaints, bodyStart } = readFrontMatter(text, { id, title })
  const [complaint] = complaints
  if (head === undefined)
    throw new Unreadable(
      complaint?.message ?? { en: 'no front matter', zh: '没有 front matter' },
      complaint?.line ?? 1,
      file,
    )
  // Without the empty lines that set it off, or a file that goes out and in again would grow by them.
  const body = text.slice(bodyStart).replace(/^(?:[ \t]*\r?\n)+/, '')
  const line = text.slice(0, text.length - body.length).split('\n').length
  return { id: head.id, title: head.title, text: body, head, lang: lang ?? languageOf(head.title + body), file, line }
}

/** The text of a card without the front matter that a shipped one begins with. */
export function bodyOf({ tenant, text }: { tenant: string; text: string }): string {
  return tenant === SHARED ? text.slice(readFrontMatter(text).bodyStart).trimStart() : text
}

/** A card as a file that `markdownDocument` reads again. */
export function toMarkdownFile(card: CardHead & { tenant: string; lang: Lang; text: string }): string {
  const { id, title, lang, aliases, tags, systems, level, asOf, review, sources } = card
  const lists = { aliases, tags, systems, sources }
  const head = {
    id,
    title,
    lang,
    level,
    ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)),
    ...(asOf === undefined ? {} : { as_of: asOf }),
    ...(review === undefined ? {} : { review }),
  }
  return `---\n${stringify(head)}---\n\n${bodyOf(card).trimEnd()}\n`
}
