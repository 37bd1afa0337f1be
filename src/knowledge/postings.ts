/**
 * Owns the form in which the index is kept: for each token the passages that hold it, in blocks, and for each of them one
 * byte that says how often and in how long a passage. The byte is BM25's whole input, so scoring is one look-up in a table.
 */

/** Passages whose ids share all but the lowest bits stand in one block of a token. */
const BLOCK_BITS = 13
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

/** @param frequency weighted, from 1 @param length of the passage in tokens */
export function codeOf(frequency: number, length: number): number {
  let f = 0
  while (f < FREQUENCIES.length - 1 && (FREQUENCIES[f + 1] ?? 0) <= frequency) f += 1
  const step = Math.round(STEPS_A_DOUBLING * Math.log2(Math.max(SHORTEST, length) / SHORTEST))
  return f * LENGTH_STEPS + Math.min(LENGTH_STEPS - 1, step)
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

/** @param postings from offset to code @returns two bytes an offset, ascending, then the codes */
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

/** What is to become of a token's postings in one block: a code for each passage that holds it now, none for one that does not. */
export type Changes = Map<number, number | undefined>

/** @param before the block as it is stored @param changes by offset @returns what to store, nothing when it is empty */
export function changeBlock(before: Uint8Array | undefined, changes: Changes): Uint8Array | undefined {
  const postings: [number, number][] = []
  if (before !== undefined) {
    const { offsets, codes } = decodeBlock(0, before)
    offsets.forEach((offset, i) => {
      if (!changes.has(offset)) postings.push([offset, codes[i] ?? 0])
    })
  }
  for (const [offset, code] of changes) if (code !== undefined) postings.push([offset, code])
  // Ids grow, so what is new mostly comes last and the order is there already.
  if (postings.some(([offset], i) => i > 0 && offset < (postings[i - 1]?.[0] ?? 0))) postings.sort(([a], [b]) => a - b)
  return postings.length === 0 ? undefined : encodeBlock(postings)
}
