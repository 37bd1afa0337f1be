// Draws the diagrams of the knowledge base as PNG, for chats show no SVG. With a font of our own, for few machines have
// a Chinese one and a picture is to look the same everywhere. With resvg as WebAssembly, for the native one reads the
// whole font again for each glyph.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { initWasm, Resvg } from '@resvg/resvg-wasm'
import { ROOT } from './ready.mjs'

const WIDTH = 1200
const FAMILY = 'Noto Sans S Chinese'
const at = (...parts) => join(ROOT, 'node_modules', ...parts)

/** @param {string} outFolder made if missing; gets {en,zh}/NAME.png for each data/knowledge/diagrams/{en,zh}/NAME.svg */
export async function buildDiagrams(outFolder) {
  await initWasm(await readFile(at('@resvg', 'resvg-wasm', 'index_bg.wasm')))
  const fonts = ['Regular', 'Bold'].map((weight) =>
    readFile(at('@embedpdf', 'fonts-sc', 'fonts', `NotoSansHans-${weight}.otf`)),
  )
  const options = {
    fitTo: { mode: 'width', value: WIDTH },
    // The diagrams name the fonts that a browser may have; none of them is this one.
    font: {
      fontBuffers: await Promise.all(fonts),
      loadSystemFonts: false,
      defaultFontFamily: FAMILY,
      sansSerifFamily: FAMILY,
    },
  }
  for (const lang of ['en', 'zh']) {
    const from = join(ROOT, 'data', 'knowledge', 'diagrams', lang)
    const to = join(outFolder, lang)
    await mkdir(to, { recursive: true })
    for (const name of (await readdir(from)).filter((name) => name.endsWith('.svg'))) {
      const drawing = new Resvg(await readFile(join(from, name), 'utf8'), options)
      const picture = drawing.render()
      await writeFile(join(to, name.replace(/svg$/, 'png')), picture.asPng())
      picture.free()
      drawing.free()
    }
  }
}
