// Pictures as the product draws them, by what the build has made.
import { fileURLToPath } from 'node:url'
import { openPictures } from '../../src/bot/pictures.js'

const built = (path: string) => fileURLToPath(new URL(`../../dist/${path}`, import.meta.url))

export const builtPictures = () =>
  openPictures({
    folder: built('diagrams'),
    worker: built('bot/draw-worker.js'),
    fonts: [built('fonts/NotoSansHans-Regular.otf'), built('fonts/NotoSansHans-Bold.otf')],
  })
