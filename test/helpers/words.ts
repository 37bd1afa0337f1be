// Reads sources for their words: what people are told exists in both languages, side by side, or not at all.
import { parseAst } from 'vitest/node'

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'type' in value
const childrenOf = (node: Node): Node[] => Object.values(node).flat().filter(isNode)

const HAN = /\p{Script=Han}/u
const WORD = /\p{L}{2,}/u
/** What is put into a view, an embed or an error for people to read. */
const SHOWN = ['text', 'label', 'heading', 'title', 'caption', 'alt', 'columns', 'content', 'problem', 'placeholder']
/** The same in every language: names, keys, and what is to be typed as it stands. */
const NAMES = ['Hypercall', 'ID', 'SHA-256', 'Enter', 'Shift', 'Tab', 'hypercall login']

const isSaidInOne = (part: string): boolean => WORD.test(part) && !NAMES.includes(part.trim())

/** The fixed parts of a string or a template; undefined for anything else. */
function partsOf(node: unknown): string[] | undefined {
  if (!isNode(node)) return undefined
  if (node.type === 'Literal' && typeof node.value === 'string') return [node.value]
  if (node.type !== 'TemplateLiteral') return undefined
  return (node.quasis as { readonly value: { readonly cooked: string } }[]).map(({ value }) => value.cooked)
}

const keyOf = (node: unknown): string | undefined => {
  if (!isNode(node) || node.type !== 'Property' || node.computed === true) return undefined
  const { name, value } = node.key as { readonly name?: string; readonly value?: string }
  return name ?? value
}
const valueIn = (object: Node, key: string): unknown =>
  (object.properties as Node[]).find((property) => keyOf(property) === key)?.value

/** `as const`, `satisfies …` and brackets around it taken off. */
function bare(node: unknown): unknown {
  return isNode(node) && isNode(node.expression) && /^(TS\w+Expression|ParenthesizedExpression)$/.test(node.type)
    ? bare(node.expression)
    : node
}

/** All that a value can turn out to be, as far as it is written there. */
function textsIn(node: unknown): string[] {
  const value = bare(node)
  if (!isNode(value)) return []
  switch (value.type) {
    case 'ConditionalExpression':
      return [value.consequent, value.alternate].flatMap(textsIn)
    case 'LogicalExpression':
    case 'BinaryExpression':
      return [value.left, value.right].flatMap(textsIn)
    case 'ArrayExpression':
      return (value.elements as unknown[]).flatMap(textsIn)
    default:
      return partsOf(value) ?? []
  }
}

const placeholders = (text: string): string =>
  [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))].sort().join()

/** What is wrong with one text in two languages. */
function pairProblem(en: unknown, zh: unknown): string | undefined {
  const [inEnglish, inChinese] = [partsOf(bare(en)), partsOf(bare(zh))]
  if (inEnglish === undefined || inChinese === undefined) return undefined
  const isNothing = (parts: readonly string[]): boolean => parts.length === 1 && parts[0]?.trim() === ''
  // Nothing said in either is a text as well: the end of a sentence that may have none.
  if (isNothing(inEnglish) !== isNothing(inChinese)) return 'says nothing in one language'
  if (inEnglish.length !== inChinese.length) return 'fills in more in one language'
  if (placeholders(inEnglish.join(' ')) !== placeholders(inChinese.join(' ')))
    return 'has other {placeholders} in one language'
  return undefined
}

/**
 * @param source TypeScript
 * @returns a line for each word that its readers could get in one language only
 */
export function wordProblems(path: string, source: string): string[] {
  const problems: string[] = []
  const note = ({ start, end }: Node, problem: string): void => {
    const line = source.slice(0, start).split('\n').length
    problems.push(`${path}:${line} ${problem}: ${source.slice(start, end).replaceAll(/\s+/g, ' ').slice(0, 80)}`)
  }

  /** @param isPaired whether it stands beside the same in the other language */
  function visit(node: Node, isPaired: boolean): void {
    const written = partsOf(node) ?? (node.type === 'Literal' || node.type === 'JSXText' ? [String(node.raw)] : [])
    if (!isPaired && written.some((part) => HAN.test(part))) note(node, 'Chinese without English')

    const key = keyOf(node)
    const shown = key !== undefined && SHOWN.includes(key) ? textsIn(node.value) : []
    const said = node.type === 'JSXText' ? [String(node.value)] : isPaired ? [] : shown
    if (said.some(isSaidInOne)) note(node, 'words in one language')

    if (node.type === 'ObjectExpression') {
      const [en, zh] = [valueIn(node, 'en'), valueIn(node, 'zh')]
      if ((en === undefined) !== (zh === undefined)) note(node, 'one language without the other')
      const problem = pairProblem(en, zh)
      if (problem) note(node, problem)
      for (const child of childrenOf(node)) {
        visit(child, isPaired || (en !== undefined && zh !== undefined && ['en', 'zh'].includes(keyOf(child) ?? '')))
      }
      return
    }
    if (node.type === 'CallExpression') {
      const given = node.arguments as Node[]
      // `kind(404, false, 'No.', '没有。')`: Chinese follows its English.
      const isPair = (at: number): boolean => {
        const [en, zh] = [partsOf(given[at - 1]), partsOf(given[at])]
        return en !== undefined && zh?.some((part) => HAN.test(part)) === true && !en.some((part) => HAN.test(part))
      }
      given.forEach((argument, at) => {
        const problem = isPair(at) ? pairProblem(given[at - 1], argument) : undefined
        if (problem) note(argument, problem)
        visit(argument, isPaired || isPair(at))
      })
      visit(node.callee as Node, isPaired)
      return
    }
    for (const child of childrenOf(node)) visit(child, isPaired)
  }

  visit(parseAst(source, { lang: path.endsWith('x') ? 'tsx' : 'ts' }) as unknown as Node, false)
  return problems
}
