/** Owns the front matter of a card: finding it, reading its YAML, and saying exactly which line is wrong. */
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import type { CardHead, Lang, Level, Source, Told } from './model.js'

/** A problem within one file: `line` is 1-based from the top of the file. */
export interface Complaint {
  line: number
  message: Told
}

export interface FrontMatter {
  /** Missing when a complaint makes the card unusable. */
  head?: CardHead
  /** What language the card says it is in; a shipped one's folder says it. */
  lang?: Lang
  complaints: Complaint[]
  /** Offset of the first character after the front matter. */
  bodyStart: number
}

const LANGS: readonly Lang[] = ['zh', 'en']
const LEVELS: readonly Level[] = ['intro', 'working', 'deep']
export const LONGEST_ID = 200
/** Of a shipped card. */
const ID = /^[a-z0-9][a-z0-9-]{0,79}$/

const NO_BEGINNING: Told = {
  en: 'the card does not begin with front matter ("---")',
  zh: '卡片开头没有 front matter（"---"）',
}
const NO_END: Told = { en: 'the front matter is not closed with "---"', zh: 'front matter 没有以 "---" 结束' }
const inFrontMatter = (en: string, zh: string): Told => ({ en: `front matter: ${en}`, zh: `front matter：${zh}` })
const notYaml = (problem: string): Told => ({
  en: `front matter: ${problem}`,
  zh: `front matter：不是有效的 YAML（${problem}）`,
})
const NO_LIST = inFrontMatter('must be a list of "key: value" lines', '应为“键: 值”的列表')
const NO_ALIASES = inFrontMatter('YAML aliases (*name) are not allowed', '不允许使用 YAML 别名（*name）')

/**
 * @param text a whole file; front matter stands between two lines of `---` at its top
 * @param fallback what a file is called that does not say so; without it, `id` and `title` must be there
 */
export function readFrontMatter(text: string, fallback?: { id: string; title: string }): FrontMatter {
  const opening = /^\uFEFF?---[ \t]*\r?\n/.exec(text)
  if (opening === null) {
    return { complaints: [{ line: 1, message: NO_BEGINNING }], bodyStart: 0 }
  }
  const yamlStart = opening[0].length
  const closing = /^---[ \t]*(?:\r?\n|$)/m.exec(text.slice(yamlStart))
  if (closing === null) {
    return { complaints: [{ line: 1, message: NO_END }], bodyStart: text.length }
  }
  const yaml = text.slice(yamlStart, yamlStart + closing.index)
  const bodyStart = yamlStart + closing.index + closing[0].length
  return { ...readYaml(yaml, fallback), bodyStart }
}

function readYaml(yaml: string, fallback?: { id: string; title: string }): Omit<FrontMatter, 'bodyStart'> {
  const lines = new LineCounter()
  // The opening "---" is line 1 of the file, so line 1 of the YAML is line 2.
  const lineAt = (offset: number) => lines.linePos(offset).line + 1
  const document = parseDocument(yaml, { lineCounter: lines })
  const [error] = document.errors
  if (error !== undefined) {
    // A quote that never closes is noticed at the end; the last line with text is the one to look at.
    const at = Math.min(error.pos[0], yaml.trimEnd().length)
    return {
      complaints: [{ line: lineAt(at), message: notYaml(firstLine(error.message)) }],
    }
  }
  const root = document.contents
  if (!isMap(root)) return { complaints: [{ line: 2, message: NO_LIST }] }

  const complaints: Complaint[] = []
  let values: Record<string, unknown>
  try {
    values = document.toJS({ maxAliasCount: 0 }) as Record<string, unknown>
  } catch (error) {
    // The parser's guard against aliases that expand without end.
    if (!(error instanceof ReferenceError)) throw error
    return { complaints: [{ line: 2, message: NO_ALIASES }] }
  }
  const lineOf = (key: string): number => {
    const pair = root.items.find((item) => isScalar(item.key) && item.key.value === key)
    return pair !== undefined && isScalar(pair.key) && pair.key.range ? lineAt(pair.key.range[0]) : 1
  }
  const complain = (key: string, en: string, zh: string) =>
    complaints.push({ line: lineOf(key), message: inFrontMatter(`"${key}" ${en}`, `"${key}" ${zh}`) })

  const text = (key: string): string | undefined => {
    const value = values[key]
    if (value === undefined || value === null) return undefined
    if (typeof value === 'string' && value.trim() !== '') return value.trim()
    if (typeof value === 'number') return String(value)
    complain(key, 'must be a line of text', '应为一行文本')
    return undefined
  }
  const list = (key: string): string[] => {
    const value = values[key]
    if (value === undefined || value === null) return []
    if (Array.isArray(value) && value.every((item) => typeof item === 'string' || typeof item === 'number')) {
      return value.map((item) => String(item).trim()).filter((item) => item !== '')
    }
    complain(key, 'must be a list of words or lines', '应为词或行的列表')
    return []
  }

  const id = text('id') ?? fallback?.id
  const title = text('title') ?? fallback?.title
  if (id === undefined) complain('id', 'is missing', '缺失')
  else if (fallback === undefined && !ID.test(id))
    complain('id', 'must be lower-case letters, digits and "-", at most 80', '应为小写字母、数字和 "-"，最多 80 个')
  else if (id.length > LONGEST_ID)
    complain('id', `must be at most ${LONGEST_ID} characters`, `最多 ${LONGEST_ID} 个字符`)
  if (title === undefined) complain('title', 'is missing', '缺失')
  const aliases = list('aliases')
  const tags = list('tags')
  const systems = list('systems')
  const levelText = text('level') ?? 'working'
  const level = LEVELS.find((known) => known === levelText)
  if (level === undefined)
    complain('level', `must be one of ${LEVELS.join(', ')}`, `应为以下之一：${LEVELS.join(', ')}`)
  const langText = text('lang')
  const lang = LANGS.find((known) => known === langText)
  if (langText !== undefined && lang === undefined)
    complain('lang', `must be one of ${LANGS.join(', ')}`, `应为以下之一：${LANGS.join(', ')}`)
  const asOf = text('as_of')
  if (asOf !== undefined && !/^\d{4}-\d{2}(?:-\d{2})?$/.test(asOf))
    complain('as_of', 'must be YYYY-MM or YYYY-MM-DD', '应为 YYYY-MM 或 YYYY-MM-DD')
  const review = text('review')
  if (review !== undefined && !isDay(review))
    complain('review', 'must be a day, YYYY-MM-DD', '应为日期，格式 YYYY-MM-DD')
  const sources = readSources(values.sources)
  if (sources === undefined) complain('sources', 'must be a list of {title, url}', '应为 {title, url} 的列表')

  if (complaints.length > 0 || id === undefined || title === undefined || level === undefined) return { complaints }
  const head: CardHead = { id, title, aliases, tags, systems, level, sources: sources ?? [] }
  if (asOf !== undefined) head.asOf = asOf
  if (review !== undefined) head.review = review
  return { head, complaints, ...(lang === undefined ? {} : { lang }) }
}

/** @param text YYYY-MM-DD, and a day that there is */
export const isDay = (text: string): boolean => {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : undefined
  return date !== undefined && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}

function readSources(value: unknown): Source[] | undefined {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return undefined
  const sources: Source[] = []
  for (const item of value as unknown[]) {
    if (typeof item !== 'object' || item === null) return undefined
    const { title, url } = item as { title?: unknown; url?: unknown }
    if (typeof title !== 'string' || (url !== undefined && typeof url !== 'string')) return undefined
    // Anything but a web address (javascript:, file:) could become a link on the page.
    if (url !== undefined && !/^https?:\/\//.test(url)) return undefined
    sources.push(url === undefined ? { title } : { title, url })
  }
  return sources
}

const firstLine = (message: string): string => (message.split('\n')[0] ?? message).replace(/:$/, '')
