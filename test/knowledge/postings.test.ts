import { describe, expect, it } from 'vitest'
import { pick, randomFrom } from '../../bench/search-random.js'
import {
  BLOCK_SIZE,
  type Block,
  blocksOfFew,
  byBlock,
  changeBlock,
  changeFew,
  codesIn,
  decodeBlock,
  MOST_OF_FEW,
  passageOf,
  removePosting,
  saturation,
  saturations,
  setPosting,
} from '../../src/knowledge/postings.js'
import { type BoundedBlock, type Group, retrieve } from '../../src/knowledge/retrieve.js'

/** As pairs of passage and code. */
const pairsOf = ({ block, offsets, codes }: Block): number[][] =>
  [...offsets].map((offset, i) => [block * BLOCK_SIZE + offset, codes[i] ?? -1])

describe('a block of postings', () => {
  const first = 3 * BLOCK_SIZE

  it('keeps its passages in order, whatever order they came in, and of two changes of one the later', () => {
    const changes = [
      setPosting(first + 9, 1),
      setPosting(first, 255),
      setPosting(first + BLOCK_SIZE - 1, 7),
      removePosting(first + 9),
      setPosting(first + 4, 2),
      setPosting(first + 9, 3),
    ]
    const data = changeBlock(3, undefined, changes) ?? new Uint8Array()
    const expected = [
      [first, 255],
      [first + 4, 2],
      [first + 9, 3],
      [first + BLOCK_SIZE - 1, 7],
    ]
    expect(pairsOf(decodeBlock(3, data))).toEqual(expected)
    // As it may lie in what the database gives.
    const odd = new Uint8Array(data.length + 1)
    odd.set(data, 1)
    expect(pairsOf(decodeBlock(3, odd.subarray(1)))).toEqual(expected)
  })

  it('is changed without touching the others in it, and is gone with the last', () => {
    const before = changeBlock(
      3,
      undefined,
      [1, 2, 3].map((n) => setPosting(first + n, n)),
    )
    const after = changeBlock(3, before, [
      removePosting(first + 2),
      removePosting(first + 77),
      setPosting(first + 3, 9),
    ])
    expect(pairsOf(decodeBlock(3, after ?? new Uint8Array()))).toEqual([
      [first + 1, 1],
      [first + 3, 9],
    ])
    expect(changeBlock(3, after, [removePosting(first + 1), removePosting(first + 3)])).toBeUndefined()
  })

  it('holds what belongs to it, on both sides of its ends and for passages beyond any number we shall have', () => {
    const passages = [0, BLOCK_SIZE - 1, BLOCK_SIZE, 2 ** 33 - 1]
    const changes = passages.map((passage) => setPosting(passage, 255))
    expect(changes.map(passageOf)).toEqual(passages)
    expect([...byBlock(changes)].map(([block, ofBlock]) => [block, ofBlock.map(passageOf)])).toEqual([
      [0, [0, BLOCK_SIZE - 1]],
      [1, [BLOCK_SIZE]],
      [2 ** 17 - 1, [2 ** 33 - 1]],
    ])
  })
})

describe('few postings', () => {
  const set = (count: number) => Array.from({ length: count }, (_, n) => setPosting(n * 1000, n))

  it('stand without blocks up to a number, and are all given back beyond it', () => {
    const few = changeFew(undefined, set(MOST_OF_FEW))
    expect(few.data).toBeDefined()
    const more = changeFew(few.data, [setPosting(BLOCK_SIZE * 9, 5)])
    expect(more.data).toBeUndefined()
    expect(more.postings).toEqual([...set(MOST_OF_FEW), setPosting(BLOCK_SIZE * 9, 5)])
    const still = changeFew(few.data, [setPosting(BLOCK_SIZE * 9, 5), removePosting(0)])
    expect(still.data).toBeDefined()
    expect(still.postings).toHaveLength(MOST_OF_FEW)
  })

  it('read as the blocks they would be', () => {
    const { data } = changeFew(undefined, [
      setPosting(BLOCK_SIZE + 1, 4),
      setPosting(BLOCK_SIZE, 3),
      setPosting(7, 255),
    ])
    expect(blocksOfFew(data ?? new Uint8Array()).flatMap(pairsOf)).toEqual([
      [7, 255],
      [BLOCK_SIZE, 3],
      [BLOCK_SIZE + 1, 4],
    ])
  })

  it('are nothing when the last is gone', () => {
    const { data } = changeFew(undefined, [setPosting(5, 1)])
    expect(changeFew(data, [removePosting(5)])).toEqual({ postings: [], data: undefined })
  })
})

it('a code stands for a saturation within a seventh of the true one in passages of usual length, and never for less of a more frequent word', () => {
  const average = 120
  const table = saturations(average)
  for (let length = 1; length <= 600; length = Math.ceil(length * 1.3)) {
    let before = 0
    for (let frequency = 1; frequency <= 30; frequency += 1) {
      const code = codesIn(length)(frequency)
      expect(Number.isInteger(code) && code >= 0 && code < 256).toBe(true)
      const value = table[code] ?? 0
      expect(value).toBeGreaterThanOrEqual(before)
      before = value
      const exact = saturation(frequency, Math.max(4, length), average)
      expect(Math.abs(value - exact) / exact, `${frequency} times in ${length}`).toBeLessThan(1 / 7)
    }
  }
})

describe('retrieving', () => {
  it('gives the passages with the highest sums, of equal ones the earlier, with and without pruning', () => {
    const random = randomFrom(7)
    const table = saturations(50)
    for (let round = 0; round < 150; round += 1) {
      const vocabulary = Array.from({ length: 8 }, (_, n) => `t${n}`)
      const postings = new Map<string, Map<number, number>>()
      for (const token of vocabulary) {
        const count = Math.ceil(random() ** 3 * 1500)
        // Three blocks, the first of which some tokens do not stand in.
        const [from, to] = [random() < 0.3 ? BLOCK_SIZE : 0, 3 * BLOCK_SIZE]
        const passages = Array.from({ length: count }, () => from + Math.floor(random() * ((to - from) / 8)) * 8)
        const codes = new Map(passages.map((passage) => [passage, codesIn(40)(1 + Math.floor(random() * 4))]))
        postings.set(token, codes)
      }
      const shelf = { saturations: table, blocks: (token: string) => blocksOf(postings.get(token) ?? new Map(), table) }
      const groups: Group[] = Array.from({ length: 1 + Math.floor(random() * 5) }, () => ({
        weight: 0.2 + Math.floor(random() * 5),
        tokens: Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(vocabulary, random())).map((token) => ({
          token,
          share: pick([1, 1, 0.5], random()),
        })),
      }))
      const isHidden = (passage: number) => passage % 48 === 0
      const sums = new Map<number, number>()
      for (const { weight, tokens } of groups) {
        const ofGroup = new Map<number, number>()
        for (const { token, share } of tokens) {
          for (const [passage, code] of postings.get(token) ?? []) {
            ofGroup.set(passage, (ofGroup.get(passage) ?? 0) + share * (table[code] ?? 0))
          }
        }
        for (const [passage, sum] of ofGroup) sums.set(passage, (sums.get(passage) ?? 0) + weight * Math.min(2.2, sum))
      }
      // Sums that were made in another order differ in their last digits.
      const rounded = (score: number) => Math.round(score * 1e9) / 1e9
      const expected = [...sums]
        .map(([passage, score]) => ({ passage, score: rounded(score) }))
        .filter(({ passage }) => !isHidden(passage))
        .sort((a, b) => b.score - a.score || a.passage - b.passage)
        .slice(0, 10)
      for (const prune of [true, false]) {
        const found = retrieve(groups, shelf, 10, isHidden, prune)
        expect(found.map(({ score }) => rounded(score))).toEqual(expected.map(({ score }) => score))
        const isSure = new Set(expected.map(({ score }) => score)).size === expected.length
        if (isSure) expect(found.map(({ passage }) => passage)).toEqual(expected.map(({ passage }) => passage))
      }
    }
  })

  it('takes the earlier of equal passages, whichever block is read first', () => {
    const table = saturations(50)
    const late = new Map([[BLOCK_SIZE + 1, 0]])
    const both = new Map([5, 9].map((passage) => [passage, 0]))
    const shelf = { saturations: table, blocks: (token: string) => blocksOf(token === 'late' ? late : both, table) }
    const groups = ['late', 'both'].map((token) => ({ weight: 1, tokens: [{ token, share: 1 }] }))
    expect(retrieve(groups, shelf, 1, () => false).map(({ passage }) => passage)).toEqual([5])
    expect(retrieve(groups, shelf, 2, (passage) => passage === 5).map(({ passage }) => passage)).toEqual([
      9,
      BLOCK_SIZE + 1,
    ])
  })
})

function blocksOf(codes: ReadonlyMap<number, number>, table: Float32Array): BoundedBlock[] {
  const changes = [...codes].map(([passage, code]) => setPosting(passage, code))
  return [...byBlock(changes)]
    .sort(([a], [b]) => a - b)
    .map(([block, ofBlock]) => {
      const decoded = decodeBlock(block, changeBlock(block, undefined, ofBlock) ?? new Uint8Array())
      return { ...decoded, bound: Math.max(0, ...[...decoded.codes].map((code) => table[code] ?? 0)) }
    })
}
