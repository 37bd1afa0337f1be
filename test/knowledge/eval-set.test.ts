import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isChinese, readEvalSet } from '../../bench/eval-set.js'
import { SHIPPED } from './base.js'

const { questions, refused } = readEvalSet(join(import.meta.dirname, '../../data/eval/questions.yaml'))
const shipped = readdirSync(join(SHIPPED, 'en')).map((file) => file.replace(/\.md$/, ''))

/** White space counts: a question of nothing but blanks is another case than an empty one. */
const repeated = (texts: readonly string[]): string[] => {
  const seen = new Set<string>()
  return texts.filter((text) => seen.size === seen.add(text.toLowerCase()).size)
}

describe('the evaluation set', () => {
  it('is large enough to tell a change from chance', () => {
    expect(questions.length).toBeGreaterThanOrEqual(200)
    expect(refused.length).toBeGreaterThanOrEqual(60)
  })

  it.each([
    ['questions', questions.map(({ q }) => q)],
    ['refused', refused],
  ])('holds about as many Chinese as English %s', (_, texts) => {
    const chinese = texts.filter(isChinese).length / texts.length
    expect(chinese).toBeGreaterThan(0.4)
    expect(chinese).toBeLessThan(0.6)
  })

  it('asks nothing twice', () => {
    expect(repeated([...questions.map(({ q }) => q), ...refused])).toEqual([])
    for (const { q, cards } of questions) expect(new Set(cards).size, q).toBe(cards.length)
  })

  it('expects only cards that exist', () => {
    const unknown = questions.flatMap(({ q, cards }) =>
      cards.filter((card) => !shipped.includes(card)).map((card) => `${card}: ${q}`),
    )
    expect(unknown).toEqual([])
  })

  it('asks for every card, as the best one, at least twice in each language', () => {
    const tooFew = shipped.filter((card) => {
      const asked = questions.filter(({ cards }) => cards[0] === card)
      const chinese = asked.filter(({ q }) => isChinese(q)).length
      return chinese < 2 || asked.length - chinese < 2
    })
    expect(tooFew).toEqual([])
  })
})
