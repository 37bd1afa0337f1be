// Text inside Discord's markdown: what it says is shown as it is, and nothing in it formats, mentions or hides.

/** Stands between characters that would mean something together. */
const APART = '\u200b'

/** Without what Discord refuses (lone surrogates), swallows (control characters) or lets deceive (direction overrides). */
export const tidy = (text: string): string =>
  text.replaceAll(/\r\n?/g, '\n').replaceAll(/[^\P{Cc}\n\t]|\p{Surrogate}|\p{Bidi_Control}/gu, '\ufffd')

const EVERYONE = /@(?=(?:everyone|here)\b)/g

/** Plain text, shown character for character. */
export const escapeText = (text: string): string =>
  tidy(text)
    .replaceAll(/[\\*~`|<>[\]]/g, '\\$&')
    // Inside a word an underscore is an underscore; escaping it there would only get in the way of copying.
    .replaceAll(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\_')
    // Headings, small print and lists: only at the start of a line, and only before a space.
    .replaceAll(/^([ \t]*)(-#|#+|[+-])(?=\s)/gm, '$1\\$2')
    .replaceAll(/^([ \t]*\d+)(?=[.)]\s)/gm, '$1\\')
    .replaceAll(EVERYONE, `@${APART}`)

const MOMENT = /\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z/g

/** Plain text in which moments (ISO 8601, UTC) are shown as each reader's own clock and language have them. */
export const escapeMoments = (text: string): string =>
  escapeText(text).replaceAll(MOMENT, (moment) => {
    const at = Date.parse(moment)
    return Number.isNaN(at) ? moment : `<t:${Math.floor(at / 1000)}:f>`
  })

/** Users, roles, channels, commands, emoji, times, guild links: Discord, "Message Formatting". */
const REFERENCE = /<(?=@[!&]?\d|#\d|\/[^<>\n]*:\d|a?:\w+:\d|t:-?\d|id:)/g

/** Markdown that stays markdown, but points at nobody and nothing in Discord. */
export const neutralise = (markdown: string): string =>
  tidy(markdown).replaceAll(REFERENCE, `<${APART}`).replaceAll(EVERYONE, `@${APART}`)

/** For the inside of a code block, where nothing but its end has a meaning. */
export const codeText = (text: string): string =>
  tidy(text).replaceAll('```', `\`${APART}\`${APART}\``).replaceAll(EVERYONE, `@${APART}`)

/** A Latin word that was cut in two, unless it is a long one. */
const HALF_WORD = /\s[\x21-\x7e]{1,24}$/

/** @returns at most `most` UTF-16 units, which is never more than Discord counts; a cut shows */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text
  const room = Math.max(0, most - 1)
  const kept = /^\s/.test(text.slice(room)) ? text.slice(0, room) : text.slice(0, room).replace(HALF_WORD, '')
  // Neither half a character nor an escape without what it escapes.
  const whole = kept.replace(/[\ud800-\udbff]$/, '').replace(/(?<!\\)((?:\\\\)*)\\$/, '$1')
  return `${whole}…`
}
