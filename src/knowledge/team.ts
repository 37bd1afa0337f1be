/** Owns what people write into the base by hand: saving, taking away and bringing back cards of a team's own. */
import { bodyOf, cardOf, type Document } from './document.js'
import { Unreadable } from './formats/unreadable.js'
import { isDay, LONGEST_ID } from './front-matter.js'
import { languageOf, otherThan } from './language.js'
import { linkedIds } from './links.js'
import { BY_HAND, type CardHead, type Lang, type Source, type Told, type Topic } from './model.js'
import {
  type CardKey,
  type Change,
  SHARED,
  type Store,
  type StoredCard,
  type StoredHead,
  type Version,
} from './store.js'
import { fold, tokenize } from './tokenize.js'

/** What somebody writes; what is left out stays as it was. */
export interface Draft {
  id: string
  title?: string
  text?: string
  lang?: Lang
  aliases?: string[]
  tags?: string[]
  asOf?: string
  review?: string
  sources?: Source[]
}

export type Saved =
  | { saved: true; lang: Lang; version: number; isNew: boolean }
  /** Nothing was changed: other cards say nearly the same, or have the same name. */
  | { saved: false; similar: Topic[] }
  | { saved: false; problem: Told }

export interface ShownCard extends StoredCard {
  /** The tenant's cards that its text links to. */
  links: Topic[]
}

export interface CardSummary {
  id: string
  lang: Lang
  title: string
  collection: string
  tags: string[]
  version: number
  author: string
  /** Epoch ms. */
  at: number
  asOf?: string
  review?: string
}

/** Two texts say the same when the shorter one's words are this much in the other. */
const NEARLY_THE_SAME = 0.8
const FEWEST_WORDS = 8
const MOST_LISTED = 200
/** Cards of a name, before those are picked that are meant. */
const MOST_NAMED = 10_000
const PAGE = 500

export interface CardFilter {
  collection?: string
  tag?: string
  /** A day, YYYY-MM-DD. */
  dueBy?: string
  /** What the title or the id holds; those that begin with it come first. */
  name?: string
  /** Those that ship as well, but where the tenant has one of the same id and language. */
  withShipped?: boolean
  /** 200 by default. */
  most?: number
}

export interface Team {
  /** @param anyway saves although other cards are similar */
  save(draft: Draft, tenant: string, change: Change, anyway: boolean): Saved
  /** @param lang of several with the id @returns the language of the one that was removed */
  remove(tenant: string, id: string, lang: Lang | undefined, change: Change): Lang | undefined
  /** A tenant's own card, or the shared one. */
  show(tenant: string, id: string, lang: Lang | undefined): ShownCard | undefined
  history(
    tenant: string,
    id: string,
    lang: Lang | undefined,
  ): { lang: Lang; current?: StoredCard; versions: Version[] } | undefined
  /** Makes an earlier version the present one. */
  revert(tenant: string, id: string, lang: Lang | undefined, version: number, change: Change): Saved | undefined
  list(tenant: string, filter: CardFilter): CardSummary[]
}

const TEXT_NEEDED: Told = {
  en: 'there is no card of that id, so its text is needed',
  zh: '没有该 ID 的卡片，因此需要提供正文',
}

/** @param similarTo cards that are about what a text is about, nearest first */
export function openTeam(store: Store, similarTo: (text: string, tenant: string, lang: Lang) => Topic[]): Team {
  /** In which language a tenant has a card, or had one. */
  const keyOf = (tenant: string, id: string, lang: Lang | undefined, has: (key: CardKey) => boolean) => {
    const langs: Lang[] = lang === undefined ? ['zh', 'en'] : [lang]
    return langs.map((one): CardKey => ({ tenant, lang: one, id })).find(has)
  }
  const isThere = (key: CardKey): boolean => store.find(key) !== undefined

  /** Where the linked file has become a card in both languages, the one in the card's own is meant. */
  function linksOf({ tenant, lang, text, file }: StoredCard): Topic[] {
    return linkedIds(text, file).flatMap((id) => {
      const key = [lang, otherThan(lang)].map((one): CardKey => ({ tenant, lang: one, id })).find(isThere)
      const linked = key && store.card(key)
      return linked ? [{ card: id, title: linked.title, lang: linked.lang }] : []
    })
  }

  function write(document: Document, tenant: string, collection: string, change: Change): Saved {
    try {
      const card = cardOf(document)
      const key = { tenant, lang: card.lang, id: card.id }
      const isNew = !isThere(key)
      store.atomically(() => store.put(card, { tenant, collection }, change))
      return { saved: true, lang: card.lang, version: store.card(key)?.version ?? 1, isNew }
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      return { saved: false, problem: error.told }
    }
  }

  function* allOf(owner: string): Generator<StoredHead> {
    for (let after: StoredHead | undefined; ; ) {
      const page = store.heads.page(owner, after, PAGE)
      yield* page
      after = page.at(-1)
      if (page.length < PAGE) return
    }
  }

  function similar(document: Document, tenant: string): Topic[] {
    const words = new Set(tokenize(document.text))
    return similarTo(`${document.title} ${document.text}`, tenant, document.lang).filter(
      ({ card: id, title, lang }) => {
        if (id === document.id) return false
        if (fold(title).trim() === fold(document.title).trim()) return true
        const other = store.card({ tenant, lang, id }) ?? store.card({ tenant: SHARED, lang, id })
        if (other === undefined || words.size < FEWEST_WORDS) return false
        const others = new Set(tokenize(bodyOf(other)))
        const common = [...words].filter((word) => others.has(word)).length
        return common / Math.min(words.size, others.size) >= NEARLY_THE_SAME
      },
    )
  }

  return {
    save(draft, tenant, change, anyway) {
      const { id, text: written } = draft
      if (id.trim() === '' || id.length > LONGEST_ID)
        return {
          saved: false,
          problem: { en: `an id has 1 to ${LONGEST_ID} characters`, zh: `ID 为 1 到 ${LONGEST_ID} 个字符` },
        }
      if (draft.review !== undefined && !isDay(draft.review)) {
        return {
          saved: false,
          problem: { en: 'the review date must be a day, YYYY-MM-DD', zh: '复核日期应为 YYYY-MM-DD' },
        }
      }
      const langs: Lang[] = [draft.lang ?? languageOf(written ?? draft.title ?? '')]
      if (draft.lang === undefined && written === undefined) langs.push(otherThan(langs[0] as Lang))
      const before = langs
        .flatMap((lang) => [store.card({ tenant, lang, id }), store.card({ tenant: SHARED, lang, id })])
        .find((card) => card !== undefined)
      const text = written ?? (before && bodyOf(before))
      if (text === undefined) return { saved: false, problem: TEXT_NEEDED }
      const head: Partial<CardHead> = {
        ...(before === undefined ? {} : headOf(before)),
        ...(draft.aliases ? { aliases: draft.aliases } : {}),
        ...(draft.tags ? { tags: draft.tags } : {}),
        ...(draft.asOf ? { asOf: draft.asOf } : {}),
        ...(draft.review ? { review: draft.review } : {}),
        ...(draft.sources ? { sources: draft.sources } : {}),
      }
      const title = draft.title ?? before?.title ?? id
      const lang = before?.lang ?? (langs[0] as Lang)
      const document = { id, title, text, head, lang, file: id, line: 1 }
      const others = anyway ? [] : similar(document, tenant)
      if (others.length > 0) return { saved: false, similar: others }
      return write(document, tenant, before?.tenant === tenant ? before.collection : BY_HAND, change)
    },
    remove(tenant, id, lang, change) {
      const key = keyOf(tenant, id, lang, isThere)
      if (key !== undefined) store.atomically(() => store.remove(key, change))
      return key?.lang
    },
    show(tenant, id, lang) {
      const own = keyOf(tenant, id, lang, isThere) ?? keyOf(SHARED, id, lang, isThere)
      const card = own && store.card(own)
      return card && { ...card, links: linksOf(card) }
    },
    history(tenant, id, lang) {
      const key = keyOf(tenant, id, lang, isThere) ?? keyOf(tenant, id, lang, (one) => store.history(one).length > 0)
      if (key === undefined) return undefined
      const current = store.card(key)
      return { lang: key.lang, versions: store.history(key), ...(current === undefined ? {} : { current }) }
    },
    revert(tenant, id, lang, version, change) {
      const key = keyOf(tenant, id, lang, (one) => store.versionOf(one, version) !== undefined)
      const earlier = key && store.versionOf(key, version)
      if (key === undefined || earlier === undefined) return undefined
      const { text, title, ...head } = earlier
      const collection = store.card(key)?.collection ?? BY_HAND
      return write({ id, title, text, head, lang: key.lang, file: id, line: 1 }, tenant, collection, change)
    },
    list(tenant, { collection, tag, dueBy, name = '', withShipped = false, most = MOST_LISTED }) {
      const isMeant = (card: StoredHead): boolean =>
        (collection === undefined || card.collection === collection) &&
        (tag === undefined || card.tags.includes(tag)) &&
        (dueBy === undefined || (card.review !== undefined && card.review <= dueBy))
      const areAllMeant = collection === undefined && tag === undefined && dueBy === undefined
      const found = new Map<string, CardSummary>()
      for (const owner of withShipped ? [tenant, SHARED] : [tenant]) {
        const heads = name === '' ? allOf(owner) : store.heads.named(owner, name, areAllMeant ? most : MOST_NAMED)
        for (const head of heads) {
          if (found.size === most) break
          // Its own stands before a shipped one.
          const key = `${head.lang}/${head.id}`
          if (isMeant(head) && !found.has(key)) found.set(key, summaryOf(head))
        }
      }
      return [...found.values()]
    },
  }
}

const headOf = ({ aliases, tags, systems, level, sources, asOf, review }: CardHead): Partial<CardHead> => ({
  aliases,
  tags,
  systems,
  level,
  sources,
  ...(asOf === undefined ? {} : { asOf }),
  ...(review === undefined ? {} : { review }),
})

function summaryOf({ id, lang, title, collection, tags, version, changed, asOf, review }: StoredHead): CardSummary {
  return {
    id,
    lang,
    title,
    collection,
    tags,
    version,
    author: changed.author,
    at: changed.at,
    ...(asOf === undefined ? {} : { asOf }),
    ...(review === undefined ? {} : { review }),
  }
}
