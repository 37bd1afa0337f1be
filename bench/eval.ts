// How well the knowledge base answers: every question of data/eval/questions.yaml is asked of the shipped cards, in a
// fresh base. Prints the rates and the misses. Unlike a benchmark this one does fail, when it is under the floor.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type KnowledgeBase, openKnowledge } from '../src/knowledge/base.js'
import { openDictionary } from '../src/knowledge/dictionary.js'
import { type EvalQuestion, type EvalSet, isChinese, readEvalSet } from './eval-set.js'

/** The recorded floor, over both languages. Raise it when the base has become better, so that it stays so. */
const LEAST_RIGHT = 0.92
const LEAST_REFUSED = 0.95

const MOST_MISSES = Number(process.env.EVAL_MISSES ?? 40)
/** The search gives a card once a language, so this many hits hold at least half as many cards. */
const HITS = 50

const CARDS = join(process.cwd(), 'data', 'knowledge')
const SET = join(process.cwd(), 'data', 'eval', 'questions.yaml')

interface Asked extends EvalQuestion {
  /** The card that the answer quotes; missing when the question was not answered. */
  readonly answered: string | undefined
  readonly confidence: number
  /** Place of the first right card among the cards that the search found, from 1; infinite when none was found. */
  readonly rank: number
  /** The card that the search found first. */
  readonly found: string | undefined
}

interface Refused {
  readonly q: string
  readonly answered: string | undefined
  readonly confidence: number
}

function askAnswer(knowledge: KnowledgeBase, q: string): Pick<Asked, 'answered' | 'confidence'> {
  const { found, citations, confidence } = knowledge.answer(q)
  return { answered: found ? citations[0]?.card : undefined, confidence }
}

function askAll(knowledge: KnowledgeBase, { questions, refused }: EvalSet): { asked: Asked[]; refused: Refused[] } {
  const asked = questions.map(({ q, cards }): Asked => {
    const found = [...new Set(knowledge.search(q, { limit: HITS }).map((hit) => hit.card))]
    const at = found.findIndex((card) => cards.includes(card))
    const rank = at < 0 ? Number.POSITIVE_INFINITY : at + 1
    return { q, cards, ...askAnswer(knowledge, q), rank, found: found[0] }
  })
  return { asked, refused: refused.map((q): Refused => ({ q, ...askAnswer(knowledge, q) })) }
}

const isRight = ({ answered, cards }: Asked): boolean => answered !== undefined && cards.includes(answered)
const isWrong = ({ answered, cards }: Asked): boolean => answered !== undefined && !cards.includes(answered)

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
const share = <T>(items: readonly T[], holds: (item: T) => boolean): number =>
  mean(items.map((item) => (holds(item) ? 1 : 0)))

/** The figures of one language or of both, in the order in which they are printed. */
function figures(asked: readonly Asked[], refused: readonly Refused[]): Record<string, number> {
  return {
    answered: share(asked, ({ answered }) => answered !== undefined),
    'right answers': share(asked, isRight),
    'wrong answers': share(asked, isWrong),
    'search hit@1': share(asked, ({ rank }) => rank <= 1),
    'search hit@5': share(asked, ({ rank }) => rank <= 5),
    'search MRR': mean(asked.map(({ rank }) => 1 / rank)),
    'refused rightly': share(refused, ({ answered }) => answered === undefined),
    'false answers': share(refused, ({ answered }) => answered !== undefined),
  }
}

function printTable(asked: readonly Asked[], refused: readonly Refused[]): void {
  const columns = [
    { name: 'zh', holds: isChinese },
    { name: 'en', holds: (q: string) => !isChinese(q) },
    { name: 'both', holds: () => true },
  ].map(({ name, holds }) => {
    const some = asked.filter(({ q }) => holds(q))
    const others = refused.filter(({ q }) => holds(q))
    return { name, counts: [some.length, others.length], rates: figures(some, others) }
  })
  const row = (name: string, cells: readonly (string | number)[]) =>
    console.log(name.padEnd(18) + cells.map((cell) => String(cell).padStart(8)).join(''))
  row(
    '',
    columns.map(({ name }) => name),
  )
  row(
    'questions',
    columns.map(({ counts }) => counts[0] ?? 0),
  )
  row(
    'to be refused',
    columns.map(({ counts }) => counts[1] ?? 0),
  )
  for (const name of Object.keys(columns[0]?.rates ?? {})) {
    row(
      name,
      columns.map(({ rates }) => (rates[name] ?? Number.NaN).toFixed(3)),
    )
  }
}

/** One line a miss. Wrong and false answers come first, for they mislead; then what was not answered at all. */
function misses(asked: readonly Asked[], refused: readonly Refused[]): string[] {
  const sure = (confidence: number) => confidence.toFixed(2)
  return [
    ...asked
      .filter(isWrong)
      .map(
        ({ q, answered, confidence, cards }) => `wrong    ${q} → ${answered} (${sure(confidence)}), not ${cards[0]}`,
      ),
    ...refused
      .filter(({ answered }) => answered !== undefined)
      .map(({ q, answered, confidence }) => `false    ${q} → ${answered} (${sure(confidence)}), nothing expected`),
    ...asked
      .filter(({ answered }) => answered === undefined)
      .map(
        ({ q, confidence, cards, rank, found }) =>
          `no answer ${q} → none (${sure(confidence)}), ${cards[0]} ` +
          `${Number.isFinite(rank) ? `is found at ${rank}` : 'is not found'}${rank === 1 ? '' : `, first ${found}`}`,
      ),
  ]
}

const set = readEvalSet(SET)
const folder = mkdtempSync(join(tmpdir(), 'hc-eval-'))
const db = new Database(join(folder, 'eval.sqlite'))
const terms = new Database(join(process.cwd(), 'dist', 'dictionary.sqlite'), { readonly: true })
try {
  const knowledge = openKnowledge(db, openDictionary(terms))
  const { problems } = await knowledge.ingest(CARDS)
  for (const { file, line, message } of problems) console.log(`unreadable card: ${file}:${line}: ${message.en}`)
  console.log(`${knowledge.topics('en').length} cards in English, ${knowledge.topics('zh').length} in Chinese\n`)

  const { asked, refused } = askAll(knowledge, set)
  printTable(asked, refused)

  const missed = misses(asked, refused)
  console.log(`\n${missed.length} misses`)
  for (const line of missed.slice(0, MOST_MISSES)) console.log(`  ${line}`)
  if (missed.length > MOST_MISSES) console.log(`  … and ${missed.length - MOST_MISSES} more`)

  const right = share(asked, isRight)
  const refusedRightly = share(refused, ({ answered }) => answered === undefined)
  const isUnder = right < LEAST_RIGHT || refusedRightly < LEAST_REFUSED
  console.log(
    `\n${isUnder ? 'UNDER' : 'over'} the floor: right answers ${right.toFixed(3)} (least ${LEAST_RIGHT}), ` +
      `refused rightly ${refusedRightly.toFixed(3)} (least ${LEAST_REFUSED})`,
  )
  if (isUnder) process.exitCode = 1
} finally {
  db.close()
  terms.close()
  rmSync(folder, { recursive: true, force: true })
}
