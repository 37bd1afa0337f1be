// Draws how figures went over time, one panel below another, in the looks of table-picture.ts.
import { clean, EDGE, escapeXml, INK, MARGIN, PAPER, WIDTH } from './table-picture.js'

const PANEL = { height: 220, gap: 76 } as const
const TITLE_SIZE = 38
const SIZE = 24
const COLOURS = ['#2f6f9f', '#b0603a', '#4d7c4a'] as const
const LEFT = MARGIN + 8
const RIGHT = WIDTH - MARGIN - 8

export interface Point {
  /** Epoch ms. */
  readonly at: number
  readonly value: number
}

export interface Panel {
  readonly label: string
  /** Oldest first. */
  readonly points: readonly Point[]
  /** Whether they are counted in KiB, MiB and so on. */
  readonly inBytes?: boolean
  format(value: number): string
}

export interface Chart {
  readonly title: string
  /** What stands below the left and the right end. */
  readonly from: string
  readonly to: string
  readonly panels: readonly Panel[]
}

/** @returns the next of 1, 2, 5, 10, 20 … (of its unit) that is not below: a scale that can be read at a glance */
export function scaleTop(highest: number, inBytes = false): number {
  if (!(highest > 0)) return 1
  const unit = inBytes ? 1024 ** Math.floor(Math.log2(highest) / 10) : 1
  const magnitude = 10 ** Math.floor(Math.log10(highest / unit))
  return [1, 2, 5, 10].map((step) => step * magnitude * unit).find((step) => step >= highest) ?? highest
}

const text = (x: number, y: number, size: number, content: string, more = ''): string =>
  `<text x="${x}" y="${y}" font-size="${size}"${more}>${escapeXml(clean(content))}</text>`

function drawPanel({ label, points, format, inBytes }: Panel, top: number, colour: string): string[] {
  const begin = points[0]?.at ?? 0
  const span = Math.max(1, (points.at(-1)?.at ?? 0) - begin)
  const highest = scaleTop(Math.max(0, ...points.map(({ value }) => value)), inBytes)
  const bottom = top + PANEL.height
  // The last point is now, wherever the first one is.
  const x = (at: number) => RIGHT - ((RIGHT - LEFT) * (begin + span - at)) / span
  const y = (value: number) => bottom - (PANEL.height * value) / highest
  const place = ({ at, value }: Point) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`
  const [first, last] = [points[0], points.at(-1)]
  const drawn = [
    text(LEFT, top - 14, SIZE, label, ' font-weight="700"'),
    text(RIGHT, top - 14, SIZE, format(highest), ' text-anchor="end"'),
    `<rect x="${LEFT}" y="${top}" width="${RIGHT - LEFT}" height="${PANEL.height}" fill="#ffffff" stroke="${EDGE}"/>`,
    `<path d="M${LEFT},${top + PANEL.height / 2} H${RIGHT}" stroke="${EDGE}" stroke-opacity="0.4"/>`,
  ]
  if (!first || !last) return drawn
  const line = points.map(place).join(' L')
  return [
    ...drawn,
    `<path d="M${x(first.at).toFixed(1)},${bottom} L${line} L${x(last.at).toFixed(1)},${bottom} Z" fill="${colour}" fill-opacity="0.2"/>`,
    `<path d="M${line}" fill="none" stroke="${colour}" stroke-width="3" stroke-linejoin="round"/>`,
    `<circle cx="${x(last.at).toFixed(1)}" cy="${y(last.value).toFixed(1)}" r="6" fill="${colour}"/>`,
  ]
}

/** @returns an SVG 1200 wide that names its own height */
export function chartPicture({ title, from, to, panels }: Chart): string {
  const first = MARGIN + TITLE_SIZE + PANEL.gap
  const tops = panels.map((_, index) => first + index * (PANEL.height + PANEL.gap))
  const bottom = (tops.at(-1) ?? first) + PANEL.height
  const height = bottom + SIZE + MARGIN + 12
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img"`,
    ` font-family="Noto Sans SC, Noto Sans, sans-serif" fill="${INK}">`,
    `<title>${escapeXml(clean(title))}</title>`,
    `<rect width="${WIDTH}" height="${height}" rx="24" fill="${PAPER}"/>`,
    text(LEFT, MARGIN + TITLE_SIZE, TITLE_SIZE, title, ' font-weight="700"'),
    ...panels.flatMap((panel, index) => drawPanel(panel, tops[index] ?? 0, COLOURS[index % COLOURS.length] ?? INK)),
    text(LEFT, bottom + SIZE + 12, SIZE, from),
    text(RIGHT, bottom + SIZE + 12, SIZE, to, ' text-anchor="end"'),
    '</svg>',
  ].join('\n')
}
