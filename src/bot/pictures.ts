// Pictures as PNG, for chats show no SVG: the diagrams that the build has drawn, and tables that are drawn on demand.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { PictureBlock } from '../actions/index.js'

export interface Pictures {
  /** @returns nothing when it cannot be drawn here; what it shows is then only told */
  png(picture: PictureBlock): Promise<Buffer | undefined>
  close(): Promise<void>
}

export interface PicturesOptions {
  /** `{en,zh}/NAME.png`, made by the build. */
  readonly folder: string
  /** The compiled `draw-worker.js`. */
  readonly worker: string
  readonly fonts: readonly string[]
}

/** The drawing thread holds a font of 8 MiB several times over, so it does not stay. */
const IDLE_MS = 60_000
const LONGEST_MS = 10_000

interface Drawn {
  readonly id: number
  readonly png?: Uint8Array
}

export function openPictures({ folder, worker: body, fonts }: PicturesOptions): Pictures {
  let thread: Worker | undefined
  let idle: NodeJS.Timeout | undefined
  let last = 0
  const waiting = new Map<number, (png: Buffer | undefined) => void>()

  function start(): Worker {
    const started = new Worker(body, { workerData: { fonts }, name: 'pictures' })
    started.unref()
    started.on('message', ({ id, png }: Drawn) => waiting.get(id)?.(png && Buffer.from(png)))
    const gone = () => {
      if (thread === started) thread = undefined
      for (const done of waiting.values()) done(undefined)
    }
    started.on('error', gone)
    started.on('exit', gone)
    return started
  }

  async function draw(svg: string): Promise<Buffer | undefined> {
    clearTimeout(idle)
    thread ??= start()
    last += 1
    const id = last
    let deadline: NodeJS.Timeout | undefined
    try {
      return await new Promise((resolve) => {
        waiting.set(id, resolve)
        deadline = setTimeout(() => resolve(undefined), LONGEST_MS)
        thread?.postMessage({ id, svg })
      })
    } finally {
      clearTimeout(deadline)
      waiting.delete(id)
      idle = setTimeout(() => void thread?.terminate(), IDLE_MS).unref()
    }
  }

  return {
    async png({ drawing }) {
      if ('svg' in drawing) return draw(drawing.svg)
      try {
        return await readFile(join(folder, drawing.lang, `${drawing.diagram}.png`))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
        return undefined
      }
    },
    async close() {
      clearTimeout(idle)
      await thread?.terminate()
    },
  }
}
