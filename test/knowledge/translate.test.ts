import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse } from 'yaml'
import { openKnowledge } from '../../src/knowledge/base.js'
import {
  buildDictionary,
  type Dictionary,
  type Entry,
  openDictionary,
  termsOfDefinition,
} from '../../src/knowledge/dictionary.js'
import { makeBase, SHIPPED } from './base.js'

const GLOSSARY = parse(readFileSync(join(SHIPPED, 'glossary.yaml'), 'utf8')) as Entry[]

const GENERAL: Entry[] = [
  { zh: ['容器'], en: ['vessel'], pinyin: 'rong2 qi4' },
  { zh: ['海象'], en: ['walrus'], pinyin: 'hai3 xiang4' },
  { zh: ['绿'], en: ['green'], pinyin: 'lu:4' },
  { zh: ['绿色'], en: ['green color'], pinyin: 'lu:4 se4' },
  { zh: ['长牙'], en: ['tusk'] },
  { zh: ['宗教'], en: ['religion'] },
  { zh: ['球队'], en: ['sports team'] },
]

function dictionaryOf(glossary: readonly Entry[], general: readonly Entry[]): Dictionary {
  const db = new Database(':memory:')
  onTestFinished(() => void db.close())
  buildDictionary(db, glossary, general)
  return openDictionary(db)
}

describe('the glossary', () => {
  it('pairs at least 300 terms, no Chinese one twice', () => {
    expect(GLOSSARY.length).toBeGreaterThanOrEqual(300)
    const terms = GLOSSARY.flatMap(({ zh }) => zh)
    expect(terms.filter((term, i) => terms.indexOf(term) !== i)).toEqual([])
    for (const { zh, en } of GLOSSARY) {
      expect(Math.min(zh.length, en.length), zh[0]).toBeGreaterThan(0)
      for (const term of en) expect(term).toBe(term.toLowerCase())
    }
  })

  it('goes before the general dictionary', () => {
    const dictionary = dictionaryOf(GLOSSARY, GENERAL)
    expect(dictionary.translate('zh', '容器')).toEqual([['contain']])
    expect(dictionary.translate('en', 'vessel')).toEqual([['容器']])
    expect(dictionary.translate('zh', '海象')).toEqual([['walru']])
    expect(dictionary.translate('en', 'live migrat')).toContainEqual(['热迁', '迁移'])
    expect(dictionary.translate('zh', '没有这个词')).toEqual([])
  })

  it('knows a word by its nearest form', () => {
    expect(dictionaryOf([], GENERAL).translate('en', 'religi')).toEqual([['宗教']])
    expect(dictionaryOf([], GENERAL).translate('en', 'relax')).toEqual([])
  })
})

describe('a word that is in no dictionary', () => {
  it('may be Chinese as one spells it', () => {
    const dictionary = dictionaryOf(GLOSSARY, GENERAL)
    expect(dictionary.translate('en', 'haixiang')).toEqual([['海象']])
    expect(dictionary.translate('en', 'lvse')).toEqual([['绿色']])
    expect(dictionary.translate('en', 'lv')).toEqual([])
  })

  it('is no spelling of any word when it is one of too many', () => {
    const many = [...'一二三四五六七八九十百千万'].map((zh) => ({ zh: [`${zh}海`], en: [], pinyin: 'shi2 hai3' }))
    expect(dictionaryOf([], many.slice(1)).translate('en', 'shihai')).toHaveLength(12)
    expect(dictionaryOf([], many).translate('en', 'shihai')).toEqual([])
  })

  it('may be spelled in another way', () => {
    expect(dictionaryOf([], GENERAL).translate('en', 'walruus')).toEqual([['海象']])
  })
})

it('a definition of CC-CEDICT is cut into terms, without its notes', () => {
  expect(termsOfDefinition('to defend; (sports) defense, CL:個|个[ge4]')).toEqual(['defend', 'defense'])
  expect(termsOfDefinition('variant of 屄[bi1]')).toEqual([])
  expect(termsOfDefinition('comb jellies (Ctenophora)')).toEqual(['comb jellies', 'Ctenophora'])
  expect(termsOfDefinition('authorized full-service car dealership of some kind')).toEqual([])
})

describe('a question in one language', () => {
  const documents = [
    { id: 'walrus', text: 'The walrus is a large animal of the sea. Its tusks can be a metre long.', lang: 'en' },
    { id: 'heron', text: 'The heron eats fish.', lang: 'en' },
    { id: 'kvm', text: '内核虚拟机支持热迁移。海象的长牙很长。', lang: 'zh' },
    { id: 'bird', text: '苍鹭吃鱼。', lang: 'zh' },
  ]
  async function base(dictionary: Dictionary | undefined) {
    const { db } = makeBase()
    const knowledge = openKnowledge(db, dictionary)
    const lines = documents.map((document) => `${JSON.stringify(document)}\n`).join('')
    async function* source() {
      yield Buffer.from(lines)
    }
    await knowledge.import(source(), { tenant: 't', collection: 'c', file: 'c.jsonl', author: 'ann' })
    return (query: string) => knowledge.search(query, { tenant: 't' }).map(({ card }) => card)
  }

  it('finds cards of the other, by a word, a phrase and a form of a word', async () => {
    const found = await base(dictionaryOf(GLOSSARY, GENERAL))
    expect(found('海象').sort()).toEqual(['kvm', 'walrus'])
    expect(found('長牙有多長')).toContain('walrus')
    expect(found('does it support live migration')).toEqual(['kvm'])
    expect(found('walruses')[0]).toBe('walrus')
    expect(found('walrus tusks')).toContain('kvm')
    expect(found('haixiang')).toEqual(['kvm'])
  })

  it('finds them by two words when nobody has the phrase that they make', async () => {
    const general = [...GENERAL, { zh: ['吃鱼'], en: ['fish'] }, { zh: ['鱼鹰'], en: ['heron fish'] }]
    const found = await base(dictionaryOf([], [...general, { zh: ['苍鹭'], en: ['heron'] }]))
    expect(found('heron fish')).toContain('bird')
  })

  it('finds what is nearest when nothing holds what it is about', async () => {
    // No card says 吃鱼枝 or "mean"; one speaks of 吃鱼, another of 很长.
    const clade = { zh: ['吃鱼枝'], en: ['clade'] }
    const found = await base(dictionaryOf([], [...GENERAL, clade, { zh: ['很长'], en: ['mean'] }]))
    expect(found('What are clades?')).toEqual(['bird'])
    expect(found('What does rhodophyte mean?')).toEqual(['kvm'])
    expect(found('rhodophyte')).toEqual([])
  })

  it('finds nothing there without a dictionary', async () => {
    const found = await base(undefined)
    expect(found('海象')).toEqual(['kvm'])
    expect(found('does it support live migration')).toEqual([])
  })
})
