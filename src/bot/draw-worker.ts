// The thread that draws: SVG to PNG takes a tenth of a second, in which nobody else would be answered.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { initWasm, Resvg } from '@resvg/resvg-wasm'

const port = parentPort
if (port === null) throw new Error('this file is the body of a thread')
const { fonts } = workerData as { readonly fonts: readonly string[] }
const FAMILY = 'Noto Sans S Chinese'

const options = {
  font: {
    fontBuffers: fonts.map((file) => new Uint8Array(readFileSync(file))),
    loadSystemFonts: false,
    defaultFontFamily: FAMILY,
    sansSerifFamily: FAMILY,
  },
}
const ready = initWasm(readFileSync(createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm')))

port.on('message', async ({ id, svg }: { id: number; svg: string }) => {
  await ready
  try {
    const drawing = new Resvg(svg, options)
    const picture = drawing.render()
    const png = picture.asPng()
    picture.free()
    drawing.free()
    port.postMessage({ id, png })
  } catch (error) {
    port.postMessage({ id, problem: String(error) })
  }
})
