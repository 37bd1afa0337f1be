/** Owns the answer: whether to give one at all, which sentences say it, and the citation of each. */
import type { Dictionary } from './dictionary.js'
import { languageOf, leansBack, otherThan } from './language.js'
import type { Answer, Citation, Lang, Topic, Unit } from './model.js'
import { K1 } from './postings.js'
import { contentTerms, coverage, type Query, readQuery, satisfaction } from './query.js'
import type { View, Views } from './scope.js'
import { bestPerCard, type Ranked, rank } from './search.js'
import type { CardKey, Store, StoredPassage } from './store.js'
import { tokenize } from './tokenize.js'
import { translateQuery } from './translate.js'

/** Below this confidence the answer is "not found". Chosen on the questions in data/eval. */
export const THRESHOLD = 0.5
const NEAREST = 3
/** Longer listings are left in the card: a chat message is no place for them. */
const LONGEST_CODE_LINES = 14
/** A card's opening is its direct answer, so it wins when another sentence is only a little nearer to the words. */
const OPENING = 0.12
/** What a lead sentence gains when the title (for the opening) or the heading (for a section) is the question itself. */
const LEAD = 0.3
const LEAD_OF_DEFINITION = 0.5
/** A sentence of the passage that was found best goes before an equal one elsewhere in the card. */
const HOME = 0.05
/** A second sentence must add this share of the question. */
const WORTH_ADDING = 0.15
/** What speaks for a second sentence beside that: that it follows the first, or opens a section on just the question. */
const CARRIES_ON = 0.1
const ON_JUST_THAT = 0.2
/** From here on a heading is nearly the question. */
const NAMED = 0.8

/** @param options.lang answer from this language's cards first; by default the language of the question */
export function answerQuestion(
  question: string,
  options: { lang?: Lang; tenant: string },
  store: Store,
  views: Views,
  dictionary: Dictionary,
): Answer {
  const asked = languageOf(question)
  const gist = gistOf(question)
  const lookIn = (lang: Lang): Look => {
    const looks = views(options.tenant, lang).map((view, i) => {
      const doubt = i === 0 ? 0 : DOUBT_OF_WHAT_SHIPS
      return lang === asked
        ? look(readQuery(question, view), view, doubt)
        : look(translateQuery(question, lang, view, dictionary), view, doubt + DOUBT_OF_TRANSLATION)
    })
    // The team's own shelf comes first: what ships goes before it only when it knows better.
    return looks.reduce((best, next) => (next.confidence > best.confidence ? next : best), looks[0] ?? NOTHING_SEEN)
  }
  const wanted = options.lang ?? asked
  const first = lookIn(wanted)
  const second = first.confidence >= THRESHOLD ? undefined : lookIn(otherThan(wanted))
  const chosen = second !== undefined && second.confidence >= THRESHOLD ? second : first

  if (chosen.confidence < THRESHOLD || chosen.found === undefined) {
    const nearest = nearestTopics(first.found?.ranked ?? [], undefined, wanted, store)
    return { found: false, answer: '', citations: [], confidence: chosen.confidence, nearest, lang: wanted, gist }
  }
  const { confidence } = chosen
  const { query, top, ranked } = chosen.found
  const composed = compose(query, top, ranked, store)
  const nearest = nearestTopics(ranked, top.candidate.card, top.candidate.lang, store)
  return { found: true, ...composed, confidence, nearest, lang: top.candidate.lang, gist }
}

/** The words that carry a question, in no order: "how do I freeze a container" and "freezing containers" have the same. */
function gistOf(question: string): string {
  const words = contentTerms(question).map((term) =>
    term.kind === 'han' ? term.run : term.kind === 'word' ? term.token : term.whole,
  )
  return [...new Set(words)].sort().join(' ')
}

interface Look {
  confidence: number
  found?: { query: Query; top: Ranked; ranked: Ranked[] }
}

const NOTHING_SEEN: Look = { confidence: 0 }

function look(query: Query, view: View, doubt: number): Look {
  const ranked = rank(query, view)
  const [top] = ranked
  // A question of grammar words alone finds passages, and asks for nothing in them.
  if (top === undefined || query.weight === 0) return NOTHING_SEEN
  return { confidence: confidenceOf(query, top, ranked, doubt), found: { query, top, ranked } }
}

/** A translated word has senses that nobody meant: an answer by way of them needs evidence that leaves little doubt. */
const DOUBT_OF_TRANSLATION = 5

/** A team that has cards of its own asks about other things than the ones that ship, too. */
const DOUBT_OF_WHAT_SHIPS = 1.2

/** How far ahead a card is taken to be when nothing else was found to compare it with. */
const NO_RIVAL = 0.3

/** Bigrams of Chinese are met by chance more often than words of English. */
const BASE: Record<Lang, number> = { zh: -5.9, en: -4.15 }

/**
 * A logistic curve over shares, none of which grows with the base. The factors were fitted, and rounded, on half of
 * XQuAD's articles asked of the other half and on the questions in data/eval.
 */
function confidenceOf(query: Query, top: Ranked, ranked: Ranked[], doubt: number): number {
  const rival = ranked.find(({ candidate }) => candidate.card !== top.candidate.card)
  const lead = rival === undefined ? NO_RIVAL : 1 - rival.score / top.score
  // What a passage would have that holds everything that was asked for, as often as counts.
  const strength = top.grouped / (query.weight * (K1 + 1))
  // One or two words are soon covered by any text; they need to be what the card is called, too.
  const thin = (1 - top.name) / Math.max(1, query.needs.length)
  const evidence =
    BASE[query.lang] +
    3.6 * top.covered +
    2.9 * top.sentence +
    0.7 * top.name +
    2.4 * top.nearness +
    2.4 * lead +
    4.6 * strength -
    5.8 * thin
  return 1 / (1 + Math.exp(doubt - evidence))
}

function nearestTopics(ranked: Ranked[], answered: string | undefined, lang: Lang, store: Store): Topic[] {
  const near = bestPerCard(ranked)
    .filter(({ candidate, covered }) => candidate.card !== answered && covered > 0.1)
    .map(({ candidate }) => ({ card: candidate.card, title: candidate.title, lang: candidate.lang }))
  const known = new Set([answered, ...near.map((topic) => topic.card)])
  const rest = store
    .topics(lang)
    .filter((topic) => !known.has(topic.card))
    .map((topic) => ({ ...topic, lang }))
  return [...near, ...rest].slice(0, NEAREST)
}

/** A unit that was chosen, with the passage that it is quoted from. */
interface Pick {
  passage: StoredPassage
  index: number
  unit: Unit
}

/** A sentence of the card, with everything that speaks for it in sum. */
interface Scored extends Pick {
  value: number
  /** It opens a section whose heading is nearly the question. */
  named: boolean
}

function compose(query: Query, top: Ranked, ranked: Ranked[], store: Store): { answer: string; citations: Citation[] } {
  const { tenant, lang, card } = top.candidate
  const key: CardKey = { tenant, lang, id: card }
  const passages = store.passagesOf(key)
  const fits = new Map(ranked.map((item) => [item.candidate.passage, item]))
  const picks = pickSentences(query, top, passages, fits)
  if (query.intent !== 'how' && picks.length > 0) return cite(picks, undefined, store)

  const code = pickCode(picks, top, passages, fits)
  const [first] = picks
  if (code !== undefined && first !== undefined && !picks.some(({ passage }) => passage.id === code.passage.id)) {
    // The command stands in another section: the sentence that leads up to it says more than a second one here.
    const lead = leadOf(code)
    if (lead !== undefined) return cite(inOrder(first, lead), code, store)
  }
  return cite(picks, code, store)
}

/** What some cards say first, each sentence cited; cards that are not there are passed over. */
export function quoteOpenings(cards: readonly CardKey[], store: Store): { answer: string; citations: Citation[] } {
  const picks = cards.flatMap((key) => {
    const [passage] = store.passagesOf(key)
    const pick = passage && leadOf({ passage })
    return pick ? [pick] : []
  })
  return cite(picks, undefined, store)
}

/** The sentence that opens a section. */
function leadOf({ passage }: { passage: StoredPassage }): Pick | undefined {
  const index = passage.units.findIndex(({ kind }) => kind === 'sentence')
  const unit = passage.units[index]
  return unit === undefined ? undefined : { passage, index, unit }
}

function pickSentences(query: Query, top: Ranked, passages: StoredPassage[], fits: Map<number, Ranked>): Pick[] {
  const lead = query.intent === 'define' ? LEAD_OF_DEFINITION : LEAD
  // A card without a single sentence can still be quoted by the rows of its tables.
  const units = passages.flatMap((passage) => passage.units)
  const kind = units.some((unit) => unit.kind === 'sentence') ? 'sentence' : 'row'
  const all = passages.flatMap((passage): Scored[] => {
    const fit = fits.get(passage.id)
    const home = passage.id === top.candidate.passage ? HOME : 0
    const first = passage.units.findIndex((unit) => unit.kind === kind)
    const bonus = passage.ordinal === 0 ? OPENING + lead * top.name : lead * (fit?.heading ?? 0)
    return passage.units.flatMap((unit, index) => {
      if (unit.kind !== kind) return []
      const isLead = index === first
      const value = (fit?.units[index] ?? 0) + home + (isLead ? bonus : 0)
      return [{ passage, index, unit, value, named: isLead && (fit?.heading ?? 0) >= NAMED }]
    })
  })
  let best = all[0]
  for (const item of all) if (best === undefined || item.value > best.value) best = item
  if (best === undefined) return []

  const around = all.filter((item) => item.passage.id === best.passage.id)
  const at = around.indexOf(best)
  const previous = around[at - 1]
  if (previous !== undefined && leansBack(best.unit.text)) return [previous, best]
  // A lead sentence is mostly carried on by the next one; a sentence from the middle was chosen for itself.
  const second = secondSentence(query, best, at === 0 ? around[1] : undefined, all)
  return second === undefined ? [best] : inOrder(best, second)
}

/**
 * The sentence that adds most to what the first one leaves open.
 * @param next the sentence that carries on the first; it is taken when no other adds clearly more
 */
function secondSentence(query: Query, best: Pick, next: Pick | undefined, all: Scored[]): Pick | undefined {
  const said = new Set(tokenize(best.unit.text))
  let winner = next
  let most = WORTH_ADDING
  for (const item of all) {
    if (item === best || (item !== next && leansBack(item.unit.text))) continue
    const adds = new Set(tokenize(item.unit.text))
    const gain = coverage(query, (need) => Math.max(0, satisfaction(need, adds) - satisfaction(need, said)))
    const worth = gain + (item === next ? CARRIES_ON : 0) + (item.named ? ON_JUST_THAT : 0)
    if (worth > most) {
      most = worth
      winner = item
    }
  }
  return winner
}

const inOrder = <T extends Pick>(a: T, b: T): T[] =>
  a.passage.ordinal < b.passage.ordinal || (a.passage.ordinal === b.passage.ordinal && a.index < b.index)
    ? [a, b]
    : [b, a]

function pickCode(picks: Pick[], top: Ranked, passages: StoredPassage[], fits: Map<number, Ranked>): Pick | undefined {
  let winner: Pick | undefined
  let most = 0
  for (const passage of passages) {
    const fit = fits.get(passage.id)
    passage.units.forEach((unit, index) => {
      if (unit.kind !== 'code' || unit.text.split('\n').length > LONGEST_CODE_LINES) return
      const near = picks.some((pick) => pick.passage.id === passage.id) ? 0.2 : 0
      const home = passage.id === top.candidate.passage ? 0.1 : 0
      const value = 0.01 + (fit?.units[index] ?? 0) + LEAD * (fit?.heading ?? 0) + near + home
      if (value > most) {
        most = value
        winner = { passage, index, unit }
      }
    })
  }
  return winner
}

const today = (): string => new Date().toISOString().slice(0, 10)

function cite(picks: Pick[], code: Pick | undefined, store: Store): { answer: string; citations: Citation[] } {
  const citations: Citation[] = []
  const mark = ({ passage, unit }: Pick): string => {
    const { tenant, lang, card: id } = passage
    const card = store.card({ tenant, lang, id })
    const citation: Citation = {
      card: id,
      title: card?.title ?? id,
      heading: passage.heading,
      lang,
      quote: passage.body.slice(unit.start, unit.end),
      line: passage.line + passage.body.slice(0, unit.start).split('\n').length - 1,
      sources: card?.sources ?? [],
    }
    if (card?.asOf !== undefined) citation.asOf = card.asOf
    if (card?.review !== undefined && card.review <= today()) citation.overdue = card.review
    citations.push(citation)
    return `[${citations.length}]`
  }
  const said = picks
    .map((pick) => `${readable(pick.passage.body.slice(pick.unit.start, pick.unit.end))} ${mark(pick)}`)
    .join(' ')
  if (code === undefined) return { answer: said, citations }
  // An indented code block, or one inside a list, is fenced anew: its slice alone would not be a code block.
  const source = code.passage.body.slice(code.unit.start, code.unit.end)
  const fenced = /^```[^`]*\n[\s\S]*\n```$/.test(source) ? source : `\`\`\`\`\n${code.unit.text}\n\`\`\`\``
  return { answer: `${said}\n\n${fenced}\n${mark(code)}`.trimStart(), citations }
}

/** A sentence as it stands in the answer: on one line, and with any HTML tag outside inline code made plain text. */
const readable = (markdown: string): string =>
  markdown
    .replace(/\s+/g, ' ')
    .split(/(`+[^`]*`+)/)
    .map((part, i) => (i % 2 === 1 ? part : part.replace(/<(?=[a-z/!?])(?!https?:)/gi, '&lt;')))
    .join('')
