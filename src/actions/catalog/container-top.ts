import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { onContainer } from '../fields.js'
import { WhereShape, whereFact } from '../host-views.js'
import { say } from '../text.js'

const MOST_ROWS = 500

const WORDS = {
  heading: { en: 'Processes', zh: '进程' },
  cut: { en: '{shown} of {total} processes are shown.', zh: '共 {total} 个进程，显示其中 {shown} 个。' },
} as const

export default defineAction({
  name: 'container.top',
  summary: { en: 'List the processes in a container', zh: '列出容器中的进程' },
  // Not a mere look: command lines of running programs may hold passwords and tokens.
  effect: 'disclose',
  private: true,
  target: 'instance',
  needs: 'top',
  input: Type.Object(onContainer),
  output: Type.Object({
    ...WhereShape.properties,
    columns: Type.Array(Type.String()),
    rows: Type.Array(Type.Array(Type.String())),
    total: Type.Integer({ description: 'How many there are; at most 500 are listed' }),
  }),
  async run(_, { host, driver, instance, signal }) {
    const { columns, rows } = await driver.top(instance.id, signal)
    return {
      host,
      container: instance.name,
      columns: [...columns],
      rows: rows.slice(0, MOST_ROWS).map((row) => [...row]),
      total: rows.length,
    }
  },
  view(output, lang) {
    const { columns, rows, total } = output
    return {
      tone: 'info',
      heading: WORDS.heading[lang],
      blocks: [
        { kind: 'facts', facts: [whereFact(output, lang)] },
        { kind: 'table', columns, rows },
        ...(rows.length < total
          ? [{ kind: 'text', text: say(lang, WORDS.cut, { shown: rows.length, total }) } as const]
          : []),
      ],
    }
  },
})
