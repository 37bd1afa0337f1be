/**
 * Owns the form in which the index is kept: for each token the passages that hold it, in blocks, and for each of them one
 * byte that says how often and in how long a passage. The byte is BM25's whole input, so scoring is one look-up in a table.
 */

import { at } from './maps.js'

/** Passages whose ids share all but the lowest bits stand in one block of a token. */
const BLOCK_BITS = 16
export const BLOCK_SIZE = 1 << BLOCK_BITS
export const blockOf = (passage: number): number => Math.floor(passage / BLOCK_SIZE)

/** BM25's usual factors. */
export const K1 = 1.2
export const B = 0.75

// Frequencies are weighted (a title counts three times), so they run higher than in plain text; beyond the last one BM25
// has all but stopped to grow. Lengths grow by a factor of 2^(1/3) from step to step: 4 to 5,161 tokens.
const FREQUENCIES = [1, 2, 3, 4, 6, 8, 12, 20]
const LENGTH_STEPS = 32
const SHORTEST = 4
const STEPS_A_DOUBLING = 3

const lengthAt = (step: number): number => SHORTEST * 2 ** (step / STEPS_A_DOUBLING)

/** @param length of the passage in tokens @returns what gives a token's code by its frequency, weighted and from 1 */
export function codesIn(length: number): (frequency: number) => number {
  const step = Math.round(STEPS_A_DOUBLING * Math.log2(Math.max(SHORTEST, length) / SHORTEST))
  return (frequency) => {
    let f = 0
    while (f < FREQUENCIES.length - 1 && (FREQUENCIES[f + 1] ?? 0) <= frequency) f += 1
    return f * LENGTH_STEPS + Math.min(LENGTH_STEPS - 1, step)
  }
}

/** BM25's factor of a frequency: 0 to K1 + 1, before it is multiplied by the token's rarity. */
export const saturation = (frequency: number, length: number, average: number): number =>
  (frequency * (K1 + 1)) / (frequency + K1 * (1 - B + (B * length) / average))

/** @param average length of the shelf's passages @returns the saturation of every code */
export function saturations(average: number): Float32Array {
  return Float32Array.from({ length: FREQUENCIES.length * LENGTH_STEPS }, (_, code) =>
    saturation(FREQUENCIES[Math.floor(code / LENGTH_STEPS)] ?? 1, lengthAt(code % LENGTH_STEPS), Math.max(1, average)),
  )
}

/** The postings of one token in one block: `offsets` ascending from the block's first id, a code for each. */
export interface Block {
  block: number
  offsets: Uint16Array
  codes: Uint8Array
}

const BYTES_A_POSTING = 3

/** @param data as `encodeBlock` gives it; its memory is used on */
export function decodeBlock(block: number, data: Uint8Array): Block {
  const count = data.byteLength / BYTES_A_POSTING
  // Sixteen-bit numbers must begin at an even place of the memory.
  const bytes = data.byteOffset % 2 === 0 ? data : Uint8Array.from(data)
  return {
    block,
    offsets: new Uint16Array(bytes.buffer, bytes.byteOffset, count),
    codes: new Uint8Array(bytes.buffer, bytes.byteOffset + 2 * count, count),
  }
}

/** @returns two bytes an offset, ascending, then the codes */
function encodeBlock(postings: readonly (readonly [offset: number, code: number])[]): Uint8Array {
  const count = postings.length
  const bytes = new Uint8Array(count * BYTES_A_POSTING)
  const offsets = new Uint16Array(bytes.buffer, 0, count)
  postings.forEach(([offset, code], i) => {
    offsets[i] = offset
    bytes[2 * count + i] = code
  })
  return bytes
}

/**
 * A change of one posting as one number, for a large import makes hundreds of thousands of them: the passage, and its code
 * or the mark that it is gone.
 */
const STEP = 512
const GONE = 256
export const setPosting = (passage: number, code: number): number => passage * STEP + code
export const removePosting = (passage: number): number => passage * STEP + GONE
export const passageOf = (change: number): number => Math.floor(change / STEP)

/** @param changes of two for one passage the later counts @returns for each passage its code, nothing where it is gone */
const codesOf = (changes: readonly number[]): Map<number, number | undefined> =>
  new Map(
    changes.map((change) => {
      const code = change % STEP
      return [passageOf(change), code === GONE ? undefined : code] as const
    }),
  )

/** Whether they do nothing but add passages, in their order: what an import brings, and needs no looking up. */
export function areAdditions(changes: readonly number[]): boolean {
  let last = -1
  for (const change of changes) {
    const passage = passageOf(change)
    if (change % STEP === GONE || passage <= last) return false
    last = passage
  }
  return true
}

/** @param block its number @param before as it is stored @param changes of it alone @returns what to store, nothing when it is empty */
export function changeBlock(
  block: number,
  before: Uint8Array | undefined,
  changes: readonly number[],
): Uint8Array | undefined {
  const first = block * BLOCK_SIZE
  if (areAdditions(changes)) {
    const added = encodeBlock(changes.map((change) => [passageOf(change) - first, change % STEP]))
    if (before === undefined) return added
    // Ids grow, so what is new mostly comes after what is there.
    if (first + lastOffset(before) < passageOf(changes[0] ?? 0)) return joined(before, added)
  }
  const codes = codesOf(changes)
  const postings: [number, number][] = []
  for (const [passage, code] of codes) if (code !== undefined) postings.push([passage - first, code])
  if (before !== undefined) {
    const old = decodeBlock(block, before)
    old.offsets.forEach((offset, i) => {
      if (!codes.has(first + offset)) postings.push([offset, old.codes[i] ?? 0])
    })
  }
  postings.sort(([a], [b]) => a - b)
  return postings.length === 0 ? undefined : encodeBlock(postings)
}

const lastOffset = (data: Uint8Array): number => decodeBlock(0, data).offsets.at(-1) ?? -1

/** @param after postings of later passages */
function joined(before: Uint8Array, after: Uint8Array): Uint8Array {
  const [old, more] = [before.byteLength / BYTES_A_POSTING, after.byteLength / BYTES_A_POSTING]
  const bytes = new Uint8Array(before.byteLength + after.byteLength)
  bytes.set(before.subarray(0, 2 * old))
  bytes.set(after.subarray(0, 2 * more), 2 * old)
  bytes.set(before.subarray(2 * old), 2 * (old + more))
  bytes.set(after.subarray(2 * more), 3 * old + 2 * more)
  return bytes
}

/** Changes of passages that lie beside each other mostly belong to one block. */
export function byBlock(changes: readonly number[]): Map<number, readonly number[]> {
  const first = blockOf(passageOf(changes[0] ?? 0))
  if (changes.every((change) => blockOf(passageOf(change)) === first)) return new Map([[first, changes]])
  const blocks = new Map<number, number[]>()
  for (const change of changes) at(blocks, blockOf(passageOf(change)), () => []).push(change)
  return blocks
}

/** Most tokens stand in a few passages, and are kept without blocks: as changes that set each of their postings. */
export const MOST_OF_FEW = 16

export const decodeFew = (data: Uint8Array): number[] => [...new Float64Array(Uint8Array.from(data).buffer)]
/** @returns memory that the next call uses again: an import makes millions of these, one after the other */
export function encodeFew(postings: readonly number[]): Uint8Array {
  few.set(postings)
  return fewBytes.subarray(0, few.BYTES_PER_ELEMENT * postings.length)
}
const few = new Float64Array(MOST_OF_FEW)
const fewBytes = new Uint8Array(few.buffer)

/** What is there in the end, as changes that set it. */
const settled = (changes: readonly number[]): number[] =>
  [...codesOf(changes)].flatMap(([passage, code]) => (code === undefined ? [] : setPosting(passage, code)))

/** @returns every posting, and them encoded when they are few enough */
export function changeFew(
  before: Uint8Array | undefined,
  changes: readonly number[],
): { postings: readonly number[]; data: Uint8Array | undefined } {
  const all = before === undefined ? changes : [...decodeFew(before), ...changes]
  const postings = areAdditions(all) ? all : settled(all)
  const isFew = postings.length > 0 && postings.length <= MOST_OF_FEW
  return { postings, data: isFew ? encodeFew(postings) : undefined }
}

/** The few postings of a token as blocks. */
export const blocksOfFew = (data: Uint8Array): Block[] =>
  [...byBlock(decodeFew(data).sort((a, b) => a - b))].map(([block, postings]) => ({
    block,
    offsets: Uint16Array.from(postings, (posting) => passageOf(posting) - block * BLOCK_SIZE),
    codes: Uint8Array.from(postings, (posting) => posting % STEP),
  }))
