import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { keepBeginning, readable, textOf } from '../capture.js'
import { flag, integer, onContainer, text } from '../fields.js'
import { WhereShape, whereFact } from '../host-views.js'
import { instancePath } from '../hosts/paths.js'
import { commandOf } from '../hosts/run-fields.js'
import { formatBytes, say } from '../text.js'
import type { Block } from '../view.js'
import { within } from '../within.js'

const DEFAULT_SECONDS = 60
/** Of each of its two outputs. */
const MOST_BYTES = 64 * 1024

const WORDS = {
  ended: { en: 'Ended', zh: '已执行' },
  goesOn: { en: 'Not waited for any longer', zh: '不再等待' },
  exitCode: { en: 'Exit code', zh: '退出码' },
  errors: { en: 'On standard error:', zh: '标准错误：' },
  silent: { en: 'It wrote nothing.', zh: '没有输出。' },
  timedOut: {
    en: 'It has not ended within {seconds} s, and may still run inside the container.',
    zh: '在 {seconds} 秒内没有结束，可能仍在容器内运行。',
  },
  cut: { en: 'Cut: the first {kept} of {total} are shown.', zh: '已截断：共 {total}，仅显示前 {kept}。' },
} as const

const OutputShape = Type.Object({
  text: Type.String(),
  totalBytes: Type.Integer({ description: 'How much it wrote; the text is of the first 64 KiB' }),
})

function outputBlocks({ text: written, totalBytes }: { text: string; totalBytes: number }, lang: 'zh' | 'en'): Block[] {
  const sizes = { kept: formatBytes(MOST_BYTES), total: formatBytes(totalBytes) }
  return [
    ...(written === '' ? [] : [{ kind: 'code', code: written } as const]),
    ...(totalBytes > MOST_BYTES ? [{ kind: 'text', text: say(lang, WORDS.cut, sizes) } as const] : []),
  ]
}

export default defineAction({
  name: 'container.exec',
  summary: { en: 'Run one command in a container and show what it writes', zh: '在容器中执行一条命令并显示输出' },
  // It can change as much as it discloses; both kinds of right ask for a click, and this one is also private.
  effect: 'disclose',
  private: true,
  target: 'instance',
  needs: 'exec',
  input: Type.Object({
    ...onContainer,
    command: text(
      { en: 'The program and its arguments; no shell reads them', zh: '程序及其参数；不经过 shell 解释' },
      { max: 4000 },
    ),
    shell: Type.Optional(
      flag({
        en: 'Let /bin/sh read the command: pipes, variables, wildcards',
        zh: '由 /bin/sh 解释：管道、变量、通配符',
      }),
    ),
    user: Type.Optional(
      text(
        { en: 'As whom, by name or id, with a group after a colon', zh: '以何用户执行，可为名称或 ID，冒号后可加组' },
        { max: 128, pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$' },
      ),
    ),
    workdir: Type.Optional(text({ en: 'In which directory of the container', zh: '容器内的工作目录' }, { max: 4096 })),
    timeout: Type.Optional(
      integer(
        { en: 'Seconds to wait for its end', zh: '等待其结束的秒数' },
        { min: 1, max: 600, byDefault: DEFAULT_SECONDS },
      ),
    ),
  }),
  output: Type.Object({
    ...WhereShape.properties,
    seconds: Type.Integer({ description: 'How long was to be waited' }),
    exitCode: Type.Optional(Type.Integer({ description: 'Absent when it had not ended by then' })),
    stdout: OutputShape,
    stderr: OutputShape,
  }),
  async run(input, { host, driver, instance, signal }) {
    const { command, user, workdir, shell = false, timeout: seconds = DEFAULT_SECONDS } = input
    const request = {
      command: shell ? ['/bin/sh', '-c', command] : commandOf(command),
      ...(user === undefined ? {} : { user }),
      ...(workdir === undefined ? {} : { workingDir: instancePath(workdir) }),
    }
    const written = { stdout: keepBeginning(MOST_BYTES), stderr: keepBeginning(MOST_BYTES) }
    const exitCode = await within(signal, seconds * 1000, async (inTime) => {
      try {
        return await driver.exec(instance.id, request, (bytes, from) => written[from].take(bytes), inTime)
      } catch (error) {
        if (!inTime.aborted || signal.aborted) throw error
        return undefined
      }
    })
    const shown = ({ bytes, total }: (typeof written)['stdout']) => ({
      text: readable(textOf(bytes)),
      totalBytes: total,
    })
    return {
      host,
      container: instance.name,
      seconds,
      ...(exitCode === undefined ? {} : { exitCode }),
      stdout: shown(written.stdout),
      stderr: shown(written.stderr),
    }
  },
  view(output, lang) {
    const { exitCode, stdout, stderr, seconds } = output
    const hasEnded = exitCode !== undefined
    const errors = outputBlocks(stderr, lang)
    const blocks: Block[] = [
      {
        kind: 'facts',
        facts: [
          whereFact(output, lang),
          ...(hasEnded ? [{ label: WORDS.exitCode[lang], value: String(exitCode) }] : []),
        ],
      },
      ...(hasEnded ? [] : [{ kind: 'text', text: say(lang, WORDS.timedOut, { seconds }) } as const]),
      ...outputBlocks(stdout, lang),
      ...(errors.length === 0 ? [] : [{ kind: 'text', text: WORDS.errors[lang] } as const, ...errors]),
      ...(stdout.totalBytes + stderr.totalBytes > 0 ? [] : [{ kind: 'text', text: WORDS.silent[lang] } as const]),
    ]
    return {
      tone: exitCode === 0 ? 'good' : 'warn',
      heading: (hasEnded ? WORDS.ended : WORDS.goesOn)[lang],
      blocks,
    }
  },
})
