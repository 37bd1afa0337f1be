// The words of a line as a shell would quote them. Nothing is expanded: $HOME, * and ; are only characters here.

const SPACE = /\s/
/** What a backslash takes the meaning of inside double quotation marks. */
const ESCAPABLE = /[\\"$`]/

/** @returns undefined where a quotation mark is not closed, or a backslash has nothing after it */
export function wordsOf(line: string): string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let quote: string | undefined
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at)
    const next = line.charAt(at + 1)
    if (char === quote) {
      quote = undefined
    } else if (char === '\\' && quote !== "'" && (quote === undefined || ESCAPABLE.test(next))) {
      if (next === '') return undefined
      word = (word ?? '') + next
      at += 1
    } else if (quote === undefined && (char === '"' || char === "'")) {
      quote = char
      word ??= ''
    } else if (quote === undefined && SPACE.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else {
      word = (word ?? '') + char
    }
  }
  if (quote !== undefined) return undefined
  return word === undefined ? words : [...words, word]
}

/** The items of a list that people type with commas, of either kind, or spaces. */
export const itemsOf = (list: string): string[] => list.split(/[\s,，]+/).filter((item) => item !== '')
