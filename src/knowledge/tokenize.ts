/**
 * Owns the one way text becomes tokens. Index and query both come through `tokenize`; whatever one side does to a
 * word the other does too, or the word is never found again.
 */
import { Converter } from 'opencc-js/t2cn'
import { stemmer } from 'stemmer'

const LONGEST_TOKEN = 64

/** Grammar words of English. Negations and "between", "vs", "without" stay: they change what is asked. */
const STOP_WORDS = new Set(
  `a about again all also am an and any are as at be because been being both but by can cannot could did do does doing done
  dont each few for from further had has have having he her here hers him his how i if in into is isnt it its itself just
  may me might more most much must my myself of on once only or other our ours own per same shall she should so some such
  than that the their theirs them then there these they this those through to too upon us very was we were what when where
  whether which while who whom whose why will with would yet you your yours`.split(/\s+/),
)

const toSimplified = Converter({ from: 't', to: 'cn' })
const simplified = new Map<string, string>()

/**
 * Folds one character at a time, so that a character's fate never depends on its neighbours: a phrase-aware
 * conversion may turn the same word into two different ones in a document and in a question.
 */
function foldHan(char: string): string {
  const known = simplified.get(char)
  if (known !== undefined) return known
  const folded: string = toSimplified(char)
  simplified.set(char, folded)
  return folded
}

/** NFKC, lower case, no accents on Latin letters, Traditional as Simplified characters. */
export function fold(text: string): string {
  const lower = text.normalize('NFKC').toLowerCase()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is "all of ASCII", which needs no more work
  if (/^[\x00-\x7f]*$/.test(lower)) return lower
  return lower
    .replace(/\p{Script=Han}/gu, foldHan)
    .normalize('NFD')
    .replace(/(?<=\p{Script=Latin})\p{M}+/gu, '')
    .normalize('NFC')
}

const WORD = String.raw`(?:(?!\p{Script=Han})[\p{L}\p{N}\p{M}])+`
const HAN_RUN = String.raw`\p{Script=Han}+`
// A line break inside a Chinese sentence is layout, not a word boundary.
const SOFT_BREAK = /(?<=\p{Script=Han})[ \t]*\r?\n[ \t]*(?=\p{Script=Han})/gu
const FLAG = String.raw`(?<![\p{L}\p{N}-])--?${WORD}(?:-${WORD})*`
const PATH = String.raw`(?<![\p{L}\p{N}/])~?(?:/${WORD}(?:[._-]${WORD})*)+`
const COMPOUND = String.raw`${WORD}(?:[._\-/@:+]${WORD})*(?:\+\+|#)?`
const TERM = new RegExp(`${HAN_RUN}|${FLAG}|${PATH}|${COMPOUND}`, 'gu')
const PARTS = new RegExp(WORD, 'gu')

/**
 * One word of a text as it is searched: Han runs stay whole here, because what is a word in them is not known.
 * A compound (`docker.io`, `vt-x`, `--rm`, `/dev/kvm`) is kept whole, together with its parts, and joined (`vtx`).
 */
export type Term =
  | { kind: 'han'; run: string }
  | { kind: 'word'; token: string }
  | { kind: 'compound'; whole: string; joined: string | undefined; parts: string[] }

const stems = new Map<string, string>()

function stem(word: string): string {
  if (word.length < 3 || !/^[a-z]+$/.test(word)) return word
  let root = stems.get(word)
  if (root === undefined) {
    if (stems.size >= 50_000) stems.clear()
    root = stemmer(word)
    stems.set(word, root)
  }
  return root
}

const cut = (token: string): string => token.slice(0, LONGEST_TOKEN)

/** @returns the terms of a text in order; English grammar words are left out. */
export function terms(text: string): Term[] {
  const folded = fold(text)
    .replace(SOFT_BREAK, '')
    .replace(/(?<=\p{L})['’]s(?!\p{L})/gu, '')
    .replace(/(?<=\p{L})['’](?=\p{L})/gu, '')
    .replace(/(?<=\p{N}),(?=\p{N}{3}(?!\p{N}))/gu, '')
  const found: Term[] = []
  for (const [match] of folded.matchAll(TERM)) {
    if (/^\p{Script=Han}/u.test(match)) {
      found.push({ kind: 'han', run: match })
      continue
    }
    const words = match.match(PARTS) ?? []
    if (words.length === 1 && words[0] === match) {
      if (!STOP_WORDS.has(match)) found.push({ kind: 'word', token: cut(stem(match)) })
      continue
    }
    const joined = words.length > 1 && !match.includes('/') ? words.join('') : undefined
    found.push({
      kind: 'compound',
      whole: cut(match),
      joined: joined === undefined ? undefined : cut(joined),
      parts: words.filter((word) => word.length > 1 && !STOP_WORDS.has(word)).map((word) => cut(stem(word))),
    })
  }
  return found
}

/** Single characters and bigrams of a Han run: 虚拟机 gives 虚, 虚拟, 拟, 拟机, 机. */
function hanTokens(run: string): string[] {
  const chars = [...run]
  return chars.flatMap((char, i) => {
    const next = chars[i + 1]
    return next === undefined ? [char] : [char, char + next]
  })
}

/** Every token that a term is findable by. */
export function tokensOf(term: Term): string[] {
  if (term.kind === 'han') return hanTokens(term.run)
  if (term.kind === 'word') return [term.token]
  return [...new Set([term.whole, ...(term.joined === undefined ? [] : [term.joined]), ...term.parts])]
}

/** The tokens of a text in order, with repetitions. No token holds white space or a double quote. */
export const tokenize = (text: string): string[] => terms(text).flatMap(tokensOf)

/**
 * A text's tokens as they are kept to rank by: a Han run stands whole, since its tokens are cut from it in no time and
 * would take four times its space.
 */
export const packTokens = (text: string): string =>
  terms(text)
    .flatMap((term) => (term.kind === 'han' ? [term.run] : tokensOf(term)))
    .join(' ')

/** @param packed as `packTokens` gives it @returns the same tokens as `tokenize` gives of the text */
export function unpackTokens(packed: string): string[] {
  if (packed === '') return []
  const tokens: string[] = []
  for (const item of packed.split(' ')) {
    if (item.charCodeAt(0) >= FIRST_HAN && /^\p{Script=Han}/u.test(item)) tokens.push(...hanTokens(item))
    else tokens.push(item)
  }
  return tokens
}

/** Where Unicode's Han characters begin; nearly every other token begins before. */
export const FIRST_HAN = 0x2e80
