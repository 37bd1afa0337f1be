/** Owns looking at cards without their texts: page by page, and by what their titles and ids hold. */
import type { Database } from 'better-sqlite3'
import type { CardHead, Lang } from './model.js'

/** Who changed a card, when (epoch ms) and why. */
export interface Change {
  author: string
  at: number
  reason: string
}

export interface StoredHead extends CardHead {
  tenant: string
  lang: Lang
  collection: string
  /** Path or name of what it came from. */
  file: string
  version: number
  changed: Change
}

export interface HeadStore {
  /** A tenant's own cards, in the order of their language and id, from behind one on. */
  page(tenant: string, after: { lang: Lang; id: string } | undefined, most: number): StoredHead[]
  /** A tenant's own cards whose title or id holds a name, of Latin letters in whatever case; first what begins with it. */
  named(tenant: string, name: string, most: number): StoredHead[]
}

/** What of a card's head is not a column of its own. */
export type RestOfHead = Omit<CardHead, 'id' | 'title'>

export interface HeadRow {
  key: number
  tenant: string
  lang: Lang
  id: string
  collection: string
  file: string
  hash: string
  head: string
  title: string
  version: number
  author: string
  at: number
  reason: string
}

export interface PageOfCards {
  tenant: string
  lang: string
  id: string
  most: number
}

export const FROM_CARDS = 'FROM knowledge_cards c JOIN knowledge_shelves s ON s.id = c.shelf'
export const HEAD_COLUMNS = `c.key, s.tenant, s.lang, c.id, c.collection, c.file, c.hash, c.head, c.title, c.version, c.author,
  c.at, c.reason`
export const PAGE_OF_CARDS = `WHERE s.tenant = @tenant AND (s.lang, c.id) > (@lang, @id) ORDER BY s.lang, c.id LIMIT @most`

interface Named {
  tenant: string
  name: string
  most: number
}

interface Beginning extends Named {
  /** Comes behind every text that begins with the name. */
  end: string
}

export function toHead({ id, title, head, author, at, reason, ...row }: HeadRow): StoredHead {
  return { ...row, ...(JSON.parse(head) as RestOfHead), id, title, changed: { author, at, reason } }
}

export function openHeadStore(db: Database): HeadStore {
  const keysOf = <Given>(condition: string) =>
    db
      .prepare<[Given], number>(`SELECT c.key ${FROM_CARDS} WHERE s.tenant = @tenant AND ${condition} LIMIT @most`)
      .pluck()
  const sql = {
    page: db.prepare<[PageOfCards], HeadRow>(`SELECT ${HEAD_COLUMNS} ${FROM_CARDS} ${PAGE_OF_CARDS}`),
    head: db.prepare<[number], HeadRow>(`SELECT ${HEAD_COLUMNS} ${FROM_CARDS} WHERE c.key = ?`),
    withId: keysOf<Beginning>('c.id >= @name AND c.id < @end'),
    titled: keysOf<Beginning>('c.title >= @name COLLATE NOCASE AND c.title < @end COLLATE NOCASE'),
    holding: keysOf<Named>(`(c.title LIKE @name ESCAPE '!' OR c.id LIKE @name ESCAPE '!')`),
  }
  return {
    page: (tenant, after, most) =>
      sql.page.all({ tenant, lang: after?.lang ?? '', id: after?.id ?? '', most }).map(toHead),
    named(tenant, name, most) {
      const beginning = { tenant, name, end: `${name}\u{10FFFF}`, most }
      const keys = new Set([...sql.withId.all(beginning), ...sql.titled.all(beginning)])
      // Looks at all names there are where few hold this one: 0.1 s for 300,000.
      if (keys.size < most) {
        const pattern = `%${name.replaceAll(/[!%_]/g, '!$&')}%`
        for (const key of sql.holding.all({ tenant, name: pattern, most })) keys.add(key)
      }
      return [...keys].slice(0, most).flatMap((key) => sql.head.all(key).map(toHead))
    },
  }
}
