// Markdown of the knowledge base as HTML: the one place where markup is set, and only what micromark made safe.
import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'

/** An image would tell a foreign server who reads this; without the construct it becomes a link. */
const noImages = { disable: { null: ['labelStartImage'] } }

/** Raw HTML comes out escaped and `javascript:` links come out empty: micromark's defaults, kept. */
const toHtml = (markdown: string): string =>
  micromark(markdown, { extensions: [gfm(), noImages], htmlExtensions: [gfmHtml()] })

const CITATION = /\[\d{1,3}\]/g

/** Only addresses on the web are links, and they open beside the conversation. */
function tameLinks(root: HTMLElement): void {
  for (const link of root.querySelectorAll('a')) {
    if (!/^https?:/.test(link.getAttribute('href') ?? '')) {
      link.replaceWith(...link.childNodes)
      continue
    }
    link.target = '_blank'
    link.rel = 'noopener noreferrer'
  }
}

/** Sets `[1]` small, so that an answer reads as sentences with their sources and not as a list of numbers. */
function raiseCitations(root: HTMLElement): void {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
  const found: Text[] = []
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!(node instanceof Text) || node.parentElement?.closest('code, pre, a')) continue
    if (node.data.search(CITATION) >= 0) found.push(node)
  }
  for (const text of found) {
    const parts: (string | HTMLElement)[] = []
    let from = 0
    for (const match of text.data.matchAll(CITATION)) {
      const raised = document.createElement('sup')
      raised.className = 'citation'
      raised.textContent = match[0]
      parts.push(text.data.slice(from, match.index).replace(/\s+$/, ''), raised)
      from = match.index + match[0].length
    }
    text.replaceWith(...parts, text.data.slice(from))
  }
}

/** Code wider than the card is reached by the keyboard too. */
function reachCode(root: HTMLElement): void {
  for (const block of root.querySelectorAll('pre, table')) block.setAttribute('tabindex', '0')
}

export function Prose({ markdown }: { readonly markdown: string }) {
  const html = useMemo(() => toHtml(markdown), [markdown])
  const root = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    if (!root.current) return
    tameLinks(root.current)
    raiseCitations(root.current)
    reachCode(root.current)
  }, [html])
  return <div class="prose" ref={root} dangerouslySetInnerHTML={{ __html: html }} />
}
