/** Owns the answer: whether to give one at all, which sentences say it, and the citation of each. */
import { leansBack } from './language.js'
import type { Answer, Citation, Lang, Topic, Unit } from './model.js'
import { coverage, type Query, readQuery, satisfaction, type Vocabulary } from './query.js'
import { bestPerCard, type Ranked, rank } from './search.js'
import type { Store, StoredPassage } from './store.js'
import { tokenize } from './tokenize.js'

/** Below this confidence the answer is "not found". Chosen on the questions in test/knowledge. */
const THRESHOLD = 0.5
const NEAREST = 3
/** Longer listings are left in the card: a chat message is no place for them. */
const LONGEST_CODE_LINES = 14
/** A card's opening is its direct answer, so it wins when another sentence is only a little nearer to the words. */
const OPENING = 0.12
/** A second sentence must add this share of the question. */
const WORTH_ADDING = 0.15

/** @param options.lang answer from this language's cards first; by default the language of the question */
export function answerQuestion(
  question: string,
  options: { lang?: Lang },
  store: Store,
  vocabulary: Vocabulary,
): Answer {
  const query = readQuery(question, vocabulary)
  const wanted = options.lang ?? query.lang
  const other: Lang = wanted === 'zh' ? 'en' : 'zh'
  const first = look(query, wanted, store)
  const second = first.confidence >= THRESHOLD ? undefined : look(query, other, store)
  const chosen = second !== undefined && second.confidence >= THRESHOLD ? second : first

  if (chosen.confidence < THRESHOLD || chosen.top === undefined) {
    const nearest = nearestTopics(first.ranked, undefined, wanted, store)
    return { found: false, answer: '', citations: [], confidence: chosen.confidence, nearest, lang: wanted }
  }
  const { top, ranked, confidence } = chosen
  const composed = compose(query, top, ranked, store)
  const nearest = nearestTopics(ranked, top.candidate.card, top.candidate.lang, store)
  return { found: true, ...composed, confidence, nearest, lang: top.candidate.lang }
}

interface Look {
  ranked: Ranked[]
  top: Ranked | undefined
  confidence: number
}

function look(query: Query, lang: Lang, store: Store): Look {
  const ranked = rank(query, store, lang)
  const top = ranked[0]
  return { ranked, top, confidence: top === undefined ? 0 : confidenceOf(top) }
}

/** Shares of the question, none of which grows with the base: a logistic curve over them. */
export function confidenceOf({ covered, sentence, name }: Ranked): number {
  const evidence = -5.2 + 4.5 * covered + 3 * sentence + 2.5 * name
  return 1 / (1 + Math.exp(-evidence))
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

function compose(query: Query, top: Ranked, ranked: Ranked[], store: Store): { answer: string; citations: Citation[] } {
  const { lang, card } = top.candidate
  const passages = store.passagesOf(lang, card)
  const scores = new Map(ranked.map((item) => [item.candidate.passage, item.units]))
  const picks = pickSentences(query, top, passages, scores)
  const code = query.intent === 'how' ? pickCode(picks, top, passages, scores) : undefined
  return cite(picks, code, store, lang, card)
}

function pickSentences(query: Query, top: Ranked, passages: StoredPassage[], scores: Map<number, number[]>): Pick[] {
  const all = passages.flatMap((passage) =>
    passage.units.flatMap((unit, index) => {
      if (unit.kind !== 'sentence') return []
      const value = scores.get(passage.id)?.[index] ?? 0
      const isOpening = passage.ordinal === 0 && index === 0
      // Sentences of the passage that was found best go before equal ones elsewhere in the card.
      const home = passage.id === top.candidate.passage ? 0.05 : 0
      return [{ passage, index, unit, value: value + home + (isOpening ? OPENING : 0) }]
    }),
  )
  const opening = all[0]
  const best =
    query.intent === 'define' && opening !== undefined && top.name > 0.5
      ? opening
      : all.reduce<(typeof all)[number] | undefined>(
          (winner, item) => (winner === undefined || item.value > winner.value ? item : winner),
          undefined,
        )
  if (best === undefined) return []

  const sentencesOf = all.filter((item) => item.passage.id === best.passage.id)
  const at = sentencesOf.indexOf(best)
  const previous = sentencesOf[at - 1]
  if (previous !== undefined && leansBack(best.unit.text)) return [previous, best]

  const second = bestAddition(query, best, all)
  if (second !== undefined) return inOrder(best, second)
  const next = sentencesOf[at + 1]
  return best === opening && next !== undefined ? [best, next] : [best]
}

/** The sentence that adds most to what the first one leaves open. */
function bestAddition<T extends Pick>(query: Query, best: T, all: T[]): T | undefined {
  const said = new Set(tokenize(best.unit.text))
  let winner: T | undefined
  let most = WORTH_ADDING
  for (const item of all) {
    if (item === best || leansBack(item.unit.text)) continue
    const adds = new Set(tokenize(item.unit.text))
    const gain = coverage(query, (need) => Math.max(0, satisfaction(need, adds) - satisfaction(need, said)))
    if (gain > most) {
      most = gain
      winner = item
    }
  }
  return winner
}

const inOrder = <T extends Pick>(a: T, b: T): T[] =>
  a.passage.ordinal < b.passage.ordinal || (a.passage.ordinal === b.passage.ordinal && a.index < b.index)
    ? [a, b]
    : [b, a]

function pickCode(
  picks: Pick[],
  top: Ranked,
  passages: StoredPassage[],
  scores: Map<number, number[]>,
): Pick | undefined {
  let winner: Pick | undefined
  let most = 0
  for (const passage of passages) {
    passage.units.forEach((unit, index) => {
      if (unit.kind !== 'code' || unit.text.split('\n').length > LONGEST_CODE_LINES) return
      const near = picks.some((pick) => pick.passage.id === passage.id) ? 0.2 : 0
      const home = passage.id === top.candidate.passage ? 0.1 : 0
      const value = 0.01 + (scores.get(passage.id)?.[index] ?? 0) + near + home
      if (value > most) {
        most = value
        winner = { passage, index, unit }
      }
    })
  }
  return winner
}

function cite(
  picks: Pick[],
  code: Pick | undefined,
  store: Store,
  lang: Lang,
  cardId: string,
): { answer: string; citations: Citation[] } {
  const card = store.card(lang, cardId)
  const citations: Citation[] = []
  const mark = ({ passage, unit }: Pick): string => {
    const citation: Citation = {
      card: cardId,
      title: card?.title ?? cardId,
      heading: passage.heading,
      lang,
      quote: passage.body.slice(unit.start, unit.end),
      sources: card?.sources ?? [],
    }
    if (card?.asOf !== undefined) citation.asOf = card.asOf
    citations.push(citation)
    return `[${citations.length}]`
  }
  const sentencesText = picks
    .map((pick) => `${pick.passage.body.slice(pick.unit.start, pick.unit.end).replace(/\s+/g, ' ')} ${mark(pick)}`)
    .join(' ')
  if (code === undefined) return { answer: sentencesText, citations }
  const source = code.passage.body.slice(code.unit.start, code.unit.end)
  const fenced = source.startsWith('```') ? source : `\`\`\`\n${code.unit.text}\n\`\`\``
  return { answer: `${sentencesText}\n\n${fenced}\n${mark(code)}`, citations }
}
