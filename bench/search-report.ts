/** Owns how the search benchmark prints: one table a size, our ratios to each peer, and whether we are within the bars. */
import type { Built, Searched } from './search-child.js'
import type { CorpusQuery } from './search-corpus.js'

export interface Outcome {
  readonly engine: string
  readonly built?: Built
  readonly searched?: Searched
  /** Why it came to no end. */
  readonly failure?: string
}

interface Bar {
  readonly size: number
  readonly name: string
  readonly most: number
  readonly unit: string
  readonly of: (figures: Figures) => number | undefined
}

interface Figures {
  readonly build: number | undefined
  readonly disk: number | undefined
  readonly rssBuilt: number | undefined
  readonly rssSearching: number | undefined
  readonly p50: number | undefined
  readonly p95: number | undefined
  readonly p99: number | undefined
  readonly max: number | undefined
}

const COLUMNS: readonly { readonly name: string; readonly of: keyof Figures }[] = [
  { name: 'build s', of: 'build' },
  { name: 'disk MiB', of: 'disk' },
  { name: 'RSS built', of: 'rssBuilt' },
  { name: 'RSS query', of: 'rssSearching' },
  { name: 'p50 ms', of: 'p50' },
  { name: 'p95 ms', of: 'p95' },
  { name: 'p99 ms', of: 'p99' },
  { name: 'max ms', of: 'max' },
]

const OURS = 'hypercall'
const MIB = 1024 ** 2

const BARS: readonly Bar[] = [
  { size: 1_000_000, name: 'p50', most: 8, unit: 'ms', of: ({ p50 }) => p50 },
  { size: 1_000_000, name: 'p99', most: 40, unit: 'ms', of: ({ p99 }) => p99 },
  { size: 1_000_000, name: 'RSS searching', most: 600e6 / MIB, unit: 'MiB', of: ({ rssSearching }) => rssSearching },
  { size: 1_000_000, name: 'build', most: 600, unit: 's', of: ({ build }) => build },
  { size: 100_000, name: 'p99', most: 8, unit: 'ms', of: ({ p99 }) => p99 },
]

/** @returns the value that this share of the values does not exceed; nothing for no values */
function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
}

function figuresOf({ built, searched }: Outcome): Figures {
  const times = (searched?.answers ?? []).map(({ ms }) => ms)
  const mib = (bytes: number | undefined) => (bytes === undefined ? undefined : bytes / MIB)
  return {
    build: built?.seconds,
    disk: mib(built?.bytes),
    rssBuilt: mib(built?.rss),
    rssSearching: mib(searched?.peakRss),
    p50: quantile(times, 0.5),
    p95: quantile(times, 0.95),
    p99: quantile(times, 0.99),
    max: quantile(times, 1),
  }
}

function hitRate(outcome: Outcome, questions: readonly CorpusQuery[], deepest: number, of: Group): string {
  const places = (outcome.searched?.answers ?? [])
    .filter((_, i) => isIn(of, questions[i]))
    .map(({ place }) => place > 0 && place <= deepest)
  return places.length === 0 ? '–' : (places.filter(Boolean).length / places.length).toFixed(3)
}

type Group = 'all' | 'en' | 'zh' | 'mixed' | 'frequent'
const GROUPS: readonly Group[] = ['en', 'zh', 'mixed', 'frequent']

const isIn = (group: Group, question: CorpusQuery | undefined): boolean =>
  group === 'all' || question?.lang === group || question?.kind === group

const shown = (value: number | undefined): string => {
  if (value === undefined) return '–'
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

const row = (name: string, cells: readonly string[], width = 10): void =>
  console.log(name.padEnd(12) + cells.map((cell) => cell.padStart(width)).join(''))

export function printReport(size: number, outcomes: readonly Outcome[], questions: readonly CorpusQuery[]): void {
  console.log(`\n=== ${size.toLocaleString('en')} passages, ${questions.length} questions ===`)
  row('', [...COLUMNS.map(({ name }) => name), 'hit@1', 'hit@5', 'hit@10'])
  for (const outcome of outcomes) {
    const figures = figuresOf(outcome)
    const hits = [1, 5, 10].map((deepest) => hitRate(outcome, questions, deepest, 'all'))
    row(outcome.engine, [...COLUMNS.map(({ of }) => shown(figures[of])), ...hits])
    const asked = outcome.searched?.answers.length ?? questions.length
    if (asked < questions.length) console.log(`  … had time for ${asked} questions only`)
    if (outcome.failure !== undefined) console.log(`  did not finish: ${outcome.failure}`)
  }
  printGroups(outcomes, questions)
  printRatios(outcomes)
  printOurs(size, outcomes)
}

function printGroups(outcomes: readonly Outcome[], questions: readonly CorpusQuery[]): void {
  console.log('\nby the kind of question')
  row('', [...GROUPS.map((group) => `p50 ${group}`), ...GROUPS.map((group) => `hit@10 ${group}`)], 16)
  for (const outcome of outcomes.filter(({ searched }) => searched !== undefined)) {
    const median = (group: Group): string => {
      const answers = (outcome.searched?.answers ?? []).filter((_, i) => isIn(group, questions[i]))
      const times = answers.map(({ ms }) => ms)
      return shown(quantile(times, 0.5))
    }
    const cells = [...GROUPS.map(median), ...GROUPS.map((group) => hitRate(outcome, questions, 10, group))]
    row(outcome.engine, cells, 16)
  }
}

/** How many times as much the peer takes as we do: above 1 we are better. */
function printRatios(outcomes: readonly Outcome[]): void {
  const mine = outcomes.find(({ engine }) => engine === OURS)
  if (mine === undefined) return
  const ours = figuresOf(mine)
  console.log(`\nhow many times what ${OURS} takes each peer takes`)
  row(
    '',
    COLUMNS.map(({ name }) => name),
  )
  for (const outcome of outcomes.filter(({ engine }) => engine !== OURS)) {
    const theirs = figuresOf(outcome)
    const ratio = (of: keyof Figures): string => {
      const [a, b] = [theirs[of], ours[of]]
      return a === undefined || b === undefined || b === 0 ? '–' : `${shown(a / b)}×`
    }
    row(
      outcome.engine,
      COLUMNS.map(({ of }) => ratio(of)),
    )
  }
}

function printOurs(size: number, outcomes: readonly Outcome[]): void {
  const mine = outcomes.find(({ engine }) => engine === OURS)
  if (mine?.searched === undefined) return
  const { agreement, pause } = mine.searched
  console.log(`\n${OURS}: best five as by exhaustive ranking: ${agreement === undefined ? '–' : agreement.toFixed(3)}`)
  console.log(`${OURS}: longest pause of the main thread while searching: ${shown(pause)} ms`)
  const figures = figuresOf(mine)
  for (const { name, most, unit, of } of BARS.filter((bar) => bar.size === size)) {
    const value = of(figures)
    const verdict = value === undefined ? 'not measured' : value <= most ? 'holds' : 'DOES NOT HOLD'
    console.log(`bar: ${name} ≤ ${Math.round(most)} ${unit}: ${verdict} (${shown(value)} ${unit})`)
  }
}
