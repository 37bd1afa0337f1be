import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { AppError } from '../errors.js'
import { integer, onContainer } from '../fields.js'
import { WhereShape, whereFact } from '../host-views.js'
import { say } from '../text.js'
import type { Choice } from '../view.js'
import { within } from '../within.js'

const DEFAULT_SECONDS = 30

const WORDS = {
  ended: { en: 'Ended', zh: '已结束' },
  runs: { en: 'Still running', zh: '仍在运行' },
  exitCode: { en: 'Exit code', zh: '退出码' },
  waited: { en: 'It has not ended within {seconds} s.', zh: '在 {seconds} 秒内没有结束。' },
  again: { en: 'Wait again', zh: '继续等待' },
} as const

export default defineAction({
  name: 'container.wait',
  summary: { en: 'Wait for a container to end, and tell its exit code', zh: '等待容器结束并返回退出码' },
  effect: 'read',
  target: 'instance',
  needs: 'wait',
  input: Type.Object({
    ...onContainer,
    seconds: Type.Optional(
      integer({ en: 'How long to wait', zh: '等待的秒数' }, { min: 1, max: 600, byDefault: DEFAULT_SECONDS }),
    ),
  }),
  output: Type.Object({
    ...WhereShape.properties,
    seconds: Type.Integer({ description: 'How long was to be waited' }),
    exitCode: Type.Optional(Type.Integer({ description: 'Absent when it still runs' })),
  }),
  async run({ seconds = DEFAULT_SECONDS }, { host, driver, instance, signal }) {
    // An engine says that one which never ran has ended well.
    if (instance.state === 'created') throw new AppError('INSTANCE_NOT_RUNNING', { container: instance.name, host })
    const where = { host, container: instance.name, seconds }
    return within(signal, seconds * 1000, async (inTime) => {
      try {
        return { ...where, exitCode: await driver.wait(instance.id, inTime) }
      } catch (error) {
        if (!inTime.aborted || signal.aborted) throw error
        return where
      }
    })
  },
  view(output, lang) {
    const { exitCode, host, container, seconds } = output
    if (exitCode === undefined) {
      const again: Choice = {
        label: WORDS.again[lang],
        action: 'container.wait',
        input: { host, container, seconds },
        style: 'secondary',
      }
      return {
        tone: 'info',
        heading: WORDS.runs[lang],
        blocks: [
          { kind: 'facts', facts: [whereFact(output, lang)] },
          { kind: 'text', text: say(lang, WORDS.waited, { seconds }) },
        ],
        choices: [again],
      }
    }
    return {
      tone: exitCode === 0 ? 'good' : 'warn',
      heading: WORDS.ended[lang],
      blocks: [
        {
          kind: 'facts',
          facts: [whereFact(output, lang), { label: WORDS.exitCode[lang], value: String(exitCode) }],
        },
      ],
    }
  },
})
