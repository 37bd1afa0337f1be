import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { openKnowledge } from '../../src/knowledge/base.js'
import { card, makeBase } from './base.js'

const NOTHING = { added: 0, changed: 0, unchanged: 0, removed: 0, problems: [] }

describe('ingesting a folder of cards', () => {
  it('adds what is new, and does nothing the second time', async () => {
    const { knowledge, db, dir, write } = makeBase()
    write('en/walrus.md', card('walrus', 'A walrus has tusks.'))
    write('zh/deep/er/walrus.md', card('walrus', '海象有长牙。'))
    expect(await knowledge.ingest(dir)).toEqual({ ...NOTHING, added: 2 })
    const rows = () => db.prepare('SELECT id FROM knowledge_passages ORDER BY id').all()
    const before = rows()
    expect(await knowledge.ingest(dir)).toEqual({ ...NOTHING, unchanged: 2 })
    expect(rows()).toEqual(before)
    expect(knowledge.stats()).toEqual({ cards: 2, passages: 2 })
  })

  it('replaces the passages of a changed card, so that its old words are no longer found', async () => {
    const { knowledge, dir, write } = makeBase()
    write('en/animal.md', card('animal', 'A walrus has tusks.\n\n## Food\nIt eats clams.'))
    await knowledge.ingest(dir)
    write('en/animal.md', card('animal', 'A heron has long legs.'))
    expect(await knowledge.ingest(dir)).toEqual({ ...NOTHING, changed: 1 })
    expect(knowledge.search('walrus tusks')).toEqual([])
    expect(knowledge.search('heron')).toHaveLength(1)
    expect(knowledge.stats()).toEqual({ cards: 1, passages: 1 })
  })

  it('forgets a card whose file is gone, and leaves nothing of it in the index', async () => {
    const { knowledge, db, dir, write, remove } = makeBase()
    write('en/walrus.md', card('walrus', 'A walrus has tusks.'))
    write('en/heron.md', card('heron', 'A heron has long legs.'))
    await knowledge.ingest(dir)
    remove('en/walrus.md')
    expect(await knowledge.ingest(dir)).toEqual({ ...NOTHING, unchanged: 1, removed: 1 })
    expect(knowledge.search('walrus')).toEqual([])
    expect(db.prepare("SELECT count(*) AS n FROM knowledge_tokens WHERE token = 'tusk'").get()).toEqual({ n: 0 })
  })

  it('follows a card that moves to another file, and one that changes its id', async () => {
    const { knowledge, dir, write, remove } = makeBase()
    write('en/a.md', card('walrus', 'A walrus has tusks.'))
    await knowledge.ingest(dir)
    remove('en/a.md')
    write('en/b.md', card('walrus', 'A walrus has tusks.'))
    expect(await knowledge.ingest(dir)).toEqual({ ...NOTHING, changed: 1 })
    write('en/b.md', card('seal', 'A walrus has tusks.'))
    expect(await knowledge.ingest(dir)).toEqual({ ...NOTHING, added: 1, removed: 1 })
    expect(knowledge.search('tusks').map((hit) => hit.card)).toEqual(['seal'])
  })

  it('keeps everything for the next process that opens the file', async () => {
    const { knowledge, db, dir, write } = makeBase()
    write('en/walrus.md', card('walrus', 'A walrus has tusks.'))
    await knowledge.ingest(dir)
    const again = new Database(db.name)
    const reopened = openKnowledge(again)
    expect(reopened.search('walrus')).toHaveLength(1)
    expect(await reopened.ingest(dir)).toEqual({ ...NOTHING, unchanged: 1 })
    again.close()
  })

  it('refuses a file that a newer version of the program has written', () => {
    const { db } = makeBase()
    db.pragma('user_version = 99')
    expect(() => openKnowledge(db)).toThrow('version 99')
  })

  it('throws when the folder is missing, rather than forgetting all cards', async () => {
    const { knowledge, dir, write } = makeBase()
    write('en/walrus.md', card('walrus', 'A walrus has tusks.'))
    await knowledge.ingest(dir)
    await expect(knowledge.ingest(`${dir}-missing`)).rejects.toThrow(/ENOENT/)
    expect(knowledge.stats().cards).toBe(1)
  })
})

describe('a file that is no card', () => {
  const bad: [what: string, content: string | Buffer, line: number, message: RegExp][] = [
    ['without front matter', 'Just words.', 1, /front matter/],
    ['with front matter that never ends', '---\nid: x\n', 1, /not closed/],
    ['with broken YAML', '---\nid: bad\ntitle: "half\n---\n\nWords.\n', 3, /front matter/],
    ['with a tab where YAML wants spaces', '---\nid: bad\ntitle: x\naliases:\n\t- y\n---\n\nWords.\n', 5, /tab/i],
    ['without a title', '---\nid: bad\n---\n\nWords.\n', 1, /"title" is missing/],
    ['with an id that is no id', card('Not An Id', 'Words.'), 2, /"id"/],
    ['with aliases that are no list', card('bad', 'Words.', { aliases: 'one, two' }), 4, /"aliases"/],
    ['with an unknown level', card('bad', 'Words.', { level: 'wizard' }), 4, /"level"/],
    ['with a date that is none', card('bad', 'Words.', { as_of: 'soon' }), 4, /"as_of"/],
    [
      'with a source that would be a script',
      card('bad', 'Words.', { sources: '[{title: x, url: "javascript:1"}]' }),
      4,
      /"sources"/,
    ],
    ['with a YAML alias', '---\nid: &a bad\ntitle: *a\n---\n\nWords.\n', 2, /aliases/],
    ['without text', card('bad', ''), 5, /no text/],
    ['that is binary', Buffer.from([0x2d, 0x2d, 0x2d, 0x0a, 0xff, 0xfe, 0x00]), 1, /UTF-8/],
    ['with a NUL byte', card('bad', 'Words\0.'), 6, /NUL/],
    ['that is far too large', card('bad', 'word '.repeat(300_000)), 1, /larger/],
  ]
  it.each(bad)('%s is reported with file and line, and the rest is ingested', async (_what, content, line, message) => {
    const { knowledge, dir, write } = makeBase()
    write('en/bad.md', content)
    write('en/good.md', card('good', 'A walrus has tusks.'))
    const report = await knowledge.ingest(dir)
    expect(report).toMatchObject({ added: 1, problems: [{ file: 'en/bad.md', line }] })
    expect(report.problems[0]?.message.en).toMatch(message)
    expect(report.problems[0]?.message.zh).toMatch(/\p{Script=Han}/u)
    expect(knowledge.search('walrus')).toHaveLength(1)
  })

  it('does not take an id that another card of its language has; the other language may have it', async () => {
    const { knowledge, dir, write } = makeBase()
    write('en/a.md', card('same', 'A walrus has tusks.'))
    write('en/b.md', card('same', 'A heron has legs.'))
    write('zh/a.md', card('same', '海象有长牙。'))
    const report = await knowledge.ingest(dir)
    expect(report).toMatchObject({
      added: 2,
      problems: [
        {
          file: 'en/b.md',
          message: { en: expect.stringContaining('en/a.md'), zh: expect.stringContaining('en/a.md') },
        },
      ],
    })
    expect(await knowledge.ingest(dir)).toMatchObject({ added: 0, unchanged: 2, problems: [{ file: 'en/b.md' }] })
  })

  it('keeps what it said before it broke', async () => {
    const { knowledge, dir, write } = makeBase()
    write('en/walrus.md', card('walrus', 'A walrus has tusks.'))
    await knowledge.ingest(dir)
    write('en/walrus.md', '---\ntitle: [\n---\n')
    expect(await knowledge.ingest(dir)).toMatchObject({ removed: 0, problems: [{ file: 'en/walrus.md' }] })
    expect(knowledge.search('walrus')).toHaveLength(1)
  })
})
