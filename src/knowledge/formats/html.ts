/**
 * Owns the reading of a web page: what it says, as Markdown, without what surrounds it and without anything that acts.
 * A page is hostile until it is Markdown, so its size is counted while it is parsed: a megabyte of HTML can mean
 * gigabytes of tree.
 */
import type { Element, ElementContent, Nodes, Root } from 'hast'
import { fromParse5 } from 'hast-util-from-parse5'
import { toMdast } from 'hast-util-to-mdast'
import { type DefaultTreeAdapterMap, defaultTreeAdapter, parse, type TreeAdapter } from 'parse5'
import type { Lang, Told } from '../model.js'
import { writeMarkdown } from './markdown.js'
import { Unreadable } from './unreadable.js'

/** Blink stops at 512, and everything after the parser recurses. */
const DEEPEST = 256
/** About two megabytes of documentation; what is a second's work, in which nobody else is answered. */
const MOST_ELEMENTS = 50_000
/** Of all tables together, the empty ones that fill up short rows included. */
const MOST_CELLS = 200_000
const WIDEST_SPAN = 100
/** Of lists and quotes; every line is indented once for each, so that depth multiplies the length of a page. */
const DEEPEST_NESTING = 12

const TOO_MANY_PARTS: Told = { en: 'a page with too many parts beside each other', zh: '页面中并列的部分过多' }
const TOO_MANY_ELEMENTS: Told = {
  en: `a page of more than ${MOST_ELEMENTS} elements`,
  zh: `页面超过 ${MOST_ELEMENTS} 个元素`,
}
const TOO_DEEP: Told = {
  en: `a page with more than ${DEEPEST} elements inside each other`,
  zh: `页面元素嵌套超过 ${DEEPEST} 层`,
}
const TOO_MANY_CELLS: Told = {
  en: `a page with tables of more than ${MOST_CELLS} cells`,
  zh: `页面的表格超过 ${MOST_CELLS} 个单元格`,
}

const DROPPED = new Set(
  [
    'script',
    'style',
    'noscript',
    'template',
    'head',
    'title',
    'base',
    'nav',
    'aside',
    'iframe',
    'object',
    'embed',
  ].concat(
    ['svg', 'canvas', 'video', 'audio', 'map', 'wbr'],
    ['button', 'input', 'select', 'textarea', 'datalist', 'output', 'progress', 'meter'],
  ),
)
const DROPPED_ROLES = new Set(['navigation', 'banner', 'contentinfo', 'complementary', 'search'])
const NESTING = new Set(['ul', 'ol', 'dl', 'blockquote'])
/** Only within an outer one of these: where it is cut off, its parts follow one another. */
const NESTED_PARTS = new Set(['li', 'dt', 'dd'])
/**
 * Emphasis finds nothing and costs much: between Han characters its marks only work when punctuation is written as a
 * character reference, which then stands in the words that are searched.
 */
const UNMARKED = new Set(['b', 'strong', 'i', 'em', 'mark', 'u', 'del', 's', 'strike', 'span', 'font'])
/** What generators of documentation put beside a heading so that it can be linked to. */
const PERMALINK = /^[\s#¶§🔗\u{f0c1}]*$/u

/**
 * The main content of a page: `<main>`, else every `<article>`, else the body.
 * @returns Markdown without raw HTML, whose links lead to the web or are relative; '' when the page says nothing
 * @throws Unreadable when it is nested too deeply or grows too large; what it costs until then is bounded
 */
export function htmlToMarkdown(html: string): { title?: string; markdown: string; lang?: Lang } {
  const page = treeOf(html)
  const main = outermost(page, (node) => node.tagName === 'main' || node.properties.role === 'main').slice(0, 1)
  const articles = outermost(page, (node) => node.tagName === 'article')
  const parts = main.length > 0 ? main : articles.length > 0 ? articles : outermost(page, isNamed('body'))
  refuseLargeTables(parts)
  let markdown: string
  try {
    const children = parts.flatMap((part) => clean(part.children, { article: part.tagName === 'article', nesting: 0 }))
    const tree = toMdast({ type: 'root', children })
    markdown = tree.type === 'root' ? writeMarkdown(tree.children) : ''
  } catch (error) {
    // The converters hand lists of children over as arguments, of which there can only be so many.
    if (!(error instanceof RangeError)) throw error
    throw new Unreadable(TOO_MANY_PARTS, 1, undefined, { cause: error })
  }
  const title = [...outermost(page, isNamed('title')), ...outermost(page, isNamed('h1'))].map(wordsOf).find(Boolean)
  const lang = /^(zh|en)\b/i
    .exec(String(outermost(page, isNamed('html'))[0]?.properties.lang ?? ''))?.[1]
    ?.toLowerCase()
  return {
    ...(title === undefined ? {} : { title }),
    markdown,
    ...(lang === 'zh' || lang === 'en' ? { lang } : {}),
  }
}

const isNamed = (name: string) => (node: Element) => node.tagName === name

function treeOf(html: string): Root {
  let depth = 0
  let elements = 0
  const counting: TreeAdapter<DefaultTreeAdapterMap> = {
    ...defaultTreeAdapter,
    createElement: (...of) => {
      elements += 1
      if (elements > MOST_ELEMENTS) throw new Unreadable(TOO_MANY_ELEMENTS)
      return defaultTreeAdapter.createElement(...of)
    },
    onItemPush: () => {
      depth += 1
      if (depth > DEEPEST) throw new Unreadable(TOO_DEEP)
    },
    onItemPop: () => {
      depth -= 1
    },
  }
  const tree = fromParse5(parse(html, { treeAdapter: counting, scriptingEnabled: false }))
  return tree.type === 'root' ? tree : { type: 'root', children: [] }
}

/** The elements that are meant and stand in no other such. A drawing has titles of its own. */
function outermost(node: Nodes, isMeant: (node: Element) => boolean): Element[] {
  if (node.type === 'element' && isMeant(node)) return [node]
  if (!('children' in node) || (node.type === 'element' && node.tagName === 'svg')) return []
  return node.children.flatMap((child) => outermost(child, isMeant))
}

/** Rows are filled up to the widest, and spans multiply: a few thousand tags can stand for a billion cells. */
function refuseLargeTables(parts: readonly Element[]): void {
  let cells = 0
  for (const table of parts.flatMap((part) => outermost(part, isNamed('table')))) {
    const rows = outermost(table, isNamed('tr'))
    let widest = 0
    let spanned = 0
    for (const row of rows) {
      let width = 0
      for (const cell of outermost(row, ({ tagName }) => tagName === 'td' || tagName === 'th')) {
        const columns = span(cell.properties.colSpan)
        width += columns
        if (span(cell.properties.rowSpan) > 1) spanned += columns
      }
      widest = Math.max(widest, width)
    }
    cells += rows.length * (widest + spanned)
  }
  if (cells > MOST_CELLS) throw new Unreadable(TOO_MANY_CELLS)
}

const span = (value: unknown): number => Math.min(Math.max(1, Math.trunc(Number(value)) || 1), WIDEST_SPAN)

/** Where in the page something stands. */
interface Place {
  article: boolean
  /** How many lists and quotes it is in. */
  nesting: number
}

function clean(nodes: readonly Nodes[], place: Place): ElementContent[] {
  const cleaned = nodes.flatMap((node): ElementContent[] => {
    // A soft hyphen is only a place to break, and splits the word for a search.
    if (node.type === 'text') return [{ type: 'text', value: node.value.replaceAll('\u00ad', '') }]
    if (node.type !== 'element') return []
    const { tagName, properties } = node
    if (DROPPED.has(tagName) || DROPPED_ROLES.has(String(properties.role)) || properties.hidden) return []
    if (!place.article && (tagName === 'header' || tagName === 'footer')) return []
    if (tagName === 'img') return [{ type: 'text', value: String(properties.alt ?? '') }]
    const nesting = place.nesting + (NESTING.has(tagName) ? 1 : 0)
    const children = clean(node.children, { article: place.article || tagName === 'article', nesting })
    if (tagName === 'a') return link(String(properties.href ?? ''), children)
    if (tagName === 'sup') return raised(children)
    if (UNMARKED.has(tagName)) return children
    if (nesting > DEEPEST_NESTING && (NESTING.has(tagName) || NESTED_PARTS.has(tagName))) return children
    return [{ type: 'element', tagName, properties: kept(node), children }]
  })
  return joined(cleaned)
}

/** The converter joins texts that stand beside each other one by one, in quadratic time. */
function joined(nodes: readonly ElementContent[]): ElementContent[] {
  const result: ElementContent[] = []
  let words: string[] = []
  const flush = () => {
    if (words.length > 0) result.push({ type: 'text', value: words.join('') })
    words = []
  }
  for (const node of nodes) {
    if (node.type === 'text') {
      words.push(node.value)
    } else {
      flush()
      result.push(node)
    }
  }
  flush()
  return result
}

/** What the converter needs of an element, and nothing that it would follow or obey. */
function kept({ tagName, properties }: Element): Element['properties'] {
  if (tagName === 'code' || tagName === 'pre') return { className: properties.className }
  if (tagName === 'ol') return { start: properties.start }
  if (tagName !== 'td' && tagName !== 'th') return {}
  return { align: properties.align, colSpan: span(properties.colSpan), rowSpan: span(properties.rowSpan) }
}

/** @param href as it stands in the page */
function link(href: string, children: ElementContent[]): ElementContent[] {
  const words = children.map(wordsOf).join('')
  if (href.startsWith('#') && PERMALINK.test(words)) return []
  // As a browser reads it: it leaves out the white space with which a scheme can be disguised.
  const address = href.replace(/[\t\n\r]/g, '').trim()
  if (address === '' || words === '' || !isWebAddress(address)) return children
  return [{ type: 'element', tagName: 'a', properties: { href: address }, children }]
}

function isWebAddress(address: string): boolean {
  const base = 'https://relative.invalid'
  return URL.canParse(address, base) && /^https?:$/.test(new URL(address, base).protocol)
}

/** 2<sup>32</sup> is not 232. */
function raised(children: ElementContent[]): ElementContent[] {
  const isPower = children.length === 1 && children[0]?.type === 'text' && /^[-+−]?\w+$/.test(children[0].value)
  return isPower ? [{ type: 'text', value: '^' }, ...children] : children
}

function wordsOf(node: Nodes): string {
  if (node.type === 'text') return node.value.replace(/\s+/g, ' ').trim()
  if (!('children' in node)) return ''
  return node.children.map(wordsOf).filter(Boolean).join(' ')
}
