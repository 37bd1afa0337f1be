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

/**
 * Folds one character at a time, so that a character's fate never depends on its neighbours: a phrase-aware
 * conversion may turn the same word into two different ones in a document and in a question.
 */
const foldChar = (char: string): string => (/\p{Script=Han}/u.test(char) ? toSimplified(char) : char)

/** What each of UTF-16's units folds to, found out when it is first met. */
const foldedUnits = new Uint16Array(0x1_0000)
const NOT_MET = 0
/** Half a character, or one that does not fold to one unit: looked up each time. */
const BY_ITSELF = 0xffff

function foldedUnit(unit: number): number {
  const known = foldedUnits[unit] as number
  if (known !== NOT_MET) return known
  const folded = unit >= 0xd800 && unit <= 0xdfff ? '' : foldChar(String.fromCharCode(unit))
  const found = folded.length === 1 ? folded.charCodeAt(0) : BY_ITSELF
  foldedUnits[unit] = found
  return found
}

function foldHan(text: string): string {
  let folded = ''
  let from = 0
  for (let at = 0; at < text.length; ) {
    const unit = text.charCodeAt(at)
    if (unit < FIRST_HAN || foldedUnit(unit) === unit) {
      at += 1
      continue
    }
    const char = text.slice(at, at + widthAt(text, at))
    folded += text.slice(from, at) + foldChar(char)
    at += char.length
    from = at
  }
  return from === 0 ? text : folded + text.slice(from)
}

/** NFKC, lower case, no accents on Latin letters, Traditional as Simplified characters. */
export function fold(text: string): string {
  const lower = text.normalize('NFKC').toLowerCase()
  if (ASCII.test(lower)) return lower
  return foldHan(lower)
    .normalize('NFD')
    .replace(/(?<=\p{Script=Latin})\p{M}+/gu, '')
    .normalize('NFC')
}

const HAN_RUN = String.raw`\p{Script=Han}+`
// A line break inside a Chinese sentence is layout, not a word boundary.
const SOFT_BREAK = /(?<=\p{Script=Han})[ \t]*\r?\n[ \t]*(?=\p{Script=Han})/gu
// What is looked for comes first in these, and what stands before it after: most texts hold none, and are passed over fast.
const POSSESSIVE = /['’]s(?<=\p{L}['’]s)(?!\p{L})/gu
const APOSTROPHE = /['’](?<=\p{L}['’])(?=\p{L})/gu
const THOUSANDS = /,(?<=\p{N},)(?=\p{N}{3}(?!\p{N}))/gu

interface Patterns {
  readonly term: RegExp
  /** A whole term that is one word. */
  readonly word: RegExp
  /** The words of a compound. */
  readonly parts: RegExp
}

/** @param char what words are made of @param before what a flag or a path does not follow */
function patternsOf(char: string, before: string, others: readonly string[] = []): Patterns {
  const word = `${char}+`
  const flag = `(?<![${before}-])--?${word}(?:-${word})*`
  const path = `(?<![${before}/])~?(?:/${word}(?:[._-]${word})*)+`
  const compound = String.raw`${word}(?:[._\-/@:+]${word})*(?:\+\+|#)?`
  return {
    term: new RegExp([...others, flag, path, compound].join('|'), 'gu'),
    word: new RegExp(`^${word}$`, 'u'),
    parts: new RegExp(word, 'gu'),
  }
}

const ANY = patternsOf(String.raw`(?:(?!\p{Script=Han})[\p{L}\p{N}\p{M}])`, String.raw`\p{L}\p{N}`, [HAN_RUN])
/** The same of folded text that is nothing but ASCII, several times as fast. */
const PLAIN = patternsOf('[a-z0-9]', 'a-z0-9')
// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is "all of ASCII"
const ASCII = /^[\x00-\x7f]*$/

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
  const whole = fold(text)
  const folded = (whole.includes('\n') ? whole.replace(SOFT_BREAK, '') : whole)
    .replace(POSSESSIVE, '')
    .replace(APOSTROPHE, '')
    .replace(THOUSANDS, '')
  const patterns = ASCII.test(folded) ? PLAIN : ANY
  const found: Term[] = []
  for (const match of folded.match(patterns.term) ?? []) {
    if (startsWithHan(match)) {
      found.push({ kind: 'han', run: match })
      continue
    }
    if (patterns.word.test(match)) {
      if (!STOP_WORDS.has(match)) found.push({ kind: 'word', token: cut(stem(match)) })
      continue
    }
    const words = match.match(patterns.parts) ?? []
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
  const tokens: string[] = []
  for (let at = 0; at < run.length; ) {
    const middle = at + widthAt(run, at)
    tokens.push(run.slice(at, middle))
    if (middle < run.length) tokens.push(run.slice(at, middle + widthAt(run, middle)))
    at = middle
  }
  return tokens
}

/** Rare characters take two of UTF-16's units. */
const widthAt = (text: string, at: number): number => ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1)

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
    if (startsWithHan(item)) tokens.push(...hanTokens(item))
    else tokens.push(item)
  }
  return tokens
}

/** Where Unicode's Han characters begin; nearly every other token begins before. */
export const FIRST_HAN = 0x2e80
const startsWithHan = (token: string): boolean => token.charCodeAt(0) >= FIRST_HAN && /^\p{Script=Han}/u.test(token)
