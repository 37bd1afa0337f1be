/** Reads the evaluation set of the knowledge base: data/eval/questions.yaml. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

export interface EvalQuestion {
  readonly q: string
  /** Any of these cards is a right answer; the first one is the best. */
  readonly cards: readonly string[]
}

export interface EvalSet {
  readonly questions: readonly EvalQuestion[]
  /** Nothing of this is in the cards, so it must not be answered. */
  readonly refused: readonly string[]
}

/** @throws an Error that names the first entry that is not of the set's form */
export function readEvalSet(file: string): EvalSet {
  const root: unknown = parse(readFileSync(file, 'utf8'))
  if (!isRecord(root)) throw new Error(`${file}: not a mapping`)
  const { questions, refused } = root
  if (!Array.isArray(questions)) throw new Error(`${file}: no list of questions`)
  if (!Array.isArray(refused)) throw new Error(`${file}: no list of refused`)
  return {
    questions: questions.map((entry: unknown) => {
      if (!isQuestion(entry)) throw new Error(`${file}: not a question: ${JSON.stringify(entry)}`)
      return entry
    }),
    refused: refused.map((entry: unknown) => {
      // YAML reads a bare 12345 as a number: whoever adds one must quote it.
      if (typeof entry !== 'string') throw new Error(`${file}: not a string: ${JSON.stringify(entry)}`)
      return entry
    }),
  }
}

/** Han characters mean Chinese, as they do for the base. */
export const isChinese = (text: string): boolean => /\p{Script=Han}/u.test(text)

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const isQuestion = (value: unknown): value is EvalQuestion =>
  isRecord(value) &&
  typeof value.q === 'string' &&
  Array.isArray(value.cards) &&
  value.cards.length > 0 &&
  value.cards.every((card: unknown) => typeof card === 'string')
