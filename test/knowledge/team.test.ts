import { describe, expect, it } from 'vitest'
import type { Draft, ImportOptions, KnowledgeBase } from '../../src/knowledge/index.js'
import { zipOf } from '../helpers/zip.js'
import { bytes, card, fileRow, jsonLines, makeBase } from './base.js'

const by = (author: string, reason = '') => ({ author, at: 1000, reason })
const WALRUS: Draft = { id: 'walrus', title: 'Walrus', text: 'A walrus has long tusks.' }
const save = (knowledge: KnowledgeBase, draft: Draft, { tenant = 'blue', author = 'ann', anyway = true } = {}) =>
  knowledge.save(draft, tenant, by(author), anyway)
const snippets = (knowledge: KnowledgeBase, query: string, tenant: string) =>
  knowledge.search(query, { tenant }).map(({ snippet }) => snippet)

describe('a card of a team', () => {
  it('is saved, found, shown and listed, and belongs to nobody else', () => {
    const { knowledge } = makeBase()
    const draft = { ...WALRUS, aliases: ['tooth walker'], tags: ['sea'], asOf: '2026-11', review: '2027-01-31' }
    expect(save(knowledge, draft)).toEqual({ saved: true, lang: 'en', version: 1, isNew: true })
    expect(snippets(knowledge, 'tooth walker', 'blue')).toEqual(['A walrus has long tusks.'])
    expect(knowledge.show('blue', 'walrus', undefined)).toMatchObject({
      ...draft,
      lang: 'en',
      collection: 'team',
      version: 1,
      changed: { author: 'ann', at: 1000 },
    })
    const { text: _, aliases: __, ...summary } = draft
    const listed = { ...summary, lang: 'en', collection: 'team', version: 1, author: 'ann', at: 1000 }
    expect(knowledge.list('blue', {})).toEqual([listed])
    for (const tenant of ['red', '']) {
      expect(snippets(knowledge, 'walrus', tenant)).toEqual([])
      expect(knowledge.show(tenant, 'walrus', undefined)).toBeUndefined()
      expect(knowledge.list(tenant, {})).toEqual([])
      expect(knowledge.history(tenant, 'walrus', undefined)).toBeUndefined()
      expect(knowledge.remove(tenant, 'walrus', undefined, by('eve'))).toBeUndefined()
      expect(knowledge.revert(tenant, 'walrus', undefined, 1, by('eve'))).toBeUndefined()
      expect(knowledge.files(tenant, undefined)).toEqual([])
    }
  })

  it('keeps what a change does not speak of', () => {
    const { knowledge } = makeBase()
    save(knowledge, { ...WALRUS, tags: ['sea'], review: '2027-01-31' })
    const changed = save(knowledge, { id: 'walrus', title: 'The walrus' }, { author: 'bob' })
    expect(changed).toEqual({ saved: true, lang: 'en', version: 2, isNew: false })
    expect(knowledge.show('blue', 'walrus', 'en')).toMatchObject({
      title: 'The walrus',
      text: WALRUS.text,
      tags: ['sea'],
      review: '2027-01-31',
      version: 2,
      changed: { author: 'bob' },
    })
  })

  it('may be there in two languages, each for itself', () => {
    const { knowledge } = makeBase()
    save(knowledge, WALRUS)
    expect(save(knowledge, { id: 'walrus', text: '海象有长牙。' })).toMatchObject({
      lang: 'zh',
      version: 1,
      isNew: true,
    })
    expect(knowledge.show('blue', 'walrus', 'en')?.text).toBe(WALRUS.text)
    expect(knowledge.remove('blue', 'walrus', 'en', by('ann'))).toBe('en')
    expect(knowledge.show('blue', 'walrus', undefined)?.lang).toBe('zh')
  })

  it.each<[what: string, draft: Draft, problem: RegExp]>([
    ['an id', { id: ' ', text: 'x' }, /an id has/],
    ['a shorter id', { id: 'x'.repeat(201), text: 'x' }, /an id has/],
    ['a text', { id: 'new' }, /its text is needed/],
    ['words in its text', { id: 'new', text: '<script>alert(1)</script>' }, /no text/],
    ['a text without NUL bytes', { id: 'new', text: 'a\0b' }, /NUL/],
    ['a day to review it', { id: 'new', text: 'x', review: '2026-02-30' }, /review date/],
  ])('is not saved without %s', (_what, draft, problem) => {
    const { knowledge } = makeBase()
    expect(save(knowledge, draft)).toEqual({
      saved: false,
      problem: { en: expect.stringMatching(problem), zh: expect.stringMatching(/\p{Script=Han}/u) },
    })
    expect(knowledge.stats().cards).toBe(0)
  })

  it('that says nearly the same as another, or has its name, is not saved but points it out', async () => {
    const { knowledge, dir, write } = makeBase()
    write('en/seal.md', card('seal', 'A seal barks at night.', { title: 'Seals' }))
    await knowledge.ingest(dir)
    const text = 'A walrus has long tusks, heavy whiskers, thick brown skin and rests on floating arctic ice.'
    save(knowledge, { ...WALRUS, text })
    const walrus = { card: 'walrus', title: 'Walrus', lang: 'en' }
    const again = (draft: Draft, anyway = false) => save(knowledge, draft, { anyway })
    expect(again({ id: 'big', title: 'Big animal', text: `${text} Truly.` })).toMatchObject({
      saved: false,
      similar: [walrus],
    })
    expect(again({ id: 'big', title: 'walrus ', text: 'Words.' })).toMatchObject({ saved: false, similar: [walrus] })
    expect(again({ id: 'big', title: 'SEALS', text: 'Words.' })).toMatchObject({ similar: [{ card: 'seal' }] })
    expect(knowledge.show('blue', 'big', undefined)).toBeUndefined()
    expect(again({ id: 'heron', title: 'Heron', text: 'A heron has long legs.' })).toMatchObject({ saved: true })
    expect(again({ id: 'walrus', title: 'Walrus', text })).toMatchObject({ saved: true, version: 2 })
    expect(again({ id: 'big', title: 'Big animal', text }, true)).toMatchObject({ saved: true })
    // What another team says is not held against it.
    expect(save(knowledge, { ...WALRUS, id: 'other', text }, { tenant: 'red', anyway: false })).toMatchObject({
      saved: true,
    })
  })
})

describe('the history of a card', () => {
  it('holds who wrote what and when, and brings any of it back as a new version', () => {
    const { knowledge } = makeBase()
    knowledge.save(WALRUS, 'blue', { author: 'ann', at: 1, reason: 'new' }, true)
    knowledge.save(
      { id: 'walrus', text: 'A walrus is heavy.', tags: ['sea'] },
      'blue',
      { author: 'bob', at: 2, reason: 'weight' },
      true,
    )
    expect(knowledge.remove('blue', 'walrus', undefined, { author: 'cay', at: 3, reason: 'wrong' })).toBe('en')
    expect(snippets(knowledge, 'walrus', 'blue')).toEqual([])
    expect(knowledge.show('blue', 'walrus', undefined)).toBeUndefined()
    const title = 'Walrus'
    const versions = [
      { version: 3, title: undefined, text: undefined, author: 'cay', at: 3, reason: 'wrong' },
      { version: 2, title, text: 'A walrus is heavy.', author: 'bob', at: 2, reason: 'weight' },
      { version: 1, title, text: WALRUS.text, author: 'ann', at: 1, reason: 'new' },
    ]
    expect(knowledge.history('blue', 'walrus', undefined)).toEqual({ lang: 'en', versions })

    expect(knowledge.revert('blue', 'walrus', undefined, 3, by('dan'))).toBeUndefined()
    expect(knowledge.revert('blue', 'walrus', undefined, 9, by('dan'))).toBeUndefined()
    const reverted = knowledge.revert('blue', 'walrus', undefined, 2, { author: 'dan', at: 4, reason: 'right' })
    expect(reverted).toEqual({ saved: true, lang: 'en', version: 4, isNew: true })
    expect(snippets(knowledge, 'walrus', 'blue')).toEqual(['A walrus is heavy.'])
    expect(knowledge.show('blue', 'walrus', undefined)).toMatchObject({
      tags: ['sea'],
      version: 4,
      changed: { author: 'dan' },
    })
    expect(knowledge.revert('blue', 'walrus', 'en', 1, by('dan'))).toMatchObject({ version: 5, isNew: false })
    expect(knowledge.show('blue', 'walrus', 'en')).toMatchObject({ text: WALRUS.text, tags: [] })
    const numbers = knowledge
      .history('blue', 'walrus', 'en')
      ?.versions.map(({ version, author }) => `${version} ${author}`)
    expect(numbers).toEqual(['4 dan', '3 cay', '2 bob', '1 ann'])
  })

  it('counts imports as well', async () => {
    const { knowledge } = makeBase()
    save(knowledge, WALRUS)
    await bring(knowledge, jsonLines({ ...WALRUS, text: 'A walrus eats clams.' }), { author: 'bob' })
    expect(knowledge.show('blue', 'walrus', 'en')).toMatchObject({
      version: 2,
      collection: 'notes',
      changed: { author: 'bob' },
    })
    expect(knowledge.revert('blue', 'walrus', 'en', 1, by('ann'))).toMatchObject({ version: 3 })
    expect(snippets(knowledge, 'walrus', 'blue')).toEqual([WALRUS.text])
  })
})

describe('a shipped card', () => {
  async function shipped() {
    const base = makeBase()
    base.write('en/walrus.md', card('walrus', 'A walrus has tusks.', { title: 'Walrus', tags: '[sea]' }))
    await base.knowledge.ingest(base.dir)
    return base
  }

  it('is overridden by a team, stays as it was for all others, and is there again once the team drops its own', async () => {
    const { knowledge, dir } = await shipped()
    expect(save(knowledge, { id: 'walrus', text: 'Our walrus, Gertrude, has tusks.' })).toMatchObject({
      version: 1,
      isNew: true,
    })
    expect(knowledge.show('blue', 'walrus', undefined)).toMatchObject({
      tenant: 'blue',
      title: 'Walrus',
      tags: ['sea'],
    })
    expect(snippets(knowledge, 'walrus tusks', 'blue')).toEqual(['Our walrus, Gertrude, has tusks.'])
    expect(knowledge.answer('Does a walrus have tusks?', { tenant: 'blue' }).answer).toContain('Gertrude')
    // Nor is it found by what only the shipped one says.
    save(knowledge, { id: 'walrus', text: 'Our walrus is called Gertrude.' })
    expect(snippets(knowledge, 'tusks', 'blue')).toEqual([])
    expect(knowledge.answer('Does a walrus have tusks?', { tenant: 'blue' }).answer).not.toContain('A walrus has tusks')
    for (const tenant of ['red', '']) {
      expect(snippets(knowledge, 'walrus tusks', tenant)).toEqual(['A walrus has tusks.'])
      expect(knowledge.show(tenant, 'walrus', undefined)?.tenant).toBe('')
    }
    expect(await knowledge.ingest(dir)).toMatchObject({ unchanged: 1, changed: 0, removed: 0 })
    knowledge.remove('blue', 'walrus', undefined, by('ann'))
    expect(snippets(knowledge, 'walrus tusks', 'blue')).toEqual(['A walrus has tusks.'])
  })

  it('becomes a card of the team with what it says when only its title is changed', async () => {
    const { knowledge } = await shipped()
    expect(save(knowledge, { id: 'walrus', title: 'The walrus' })).toMatchObject({ saved: true, isNew: true })
    expect(knowledge.show('blue', 'walrus', 'en')).toMatchObject({ title: 'The walrus', text: 'A walrus has tusks.\n' })
  })

  it('is no card that a team could remove', async () => {
    const { knowledge } = await shipped()
    expect(knowledge.remove('blue', 'walrus', undefined, by('ann'))).toBeUndefined()
    expect(snippets(knowledge, 'walrus', 'blue')).toHaveLength(1)
  })
})

describe('a review', () => {
  it('that is overdue is said with every citation, and listed', () => {
    const { knowledge } = makeBase()
    save(knowledge, { ...WALRUS, review: '2020-01-31' })
    save(knowledge, { id: 'heron', title: 'Heron', text: 'A heron has long legs.', review: '2999-12-31' })
    const citation = (question: string) => knowledge.answer(question, { tenant: 'blue' }).citations[0]
    expect(citation('Does a walrus have tusks?')).toMatchObject({ card: 'walrus', overdue: '2020-01-31' })
    expect(citation('Does a heron have long legs?')).toMatchObject({ card: 'heron' })
    expect(citation('Does a heron have long legs?')).not.toHaveProperty('overdue')
    expect(knowledge.list('blue', { dueBy: '2026-11-25' }).map(({ id }) => id)).toEqual(['walrus'])
  })
})

it('cards are listed by collection and tag, in order, beyond one page', async () => {
  const { knowledge } = makeBase()
  const rows = Array.from({ length: 700 }, (_, n) => ({
    id: `n${n}`,
    text: `Number ${n}.`,
    tags: n % 100 === 0 ? ['round'] : [],
  }))
  await bring(knowledge, jsonLines(...rows))
  save(knowledge, { ...WALRUS, tags: ['round'] })
  const round = ['n0', 'n100', 'n200', 'n300', 'n400', 'n500', 'n600']
  expect(knowledge.list('blue', { tag: 'round', collection: 'notes' }).map(({ id }) => id)).toEqual(round)
  expect(knowledge.list('blue', { tag: 'round' }).map(({ id }) => id)).toEqual([...round, 'walrus'])
  expect(knowledge.list('blue', { collection: 'team' }).map(({ id }) => id)).toEqual(['walrus'])
})

it('cards are listed by what their title or id holds, those that begin with it first', () => {
  const { knowledge } = makeBase()
  save(knowledge, { id: 'grass', title: 'What a sea cow eats', text: 'Sea grass.' })
  save(knowledge, { id: 'sea-cow', title: 'Manatee, the 50% cow', text: 'A manatee eats grass.' })
  save(knowledge, { id: 'heron', title: 'Sea bird', text: 'A heron has legs.' })
  save(knowledge, { id: 'haixiang', title: '海象', text: '海象有长牙。' })
  save(knowledge, { id: 'sea-lion', title: 'Lion', text: 'A sea lion roars.' }, { tenant: 'red' })
  const named = (name: string, more: object = {}) => knowledge.list('blue', { name, ...more }).map(({ id }) => id)
  expect(named('sea')).toEqual(['sea-cow', 'heron', 'grass'])
  expect(named('MANA')).toEqual(['sea-cow'])
  expect(named('象')).toEqual(['haixiang'])
  // Nothing in a name is a pattern.
  expect(named('%')).toEqual(['sea-cow'])
  for (const name of ['_', "'", '!', '5_%']) expect(named(name), name).toEqual([])
  expect(named('sea', { most: 2 })).toEqual(['sea-cow', 'heron'])
  expect(named('sea', { collection: 'notes' })).toEqual([])
})

it('cards that ship are listed where they are wanted, but for those that a tenant has its own of', async () => {
  const { knowledge, dir, write } = makeBase()
  write('en/heron.md', card('heron', 'A heron has legs.', { title: 'Heron' }))
  write('en/seal.md', card('seal', 'A seal barks.', { title: 'Seal' }))
  await knowledge.ingest(dir)
  save(knowledge, { id: 'seal', title: 'Our seal', text: 'Ours sings.' })
  const titles = (filter: object) => knowledge.list('blue', filter).map(({ title }) => title)
  expect(titles({})).toEqual(['Our seal'])
  expect(titles({ withShipped: true })).toEqual(['Our seal', 'Heron'])
  expect(titles({ withShipped: true, name: 'seal' })).toEqual(['Our seal'])
  expect(titles({ withShipped: true, most: 1 })).toEqual(['Our seal'])
})

describe('export and import', () => {
  const ROWS = [
    {
      id: 'walrus',
      title: 'Walrus: a "mammal"',
      text: '# Walrus\n\nA walrus has tusks.\n\n## Food\n\nIt eats clams.',
      tags: ['sea'],
    },
    { id: 'birds/heron', title: '苍鹭', text: '苍鹭的腿很长。\n\n苍鹭吃鱼。', url: 'https://sea.test/h' },
    { id: 'Sea/seal#1', title: 'Seal', text: 'A seal barks at night.' },
    { id: 'rule', title: 'Rule', text: '---\n\nBelow the rule stands an otter.\n\n---\n\nAnd a beaver.' },
    { id: 'mixed', title: 'Mixed', text: 'A virtual machine is called 虚拟机 in Chinese.', lang: 'en' },
    { id: '海象', title: '海象', text: '海象有长牙。' },
    { id: 'v1.2', title: '1.2', text: 'Version 1.2 brought narwhals.' },
  ]
  const QUESTIONS = [
    'Does a walrus have tusks?',
    '苍鹭吃什么？',
    'Does a seal bark at night?',
    'What stands below the rule?',
    'What is a virtual machine called in Chinese?',
    '海象有长牙吗？',
    'What did version 1.2 bring?',
  ]

  it('give another team the same cards and the same answers', async () => {
    const { knowledge } = makeBase()
    await bring(knowledge, jsonLines(...ROWS))
    save(knowledge, { id: 'walrus', aliases: ['tooth walker'], asOf: '2026-11', review: '2020-01-31' })
    const rows = knowledge
      .files('blue', undefined)
      .map(({ lang, id, markdown }) => fileRow(`${lang}/${id}.md`, markdown))
    expect(rows).toHaveLength(ROWS.length)
    expect(await bring(knowledge, jsonLines(...rows), { tenant: 'red' })).toMatchObject({
      added: ROWS.length,
      problems: [],
    })
    for (const question of QUESTIONS) {
      const said = (tenant: string) => {
        const { citations, ...answer } = knowledge.answer(question, { tenant })
        return { ...answer, citations: citations.map(({ line: _, ...citation }) => citation) }
      }
      expect(said('blue').found, question).toBe(true)
      expect(said('red'), question).toEqual(said('blue'))
    }
    const listed = (tenant: string) =>
      knowledge.list(tenant, {}).map(({ id, lang, title, tags }) => ({ id, lang, title, tags }))
    expect(listed('red')).toEqual(listed('blue'))
  })

  it('change nothing the second time', async () => {
    const { knowledge } = makeBase()
    await bring(knowledge, jsonLines(...ROWS.slice(0, 1)))
    const again = async () => {
      const rows = knowledge.files('blue', undefined).map(({ id, markdown }) => fileRow(`${id}.md`, markdown))
      return bring(knowledge, jsonLines(...rows))
    }
    await again()
    expect(await again()).toMatchObject({ unchanged: 1, changed: 0 })
  })
})

describe('mirroring', () => {
  const NOTES = [WALRUS, { id: 'heron', text: 'A heron has legs.' }, { id: 'seal', text: 'A seal barks.' }]
  const ids = (knowledge: KnowledgeBase, tenant = 'blue') => knowledge.list(tenant, {}).map(({ id }) => id)
  async function base() {
    const { knowledge } = makeBase()
    await bring(knowledge, jsonLines(...NOTES))
    await bring(knowledge, jsonLines({ id: 'other', text: 'Of another collection.' }), { collection: 'others' })
    await bring(knowledge, jsonLines(...NOTES), { tenant: 'red' })
    save(knowledge, { id: 'mine', text: 'By hand.' })
    return knowledge
  }

  it('removes what the source no longer has, from its collection alone, and so that it can be brought back', async () => {
    const knowledge = await base()
    const report = await bring(knowledge, jsonLines(WALRUS), { mirror: true, author: 'bob' })
    expect(report).toMatchObject({ added: 0, unchanged: 1, removed: 2 })
    expect(ids(knowledge)).toEqual(['mine', 'other', 'walrus'])
    expect(ids(knowledge, 'red')).toEqual(['heron', 'seal', 'walrus'])
    expect(snippets(knowledge, 'heron', 'blue')).toEqual([])
    const [gone] = knowledge.history('blue', 'heron', undefined)?.versions ?? []
    expect(gone).toMatchObject({ version: 2, text: undefined, author: 'bob', reason: 'no longer in notes' })
    expect(knowledge.revert('blue', 'heron', undefined, 1, by('ann'))).toMatchObject({ saved: true, version: 3 })
  })

  it('removes nothing without being asked to, and nothing when it only checks', async () => {
    const knowledge = await base()
    expect(await bring(knowledge, jsonLines(WALRUS))).toMatchObject({ removed: 0 })
    expect(await bring(knowledge, jsonLines(WALRUS), { mirror: true, dryRun: true })).toMatchObject({ removed: 2 })
    expect(ids(knowledge)).toEqual(['heron', 'mine', 'other', 'seal', 'walrus'])
  })

  it.each<[what: string, content: string | Buffer, file: string]>([
    ['a line', `${jsonLines(WALRUS)}{"id": "her`, 'notes.jsonl'],
    [
      'a file of an archive',
      zipOf([
        { name: 'walrus.md', content: 'A walrus.' },
        { name: 'heron.md', content: '' },
      ]),
      'notes.zip',
    ],
    ['an archive', zipOf([{ name: 'walrus.md', content: 'A walrus.' }]).subarray(0, -9), 'notes.zip'],
    ['a file of a folder', jsonLines({ file: 'heron.md', problem: 'EACCES' }), 'notes.jsonl'],
  ])('removes nothing when %s could not be read', async (_what, content, file) => {
    const knowledge = await base()
    expect(await bring(knowledge, content, { mirror: true, file })).toMatchObject({ removed: 0, rejected: 1 })
    expect(ids(knowledge)).toEqual(['heron', 'mine', 'other', 'seal', 'walrus'])
  })

  it('removes nothing when it is broken off', async () => {
    const knowledge = await base()
    async function* broken() {
      yield Buffer.from(jsonLines(WALRUS))
      throw new Error('enough')
    }
    const options = { tenant: 'blue', collection: 'notes', file: 'notes.jsonl', author: 'ann', mirror: true }
    await expect(knowledge.import(broken(), options)).rejects.toThrow('enough')
    expect(ids(knowledge)).toHaveLength(5)
  })
})

const bring = (knowledge: KnowledgeBase, content: string | Buffer, more: Partial<ImportOptions> = {}) =>
  knowledge.import(bytes(content, 65_536), {
    tenant: 'blue',
    collection: 'notes',
    file: 'notes.jsonl',
    author: 'ann',
    ...more,
  })
