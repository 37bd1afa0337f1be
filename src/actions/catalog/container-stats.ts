import { type Static, Type } from 'typebox'
import { defineAction } from '../action.js'
import { chartPicture } from '../chart-picture.js'
import { onContainer } from '../fields.js'
import { WhereShape, whereFact } from '../host-views.js'
import type { Sample } from '../hosts/driver.js'
import { formatBytes, formatTime, type Lang, say } from '../text.js'
import type { Block } from '../view.js'

/** A table of more rows is not read; the picture has all. */
const MOST_ROWS = 10

const WORDS = {
  cpu: { en: 'CPU', zh: 'CPU' },
  cpuNote: { en: '{percent} of one processor', zh: '单个处理器的 {percent}' },
  memory: { en: 'Memory', zh: '内存' },
  ofLimit: { en: '{used} of {limit}', zh: '{used}，上限 {limit}' },
  network: { en: 'Network, received and sent', zh: '网络接收与发送' },
  disk: { en: 'Disk, read and written', zh: '磁盘读取与写入' },
  processes: { en: 'Processes', zh: '进程数' },
  columns: { en: ['Time (UTC)', 'CPU', 'Memory'], zh: ['时间（UTC）', 'CPU', '内存'] },
  firstLook: {
    en: 'It is watched from now on: ask again in a while to see how it went.',
    zh: '从现在起开始记录：稍后再次查看即可看到变化。',
  },
  alt: {
    en: 'CPU and memory of {container} over {seconds} s: CPU {cpu}, memory {memory} at the end.',
    zh: '{container} 在 {seconds} 秒内的 CPU 与内存：最后 CPU 为 {cpu}，内存为 {memory}。',
  },
  ago: { en: '{seconds} s ago', zh: '{seconds} 秒前' },
  now: { en: 'now', zh: '现在' },
  again: { en: 'Look again', zh: '再次查看' },
} as const

const SampleShape = Type.Object({
  at: Type.String({ description: 'ISO 8601, UTC' }),
  cpuPercent: Type.Number({ description: 'Of one processor' }),
  memoryBytes: Type.Integer(),
  memoryLimitBytes: Type.Optional(Type.Integer()),
  receivedBytes: Type.Integer(),
  sentBytes: Type.Integer(),
  readBytes: Type.Integer(),
  writtenBytes: Type.Integer(),
  processes: Type.Integer(),
})

const sampleOutput = ({ at, ...figures }: Sample): Static<typeof SampleShape> => ({ at: formatTime(at), ...figures })

const Output = Type.Object({
  ...WhereShape.properties,
  samples: Type.Array(SampleShape, { description: 'Oldest first; the last is of now' }),
})

const percent = (share: number): string => `${share.toFixed(share < 10 ? 1 : 0)} %`

/** Evenly spread, the last one always among them. */
function thinned<T>(items: readonly T[], most: number): T[] {
  const step = Math.max(1, Math.ceil(items.length / most))
  return items.filter((_, index) => (items.length - 1 - index) % step === 0)
}

function courseBlocks({ host, container, samples }: Static<typeof Output>, lang: Lang): Block[] {
  const [first, last] = [samples[0], samples.at(-1)]
  if (!first || !last || samples.length < 2) return [{ kind: 'text', text: WORDS.firstLook[lang] }]
  const seconds = Math.round((Date.parse(last.at) - Date.parse(first.at)) / 1000)
  const caption = `${container} @ ${host}`
  const values = { container, seconds, cpu: percent(last.cpuPercent), memory: formatBytes(last.memoryBytes) }
  const pointsOf = (value: (sample: Static<typeof SampleShape>) => number) =>
    samples.map((sample) => ({ at: Date.parse(sample.at), value: value(sample) }))
  const svg = chartPicture({
    title: caption,
    from: say(lang, WORDS.ago, { seconds }),
    to: WORDS.now[lang],
    panels: [
      { label: WORDS.cpu[lang], points: pointsOf(({ cpuPercent }) => cpuPercent), format: percent },
      {
        label: WORDS.memory[lang],
        points: pointsOf(({ memoryBytes }) => memoryBytes),
        format: formatBytes,
        inBytes: true,
      },
    ],
  })
  return [
    {
      kind: 'table',
      columns: WORDS.columns[lang],
      rows: thinned(samples, MOST_ROWS).map((sample) => [
        sample.at.slice(11, 19),
        percent(sample.cpuPercent),
        formatBytes(sample.memoryBytes),
      ]),
    },
    { kind: 'picture', caption, alt: say(lang, WORDS.alt, values), drawing: { svg } },
  ]
}

export default defineAction({
  name: 'container.stats',
  summary: { en: 'Show what a container uses: CPU, memory, network, disk', zh: '查看容器的 CPU、内存、网络与磁盘用量' },
  effect: 'read',
  target: 'instance',
  needs: 'stats',
  input: Type.Object(onContainer),
  output: Output,
  async run(_, { host, driver, instance, signal, sampler }) {
    const samples = await sampler.look(host, driver, instance.id, signal)
    return { host, container: instance.name, samples: samples.map(sampleOutput) }
  },
  view(output, lang) {
    const { host, container, samples } = output
    const last = samples.at(-1)
    const memory = last && {
      used: formatBytes(last.memoryBytes),
      limit: last.memoryLimitBytes === undefined ? undefined : formatBytes(last.memoryLimitBytes),
    }
    const facts = last &&
      memory && [
        { label: WORDS.cpu[lang], value: say(lang, WORDS.cpuNote, { percent: percent(last.cpuPercent) }) },
        {
          label: WORDS.memory[lang],
          value: memory.limit === undefined ? memory.used : say(lang, WORDS.ofLimit, memory),
        },
        {
          label: WORDS.network[lang],
          value: `${formatBytes(last.receivedBytes)} · ${formatBytes(last.sentBytes)}`,
        },
        { label: WORDS.disk[lang], value: `${formatBytes(last.readBytes)} · ${formatBytes(last.writtenBytes)}` },
        { label: WORDS.processes[lang], value: String(last.processes) },
      ]
    return {
      tone: 'info',
      heading: container,
      blocks: [{ kind: 'facts', facts: [whereFact(output, lang), ...(facts ?? [])] }, ...courseBlocks(output, lang)],
      choices: [
        { label: WORDS.again[lang], action: 'container.stats', input: { host, container }, style: 'secondary' },
      ],
    }
  },
})
