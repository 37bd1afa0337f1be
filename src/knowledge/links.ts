/** Owns the links of one imported file to another, which become links of one card to another. */
import { posix } from 'node:path'
import { idOfFile } from './document.js'

/** What people look on to; a longer list is a table of contents. */
const MOST_LINKS = 12
const LINK = /\]\(\s*<?([^)\s>#?]+\.(?:md|markdown|html?))(?:[#?][^)\s>]*)?>?(?:\s+"[^"]*")?\s*\)/giu

/** @param file the path that the text came from @returns ids of the cards that the linked files become, in order */
export function linkedIds(text: string, file: string): string[] {
  const ids = new Set<string>()
  for (const [, target = ''] of text.matchAll(LINK)) {
    if (/^(?:[a-z][a-z0-9+.-]*:|\/)/i.test(target)) continue
    const path = posix.join(posix.dirname(file), decoded(target))
    if (path !== file && !path.startsWith('../')) ids.add(idOfFile(path))
  }
  return [...ids].slice(0, MOST_LINKS)
}

function decoded(target: string): string {
  try {
    return decodeURIComponent(target)
  } catch (error) {
    if (!(error instanceof URIError)) throw error
    return target
  }
}
