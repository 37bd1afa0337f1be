// A command's view, block by block, as the page draws it; it knows blocks and tones, never a command.
import type { ComponentChildren } from 'preact'
import type { Block, Choice, View } from '../../../actions/index.js'
import { DownloadIcon, OpenIcon } from './icons.js'
import { Prose } from './prose.js'
import { useWords } from './words.js'

/** Characters that fit one column of facts, and two. */
const COLUMN = 24
const TWO_COLUMNS = 46

const widthOf = ({ length }: string): string =>
  length > TWO_COLUMNS ? 'fact wide' : length > COLUMN ? 'fact double' : 'fact'

/** Ids, digests and paths: to be read letter by letter. */
const isLiteral = (value: string): boolean => /^(?:[0-9a-f]{12,}|\/\S*)$/.test(value)

function Facts({ facts }: { readonly facts: Extract<Block, { kind: 'facts' }>['facts'] }) {
  if (facts.length === 0) return null
  return (
    <dl class="facts">
      {facts.map(({ label, value }, index) => (
        <div key={index} class={widthOf(value)}>
          <dt>{label}</dt>
          <dd class={isLiteral(value) ? 'literal' : undefined}>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Narrow screens lay each row out as a card, where `data-label` says which column a value is from. */
function Table({ columns, rows }: Extract<Block, { kind: 'table' }>) {
  const t = useWords()
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reachable by the keyboard
    <section class="table" aria-label={t('table')} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <th key={index} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, row) => (
            <tr key={row}>
              {cells.map((cell, index) => (
                <td key={index} data-label={columns[index]} class={isLiteral(cell) ? 'literal' : undefined}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Progress({ label, ratio }: Extract<Block, { kind: 'progress' }>) {
  const t = useWords()
  const percent = ratio === undefined ? undefined : Math.round(Math.min(1, Math.max(0, ratio)) * 100)
  return (
    // News every second are for the eye; the end of the job is announced.
    <div class="progress" aria-live="off">
      <div
        class={percent === undefined ? 'track endless' : 'track'}
        role="progressbar"
        aria-label={t('progress')}
        aria-valuetext={label}
        {...(percent === undefined ? {} : { 'aria-valuenow': percent, 'aria-valuemin': 0, 'aria-valuemax': 100 })}
      >
        <div class="bar" style={percent === undefined ? {} : { width: `${percent}%` }} />
      </div>
      <span class="progress-label">{label}</span>
    </div>
  )
}

/** Lines that begin with [1], or [1][2], are an answer's sources. */
const SOURCE = /^((?:\[\d+\])+)\s+(.*)$/

function Text({ text }: { readonly text: string }) {
  const sources = text.split('\n').map((line) => SOURCE.exec(line))
  if (!sources.every((source) => source !== null)) return <p class="text">{text}</p>
  return (
    <ol class="sources">
      {sources.map(([line, marks = '', what]) => (
        <li key={line} class="source">
          {[...marks.matchAll(/\d+/g)].map(([number]) => (
            <span key={number} class="source-number">
              {number}
            </span>
          ))}
          <span class="source-name">{what}</span>
        </li>
      ))}
    </ol>
  )
}

function Link({ label, url }: { readonly label: string; readonly url: string }) {
  const target = URL.canParse(url, location.href) ? new URL(url, location.href) : undefined
  if (!target || !['http:', 'https:'].includes(target.protocol)) return <p class="text">{label}</p>
  if (target.origin === location.origin) {
    return (
      <a class="button primary" href={target.href} download="">
        <DownloadIcon />
        {label}
      </a>
    )
  }
  return (
    <a class="button" href={target.href} target="_blank" rel="noopener noreferrer">
      {label}
      <OpenIcon />
    </a>
  )
}

/** The page shows what ships as it was drawn; a table drawn as a picture stands there as a table already. */
function Picture({ caption, alt, drawing }: Extract<Block, { kind: 'picture' }>) {
  if ('svg' in drawing) return null
  return (
    <figure class="picture">
      <img src={`/diagrams/${drawing.lang}/${drawing.diagram}.png`} alt={alt} loading="lazy" />
      <figcaption>{caption}</figcaption>
    </figure>
  )
}

function BlockView({ block }: { readonly block: Block }) {
  const t = useWords()
  switch (block.kind) {
    case 'text':
      return <Text text={block.text} />
    case 'prose':
      return <Prose markdown={block.markdown} />
    case 'facts':
      return <Facts facts={block.facts} />
    case 'table':
      return <Table {...block} />
    case 'code':
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reachable by the keyboard
        <section class="code" aria-label={block.language ?? t('code')} tabIndex={0}>
          <pre>
            <code>{block.code}</code>
          </pre>
        </section>
      )
    case 'progress':
      return <Progress {...block} />
    case 'link':
      return (
        <div class="actions">
          <Link {...block} />
        </div>
      )
    case 'picture':
      return <Picture {...block} />
  }
}

interface EmbedProps {
  readonly tone: View['tone']
  readonly heading?: string | undefined
  readonly children: ComponentChildren
}

/** The card that every answer is drawn on. */
export const Embed = ({ tone, heading, children }: EmbedProps) => (
  <div class={`embed tone-${tone}`}>
    {heading === undefined ? null : <h2>{heading}</h2>}
    {children}
  </div>
)

export const Blocks = ({ blocks }: { readonly blocks: readonly Block[] }) => (
  <>
    {blocks.map((block, index) => (
      <BlockView key={index} block={block} />
    ))}
  </>
)

interface ChoicesProps {
  readonly choices: readonly Choice[]
  onPress(choice: Choice): void
}

export function Choices({ choices, onPress }: ChoicesProps) {
  const t = useWords()
  if (choices.length === 0) return null
  return (
    <fieldset class="actions" aria-label={t('next')}>
      {choices.map((choice, index) => (
        <button key={index} type="button" class={`button ${choice.style}`} onClick={() => onPress(choice)}>
          {choice.label}
        </button>
      ))}
    </fieldset>
  )
}
