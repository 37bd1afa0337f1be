import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { initWasm, Resvg } from '@resvg/resvg-wasm'
import { describe, expect, it } from 'vitest'
import { estimateWidth, tablePicture } from '../../src/actions/table-picture.js'

interface Drawn {
  readonly x: number
  readonly y: number
  readonly size: number
  readonly bold: boolean
  readonly text: string
}

/** The texts of a picture, as a reader of XML sees them. */
function textsOf(svg: string): Drawn[] {
  const found = svg.matchAll(/<text x="(\d+)" y="(\d+)" font-size="(\d+)"( font-weight="700")?>([^<]*)<\/text>/g)
  return [...found].map(([, x, y, size, bold, text = '']) => ({
    x: Number(x),
    y: Number(y),
    size: Number(size),
    bold: bold !== undefined,
    text: text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&'),
  }))
}

const heightOf = (svg: string) => Number(/viewBox="0 0 1200 (\d+)"/.exec(svg)?.[1])
const linesOf = (svg: string, x: number) => textsOf(svg).filter((drawn) => drawn.x === x)

const LONG_ZH =
  '容器只是一组与宿主机共用内核的进程（隔离靠命名空间与 cgroups），所以更小、启动更快；虚拟机则带着自己的内核，隔离更强，代价是启动要几秒到几分钟，占用也以吉字节计，并且需要 CPU 的虚拟化支持才会快，这一格写得很长，放不下就要截断，所以后面还有很多字，一直写到放不下为止，再多写一句也是一样放不下的。'
const TABLE = {
  title: 'KVM 与 VirtualBox 的比较',
  columns: ['Fact', 'KVM', 'VirtualBox'],
  rows: [
    ['Kind', 'in the Linux kernel; usually counted as type I', 'type II <script>alert(1)</script> & more'],
    ['隔离方式', LONG_ZH, '虚拟机监控器和 CPU'],
    ['Digest', `sha256:${'0123456789abcdef'.repeat(4)}`, ''],
    ['Hosts', 'Linux', 'Windows, Linux, macOS, Solaris'],
  ],
}

const inside = (svg: string) => {
  for (const { x, y, size, bold, text } of textsOf(svg)) {
    expect(x).toBeGreaterThanOrEqual(40)
    expect(x + estimateWidth(text, size, bold), text).toBeLessThanOrEqual(1160)
    expect(y - size).toBeGreaterThan(0)
    expect(y + size * 0.3).toBeLessThan(heightOf(svg) - 40)
  }
}

describe('a table as a picture', () => {
  it('escapes what a cell says', () => {
    const svg = tablePicture({ ...TABLE, title: '<b>&"</b>' })
    expect(svg).not.toContain('<script')
    expect(svg).not.toContain('<b>')
    expect(svg).toContain('&lt;script&gt;')
    expect(svg).not.toMatch(/&(?!amp;|lt;|gt;|quot;)/)
  })

  it('leaves out what XML does not allow', () => {
    const svg = tablePicture({ columns: ['a'], rows: [['x\u0000\u0007y\ud800z\u202e!']] })
    expect(textsOf(svg).map(({ text }) => text)).toEqual(['a', 'xyz!'])
  })

  it('keeps all text inside', () => {
    inside(tablePicture(TABLE))
    inside(tablePicture({ ...TABLE, title: `${LONG_ZH}${LONG_ZH}` }))
    const many = Array.from({ length: 9 }, (_, column) => `column ${column}`)
    inside(tablePicture({ columns: many, rows: [many.map(() => LONG_ZH), many.map(() => 'unbreakable'.repeat(20))] }))
  })

  it('keeps each cell within its column', () => {
    const svg = tablePicture(TABLE)
    const lefts = [...new Set(textsOf(svg).map(({ x }) => x))].filter((x) => x !== 40).sort((a, b) => a - b)
    expect(lefts).toHaveLength(3)
    for (const { x, text, size, bold } of textsOf(svg)) {
      const next = lefts[lefts.indexOf(x) + 1]
      if (x !== 40 && next !== undefined) expect(x + estimateWidth(text, size, bold)).toBeLessThanOrEqual(next - 16)
    }
  })

  it('wraps a long cell, and cuts it after four lines', () => {
    const svg = tablePicture(TABLE)
    const [, second] = [...new Set(textsOf(svg).map(({ x }) => x))].filter((x) => x !== 40)
    const lines = linesOf(svg, second ?? 0).filter(({ text }) => /\p{Script=Han}/u.test(text))
    expect(lines).toHaveLength(4)
    expect(lines.at(-1)?.text.endsWith('…')).toBe(true)
    expect(lines.slice(0, -1).some(({ text }) => text.includes('…'))).toBe(false)
    expect(lines.some(({ text }) => /^[，。；、）]|（$/.test(text))).toBe(false)
    expect(
      LONG_ZH.startsWith(
        lines
          .map(({ text }) => text)
          .join('')
          .slice(0, -1)
          .slice(0, 20),
      ),
    ).toBe(true)
  })

  it('shows a short cell whole, and breaks lines where a cell does', () => {
    const svg = tablePicture({ columns: ['a', 'b'], rows: [['one\ntwo', 'three & four']] })
    expect(textsOf(svg).map(({ text }) => text)).toEqual(['a', 'b', 'one', 'two', 'three & four'])
  })

  it('fills what a row lacks, and bears a table without rows or columns', () => {
    expect(textsOf(tablePicture({ columns: ['a', 'b'], rows: [['1']] })).map(({ text }) => text)).toContain('1')
    expect(heightOf(tablePicture({ columns: ['a'], rows: [] }))).toBeGreaterThan(80)
    expect(heightOf(tablePicture({ columns: [], rows: [] }))).toBeGreaterThan(0)
  })

  it('is drawn by resvg, and no wider than estimated', async () => {
    const packages = join(import.meta.dirname, '../../node_modules')
    await initWasm(await readFile(join(packages, '@resvg/resvg-wasm/index_bg.wasm')))
    const family = 'Noto Sans S Chinese'
    const fontBuffers = [await readFile(join(packages, '@embedpdf/fonts-sc/fonts/NotoSansHans-Bold.otf'))]
    const font = { loadSystemFonts: false, fontBuffers, defaultFontFamily: family, sansSerifFamily: family }
    const svg = tablePicture(TABLE)
    const picture = new Resvg(svg, { font }).render()
    expect([picture.width, picture.height]).toEqual([1200, heightOf(svg)])
    expect(Buffer.from(picture.asPng()).toString('latin1', 1, 4)).toBe('PNG')
    for (const { text, size } of textsOf(svg).slice(0, 12)) {
      const alone = `<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="100"><text x="0" y="50" font-size="${size}" font-family="sans-serif">${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text></svg>`
      expect(new Resvg(alone, { font }).getBBox()?.width ?? 0, text).toBeLessThanOrEqual(
        estimateWidth(text, size, true),
      )
    }
  })
})
