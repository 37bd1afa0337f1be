// A view as a Discord message: one embed and rows of buttons, within every limit, with what did not fit as a file.
//
// Embeds and not Components V2: V2 counts 4,000 characters over everything, and a message that once was V2 stays so.
import {
  type APIActionRowComponent,
  type APIButtonComponent,
  type APIEmbed,
  ButtonStyle,
  ComponentType,
} from 'discord-api-types/v10'
import { type Block, type Fact, type Lang, type PictureBlock, say, type View } from '../../actions/index.js'
import { displayWidth, gridOf, tableText } from '../table.js'
import { choiceId } from './custom-id.js'
import { codeText, cut, escapeMoments, escapeText, neutralise, tidy } from './markdown.js'
import { plainText } from './plain.js'
import { WORDS } from './words.js'

/** A button that is not one of the view's own next steps. */
export interface CardButton {
  readonly label: string
  readonly customId: string
  readonly style: 'primary' | 'secondary' | 'danger'
}

/** What is to be shown, before any limit of Discord's. */
export interface Card {
  readonly view: View
  readonly lang: Lang
  /** Small print: an error's code. */
  readonly footer?: string
  readonly buttons?: readonly CardButton[]
  /** The view's first picture, drawn. */
  readonly picture?: { readonly png: Buffer; readonly alt: string }
  /** Without any button, for when Discord refused them. */
  readonly plain?: boolean
}

export interface MessageFile {
  readonly name: string
  readonly contentType: string
  readonly data: Buffer
}

export interface MessageBody {
  readonly content?: string
  readonly embeds: APIEmbed[]
  readonly components: APIActionRowComponent<APIButtonComponent>[]
  /** Names whoever may be pinged: nobody, whatever the text quotes. */
  readonly allowed_mentions: { readonly parse: []; readonly users?: string[] }
  /** Always said, so that an edit lets go of the files of the message before. */
  readonly attachments: { readonly id: number; readonly filename: string; readonly description?: string }[]
}

export interface Message {
  readonly body: MessageBody
  readonly files: readonly MessageFile[]
}

/** Discord, "Embed Limits" and "Component Reference". Lengths are kept in UTF-16 units, the strictest way to count. */
const LIMITS = {
  title: 256,
  author: 256,
  description: 4_096,
  footer: 512,
  label: 80,
  url: 512,
  alt: 1_024,
  perRow: 5,
  rows: 5,
} as const
/** Kept free for the notes that say what was cut. */
const NOTE = 160
/**
 * Columns of a code block in an embed on a desktop: 476 px, where a character of the widest common code fonts takes 8.4.
 * Wider lines wrap in the middle of a word.
 */
const COLUMNS = 56
const FILE = 'full.txt'
const PICTURE = 'picture.png'
/** Discord takes 10 MiB a file. */
const FILE_BYTES = 8 * 1024 ** 2
const BAR = 20
/** Characters of a cut line below which it is better left off. */
const SHORTEST_PIECE = 40

const COLOURS = { info: 0x5865f2, good: 0x2e9e5b, warn: 0xe0a100, bad: 0xd83c3e } as const
const STYLES = {
  primary: ButtonStyle.Primary,
  secondary: ButtonStyle.Secondary,
  danger: ButtonStyle.Danger,
} as const

/** A block as lines that can be left off from the end, between what must stand around them. */
interface Segment {
  readonly open: string
  readonly lines: readonly string[]
  readonly close: string
  /** Rows are shown whole or not at all, and counted. */
  readonly isTable: boolean
}

const FENCE = '```'
const running = (text: string): Segment => ({ open: '', lines: text.split('\n'), close: '', isTable: false })

function bar(ratio: number): string {
  const share = Math.min(1, Math.max(0, Number.isFinite(ratio) ? ratio : 0))
  const filled = Math.round(share * BAR)
  return `${'▰'.repeat(filled)}${'▱'.repeat(BAR - filled)} ${Math.round(share * 100)}%`
}

const named = (name: string): string => `${escapeText(name)}${/\p{Script=Han}$/u.test(name) ? '：' : ': '}`

/** Pieces on as many lines as they need, several on one where they are short. */
function packed(pieces: readonly string[]): string {
  const lines: string[] = []
  for (const piece of pieces) {
    const last = lines.at(-1)
    const longer = last === undefined ? piece : `${last} · ${piece}`
    if (last !== undefined && displayWidth(longer) <= COLUMNS) lines[lines.length - 1] = longer
    else lines.push(piece)
  }
  return lines.join('\n')
}

/** A row as its cells with their columns' names, the first of them bold: any screen breaks that between words. */
function entry(names: readonly string[], cells: readonly string[]): string {
  const [first = '', ...rest] = cells.map((cell, index) => {
    const name = names[index] ?? ''
    const value = escapeMoments(cell)
    return cell === '' ? '' : `${name === '' ? '' : named(name)}${index === 0 ? `**${value}**` : value}`
  })
  return [first, packed(rest.filter((piece) => piece !== ''))].filter((line) => line !== '').join('\n')
}

function tableSegment({ columns, rows }: Extract<Block, { kind: 'table' }>): Segment {
  const inCode = rows.map((row) => row.map(codeText))
  const table = tableText(columns.map(codeText), inCode, { most: COLUMNS, isLenient: true })
  if (table.isLegible) {
    return { open: `${FENCE}\n${table.head}\n`, lines: table.rows, close: `\n${FENCE}`, isTable: true }
  }
  const grid = gridOf(
    columns.map(tidy),
    rows.map((row) => row.map(tidy)),
  )
  return { open: '', lines: grid.rows.map((row) => entry(grid.names, row)), close: '', isTable: true }
}

const SNOWFLAKE = /^[0-9]{5,20}$/

/** In an embed, so that naming a role calls nobody. */
function factValue({ value, refers }: Fact): string {
  if (refers === undefined || !SNOWFLAKE.test(value)) return escapeMoments(value)
  return refers === 'role' ? `<@&${value}>` : `<#${value}>`
}

function segmentOf(block: Block): Segment {
  switch (block.kind) {
    case 'text':
      return running(escapeMoments(block.text))
    case 'prose':
      return running(neutralise(block.markdown))
    case 'facts':
      return running(block.facts.map((fact) => `**${named(fact.label).trimEnd()}** ${factValue(fact)}`).join('\n'))
    case 'code': {
      const language = /^[a-z0-9+#-]{1,20}$/i.test(block.language ?? '') ? block.language : ''
      const lines = codeText(block.code).split('\n')
      return { open: `${FENCE}${language}\n`, lines, close: `\n${FENCE}`, isTable: false }
    }
    case 'table':
      return tableSegment(block)
    case 'progress':
      return running(`${block.ratio === undefined ? '' : `${bar(block.ratio)} `}${escapeText(block.label)}`)
    case 'link':
      return running(`${named(block.label)}${tidy(block.url)}`)
    case 'picture':
      // Shown only where it could not be drawn.
      return running([...new Set([block.caption, block.alt])].map(escapeText).join('\n'))
  }
}

function take({ lines, isTable }: Segment, room: number): { taken: string[]; whole: boolean } {
  const taken: string[] = []
  let left = room
  for (const line of lines) {
    const gap = taken.length === 0 ? 0 : 1
    if (line.length + gap <= left) {
      taken.push(line)
      left -= line.length + gap
      continue
    }
    const mayBeCut = !isTable || taken.length === 0
    if (mayBeCut && left - gap >= SHORTEST_PIECE) taken.push(cut(line, left - gap))
    return { taken, whole: false }
  }
  return { taken, whole: true }
}

/** A code block that prose leaves open, or that a cut left open, would swallow whatever comes after it. */
const closeFence = (text: string): string => (text.split(FENCE).length % 2 === 0 ? `${text}\n${FENCE}` : text)

interface Layout {
  readonly text: string
  readonly whole: boolean
  /** How far it got, where a table was cut. */
  readonly rows?: { readonly shown: number; readonly all: number }
}

function layOut(segments: readonly Segment[], most: number): Layout {
  let text = ''
  for (const segment of segments) {
    const isFenced = segment.close !== ''
    const gap = text === '' ? '' : isFenced || text.endsWith(FENCE) ? '\n' : '\n\n'
    const around = gap.length + segment.open.length + (segment.close.length || `\n${FENCE}`.length)
    const { taken, whole } = take(segment, most - text.length - around)
    if (taken.length > 0) {
      const inner = taken.join('\n')
      text += `${gap}${segment.open}${isFenced ? inner : closeFence(inner)}${segment.close}`
    }
    if (!whole) {
      const rows = { shown: taken.length, all: segment.lines.length }
      return { text, whole: false, ...(segment.isTable ? { rows } : {}) }
    }
  }
  return { text, whole: true }
}

interface Elsewhere {
  /** Whether the title, the footer or a label could not be shown whole. */
  readonly isCut: boolean
  /** Buttons for which there was no place. */
  readonly leftOff: number
}

/** The text within Discord's limit, with notes that say what was cut off there and elsewhere. */
function describe(
  blocks: readonly Block[],
  lang: Lang,
  { isCut, leftOff }: Elsewhere,
): { text: string; whole: boolean } {
  const segments = blocks.map(segmentOf).filter((segment) => segment.lines.some((line) => line.trim() !== ''))
  const all = layOut(segments, LIMITS.description)
  if (all.whole && !isCut && leftOff === 0) return { text: all.text, whole: true }
  const { text, whole, rows } = layOut(segments, LIMITS.description - NOTE)
  const notes = [
    ...(rows ? [say(lang, WORDS.rowsCut, { ...rows, file: FILE })] : []),
    ...(rows === undefined && (isCut || !whole) ? [say(lang, WORDS.cut, { file: FILE })] : []),
    ...(leftOff > 0 ? [say(lang, WORDS.buttonsCut, { count: leftOff, file: FILE })] : []),
  ]
  return { text: [text, ...notes.map((note) => `*${note}*`)].join('\n\n').trimStart(), whole: false }
}

const WELL_FORMED = /^https?:\/\/(?:[\w.~:/?@!$&'()*+,;=-]|%[\da-f]{2})+(?:#(?:[\w.~:/?@!$&'()*+,;=-]|%[\da-f]{2})*)?$/i

/** @returns the address as a button may carry it: Discord wants a public one, and refuses the whole message for another */
function buttonAddress(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined
  const { href, hostname } = new URL(address)
  const isLocal = !hostname.includes('.') || hostname.startsWith('127.')
  return !isLocal && href.length <= LIMITS.url && WELL_FORMED.test(href) ? href : undefined
}

const oneLine = (text: string): string => tidy(text).replaceAll(/\s+/g, ' ').trim()
const labelOf = (text: string): string => cut(oneLine(text), LIMITS.label) || '…'

interface Button {
  readonly label: string
  readonly style: 'primary' | 'secondary' | 'danger'
  /** Not there where a call is too long to be carried by a button. */
  readonly customId: string | undefined
}

interface Buttons {
  readonly rows: APIActionRowComponent<APIButtonComponent>[]
  readonly leftOff: readonly Button[]
  readonly isCut: boolean
}

/** As many as Discord takes, each call once. */
function layOutButtons(links: readonly { label: string; url: string }[], buttons: readonly Button[]): Buttons {
  const leftOff: Button[] = []
  const shown: APIButtonComponent[] = links.map(({ label, url }) => {
    return { type: ComponentType.Button, style: ButtonStyle.Link, label: labelOf(label), url }
  })
  const labels = new Map<string, string>()
  for (const button of buttons) {
    const { label, style, customId } = button
    if (customId !== undefined && labels.get(customId) === label) continue
    if (customId === undefined || labels.has(customId) || shown.length === LIMITS.rows * LIMITS.perRow) {
      leftOff.push(button)
      continue
    }
    labels.set(customId, label)
    shown.push({ type: ComponentType.Button, style: STYLES[style], label: labelOf(label), custom_id: customId })
  }
  const rows: APIActionRowComponent<APIButtonComponent>[] = []
  for (let at = 0; at < shown.length; at += LIMITS.perRow) {
    rows.push({ type: ComponentType.ActionRow, components: shown.slice(at, at + LIMITS.perRow) })
  }
  const isCut = [...links, ...buttons].some(({ label }) => oneLine(label).length > LIMITS.label)
  return { rows, leftOff, isCut }
}

function fileOf({ view, lang, footer = '' }: Card, leftOff: readonly Button[]): MessageFile {
  // The view's own next steps are in its text; those of the surface have only a name.
  const unnamed = leftOff.filter(({ label }) => !view.choices?.some((choice) => choice.label === label))
  const rest = [unnamed.map(({ label }) => label).join('\n'), footer].filter((part) => part !== '')
  const bytes = Buffer.from([plainText(view), ...rest.map((part) => `${tidy(part)}\n`)].join('\n'))
  const data =
    bytes.length <= FILE_BYTES
      ? bytes
      : Buffer.concat([
          // A character cut in two becomes the replacement character, not an invalid file.
          Buffer.from(bytes.subarray(0, FILE_BYTES).toString('utf8')),
          Buffer.from(`\n\n${WORDS.fileCut[lang]}\n`),
        ])
  return { name: FILE, contentType: 'text/plain; charset=utf-8', data }
}

function buttonsOf(
  { view, buttons = [], plain = false }: Card,
  links: readonly { label: string; url: string }[],
): Buttons {
  const all = [...buttons, ...(view.choices ?? []).map((choice) => ({ ...choice, customId: choiceId(choice) }))]
  return plain ? { rows: [], leftOff: all, isCut: false } : layOutButtons(links, all)
}

/** Draws any view whatever, in one message that Discord accepts. */
export function render(card: Card): Message {
  const { view, lang, footer = '', picture, plain = false } = card
  const links = view.blocks
    .flatMap((block) => {
      const url = block.kind === 'link' && !plain ? buttonAddress(block.url) : undefined
      return block.kind === 'link' && url !== undefined ? [{ block, label: block.label, url }] : []
    })
    .slice(0, LIMITS.perRow)
  const drawn = picture && view.blocks.find((block): block is PictureBlock => block.kind === 'picture')
  const elsewhere = new Set<Block>([...links.map(({ block }) => block), ...(drawn ? [drawn] : [])])
  const buttons = buttonsOf(card, links)

  const heading = escapeText((view.heading ?? '').replaceAll(/\s+/g, ' ').trim())
  const title = cut(heading, LIMITS.title)
  // What stands below a picture.
  const caption = drawn?.caption === view.heading ? '' : (drawn?.caption ?? '')
  const small = [caption, footer]
    .map(oneLine)
    .filter((part) => part !== '')
    .join(' · ')
  const about = oneLine(view.about ?? '')
  const alt = tidy(picture?.alt ?? '').trim()
  const { text, whole } = describe(
    view.blocks.filter((block) => !elsewhere.has(block)),
    lang,
    {
      isCut:
        title !== heading ||
        about.length > LIMITS.author ||
        small.length > LIMITS.footer ||
        alt.length > LIMITS.alt ||
        buttons.isCut,
      leftOff: buttons.leftOff.length,
    },
  )
  const embed: APIEmbed = {
    color: COLOURS[view.tone],
    // The line above the title.
    ...(about === '' ? {} : { author: { name: cut(about, LIMITS.author) } }),
    ...(title === '' ? {} : { title }),
    // Discord refuses a message that shows nothing.
    ...(text.trim() !== '' ? { description: text } : title === '' ? { description: '—' } : {}),
    ...(picture === undefined ? {} : { image: { url: `attachment://${PICTURE}` } }),
    ...(small === '' ? {} : { footer: { text: cut(small, LIMITS.footer) } }),
  }
  const files = [
    ...(whole ? [] : [fileOf(card, buttons.leftOff)]),
    ...(picture === undefined ? [] : [{ name: PICTURE, contentType: 'image/png', data: picture.png }]),
  ]
  return {
    body: {
      embeds: [embed],
      components: buttons.rows,
      allowed_mentions: { parse: [] },
      attachments: files.map(({ name }, id) => ({
        id,
        filename: name,
        // Read out to those who do not see it.
        ...(name === PICTURE && alt !== '' ? { description: cut(alt, LIMITS.alt) } : {}),
      })),
    },
    files,
  }
}
