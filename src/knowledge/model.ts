/** Owns the words of this room: what goes in (cards), what is kept (passages) and what comes out (hits, answers). */

/** The languages that cards are written in. */
export type Lang = 'zh' | 'en'

/** The collection of what was written by hand, and of what nobody named one for. */
export const BY_HAND = 'team'

/** Where a card's facts were checked; only its title and address are kept, never its text. */
export interface Source {
  title: string
  url?: string
}

/** One place in one card that carries a sentence of an answer. `quote` is text of the card, character for character. */
export interface Citation {
  card: string
  title: string
  heading: string
  lang: Lang
  quote: string
  /** Where in the card's file or text the quote begins, 1-based. */
  line: number
  asOf?: string
  /** Present when the card's review is overdue: the day it was due. */
  overdue?: string
  sources: Source[]
}

/** Systems set beside each other: `values` of a row stand in the order of `systems`. */
export interface Comparison {
  systems: { id: string; name: string; card: string }[]
  rows: { label: string; values: string[] }[]
  sources: Source[]
  asOf: string
}

/** A picture that ships. */
export interface Diagram {
  id: string
  lang: Lang
  caption: string
  /** What it shows, for those who do not see it. */
  alt: string
}

/** What was asked for, or the honest absence of it: "not found" is a value, never an error. */
export interface Answer {
  found: boolean
  /** Markdown; every sentence ends with `[n]`, the 1-based index into `citations`. Empty when nothing was found. */
  answer: string
  citations: Citation[]
  /** 0..1, from scale-free signals, so it means the same in a small and in a large base. */
  confidence: number
  nearest: Topic[]
  lang: Lang
  /** What was asked about, in the same words for questions that differ only in form; empty when it was about nothing. */
  gist: string
  /** The facts beside each other, when the question was a comparison of systems we have a table of. */
  comparison?: Comparison
  /** What the card that answers is drawn as. */
  diagram?: Diagram
}

export interface Topic {
  card: string
  title: string
  lang: Lang
}

/** The best passage of one card. `score` orders the hits of one search; it is not comparable between searches. */
export interface Hit {
  passage: string
  card: string
  title: string
  heading: string
  lang: Lang
  snippet: string
  score: number
}

/** A sentence for people, in both languages; it begins small and has no full stop, for it may stand within another. */
export interface Told {
  readonly en: string
  readonly zh: string
}

/** Something wrong in one file. `line` is 1-based and counts from the top of the file, front matter included. */
export interface Problem {
  file: string
  line: number
  message: Told
}

export interface IngestReport {
  added: number
  changed: number
  unchanged: number
  removed: number
  problems: Problem[]
}

/** How much a card asks of its reader. */
export type Level = 'intro' | 'working' | 'deep'

/** What the front matter of a card says. */
export interface CardHead {
  id: string
  title: string
  aliases: string[]
  tags: string[]
  systems: string[]
  level: Level
  asOf?: string
  /** The day from which on somebody should look whether it still holds, YYYY-MM-DD. */
  review?: string
  sources: Source[]
}

/** A stretch of a passage that can be found by itself, and, if it is a sentence, quoted by itself. */
export interface Unit {
  kind: 'sentence' | 'code' | 'row'
  /** Offsets into the passage's `body`, in UTF-16 code units, end exclusive. */
  start: number
  end: number
  /** The readable text: markup, link targets and table bars are gone. This is what is indexed. */
  text: string
}

/** A section of a card, or a part of a long one: the thing that is found and ranked. */
export interface Passage {
  heading: string
  /** A slice of the card's text, character for character. */
  body: string
  /** Where in the text `body` begins, in UTF-16 code units. */
  start: number
  /** 1-based line of the file where `body` begins. */
  line: number
  units: Unit[]
}

/** A card as it is stored: one file, one language. */
export interface Card extends CardHead {
  lang: Lang
  /** Path of the file relative to the ingested folder. */
  file: string
  /** Changes when the text changes, or when we would cut or index the same text differently. */
  hash: string
  /** What `passages` are places in: Markdown, of a shipped card with its front matter. */
  text: string
  passages: Passage[]
}
