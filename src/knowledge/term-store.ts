/** Owns the table of the dictionary. */
import type { Database } from 'better-sqlite3'
import type { Lang } from './model.js'

export interface TermStore {
  /** @returns tokens joined by spaces, one text a translation */
  words(lang: Lang, term: string): string[]
  /** Translations of the English words that are nearest in form to one that has none. */
  relatives(term: string): string[]
  fill(terms: Readonly<Record<Lang, ReadonlyMap<string, ReadonlySet<string>>>>): void
}

/** Shorter words share their beginning with too many others. */
const SHORTEST_RELATIVE = 5

/** @param db its own; the table is made when it is missing and the database may be written */
export function openTermStore(db: Database): TermStore {
  if (!db.readonly) {
    db.exec(
      'CREATE TABLE IF NOT EXISTS terms (lang TEXT, term TEXT, words TEXT NOT NULL, PRIMARY KEY (lang, term)) WITHOUT ROWID',
    )
  }
  const select = db.prepare<[Lang, string], { words: string }>('SELECT words FROM terms WHERE lang = ? AND term = ?')
  const relative = db.prepare<[string, string, number], { words: string }>(
    `SELECT words FROM terms WHERE lang = 'en' AND term >= ? AND term < ? AND length(term) <= ? AND instr(term, ' ') = 0
     ORDER BY length(term), term LIMIT 1`,
  )
  return {
    words(lang, term) {
      const row = select.get(lang, term)
      return row === undefined ? [] : row.words.split('\n')
    },
    relatives(term) {
      if (term.length < SHORTEST_RELATIVE) return []
      for (let length = term.length; length >= SHORTEST_RELATIVE; length -= 1) {
        const row = relative.get(term.slice(0, length), `${term.slice(0, length)}\u{10FFFF}`, term.length + 3)
        if (row) return row.words.split('\n')
        if (length <= term.length - 3) return []
      }
      return []
    },
    fill(terms) {
      const insert = db.prepare('INSERT INTO terms (lang, term, words) VALUES (?, ?, ?)')
      db.transaction(() => {
        for (const lang of ['zh', 'en'] as const) {
          for (const [term, words] of terms[lang]) if (words.size > 0) insert.run(lang, term, [...words].join('\n'))
        }
      })()
    },
  }
}
