import { addAbortSignal, Readable } from 'node:stream'
import { Type } from 'typebox'
import { defineAction, type InstanceContext } from '../action.js'
import { bytesOf, readableOf } from '../bytes.js'
import { type End, keepEnd, readable, textOf } from '../capture.js'
import { AppError } from '../errors.js'
import { flag, integer, onContainer, text } from '../fields.js'
import { WhereShape, whereFact } from '../host-views.js'
import { momentOf } from '../moments.js'
import { formatBytes, formatTime, say } from '../text.js'
import type { Block } from '../view.js'

const DEFAULT_TAIL = 200
/** What a reply in a chat can show and a person can read. */
const SHOWN = { lines: 40, characters: 1500 } as const
/** Enough for that many characters, whatever they are. */
const KEPT_BYTES = 16 * 1024

const WORDS = {
  heading: { en: 'Log', zh: '日志' },
  none: { en: 'It wrote nothing in that time.', zh: '这段时间没有日志。' },
  cut: {
    en: 'The last {shown} of {lines} lines. All of them ({size}) are in the file, which is kept until {expires}:',
    zh: '共 {lines} 行，显示最后 {shown} 行。完整日志（{size}）在文件中，保留至 {expires}：',
  },
} as const

interface Shown {
  readonly text: string
  readonly lines: number
}

/** The last lines that fit; of a line that is longer than a reply, its end. */
function lastLines(log: End): Shown {
  const lines = readable(textOf(log.bytes)).split('\n').slice(-SHOWN.lines)
  while (lines.length > 1 && lines.join('\n').length > SHOWN.characters) lines.shift()
  const joined = lines.join('\n')
  const isLong = joined.length > SHOWN.characters
  return { text: isLong ? `…${joined.slice(-SHOWN.characters)}` : joined, lines: lines.length }
}

/** Gives on what it is given, and lets the end of it be looked at. @throws AppError ENGINE_LOST */
async function* watched(stream: Readable, log: End, { host, signal }: InstanceContext): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream) {
      log.take(chunk as Buffer)
      yield chunk as Buffer
    }
  } catch (cause) {
    throw signal.aborted ? signal.reason : new AppError('ENGINE_LOST', { host }, { cause })
  }
}

/** Its beginning, which is all of it where that is short. */
async function beginningOf(source: AsyncGenerator<Buffer>): Promise<{ chunks: Buffer[]; isAll: boolean }> {
  const chunks: Buffer[] = []
  for (let bytes = 0; bytes <= KEPT_BYTES; ) {
    const { done, value } = await source.next()
    if (done) return { chunks, isAll: true }
    chunks.push(value)
    bytes += value.length
  }
  return { chunks, isAll: false }
}

async function* followed(beginning: readonly Buffer[], rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield* beginning
  yield* rest
}

export default defineAction({
  name: 'container.logs',
  summary: { en: 'Show what a container has written lately', zh: '查看容器最近的日志' },
  effect: 'disclose',
  private: true,
  target: 'instance',
  needs: 'logs',
  input: Type.Object({
    ...onContainer,
    tail: Type.Optional(
      integer(
        { en: 'How many lines from the end', zh: '从末尾起的行数' },
        { min: 1, max: 10_000, byDefault: DEFAULT_TAIL },
      ),
    ),
    since: Type.Optional(
      text({ en: 'From when on: 10m, 2h, 1d, or an ISO time', zh: '起始时间：10m、2h、1d 或 ISO 时间' }, { max: 40 }),
    ),
    timestamps: Type.Optional(flag({ en: 'Say when each line was written', zh: '显示每行的时间' })),
  }),
  output: Type.Object({
    ...WhereShape.properties,
    text: Type.String({ description: 'The last lines' }),
    shownLines: Type.Integer(),
    lines: Type.Integer({ description: 'How many there are' }),
    sizeBytes: Type.Integer({ description: 'How much they are' }),
    artifact: Type.Optional(
      Type.Object({
        id: Type.String(),
        name: Type.String(),
        expiresAt: Type.String(),
        url: Type.Optional(Type.String()),
      }),
    ),
  }),
  async run({ tail = DEFAULT_TAIL, since, timestamps = false }, context) {
    const { host, driver, instance, signal, now, artifacts, principal } = context
    const from = since === undefined ? {} : { since: momentOf(since, now()) }
    const log = keepEnd(KEPT_BYTES)
    const stream = addAbortSignal(
      signal,
      readableOf(await driver.logs(instance.id, { tail, timestamps, ...from }, signal)),
    )
    const source = watched(stream, log, context)
    try {
      const { chunks, isAll } = await beginningOf(source)
      const fits = isAll && log.lines <= SHOWN.lines && textOf(log.bytes).length <= SHOWN.characters
      const file = fits
        ? undefined
        : await artifacts.create(bytesOf(Readable.from(followed(chunks, source), { objectMode: false })), {
            owner: principal,
            name: `${instance.name}.log`,
            mediaType: 'text/plain; charset=utf-8',
            signal,
          })
      const url = file && artifacts.link(file.id, principal)
      const shown = lastLines(log)
      return {
        host,
        container: instance.name,
        text: shown.text,
        shownLines: fits ? log.lines : shown.lines,
        lines: log.lines,
        sizeBytes: log.total,
        ...(file
          ? {
              artifact: {
                id: file.id,
                name: file.name,
                expiresAt: formatTime(file.expiresAt),
                ...(url === undefined ? {} : { url }),
              },
            }
          : {}),
      }
    } finally {
      stream.destroy()
    }
  },
  view(output, lang) {
    const { artifact, shownLines: shown, lines, sizeBytes } = output
    const blocks: Block[] = [
      { kind: 'facts', facts: [whereFact(output, lang)] },
      lines === 0 ? { kind: 'text', text: WORDS.none[lang] } : { kind: 'code', code: output.text },
    ]
    if (artifact) {
      const values = { shown, lines, size: formatBytes(sizeBytes), expires: artifact.expiresAt }
      blocks.push({ kind: 'text', text: say(lang, WORDS.cut, values) })
      if (artifact.url !== undefined) blocks.push({ kind: 'link', label: artifact.name, url: artifact.url })
    }
    return { tone: 'info', heading: WORDS.heading[lang], blocks }
  },
})
