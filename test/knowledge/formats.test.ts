import { mkdtempSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Nodes } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { describe, expect, it } from 'vitest'
import {
  ARCHIVE_LIMITS,
  type ArchiveEntry,
  type ArchiveLimits,
  entriesOf,
} from '../../src/knowledge/formats/archive.js'
import { htmlToMarkdown } from '../../src/knowledge/formats/html.js'
import { pdfToMarkdown } from '../../src/knowledge/formats/pdf.js'
import { Unreadable } from '../../src/knowledge/formats/unreadable.js'
import { deflatedZeros, growthMiB } from '../helpers/bomb.js'
import { pdfOf, print, printLines, RECTANGLE } from '../helpers/pdf.js'
import { type ZipFile, zipOf } from '../helpers/zip.js'

const nodesOf = (node: Nodes): Nodes[] => [node, ...('children' in node ? node.children.flatMap(nodesOf) : [])]
const seconds = async (of: () => unknown): Promise<number> => {
  const start = performance.now()
  await of()
  return (performance.now() - start) / 1000
}

describe('a web page', () => {
  it('becomes the Markdown of its main content, without what surrounds it', () => {
    const page = `<!doctype html><html lang="en-GB"><head><title>Herons &amp; egrets</title><style>p { color: red }</style></head>
      <body><header>Our site</header><nav><a href="/">Home</a></nav>
      <main><h1>Herons <a class="headerlink" href="#herons">¶</a></h1><aside>Advertisement</aside>
      <p>A <b>heron</b> has <a href="/legs.html">long legs</a>.<!-- true? --> <img src="h.png" alt="A heron"></p>
      <pre><code class="language-sh">feed \\
  --fish 2</code></pre>
      <table><tr><th>bird<th>size</tr><tr><td>heron<td>98 cm</tr></table>
      <ul><li>eats fish<ul><li>and frogs</ul></ul><form><label>Ask</label><input value="x"><button>Go</button></form>
      <script>alert(1)</script><noscript>no script</noscript><svg><text>drawn</text></svg><iframe src="x"></iframe></main>
      <footer>Imprint</footer></body></html>`
    expect(htmlToMarkdown(page)).toEqual({
      title: 'Herons & egrets',
      lang: 'en',
      markdown: [
        '# Herons\n',
        'A heron has [long legs](/legs.html). A heron\n',
        '```sh\nfeed \\\n  --fish 2\n```\n',
        '| bird | size |\n| - | - |\n| heron | 98 cm |\n',
        '- eats fish\n  - and frogs\n',
        'Ask\n',
      ].join('\n'),
    })
  })

  it('is its articles when it has no main part, with their headers, and else its body', () => {
    const articles = '<p>menu</p><article><header><h1>Egret</h1></header></article><article>White.</article>'
    expect(htmlToMarkdown(articles).markdown).toBe('# Egret\n\nWhite.\n')
    expect(htmlToMarkdown('<header>Top</header>Only <i>this</i>.<footer>End</footer>').markdown).toBe('Only this.\n')
    expect(htmlToMarkdown('<div role="main">Docs</div><p>more').markdown).toBe('Docs\n')
    expect(htmlToMarkdown('<script>app()</script>')).toEqual({ markdown: '' })
  })

  it('is called by its title, or else by its first heading, and says its language only when it is one of ours', () => {
    expect(htmlToMarkdown('<html lang="zh-Hans"><body><h2>x</h2><h1>苍 <code>鹭</code></h1>')).toMatchObject({
      title: '苍 鹭',
      lang: 'zh',
    })
    expect(htmlToMarkdown('<html lang="fr"><svg><title>drawing</title></svg><p>Bonjour')).toEqual({
      markdown: 'Bonjour\n',
    })
  })

  it('keeps words as they will be searched and numbers as they were meant', () => {
    expect(htmlToMarkdown('<p><b>注意：</b>请用 max_connections，2<sup>32</sup>，vir&shy;tual').markdown).toBe(
      '注意：请用 max_connections，2^32，virtual\n',
    )
  })

  it('leaves nothing that acts: no tags, and no address but of the web', () => {
    const hrefs = [
      'javascript:alert(1)',
      ' JavaScript:alert(1)',
      'java&#10;script:alert(1)',
      '&#1;javascript:alert(1)',
      '&amp;#106;avascript:alert(1)',
      'javascript\\:alert(1)',
      'vbscript:x',
      'data:text/html,<script>alert(1)</script>',
      'file:///etc/passwd',
      'mailto:a@b.test',
      '>)<script>alert(1)</script>',
    ]
    const words = [
      '&lt;script&gt;alert(1)&lt;/script&gt;',
      '[x](javascript:alert(1))',
      '&lt;javascript:alert(1)&gt;',
      '[x]: javascript:a',
    ]
    const page = [...hrefs.map((href) => `<p><a href="${href}">x</a>`), ...words.map((word) => `<p>${word}`)].join('')
    const nodes = nodesOf(fromMarkdown(htmlToMarkdown(`${page}<p><a href="https://sea.test/a_(b)">ok</a>`).markdown))
    const types = new Set(nodes.map(({ type }) => type))
    expect([...types].sort()).toEqual(['link', 'paragraph', 'root', 'text'])
    const urls = nodes.flatMap((node) => (node.type === 'link' ? [node.url] : []))
    // The ones that a browser, too, takes for relative addresses.
    expect(urls).toHaveLength(4)
    for (const url of urls) expect(new URL(url, 'https://here.test').protocol).toBe('https:')
    expect(urls.at(-1)).toBe('https://sea.test/a_(b)')
  })

  it('never joins lists with a comment, however many follow each other', () => {
    const { markdown } = htmlToMarkdown(
      '<ul><li>a</ul><ul><li>b</ul><ul><li>c</ul><ol><li>d</ol><ol><li>e</ol><pre>f</pre>',
    )
    expect(nodesOf(fromMarkdown(markdown)).filter(({ type }) => type === 'list' || type === 'html')).toHaveLength(5)
  })

  it('is refused at once when a megabyte of it would become gigabytes', async () => {
    const formatting = Array.from({ length: 200 }, (_, index) => `<b id=${index}>`).join('')
    const bombs = {
      'inside each other': '<div>'.repeat(100_000),
      'more than 50000 elements': `${formatting}${'<p>x'.repeat(250_000)}`,
      'tables of more than': `<table><tr>${'<td>'.repeat(20_000)}${'<tr>'.repeat(20_000)}`,
      'tables of': `<table>${`<tr>${'<td colspan=1000000000 rowspan=1000000000>'.repeat(50)}`.repeat(50)}`,
    }
    for (const [message, bomb] of Object.entries(bombs)) {
      const took = await seconds(() => expect(() => htmlToMarkdown(bomb), message).toThrow(message))
      expect(took, message).toBeLessThan(3)
    }
    expect(() => htmlToMarkdown('<p>'.repeat(50_001))).toThrow(Unreadable)
  })

  it('does not grow with the depth of its quotes and lists, and loses nothing there', () => {
    const page = `${'<blockquote><ul><li>'.repeat(80)}${'<p>word'.repeat(1000)}`
    const { markdown } = htmlToMarkdown(page)
    expect(markdown.length).toBeLessThan(10 * page.length)
    expect(markdown.match(/word/g)).toHaveLength(1000)
  })
})

describe('a PDF', () => {
  it('becomes paragraphs, headings and listings, page by page', async () => {
    const pages = [
      print('Installing herons', { size: 18, y: 760 }) +
        printLines([
          'A heron is a bird with long legs, which it needs for stan-',
          'ding in water. It eats <b>fish</b> and',
          'nothing else.',
        ]) +
        printLines(['feed \\', '    --fish 2'], { font: 'code', top: 640 }),
      printLines(['Another page of the same print, long enough for a line.', 'It goes on.'], { font: 'latin' }),
    ]
    expect(await pdfToMarkdown(pdfOf(pages, { title: 'Microsoft Word - Herons' }))).toEqual({
      title: 'Herons',
      markdown: [
        '## p. 1\n',
        '### Installing herons\n',
        'A heron is a bird with long legs, which it needs for standing in water. It eats \\<b>fish\\</b> and nothing else.\n',
        '```\nfeed \\\n    --fish 2\n```\n',
        '## p. 2\n',
        'Another page of the same print, long enough for a line. It goes on.\n',
      ].join('\n'),
    })
  })

  it('keeps its paragraphs and list items apart', async () => {
    const full = 'These words fill the whole width of the page from its left to its right'
    const lines = [full, `${full}.`, 'An end.', full, 'goes on', '1. one', '2. two']
    const indented = print(full, { x: 90, y: 500 }) + printLines([full], { top: 486 })
    const { markdown } = await pdfToMarkdown(pdfOf([printLines(lines) + indented]))
    expect(markdown.split('\n\n').slice(1)).toEqual([
      `${full} ${full}. An end.`,
      `${full} goes on`,
      '1\\. one',
      '2\\. two',
      `${full} ${full}\n`,
    ])
  })

  it('is read in Chinese, without spaces between lines, whether or not its font says what its characters mean', async () => {
    const said = printLines(['苍鹭是一种鸟，它有很长的', '腿，常常⽴在⽔ 中。'], { font: 'han' })
    const { markdown } = await pdfToMarkdown(pdfOf([said, print('苍鹭吃鱼。', { font: 'gb' })]))
    expect(markdown).toBe('## p. 1\n\n苍鹭是一种鸟，它有很长的腿，常常立在水中。\n\n## p. 2\n\n苍鹭吃鱼。\n')
  })

  it('keeps the numbers of its pages when one of them is empty, and leaves out what every page says', async () => {
    const page = (number: number) =>
      print('The heron handbook', { y: 800 }) + print(`Bird ${number} is white.`) + print(`- ${number} -`, { y: 40 })
    const { markdown } = await pdfToMarkdown(pdfOf([page(1), RECTANGLE, page(3), page(4), page(5)]))
    expect(markdown).toBe([1, 3, 4, 5].map((n) => `## p. ${n}\n\nBird ${n} is white.\n`).join('\n'))
    const short = [1, 2].map(
      (number) => print('A heron.') + print(`${number} / 2`, { y: 40 }) + print(`${number}`, { y: 20 }),
    )
    expect((await pdfToMarkdown(pdfOf(short))).markdown).toBe(
      '## p. 1\n\nA heron.\n\n1 / 2\n\n## p. 2\n\nA heron.\n\n2 / 2\n',
    )
  })

  it('says why it cannot be read', async () => {
    const reasonOf = (bytes: Uint8Array) =>
      pdfToMarkdown(bytes).then(
        () => 'none',
        (error) => `${error instanceof Unreadable}: ${(error as Error).message}`,
      )
    expect(await reasonOf(pdfOf([RECTANGLE]))).toBe('true: a PDF without text (a scan?): nothing to search in')
    expect(await reasonOf(pdfOf([print('x')], { encrypted: true }))).toMatch(/^true: an encrypted PDF/)
    expect(await reasonOf(pdfOf([print('x')]).subarray(0, 700))).toMatch(/^true: a broken PDF/)
    expect(await reasonOf(Buffer.from('GIF89a'))).toMatch(/^true: a broken PDF/)
    expect(await reasonOf(pdfOf(Array.from({ length: 2001 }, () => '')))).toBe('true: a PDF of more than 2000 pages')
  })

  it('is left at once when it is no longer wanted', async () => {
    const pdf = pdfOf(
      Array.from({ length: 1000 }, () => printLines(Array.from({ length: 40 }, () => 'word '.repeat(15)))),
    )
    const reason = new Error('enough')
    const took = await seconds(() => expect(pdfToMarkdown(pdf, AbortSignal.timeout(50))).rejects.toThrow(/timeout/))
    expect(took).toBeLessThan(2)
    await expect(pdfToMarkdown(pdf, AbortSignal.abort(reason))).rejects.toBe(reason)
  })

  it('of two hundred pages is read while others are answered', async () => {
    const line = 'This line of the page says something about virtual machines and memory.'
    // What stood first or last on every page would be taken for a header.
    const edge = (page: number) => `Words beginning with ${'abcdefgh'.charAt(page % 8)}`
    const pages = Array.from({ length: 200 }, (_, page) => [
      edge(page),
      ...Array.from({ length: 43 }, () => line),
      edge(page),
    ])
    const pdf = pdfOf(pages.map((lines) => printLines(lines)))
    let answered = 0
    const others = setInterval(() => {
      answered += 1
    }, 10)
    const { markdown } = await pdfToMarkdown(pdf)
    clearInterval(others)
    expect(markdown.match(/^## p\. \d+$/gm)).toHaveLength(200)
    expect(markdown.split(line)).toHaveLength(200 * 43 + 1)
    expect(answered).toBeGreaterThan(10)
  })

  it('is given up when ten megabytes of it become ten gigabytes', async () => {
    const pdf = pdfOf([print('x'), Buffer.concat([Buffer.from([0x78, 0xda]), deflatedZeros(10_240)])])
    const grown = await growthMiB(() => expect(pdfToMarkdown(pdf)).rejects.toThrow('a PDF that takes too much memory'))
    expect(grown).toBeLessThan(2000)
  })
})

describe('an archive', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hc-formats-'))
  let made = 0
  const onDisk = (zip: Buffer): string => {
    made += 1
    const file = join(folder, `${made}.zip`)
    writeFileSync(file, zip)
    return file
  }
  const read = async (zip: Buffer, limits: Partial<ArchiveLimits> = {}): Promise<Record<string, string>> => {
    const found: Record<string, string> = {}
    for await (const entry of entriesOf(onDisk(zip), { ...ARCHIVE_LIMITS, ...limits }))
      found[entry.name] = wordOf(entry)
    return found
  }
  const wordOf = (entry: ArchiveEntry) => ('bytes' in entry ? entry.bytes.toString() : `! ${entry.problem.en}`)
  const fine: ZipFile = { name: 'fine.md', content: 'fine' }

  it('gives its documents, and passes over everything else without a word', async () => {
    const others = [
      'a/',
      '.hidden.md',
      '.git/x.md',
      'a/.b/x.md',
      '__MACOSX/a.md',
      'node_modules/a/README.md',
      'x.zip',
      'x.png',
      'x.md.exe',
      'md',
    ]
    const documents = {
      'a.md': '',
      'a/b.markdown': '苍鹭',
      'c.HTML': '<p>c',
      'd.htm': 'd',
      'e.pdf': '%PDF',
      'f.jsonl': '{}',
    }
    const zip = zipOf([
      ...others.map((name) => ({ name, content: 'no' })),
      { name: 'link.md', content: '/etc/passwd', mode: 0o120777 },
      ...Object.entries(documents).map(([name, content]) => ({ name, content })),
      { name: 'stored.md', content: 'as it is', method: 0 },
    ])
    expect(await read(zip)).toEqual({ ...documents, 'stored.md': 'as it is' })
  })

  it('takes no name that leads out of it', async () => {
    const names = ['../a.md', 'a/../../b.md', '/etc/c.md', 'C:/d.md', '..\\e.md', 'f\0.md', 'g\n.md']
    const found = await read(zipOf([...names.map((name) => ({ name, content: 'bad' })), fine]))
    expect(Object.keys(found)).toHaveLength(names.length + 1)
    expect(found).toMatchObject({ 'fine.md': 'fine', '../e.md': '! its name is no path within the archive' })
    expect(Object.values(found).filter((word) => word === 'bad')).toEqual([])
  })

  it('reads Chinese names as Windows and as others write them', async () => {
    const gbk = Buffer.from([0xb2, 0xd4, 0xf0, 0xd8, 0x2e, 0x6d, 0x64])
    const dos = Buffer.from([0x63, 0x61, 0x66, 0x82, 0x2e, 0x6d, 0x64])
    const zip = zipOf([
      { name: gbk, flags: 0 },
      { name: '虚拟机.md', flags: 0 },
      { name: '容器.md' },
      { name: dos, flags: 0 },
    ])
    expect(Object.keys(await read(zip))).toEqual(['苍鹭.md', '虚拟机.md', '容器.md', 'café.md'])
  })

  it('says what is wrong with an entry and goes on with the next', async () => {
    const zip = zipOf([
      { name: 'secret.md', content: 'x', flags: 0x801 },
      { name: 'lzma.md', content: 'x', method: 14 },
      { name: 'torn.md', packed: Buffer.from([0xff, 0xff, 0xff]) },
      { name: 'cut.md', packed: Buffer.from([0x4b]) },
      { name: 'other.md', content: 'x', claims: { crc: 1 } },
      { name: 'small.md', content: 'larger than it claims', claims: { size: 1 } },
      fine,
    ])
    const found = await read(zip)
    expect(found).toMatchObject({
      'secret.md': '! it is encrypted',
      'lzma.md': '! it is compressed by method 14, which is not supported',
      'other.md': '! damaged: its checksum differs',
      'small.md': 'larger than it claims',
      'fine.md': 'fine',
    })
    expect([found['torn.md'], found['cut.md']]).toEqual([
      expect.stringMatching(/^! damaged/),
      expect.stringMatching(/^! damaged/),
    ])
  })

  it('keeps to its limits', async () => {
    const long = (name: string, size: number): ZipFile => ({ name, content: 'x'.repeat(size), claims: { size: 1 } })
    expect(await read(zipOf([long('a.md', 101), long('b.md', 100), fine]), { entryBytes: 100 })).toEqual({
      'a.md': '! larger than 100 bytes',
      'b.md': 'x'.repeat(100),
      'fine.md': 'fine',
    })
    const many = ['a.md', 'b.md', 'c.md', 'd.md'].map((name) => long(name, 100))
    expect(Object.entries(await read(zipOf(many), { totalBytes: 250 })).slice(2)).toEqual([
      ['c.md', '! the archive inflates to more than 250 bytes'],
    ])
    const dense = { name: 'dense.md', content: Buffer.alloc(2 * 1024 * 1024, 'word ') }
    expect(await read(zipOf([dense, fine]), { ratio: 50 })).toMatchObject({
      'dense.md': '! it inflates to more than 50 times its size',
      'fine.md': 'fine',
    })
    await expect(read(zipOf([fine, fine, fine]), { entries: 2 })).rejects.toThrow('an archive of more than 2 entries')
  })

  it('refuses ten megabytes that become ten gigabytes, as one entry and as many, at once and without memory', async () => {
    const whole = zipOf([{ name: 'bomb.md', packed: deflatedZeros(10_240), claims: { size: 10 } }, fine])
    const part = deflatedZeros(16)
    const parts = zipOf(Array.from({ length: 640 }, (_, index) => ({ name: `${index}.md`, packed: part })))
    expect(whole.length).toBeLessThan(11 * 1024 * 1024)
    let found: Record<string, string>[] = []
    const grown = await growthMiB(async () => {
      const took = await seconds(async () => {
        found = [await read(whole), await read(parts)]
      })
      expect(took).toBeLessThan(10)
    })
    expect(grown).toBeLessThan(150)
    expect(found[0]).toEqual({ 'bomb.md': '! larger than 16777216 bytes', 'fine.md': 'fine' })
    expect(Object.values(found[1] ?? {}).filter((word) => !word.startsWith('! '))).toEqual([])
    expect(Object.keys(found[1] ?? {}).length).toBeLessThan(200)
  })

  it('is refused when it is no archive or a damaged one, after what could be read of it', async () => {
    await expect(read(Buffer.from('hello'))).rejects.toThrow(Unreadable)
    await expect(read(zipOf([fine]).subarray(0, -5))).rejects.toThrow(/^not a zip, or a damaged one/)
    const taken: string[] = []
    const reading = async () => {
      for await (const { name } of entriesOf(onDisk(zipOf([fine], { entries: 2 })))) taken.push(name)
    }
    await expect(reading()).rejects.toThrow(Unreadable)
    expect(taken).toEqual(['fine.md'])
    await expect(entriesOf(join(folder, 'missing.zip')).next()).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('is closed again however it is left', async () => {
    const file = onDisk(zipOf([{ name: 'large.md', packed: deflatedZeros(100) }, fine, fine]))
    for await (const { name } of entriesOf(file)) if (name === 'fine.md') break
    const isOpen = () =>
      readdirSync('/proc/self/fd').some((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === file
        } catch {
          // The folder's own descriptor is gone by now.
          return false
        }
      })
    await expect.poll(isOpen).toBe(false)
  })
})
