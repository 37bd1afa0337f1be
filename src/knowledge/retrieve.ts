/**
 * Owns the first look: of all passages, the few with the highest BM25. Every posting is read at most once, and most are
 * not scored at all: once enough passages are known to be good, one that holds only common words of the question cannot
 * come among them any more (MaxScore).
 */
import { at } from './maps.js'
import { BLOCK_SIZE, type Block } from './postings.js'

/** One thing a question asks for, by any of its tokens; what they say of a passage adds up, and no more than `most` of it counts. */
export interface Group {
  weight: number
  tokens: { token: string; share: number }[]
}

/** Where postings come from. */
export interface Shelf {
  /** BM25's saturation of every code on this shelf. */
  saturations: Float32Array
  /** The blocks of a token, by ascending number. */
  blocks(token: string): readonly BoundedBlock[]
}

/** @property bound the highest saturation in it */
export interface BoundedBlock extends Block {
  bound: number
}

export interface Found {
  passage: number
  score: number
}

/** Several words for one thing say it more often than one, but not without end. */
const MOST_OF_A_GROUP = 2.2
/** Sums in another order differ in their last digits. */
const ROUNDING = 1e-6

interface Part {
  weight: number
  /** The most that it can give a passage of this block. */
  bound: number
  lists: { block: BoundedBlock; share: number }[]
}

// Scratch memory of one block, all zeros between two blocks.
const scores = new Float64Array(BLOCK_SIZE)
const ofGroup = new Float64Array(BLOCK_SIZE)
const touched = new Uint16Array(BLOCK_SIZE)
const ofGroupTouched = new Uint16Array(BLOCK_SIZE)

/**
 * @param isHidden passages that are not to be found
 * @param prune false scores everything: what pruning must agree with
 * @returns at most `most` passages, best first; of equal ones the earlier
 */
export function retrieve(
  groups: readonly Group[],
  shelf: Shelf,
  most: number,
  isHidden: (passage: number) => boolean,
  prune = true,
): Found[] {
  const best = new Best(most)
  for (const [block, parts] of partsByBlock(groups, shelf)) scoreBlock(block, parts, shelf, best, isHidden, prune)
  return best.inOrder()
}

function partsByBlock(groups: readonly Group[], shelf: Shelf): Map<number, Part[]> {
  const byBlock = new Map<number, Map<Group, Part>>()
  for (const group of groups) {
    for (const { token, share } of group.tokens) {
      for (const block of shelf.blocks(token)) {
        const parts = at(byBlock, block.block, () => new Map<Group, Part>())
        const part = at(parts, group, () => ({ weight: group.weight, bound: 0, lists: [] }))
        part.lists.push({ block, share })
        part.bound += block.bound * share
      }
    }
  }
  const ordered = new Map<number, Part[]>()
  for (const [block, parts] of byBlock) {
    const list = [...parts.values()]
    for (const part of list) part.bound = part.weight * Math.min(MOST_OF_A_GROUP, part.bound)
    ordered.set(
      block,
      list.sort((a, b) => b.bound - a.bound),
    )
  }
  return ordered
}

function scoreBlock(
  block: number,
  parts: readonly Part[],
  shelf: Shelf,
  best: Best,
  isHidden: (passage: number) => boolean,
  prune: boolean,
): void {
  let left = parts.reduce((sum, part) => sum + part.bound, 0) + ROUNDING
  let count = 0
  for (const part of parts) {
    // When all that is left is not enough, passages that no part has touched yet cannot come among the best.
    if (prune && left < best.least) {
      count = keepHopeful(count, best.least - left)
      if (count === 0) return
      addToTouched(part, shelf.saturations, count)
    } else {
      count = addToAll(part, shelf.saturations, count)
    }
    left -= part.bound
  }
  const first = block * BLOCK_SIZE
  for (let i = 0; i < count; i += 1) {
    const offset = touched[i] as number
    const score = scores[offset] as number
    scores[offset] = 0
    if (score >= best.least && !isHidden(first + offset)) best.add(first + offset, score)
  }
}

/** Forgets the passages that have less than `needed`. @returns how many are left */
function keepHopeful(count: number, needed: number): number {
  let kept = 0
  for (let i = 0; i < count; i += 1) {
    const offset = touched[i] as number
    if ((scores[offset] as number) < needed) scores[offset] = 0
    else {
      touched[kept] = offset
      kept += 1
    }
  }
  return kept
}

function addToAll({ weight, lists }: Part, saturations: Float32Array, before: number): number {
  let count = before
  const [only] = lists
  if (lists.length === 1 && only !== undefined) {
    const { offsets, codes } = only.block
    const factor = weight * only.share
    for (let i = 0; i < offsets.length; i += 1) {
      const offset = offsets[i] as number
      if (scores[offset] === 0) {
        touched[count] = offset
        count += 1
      }
      scores[offset] = (scores[offset] as number) + factor * (saturations[codes[i] as number] as number)
    }
    return count
  }
  let inGroup = 0
  for (const { block, share } of lists) {
    const { offsets, codes } = block
    for (let i = 0; i < offsets.length; i += 1) {
      const offset = offsets[i] as number
      if (ofGroup[offset] === 0) {
        ofGroupTouched[inGroup] = offset
        inGroup += 1
      }
      ofGroup[offset] = (ofGroup[offset] as number) + share * (saturations[codes[i] as number] as number)
    }
  }
  for (let i = 0; i < inGroup; i += 1) {
    const offset = ofGroupTouched[i] as number
    if (scores[offset] === 0) {
      touched[count] = offset
      count += 1
    }
    scores[offset] = (scores[offset] as number) + weight * Math.min(MOST_OF_A_GROUP, ofGroup[offset] as number)
    ofGroup[offset] = 0
  }
  return count
}

/** What a part adds to the passages that are left; few of them are looked up, many are met by reading all. */
function addToTouched({ weight, lists }: Part, saturations: Float32Array, count: number): void {
  for (const { block, share } of lists) {
    const { offsets, codes } = block
    if (count * Math.log2(offsets.length + 1) < offsets.length) {
      for (let i = 0; i < count; i += 1) {
        const offset = touched[i] as number
        const place = indexOf(offsets, offset)
        if (place !== -1)
          ofGroup[offset] = (ofGroup[offset] as number) + share * (saturations[codes[place] as number] as number)
      }
    } else {
      for (let i = 0; i < offsets.length; i += 1) {
        const offset = offsets[i] as number
        if (scores[offset] !== 0)
          ofGroup[offset] = (ofGroup[offset] as number) + share * (saturations[codes[i] as number] as number)
      }
    }
  }
  for (let i = 0; i < count; i += 1) {
    const offset = touched[i] as number
    scores[offset] = (scores[offset] as number) + weight * Math.min(MOST_OF_A_GROUP, ofGroup[offset] as number)
    ofGroup[offset] = 0
  }
}

function indexOf(offsets: Uint16Array, wanted: number): number {
  let low = 0
  let high = offsets.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const offset = offsets[middle] as number
    if (offset === wanted) return middle
    if (offset < wanted) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** The best so far: a heap with the least of them on top. */
class Best {
  private readonly heap: Found[] = []
  /** What a passage needs to come among them. */
  least = 0

  constructor(private readonly most: number) {}

  add(passage: number, score: number): void {
    if (this.heap.length < this.most) {
      this.heap.push({ passage, score })
      this.rise(this.heap.length - 1)
    } else if (isWorse(this.heap[0] as Found, { passage, score })) {
      this.heap[0] = { passage, score }
      this.sink()
    }
    if (this.heap.length === this.most) this.least = (this.heap[0] as Found).score
  }

  inOrder(): Found[] {
    return this.heap.sort((a, b) => (isWorse(a, b) ? 1 : -1))
  }

  private rise(from: number): void {
    let at = from
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.swapIfWorse(at, above)) return
      at = above
    }
  }

  private sink(): void {
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const right = left + 1
      let worst = left
      if (left >= this.heap.length) return
      if (right < this.heap.length && isWorse(this.heap[right] as Found, this.heap[left] as Found)) worst = right
      if (!this.swapIfWorse(worst, at)) return
      at = worst
    }
  }

  private swapIfWorse(below: number, above: number): boolean {
    const [a, b] = [this.heap[below] as Found, this.heap[above] as Found]
    if (!isWorse(a, b)) return false
    this.heap[below] = b
    this.heap[above] = a
    return true
  }
}

const isWorse = (a: Found, b: Found): boolean => a.score < b.score || (a.score === b.score && a.passage > b.passage)
