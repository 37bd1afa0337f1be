import type { Nodes } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { describe, expect, it } from 'vitest'
import type { ImportOptions, KnowledgeBase } from '../../src/knowledge/index.js'
import { deflatedZeros, growthMiB } from '../helpers/bomb.js'
import { pdfOf, print, RECTANGLE } from '../helpers/pdf.js'
import { zipOf } from '../helpers/zip.js'
import { bytes, card, fileRow, jsonLines, makeBase } from './base.js'

const OPTIONS: ImportOptions = { tenant: 'blue', collection: 'notes', file: 'notes.jsonl', author: 'ann' }
const bring = (knowledge: KnowledgeBase, content: string | Buffer, file = OPTIONS.file) =>
  knowledge.import(bytes(content, 65_536), { ...OPTIONS, file })
const isFound = (knowledge: KnowledgeBase) => knowledge.search('walrus tusks', { tenant: 'blue' })[0]?.card

const GOOD = { name: 'walrus.md', content: '# Walrus\n\nA walrus has tusks.' }
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex')
const LATIN1 = Buffer.concat([Buffer.from('# Caf'), Buffer.from([0xe9]), Buffer.from('\n\nWords.')])
/** UTF-8 up to its fourth line, as a file that somebody appended to with another program. */
const TORN = Buffer.concat([
  Buffer.from('# Fine\n\nStill fine.\nNow '),
  Buffer.from([0xff, 0xfe]),
  Buffer.from(' not.\n'),
])

/** In both languages. */
const saying = (english: RegExp) => ({
  en: expect.stringMatching(english),
  zh: expect.stringMatching(/\p{Script=Han}/u),
})

const BAD: [what: string, name: string, content: string | Buffer, line: number, message: RegExp][] = [
  ['a picture that is called Markdown', 'heron.md', PNG, 1, /^not valid UTF-8$/],
  ['a text with NUL bytes', 'heron.md', 'A heron\0 has legs.', 1, /NUL byte/],
  ['a text in another encoding', 'heron.md', LATIN1, 1, /^not valid UTF-8$/],
  ['a text that goes wrong in its fourth line', 'heron.md', TORN, 4, /^not valid UTF-8$/],
  ['a page that goes wrong in its fourth line', 'heron.html', TORN, 4, /^not valid UTF-8$/],
  ['front matter that is no YAML', 'heron.md', '---\nid: heron\ntitle: "half\n---\n\nWords.\n', 3, /^front matter: /],
  [
    'front matter with a level that there is not',
    'heron.md',
    card('heron', 'Words.', { level: 'wizard' }),
    4,
    /"level"/,
  ],
  ['front matter that never ends', 'heron.md', '---\nid: heron\n', 1, /not closed/],
  ['an empty file', 'heron.md', '', 1, /no text/],
  ['an empty page', 'heron.html', '', 1, /no text/],
  ['an empty PDF', 'heron.pdf', '', 1, /broken PDF/],
  ['a PDF without text', 'heron.pdf', pdfOf([RECTANGLE]), 1, /PDF without text/],
  ['a PDF with a password', 'heron.pdf', pdfOf([print('x')], { encrypted: true }), 1, /encrypted PDF/],
  ['a PDF that breaks off', 'heron.pdf', pdfOf([print('A heron.')]).subarray(0, 700), 1, /broken PDF/],
  ['a page of a megabyte of brackets', 'heron.html', '<div>'.repeat(200_000), 1, /inside each other/],
]

describe('an import', () => {
  it.each(BAD)(
    'says of %s what is wrong and where, and takes the rest',
    async (_what, name, content, line, message) => {
      const problems = [{ file: name, line, message: saying(message) }]
      for (const [whole, file] of [
        [jsonLines(fileRow(name, content), fileRow(GOOD.name, GOOD.content)), 'notes.jsonl'],
        [zipOf([{ name, content }, GOOD]), 'notes.zip'],
      ] as const) {
        const { knowledge } = makeBase()
        expect(await bring(knowledge, whole, file)).toMatchObject({ added: 1, rejected: 1, problems })
        expect(isFound(knowledge)).toBe('walrus')
      }
      const { knowledge } = makeBase()
      expect(await bring(knowledge, content, name)).toMatchObject({ added: 0, rejected: 1, problems })
    },
  )

  it('takes no file of a kind that it does not know', async () => {
    const { knowledge } = makeBase()
    const rows = ['notes.docx', 'notes', 'notes.md.exe'].map((name) => fileRow(name, 'A heron has legs.'))
    const report = await bring(knowledge, jsonLines(...rows, fileRow(GOOD.name, GOOD.content)))
    expect(report).toMatchObject({ added: 1, rejected: 3 })
    expect(report.problems).toEqual(
      rows.map(({ file }) => ({ file, line: 1, message: { en: 'not a document', zh: '不是文档' } })),
    )
  })

  it('passes on what whoever walks a folder says of a file', async () => {
    const { knowledge } = makeBase()
    const report = await bring(
      knowledge,
      jsonLines({ file: 'a.md', problem: 'EACCES' }, fileRow(GOOD.name, GOOD.content)),
    )
    expect(report).toMatchObject({
      added: 1,
      problems: [{ file: 'a.md', line: 1, message: { en: 'EACCES', zh: 'EACCES' } }],
    })
  })

  it('keeps the first of two with one id, and names the second', async () => {
    const { knowledge } = makeBase()
    const twice = zipOf([
      GOOD,
      { name: 'a/second.md', content: '---\nid: walrus\ntitle: Another\n---\nAnother walrus.' },
      { name: 'seal.md', content: '# Seal\n\nA seal barks.' },
    ])
    expect(await bring(knowledge, twice, 'notes.zip')).toMatchObject({
      added: 2,
      problems: [{ file: 'a/second.md', line: 5, message: saying(/^the id "walrus" stands twice$/) }],
    })
    expect(isFound(knowledge)).toBe('walrus')
    // In another language it is another card.
    expect(await bring(knowledge, jsonLines({ id: 'walrus', text: '海象有长牙。' }))).toMatchObject({ added: 1 })
  })

  it('takes what stands beside a bomb, and has no more memory for it than for any other file', async () => {
    const { knowledge } = makeBase()
    const bomb = deflatedZeros(4096)
    const zip = zipOf([
      { name: 'bomb.md', packed: bomb, claims: { size: 10 } },
      { name: 'bomb.jsonl', packed: bomb, claims: { size: 10 } },
      GOOD,
    ])
    let report: unknown
    const grown = await growthMiB(async () => {
      report = await bring(knowledge, zip, 'notes.zip')
    })
    expect(report).toMatchObject({
      added: 1,
      rejected: 2,
      problems: ['bomb.md', 'bomb.jsonl'].map((file) => ({
        file,
        line: 1,
        message: saying(/larger/),
      })),
    })
    expect(grown).toBeLessThan(200)
    expect(isFound(knowledge)).toBe('walrus')
  })

  it('says that an archive is damaged, after what could be read of it', async () => {
    const { knowledge } = makeBase()
    const report = await bring(knowledge, zipOf([GOOD], { entries: 2 }), 'notes.zip')
    expect(report).toMatchObject({
      added: 1,
      problems: [{ file: 'notes.zip', message: saying(/^not a zip, or a damaged one/) }],
    })
  })

  it('holds a line of two hundred megabytes in little memory, and goes on behind it', async () => {
    const { knowledge } = makeBase()
    const MIB = 1024 * 1024
    const piece = Buffer.alloc(MIB, 'x')
    async function* endless() {
      yield Buffer.from(jsonLines({ id: 'heron', text: 'A heron has legs.' }))
      for (let n = 0; n < 200; n += 1) {
        await new Promise(setImmediate)
        yield piece
      }
      yield Buffer.from(`\n${jsonLines({ id: 'walrus', text: 'A walrus has tusks.' })}`)
    }
    const held = () => process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed
    const before = held()
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, held() - before)
    }, 5)
    const report = await knowledge.import(endless(), OPTIONS)
    clearInterval(watch)
    expect(report).toMatchObject({
      added: 2,
      rejected: 1,
      problems: [{ file: 'notes.jsonl', line: 2, message: saying(/^longer than \d+ bytes$/) }],
    })
    expect(isFound(knowledge)).toBe('walrus')
    expect(most).toBeLessThan(64 * MIB)
  })
})

describe('a card that holds a script', () => {
  const SCRIPT = '<script>alert(1)</script>'
  const TEXTS: [what: string, text: string][] = [
    ['as a block', `${SCRIPT}\n\nA walrus has tusks.`],
    ['inside a sentence', `A walrus ${SCRIPT} has <img src=x onerror=alert(1)> tusks.`],
    ['escaped', 'A walrus has \\<script>alert(1)\\</script> tusks.'],
    ['as entities', 'A walrus has &lt;script&gt;alert(1)&lt;/script&gt; tusks.'],
    ['in a heading', `## Tusks ${SCRIPT}\n\nA walrus has tusks.`],
    ['in a list and a quote', `> - A walrus has tusks. ${SCRIPT}`],
    ['in a table', `| walrus | tusks |\n| - | - |\n| walrus has | tusks ${SCRIPT} |`],
    ['over two lines', 'A walrus has <script\n>alert(1)</script\n> tusks.'],
    ['as a comment', 'A walrus has <!-- <script>alert(1)</script> --> tusks.'],
  ]
  it.each(TEXTS)('%s never says it as HTML', async (_what, text) => {
    const { knowledge } = makeBase()
    await bring(knowledge, jsonLines({ id: 'walrus', title: `Walrus ${SCRIPT}`, text }))
    const { found, answer } = knowledge.answer('Does a walrus have tusks?', { tenant: 'blue' })
    expect(found).toBe(true)
    expect(answer).toContain('usks')
    expect(htmlIn(answer)).toEqual([])
  })

  it('in its code, shows it as code', async () => {
    const { knowledge } = makeBase()
    const text = `To tag a walrus with a script, run this:\n\n\`\`\`\n${SCRIPT}\n\`\`\``
    await bring(knowledge, jsonLines({ id: 'walrus', title: 'How to tag a walrus', text }))
    const { answer } = knowledge.answer('How do I tag a walrus with a script?', { tenant: 'blue' })
    expect(answer).toContain(SCRIPT)
    expect(htmlIn(answer)).toEqual([])
  })
})

/** What a reader of Markdown would take for HTML. */
function htmlIn(markdown: string): string[] {
  const inNode = (node: Nodes): string[] =>
    node.type === 'html' ? [node.value] : 'children' in node ? node.children.flatMap(inNode) : []
  return inNode(fromMarkdown(markdown))
}
