import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readCards } from '../../src/knowledge/cards.js'
import { readFrontMatter } from '../../src/knowledge/front-matter.js'
import { makeBase, SHIPPED } from './base.js'

const files = (lang: string) => readdirSync(join(SHIPPED, lang)).sort()

describe('the shipped cards', () => {
  it('can all be read', async () => {
    const { knowledge } = makeBase()
    const report = await knowledge.ingest(SHIPPED)
    expect(report.problems).toEqual([])
    expect(report.added).toBe(files('en').length + files('zh').length)
    expect(knowledge.topics('zh')).toHaveLength(files('zh').length)
  })

  it('exist in both languages, with the same facts in front', () => {
    expect(files('zh')).toEqual(files('en'))
    expect(files('en').length).toBeGreaterThanOrEqual(60)
    const facts = (lang: string, file: string) => {
      const head = readFrontMatter(readFileSync(join(SHIPPED, lang, file), 'utf8')).head
      return [head?.id, head?.tags, head?.systems, head?.level, head?.asOf, head?.sources]
    }
    for (const file of files('en')) {
      expect(facts('zh', file)).toEqual(facts('en', file))
      expect(facts('en', file)[0]).toBe(file.replace('.md', ''))
    }
  })

  it('have complete front matter, and open with their answer in at most three sentences', async () => {
    const { cards } = await readCards(SHIPPED, new Map())
    for (const card of cards) {
      const name = `${card.lang}/${card.id}`
      expect(card.aliases.length, name).toBeGreaterThanOrEqual(5)
      expect(new Set(card.aliases).size, name).toBe(card.aliases.length)
      expect(card.tags.length, name).toBeGreaterThan(0)
      expect(card.systems.length, name).toBeGreaterThan(0)
      expect(card.asOf, name).toBeDefined()
      expect(card.sources.length, name).toBeGreaterThan(0)
      for (const source of card.sources) expect(source.url, name).toMatch(/^https:\/\//)
      const opening = card.passages[0]
      expect(opening?.heading, name).toBe('')
      expect(opening?.units[0]?.kind, name).toBe('sentence')
      expect(opening?.units.filter((unit) => unit.kind === 'sentence').length, name).toBeLessThanOrEqual(3)
      expect(card.passages.length, name).toBeGreaterThanOrEqual(3)
    }
  })
})
