/**
 * Owns the view of the base that one question has of one shelf. What is rare is judged by the shelf alone: neither what
 * ships nor another tenant's cards change how a team's own are found.
 */
import { at } from './maps.js'
import type { Lang } from './model.js'
import { idf, type Vocabulary } from './query.js'
import { type Group, retrieve } from './retrieve.js'
import { speller } from './spelling.js'
import { type Candidate, SHARED, type Store } from './store.js'

export interface View extends Vocabulary {
  /** BM25's rarity of a token. */
  rarity(token: string): number
  /** The average length of a passage, in tokens. */
  averageLength: number
  /** The passages that fit best by BM25, best first. */
  candidates(groups: readonly Group[], most: number): Candidate[]
}

/** The shelves that a tenant's people look at, in one language: their own first, then the shared one. Empty ones are left out. */
export type Views = (tenant: string, lang: Lang) => View[]

/** From this size on, reading a token that every tenth passage holds costs more than it tells. */
export const LARGE_SHELF = 10_000
const COMMON = 0.1
/** One of many translations is read only where it tells more. */
const COMMON_TRANSLATION = 0.02
/** As long as there are so many others. */
const FEWEST_RARE = 3

/** What a question asks for beside what nearly every passage holds; the closer look counts that again. */
function withoutCommon(groups: readonly Group[], passages: number, frequency: (token: string) => number): Group[] {
  if (passages < LARGE_SHELF) return [...groups]
  const rare = groups
    .map((group) => {
      const most = passages * (group.tokens.length > 1 ? COMMON_TRANSLATION : COMMON)
      return { ...group, tokens: group.tokens.filter(({ token }) => frequency(token) < most) }
    })
    .filter(({ tokens }) => tokens.length > 0)
  return rare.length < FEWEST_RARE ? [...groups] : rare
}

/**
 * @param isName whether a token is the name of a system
 * @param prune false scores every passage by every token: nearly the same result, much later
 */
export function openViews(store: Store, isName: (token: string) => boolean, prune: boolean): Views {
  const { index } = store
  const hidden = new Map<string, ReadonlySet<number>>()
  let hiddenAt: string | undefined
  const hiddenFrom = (tenant: string, lang: Lang): ReadonlySet<number> => {
    const state = store.state()
    if (state !== hiddenAt) hidden.clear()
    hiddenAt = state
    return at(hidden, `${lang} ${tenant}`, () => new Set(store.hidden(tenant, lang)))
  }

  function view(owner: string, tenant: string, lang: Lang): View | undefined {
    const shelf = index.shelf(owner, lang)
    if (shelf === undefined || shelf.passages === 0) return undefined
    const { id, passages, tokens } = shelf
    const known = new Map<string, number>()
    const frequency = (token: string): number => at(known, token, () => index.frequency(id, token))
    return {
      passages,
      frequency,
      isName,
      correct: speller((prefix, shortest, longest) => index.vocabulary(id, prefix, shortest, longest)),
      rarity: (token) => idf(passages, frequency(token)),
      averageLength: tokens / passages,
      candidates(groups, most) {
        const wanted = prune ? withoutCommon(groups, passages, frequency) : groups
        const notThese = owner === SHARED ? hiddenFrom(tenant, lang) : undefined
        const found = retrieve(wanted, index.open(shelf), most, (passage) => notThese?.has(passage) === true, prune)
        return found.flatMap(({ passage }) => store.candidate(passage) ?? [])
      },
    }
  }

  return (tenant, lang) => [...new Set([tenant, SHARED])].flatMap((owner) => view(owner, tenant, lang) ?? [])
}
