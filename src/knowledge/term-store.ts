/** Owns the table of the dictionary. */
import type { Database } from 'better-sqlite3'
import type { Lang } from './model.js'

/** What a term is written in: Chinese as people spell it in Latin letters is a way of writing of its own. */
export type Writing = Lang | 'pinyin'

export interface TermStore {
  /** @returns tokens joined by spaces, one text a translation */
  words(writing: Writing, term: string): string[]
  /** Translations of the English word that is nearest in form to one that has none. */
  relatives(term: string): string[]
  /** English words with this prefix and a length between the two. */
  between(prefix: string, shortest: number, longest: number): string[]
  fill(terms: Readonly<Record<Writing, ReadonlyMap<string, ReadonlySet<string>>>>): void
}

/** A word and its relative end differently in at most this many letters, or in a third of a longer word. */
const LONGEST_ENDING = 3
/** Shorter words share their beginning with too many others. */
const SHORTEST_RELATIVE = 5

/** @param db its own; the table is made when it is missing and the database may be written */
export function openTermStore(db: Database): TermStore {
  if (!db.readonly) {
    db.exec(
      'CREATE TABLE IF NOT EXISTS terms (lang TEXT, term TEXT, words TEXT NOT NULL, PRIMARY KEY (lang, term)) WITHOUT ROWID',
    )
  }
  const select = db.prepare<[Writing, string], { words: string }>('SELECT words FROM terms WHERE lang = ? AND term = ?')
  const relative = db.prepare<[string, string, number], { words: string }>(
    `SELECT words FROM terms WHERE lang = 'en' AND term >= ? AND term < ? AND length(term) <= ? AND instr(term, ' ') = 0
     ORDER BY length(term), term LIMIT 1`,
  )
  const between = db
    .prepare<[string, string, number, number], string>(
      `SELECT term FROM terms
       WHERE lang = 'en' AND term >= ? AND term < ? AND length(term) BETWEEN ? AND ? AND instr(term, ' ') = 0`,
    )
    .pluck()
  return {
    words(writing, term) {
      const row = select.get(writing, term)
      return row === undefined ? [] : row.words.split('\n')
    },
    relatives(term) {
      if (term.length < SHORTEST_RELATIVE) return []
      const ending = Math.max(LONGEST_ENDING, Math.floor(term.length / 3))
      const shortest = Math.max(SHORTEST_RELATIVE, term.length - ending)
      for (let length = term.length; length >= shortest; length -= 1) {
        const row = relative.get(
          term.slice(0, length),
          `${term.slice(0, length)}\u{10FFFF}`,
          term.length + LONGEST_ENDING,
        )
        if (row) return row.words.split('\n')
      }
      return []
    },
    between: (prefix, shortest, longest) => between.all(prefix, `${prefix}\u{10FFFF}`, shortest, longest),
    fill(terms) {
      const insert = db.prepare('INSERT INTO terms (lang, term, words) VALUES (?, ?, ?)')
      db.transaction(() => {
        for (const writing of ['zh', 'en', 'pinyin'] as const) {
          for (const [term, words] of terms[writing]) {
            if (words.size > 0) insert.run(writing, term, [...words].join('\n'))
          }
        }
      })()
    },
  }
}
