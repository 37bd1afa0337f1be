import { beforeAll, describe, expect, it } from 'vitest'
import type { KnowledgeBase } from '../../src/knowledge/index.js'
import { editDistance } from '../../src/knowledge/spelling.js'
import { card, makeBase, SHIPPED } from './base.js'

describe('searching the shipped cards', () => {
  let knowledge: KnowledgeBase
  beforeAll(async () => {
    const base = makeBase(true)
    knowledge = base.knowledge
    await knowledge.ingest(SHIPPED)
    return base.close
  })
  const cards = (query: string, lang?: 'zh' | 'en') =>
    knowledge.search(query, { limit: 5, ...(lang === undefined ? {} : { lang }) }).map((hit) => hit.card)

  it.each([
    ['容器', 'os-level-virtualization'],
    ['镜像', 'image-vs-container'],
    ['导出', 'export-import'],
    ['映射', 'bind-mounts'],
    ['虚拟', 'paravirtualization'],
    ['隔离', 'namespaces'],
  ])('finds the two characters %s', (query, expected) => {
    expect(cards(query)).toContain(expected)
  })

  it('finds Simplified cards by Traditional characters, with the same result', () => {
    expect(cards('半虛擬化')).toEqual(cards('半虚拟化'))
    expect(cards('命名空間')[0]).toBe('namespaces')
  })

  it('finds an identifier glued to Chinese', () => {
    expect(cards('在Firecracker里面')[0]).toBe('microvm')
  })

  it.each([
    'C#',
    '"',
    '""',
    '*',
    'NEAR(',
    'NEAR(a b, 3)',
    'a AND',
    'NOT',
    '(',
    ')',
    'title:docker',
    '^docker',
    '-',
    '--',
    "'; DROP TABLE knowledge_cards; --",
    '\0',
    '{x}',
    'docker*',
    '+',
    '\\',
    '😀',
    'a\u0301',
  ])('takes %j as words, not as query syntax', (query) => {
    expect(() => knowledge.search(query)).not.toThrow()
    expect(() => knowledge.answer(query)).not.toThrow()
  })

  it('gives nothing for a query without words, and one hit a card and language otherwise', () => {
    for (const query of ['', '   ', '?!', '的', 'the']) expect(knowledge.search(query)).toEqual([])
    const hits = knowledge.search('docker', { limit: 50 })
    expect(new Set(hits.map((hit) => `${hit.lang}/${hit.card}`)).size).toBe(hits.length)
  })

  it('keeps to a language and to a limit', () => {
    const hits = knowledge.search('docker', { limit: 3, lang: 'zh' })
    expect(hits.map((hit) => hit.lang)).toEqual(['zh', 'zh', 'zh'])
    expect(knowledge.search('docker', { limit: 0 })).toHaveLength(1)
    expect(knowledge.search('docker', { limit: 1e9 }).length).toBeLessThanOrEqual(50)
  })

  it('orders hits by score and shows the sentence that fits', () => {
    const hits = knowledge.search('does docker export include volumes', { lang: 'en' })
    expect(hits[0]).toMatchObject({
      card: 'export-import',
      lang: 'en',
      snippet: expect.stringMatching(/docker export/),
    })
    const scores = hits.map((hit) => hit.score)
    expect(scores).toEqual([...scores].sort((a, b) => b - a))
  })

  it('guesses a mistyped word only when nobody uses it', () => {
    expect(cards('contianer namspaces')[0]).toBe('namespaces')
    expect(cards('virtualbxo')[0]).toBe('virtualbox')
  })

  it('asks for what a question names, not for the kind of answer that it wants', () => {
    const cardsOf = (question: string) => knowledge.search(question).map(({ card }) => card)
    expect(cardsOf('What is the name of the hypervisor?')).toEqual(cardsOf('hypervisor'))
    expect(cardsOf('In which years was Bochs?')).toEqual(cardsOf('Bochs'))
    expect(cardsOf('numbers of years')).not.toEqual([])
  })

  it('survives a question of 100,000 characters', () => {
    expect(cards('docker '.repeat(15_000)).length).toBeGreaterThan(0)
  })
})

describe('ranking', () => {
  it('puts the card that is named so before one that only mentions the word', async () => {
    const { knowledge, dir, write } = makeBase()
    write('en/walrus.md', card('walrus', 'Large, with tusks.', { title: 'Walrus' }))
    write('en/zoo.md', card('zoo', 'The zoo has a walrus, another walrus and a walrus.', { title: 'Zoo' }))
    await knowledge.ingest(dir)
    expect(knowledge.search('walrus').map((hit) => hit.card)).toEqual(['walrus', 'zoo'])
  })

  it('puts words that stand in one sentence before words that are spread', async () => {
    const { knowledge, dir, write } = makeBase()
    write('en/far.md', card('far', 'Green things grow. Some birds sing. A parrot is loud. Not all is green.'))
    write('en/near.md', card('near', 'Some things grow. A green parrot is loud. Birds sing. Not all is well.'))
    await knowledge.ingest(dir)
    expect(knowledge.search('green parrot')[0]?.card).toBe('near')
  })
})

describe('the distance of two words', () => {
  it.each([
    ['docker', 'docker', 0],
    ['dokcer', 'docker', 1],
    ['docke', 'docker', 1],
    ['dockker', 'docker', 1],
    ['kitten', 'sitting', 3],
  ])('of %s and %s is %i', (a, b, distance) => {
    expect(editDistance(a, b, 5)).toBe(distance)
    expect(editDistance(b, a, 5)).toBe(distance)
  })
  it('is not counted beyond the limit', () => {
    expect(editDistance('kitten', 'sitting', 1)).toBe(2)
  })
})
