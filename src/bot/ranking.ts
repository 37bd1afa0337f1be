// How well what was typed fits a name: exactly, by its beginning, by the beginning of a word, by a part, by the initials
// of its pinyin, by an abbreviation; and where nothing does, by a guess.

export interface Nameable {
  /** What is recognized by any part of it. */
  readonly names: readonly string[]
  /** What is recognized by its beginning alone. */
  readonly ids: readonly string[]
}

/** Smaller is better. */
const EXACT = 0
const BEGINNING = 1
const BEGINNING_OF_WORD = 2
const PART = 3
const PINYIN = 4
const ABBREVIATION = 5
const TYPO = 6
const PIECES = 7
const NONE = Number.POSITIVE_INFINITY

const LONGEST_TYPED = 128
/** Shorter words are too near to too many others. */
const SHORTEST_WITH_TYPO = 4
/** Longer than this nothing is meant as an abbreviation, and of a sentence its beginning is enough for a guess. */
const LONGEST_GUESSED = 32
const MOST_WORDS = 12

/** Case, and full or half width, make no difference; Traditional and Simplified do. */
const fold = (text: string): string => (isAscii(text) ? text : text.normalize('NFKC')).toLowerCase()
const isAscii = (text: string): boolean => !/[^\0-\x7f]/.test(text)

const LETTER = /[\p{L}\p{N}]/u

/** The beginnings of its words, from each to the end: words are parted by whatever is no letter and no digit. */
const fromWords = (name: string): string[] =>
  Array.from(name.matchAll(/[\p{L}\p{N}]+/gu), ({ index }) => name.slice(index)).slice(0, MOST_WORDS)

function beginsWord(name: string, typed: string): boolean {
  for (let at = name.indexOf(typed); at !== -1; at = name.indexOf(typed, at + 1)) {
    if (!LETTER.test(name.charAt(at - 1))) return true
  }
  return false
}

const pinyin = new Intl.Collator('zh-u-co-pinyin')
const LETTERS = 'abcdefghjklmnopqrstwxyz'
/** The first character of each of these letters in the order of pinyin; no syllable begins with i, u or v. */
const FIRST_OF_LETTER = [...'阿八嚓咑妸发旮哈讥咔垃呣拏噢趴七肰仨他穵夕丫帀']
const HAN = /\p{Script=Han}/u
const initials = new Map<string, string>()

/** The letter that a character's pinyin begins with, by its commonest reading; any other character is its own. */
export function initialOf(char: string): string {
  if (!HAN.test(char)) return char
  const known = initials.get(char)
  if (known !== undefined) return known
  const at = FIRST_OF_LETTER.findLastIndex((first) => pinyin.compare(first, char) <= 0)
  const initial = LETTERS[at] ?? char
  initials.set(char, initial)
  return initial
}

/** @returns -1 where they are not there */
const placeInInitials = (name: string, typed: string): number =>
  !isAscii(name) && HAN.test(name) && /[a-z]/.test(typed) ? Array.from(name, initialOf).join('').indexOf(typed) : -1

/** @returns in how many pieces the letters stand in a text, in their order; undefined when they do not */
function piecesIn(text: string, typed: string): number | undefined {
  let pieces = 0
  let last = -2
  for (const letter of typed) {
    const at = text.indexOf(letter, Math.max(0, last + 1))
    if (at === -1) return undefined
    if (at !== last + 1) pieces += 1
    last = at
  }
  return pieces
}

/** `wp` and `webpr` for `web-prod`: beginnings of its words one after the other, some left out. */
function isAbbreviation(words: readonly string[], typed: string): boolean {
  /** How much of what was typed may be behind us after the words until here. */
  const reached = new Set([0])
  for (const word of words) {
    for (const from of [...reached]) {
      for (let length = 0; length < word.length && word[length] === typed[from + length]; length++) {
        reached.add(from + length + 1)
      }
    }
  }
  return reached.has(typed.length)
}

/** Whether one letter too many, too few, another one, or two exchanged tell it from the beginning of a text. */
function isOneOff(text: string, typed: string): boolean {
  let at = 0
  while (at < typed.length && typed[at] === text[at]) at++
  // Hardly anybody mistypes the first letter.
  if (at === 0) return false
  const goesOn = (from: number, skipped: number): boolean => text.startsWith(typed.slice(at + skipped), at + from)
  const isExchanged = typed[at] === text[at + 1] && typed[at + 1] === text[at] && goesOn(2, 2)
  return goesOn(1, 1) || goesOn(0, 1) || goesOn(1, 0) || isExchanged
}

/** Of one name that holds what was typed, in one way or another. */
function distanceOf(name: string, typed: string): number {
  if (name === typed) return EXACT
  if (name.startsWith(typed)) return BEGINNING
  if (name.includes(typed)) return beginsWord(name, typed) ? BEGINNING_OF_WORD : PART
  const place = placeInInitials(name, typed)
  if (place !== -1) return place === 0 ? PINYIN : PINYIN + 0.5
  // Who types spaces types words.
  if (typed.length > LONGEST_GUESSED || /\s/.test(typed) || piecesIn(name, typed) === undefined) return NONE
  const from = fromWords(name)
  const words = from.map((rest, i) => rest.slice(0, rest.length - (from[i + 1]?.length ?? 0)))
  return isAbbreviation(words, typed) ? ABBREVIATION : NONE
}

/** Of one name that holds nothing of the kind. */
function guessOf(name: string, typed: string): number {
  if (typed.length > LONGEST_GUESSED) return NONE
  const from = fromWords(name)
  if (typed.length >= SHORTEST_WITH_TYPO && from.some((rest) => isOneOff(rest, typed))) return TYPO
  const pieces = from.flatMap((rest) => (rest[0] === typed[0] ? (piecesIn(rest, typed) ?? []) : []))
  return pieces.length === 0 ? NONE : PIECES + Math.min(...pieces) / LONGEST_TYPED
}

function distance({ names, ids }: Nameable, typed: string): number {
  const folded = names.map(fold)
  const nearest = (wanted: string): number =>
    Math.min(
      ...ids.map((id) => (id === wanted ? EXACT : id.startsWith(wanted) ? BEGINNING : NONE)),
      ...folded.map((name) => distanceOf(name, wanted)),
    )
  const whole = nearest(typed)
  const words = typed.split(/\s+/)
  if (words.length === 1 || whole < NONE) return whole
  // Several words may come in any order: as far as the one that fits least.
  const least = Math.max(...words.map(nearest))
  return least < ABBREVIATION ? least : NONE
}

const guess = ({ names }: Nameable, typed: string): number =>
  Math.min(...names.map((name) => guessOf(fold(name), typed)))

/**
 * @param items in the order that is kept among those that fit equally well
 * @returns those that fit, best first; guesses only where there is nothing else
 */
export function ranked<T extends Nameable>(items: readonly T[], typed: string): T[] {
  const wanted = fold(typed).trim().slice(0, LONGEST_TYPED)
  if (wanted === '') return [...items]
  const inOrder = (far: (item: T, typed: string) => number): T[] =>
    items
      .map((item) => ({ item, far: far(item, wanted) }))
      .filter(({ far }) => far < NONE)
      .sort((a, b) => a.far - b.far)
      .map(({ item }) => item)
  const found = inOrder(distance)
  return found.length > 0 ? found : inOrder(guess)
}
