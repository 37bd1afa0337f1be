// How far a file has been read, as one line at the bottom of a terminal.
import { type FileSource, formatBytes, watched } from '../actions/index.js'

export interface Progress {
  readonly doneBytes: number
  readonly totalBytes: number
  readonly elapsedMs: number
}

const WIDEST_BAR = 30
const NARROWEST_BAR = 5

/** @param columns of the terminal: a line that wraps could not be taken back */
export function progressLine({ doneBytes, totalBytes, elapsedMs }: Progress, columns: number): string {
  // An empty file is all read; one that grew meanwhile is never read to more than its end.
  const share = totalBytes > 0 ? Math.min(1, doneBytes / totalBytes) : 1
  const percent = `${Math.floor(share * 100)}%`.padStart(4)
  const speed = elapsedMs > 0 ? `  ${formatBytes((doneBytes * 1000) / elapsedMs)}/s` : ''
  const seconds = Math.floor(elapsedMs / 1000)
  const time = `  ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  const words = `${percent}${speed}${time}`
  const width = Math.min(WIDEST_BAR, columns - words.length - '[] '.length - 1)
  if (width < NARROWEST_BAR) return words.slice(0, Math.max(0, columns - 1))
  const filled = Math.floor(share * width)
  return `[${'#'.repeat(filled)}${'-'.repeat(width - filled)}] ${words}`
}

export interface ProgressBar {
  /** The same file; its bytes count when more are asked for, which is when those before them have been used. */
  readonly file: FileSource
  /** Takes the line back. */
  clear(): void
}

const REDRAW_MS = 200
/** Of terminals that do not say. */
const ASSUMED_COLUMNS = 80
const TO_LINE_START = '\r'
const ERASE_LINE = '\r\u001b[K'

/** Shows itself from when the file is opened, which may be long after somebody was asked whether it should be. */
export function openProgressBar(file: FileSource, terminal: NodeJS.WriteStream): ProgressBar {
  let drawing: NodeJS.Timeout | undefined
  return {
    file: {
      ...file,
      async open(signal) {
        const source = await file.open(signal)
        const startedAt = performance.now()
        let doneBytes = 0
        clearInterval(drawing)
        drawing = setInterval(() => {
          const elapsedMs = performance.now() - startedAt
          const line = progressLine(
            { doneBytes, totalBytes: file.sizeBytes, elapsedMs },
            terminal.columns || ASSUMED_COLUMNS,
          )
          terminal.write(`${ERASE_LINE}${line}${TO_LINE_START}`)
        }, REDRAW_MS).unref()
        return watched(source, (piece) => {
          doneBytes += piece.length
        })
      },
    },
    clear() {
      if (drawing === undefined) return
      clearInterval(drawing)
      drawing = undefined
      terminal.write(ERASE_LINE)
    },
  }
}
