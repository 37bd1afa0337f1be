/** Owns the facts table of systems: reading it, setting some beside each other, and weighing which one fits. */
import { readFile } from 'node:fs/promises'
import { parseDocument } from 'yaml'
import type { Comparison, Lang, Source } from './model.js'
import { fold, terms } from './tokenize.js'

type Words = Record<Lang, string>

export interface System {
  id: string
  /** The same in both languages. */
  name: string
  /** How people write it, folded as `fold` does. */
  names: string[]
  /** The card that is about it. */
  card: string
  facts: Record<string, Words>
  sources: (Source & { facts: string[] })[]
  /** Facts that are general knowledge and that no source states. */
  unconfirmed: string[]
}

interface Question {
  id: string
  ask: Words
  options: { id: string; label: Words }[]
}

interface Rule {
  question: string
  option: string
  system: string
  /** -5 rules a system out. */
  points: number
  because: Words
}

/** What `systems.yaml` holds. */
export interface SystemTable {
  asOf: string
  /** Fact → what its row is called, in the order of the rows. */
  labels: Record<string, Words>
  systems: System[]
  questions: Question[]
  rules: Rule[]
  /** Names of one word, as the index has them. */
  nameTokens: ReadonlySet<string>
}

export const NO_SYSTEMS: SystemTable = {
  asOf: '',
  labels: {},
  systems: [],
  questions: [],
  rules: [],
  nameTokens: new Set(),
}

export interface Choice {
  /** What to ask next; missing once everything has been answered. */
  question?: { text: string; options: string[]; number: number; of: number }
  /** Best first, three at most; empty while there is something to ask. */
  recommended: { id: string; name: string; card: string; reasons: string[] }[]
  asOf: string
}

const MOST_COMPARED = 4
const MOST_RECOMMENDED = 3
const RULED_OUT = -5
const NO_FACT = '–'

/** @returns nothing when there is no such file @throws Error naming what is wrong with it */
export async function readSystems(file: string): Promise<SystemTable | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const document = parseDocument(text)
  const [error] = document.errors
  if (error) throw new Error(`${file}: ${error.message}`)
  const raw = document.toJS() as {
    as_of: string
    labels: Record<string, Words>
    systems: (Omit<System, 'unconfirmed'> & { unconfirmed?: string[] })[]
    choose: { questions: Question[]; rules: Rule[] }
  }
  return {
    asOf: raw.as_of,
    labels: raw.labels,
    systems: raw.systems.map((system) => ({
      ...system,
      names: system.names.map(fold),
      unconfirmed: system.unconfirmed ?? [],
    })),
    questions: raw.choose.questions,
    rules: raw.choose.rules,
    nameTokens: new Set(raw.systems.flatMap(({ names }) => names.flatMap(nameToken))),
  }
}

function nameToken(name: string): string[] {
  const [term, another] = terms(name)
  if (term === undefined || another !== undefined || term.kind === 'han') return []
  return [term.kind === 'word' ? term.token : term.whole]
}

/** @returns the system that a name means, by its id or any name people write */
export function systemNamed(name: string, table: SystemTable): System | undefined {
  const wanted = fold(name).trim()
  return table.systems.find(({ id, names }) => id === wanted || names.includes(wanted))
}

export function compareSystems(systems: readonly System[], lang: Lang, table: SystemTable): Comparison {
  const sources = new Map<string, Source>()
  for (const system of systems) {
    for (const { title, url } of system.sources) sources.set(url ?? title, { title, ...(url ? { url } : {}) })
  }
  const rows = Object.entries(table.labels)
    .map(([fact, label]) => ({
      label: label[lang],
      values: systems.map((system) => {
        const value = system.facts[fact]?.[lang]
        // Marked where it is shown: nobody follows a footnote in a chat.
        return value === undefined ? NO_FACT : system.unconfirmed.includes(fact) ? `${value} *` : value
      }),
    }))
    .filter(({ values }) => values.some((value) => value !== NO_FACT))
  return {
    systems: systems.map(({ id, name, card }) => ({ id, name, card })),
    rows,
    sources: [...sources.values()],
    asOf: table.asOf,
  }
}

// What makes a question with two names in it a comparison, once Traditional characters are folded.
const COMPARING =
  /\b(?:vs\.?|versus|compar\w*|differen\w*|better than|or)\b|区别|差别|差异|不同|对比|比较|相比|还是|哪个好|哪个更/u

/** Words of any script are found whole: "xen" is not in "xenial", but it is in "和xen的区别". */
const isPartOfWord = (char: string | undefined): boolean => char !== undefined && /[a-z0-9]/.test(char)

/** @returns the two to four systems that a question wants compared, in its order; none when it is about something else */
export function comparedIn(question: string, table: SystemTable): System[] {
  let text = fold(question)
  if (!COMPARING.test(text)) return []
  const found: { system: System; at: number }[] = []
  const names = table.systems
    .flatMap((system) => system.names.map((name) => ({ system, name })))
    // The longest first, and what was found is taken out: "qemu microvm" is not also "qemu".
    .sort((a, b) => b.name.length - a.name.length)
  for (const { system, name } of names) {
    for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + name.length)) {
      if (isPartOfWord(text[at - 1]) || isPartOfWord(text[at + name.length])) continue
      text = `${text.slice(0, at)}${' '.repeat(name.length)}${text.slice(at + name.length)}`
      if (!found.some((other) => other.system === system)) found.push({ system, at })
    }
  }
  if (found.length < 2 || found.length > MOST_COMPARED) return []
  return found.sort((a, b) => a.at - b.at).map(({ system }) => system)
}

/** @param answers a digit a question, in order: 1 for its first option, 0 for "does not matter" */
export function chooseSystem(answers: string, lang: Lang, table: SystemTable): Choice {
  const next = table.questions[answers.length]
  if (next !== undefined) {
    return {
      question: {
        text: next.ask[lang],
        options: next.options.map(({ label }) => label[lang]),
        number: answers.length + 1,
        of: table.questions.length,
      },
      recommended: [],
      asOf: table.asOf,
    }
  }
  const picked = new Map(table.questions.map(({ id, options }, i) => [id, options[Number(answers[i]) - 1]?.id]))
  const applies = table.rules.filter(({ question, option }) => picked.get(question) === option)
  const weighed = table.systems.map((system) => {
    const rules = applies.filter((rule) => rule.system === system.id)
    return {
      system,
      isRuledOut: rules.some(({ points }) => points <= RULED_OUT),
      points: rules.reduce((sum, { points }) => sum + points, 0),
      reasons: rules
        .filter(({ points }) => points > 0)
        .sort((a, b) => b.points - a.points)
        .map(({ because }) => because[lang]),
    }
  })
  return {
    recommended: weighed
      .filter(({ isRuledOut, points }) => !isRuledOut && points > 0)
      .sort((a, b) => b.points - a.points)
      .slice(0, MOST_RECOMMENDED)
      .map(({ system: { id, name, card }, reasons }) => ({ id, name, card, reasons })),
    asOf: table.asOf,
  }
}
