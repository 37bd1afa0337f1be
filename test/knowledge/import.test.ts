import { describe, expect, it } from 'vitest'
import type { ImportOptions, KnowledgeBase } from '../../src/knowledge/index.js'
import { bytes, card, fileRow, jsonLines, makeBase } from './base.js'

const OPTIONS: ImportOptions = { tenant: 'blue', collection: 'notes', file: 'notes.jsonl', author: 'ann' }
const NOTHING = { added: 0, changed: 0, unchanged: 0, removed: 0, rejected: 0, problems: [] }

const bring = (knowledge: KnowledgeBase, content: string | Buffer, more: Partial<ImportOptions> = {}) =>
  knowledge.import(bytes(content), { ...OPTIONS, ...more })

const WALRUS = { id: 'Sea/walrus#1', title: 'Walrus', text: 'A walrus has long tusks.', url: 'https://sea.test/w' }
const HERON = { id: 'heron', text: '苍鹭的腿很长。\n\n苍鹭吃鱼。', tags: ['bird'] }

describe('importing', () => {
  it('makes cards of JSON Lines, finds and cites them, and changes nothing the second time', async () => {
    const { knowledge } = makeBase()
    expect(await bring(knowledge, jsonLines(WALRUS, HERON))).toEqual({ ...NOTHING, added: 2 })
    expect(await bring(knowledge, jsonLines(WALRUS, HERON))).toEqual({ ...NOTHING, unchanged: 2 })
    const [hit] = knowledge.search('walrus tusks', { tenant: 'blue' })
    expect(hit).toMatchObject({ card: 'Sea/walrus#1', title: 'Walrus', lang: 'en' })
    const answer = knowledge.answer('苍鹭吃什么？', { tenant: 'blue' })
    expect(answer).toMatchObject({ found: true, lang: 'zh' })
    expect(answer.citations[0]?.card).toBe('heron')
    const changed = { ...WALRUS, text: 'A walrus is heavy.' }
    expect(await bring(knowledge, jsonLines(changed))).toEqual({ ...NOTHING, changed: 1 })
    expect(knowledge.search('tusks', { tenant: 'blue' })).toEqual([])
  })

  it("belongs to its tenant alone, and goes before a shared card of the same id, which stays everyone else's", async () => {
    const { knowledge, dir, write } = makeBase()
    write('en/walrus.md', card('walrus', 'A walrus has tusks.'))
    await knowledge.ingest(dir)
    await bring(knowledge, jsonLines({ id: 'walrus', text: 'Our walrus is called Gertrude and has tusks.' }))
    const found = (tenant: string) => knowledge.search('walrus tusks', { tenant }).map(({ snippet }) => snippet)
    expect(found('blue')).toEqual(['Our walrus is called Gertrude and has tusks.'])
    expect(found('red')).toEqual(['A walrus has tusks.'])
    expect(knowledge.search('walrus tusks')).toHaveLength(1)
    expect(knowledge.search('Gertrude', { tenant: 'red' })).toEqual([])
    expect(JSON.stringify(knowledge.answer('What is our walrus called?', { tenant: 'red' }))).not.toContain('Gertrude')
    // What ships is made equal to its folder again; what was brought in is not part of that.
    expect(await knowledge.ingest(dir)).toMatchObject({ unchanged: 1, removed: 0 })
    expect(found('blue')).toHaveLength(1)
  })

  it('takes Markdown files with and without front matter', async () => {
    const { knowledge } = makeBase()
    const rows = jsonLines(
      fileRow('birds/heron.md', '# The heron\n\nA heron has long legs.'),
      fileRow('walrus.md', card('walrus', 'A walrus has tusks.', { title: 'The walrus' })),
    )
    expect(await bring(knowledge, rows)).toEqual({ ...NOTHING, added: 2 })
    expect(knowledge.search('heron', { tenant: 'blue' })[0]).toMatchObject({ card: 'birds/heron', title: 'The heron' })
    expect(knowledge.search('walrus', { tenant: 'blue' })[0]).toMatchObject({ card: 'walrus', title: 'The walrus' })
    await bring(knowledge, '# Seals\n\nA seal barks.\n', { file: 'seal.md' })
    expect(knowledge.search('seal', { tenant: 'blue' })[0]).toMatchObject({ card: 'seal', title: 'Seals' })
  })

  it('checks without changing anything when it is asked to', async () => {
    const { knowledge } = makeBase()
    expect(await bring(knowledge, jsonLines(WALRUS), { dryRun: true })).toEqual({ ...NOTHING, added: 1 })
    expect(knowledge.stats()).toEqual({ cards: 0, passages: 0 })
  })

  it('makes links of one file to another links of one card to another', async () => {
    const { knowledge } = makeBase()
    const text = `See [legs](../birds/the%20heron.md#legs), [tusks](walrus.md), [itself](./index.md), [up](../../secret.md),
      [away](https://sea.test/walrus.md) and [nothing](gone.md).`
    const rows = [
      fileRow('sea/index.md', text),
      fileRow('sea/walrus.md', '# The walrus\n\nIt has tusks.'),
      fileRow('birds/the heron.md', '# The heron\n\nIt has legs.'),
    ]
    await bring(knowledge, jsonLines(...rows))
    expect(knowledge.show('blue', 'sea/index', undefined)?.links).toEqual([
      { card: 'birds/the heron', title: 'The heron', lang: 'en' },
      { card: 'sea/walrus', title: 'The walrus', lang: 'en' },
    ])
    expect(knowledge.show('blue', 'sea/walrus', undefined)?.links).toEqual([])
  })

  it('names the line of everything it cannot take, and takes the rest', async () => {
    const { knowledge } = makeBase()
    const lines: (string | Buffer)[] = [
      JSON.stringify(WALRUS),
      '{"id": "broken"',
      '[1, 2]',
      '{"text": "no id"}',
      '{"id": "no text"}',
      '{"id": "empty", "text": "  "}',
      '{"id": "script", "text": "<script>alert(1)</script>"}',
      '{"id": "tongue", "text": "Bonjour.", "lang": "fr"}',
      '{"id": "link", "text": "A link.", "url": "javascript:alert(1)"}',
      '{"id": "zero", "text": "nothing\\u0000here"}',
      Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
      JSON.stringify(WALRUS),
      JSON.stringify(fileRow('a/b.md', '---\nid: b\nlevel: wizard\n---\ntext')),
      '',
      `{"id": "long", "text": "${'x'.repeat(2 ** 20 + 1)}"}`,
      JSON.stringify(HERON),
    ]
    const content = Buffer.concat(lines.flatMap((line) => [Buffer.from(line as string), Buffer.from('\n')]))
    const report = await knowledge.import(bytes(content, 4096), OPTIONS)
    expect(report).toMatchObject({ added: 2, rejected: 13 })
    expect(report.problems.map(({ file, line, message }) => `${file}:${line}: ${message.en}`)).toEqual([
      'notes.jsonl:2: not a line of JSON',
      'notes.jsonl:3: not a JSON object',
      'notes.jsonl:4: "id" must be a text of 1 to 200 characters',
      'notes.jsonl:5: "text" is missing',
      'notes.jsonl:6: there is no text in it',
      'notes.jsonl:7: there is no text in it',
      'notes.jsonl:8: "lang" must be "zh" or "en"',
      'notes.jsonl:9: "url" must be a web address',
      'notes.jsonl:10: holds a NUL byte: not a text',
      'notes.jsonl:11: not valid UTF-8',
      'notes.jsonl:12: the id "Sea/walrus#1" stands twice',
      'a/b.md:3: front matter: "level" must be one of intro, working, deep',
      'notes.jsonl:15: "text" is longer than 1048576 characters',
    ])
    expect(knowledge.search('heron 苍鹭', { tenant: 'blue' })[0]?.card).toBe('heron')
  })

  it('keeps what was written when it is broken off, and goes on from there', async () => {
    const { knowledge } = makeBase()
    // Four million characters are written in one go.
    const rows = Array.from({ length: 16 }, (_, n) => ({
      id: `n${n}`,
      text: `The number ${n}: ${'x'.repeat(800_000)}`,
    }))
    const stop = new AbortController()
    async function* cut() {
      yield Buffer.from(jsonLines(...rows.slice(0, 8)))
      stop.abort(new Error('enough'))
      yield Buffer.from(jsonLines(...rows.slice(8)))
    }
    await expect(knowledge.import(cut(), { ...OPTIONS, signal: stop.signal })).rejects.toThrow('enough')
    const { cards } = knowledge.stats()
    expect(cards).toBeGreaterThan(0)
    expect(cards).toBeLessThanOrEqual(8)
    expect(await bring(knowledge, jsonLines(...rows))).toEqual({ ...NOTHING, added: 16 - cards, unchanged: cards })
  })
})
