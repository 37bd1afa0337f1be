import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { AppError } from '../errors.js'
import { text } from '../fields.js'
import { ComparisonOutput, comparisonBlocks } from '../knowledge-views.js'

const system = (en: string, zh: string) => text({ en, zh }, { max: 64 })

export default defineAction({
  name: 'compare',
  summary: { en: 'Set two to four systems beside each other', zh: '对比两到四个系统' },
  effect: 'read',
  target: 'none',
  personal: true,
  input: Type.Object({
    a: system('A system, such as kvm', '一个系统，例如 kvm'),
    b: system('Another one', '另一个系统'),
    c: Type.Optional(system('A third one', '第三个系统')),
    d: Type.Optional(system('A fourth one', '第四个系统')),
  }),
  output: ComparisonOutput,
  async run({ a, b, c, d }, { knowledge, lang }) {
    const names = [a, b, c, d].filter((name) => name !== undefined)
    const comparison = await knowledge.compare(names, lang)
    if ('unknown' in comparison) {
      const known = (await knowledge.systems()).map(({ name }) => name)
      throw new AppError('SYSTEM_UNKNOWN', { system: comparison.unknown, known: known.join(', ') })
    }
    if (comparison.systems.length < 2) {
      throw new AppError('INVALID_INPUT', {
        problem: { en: 'these are names of one and the same system', zh: '这些名称指的是同一个系统' },
      })
    }
    return comparison
  },
  view: (output, lang) => ({
    tone: 'info',
    heading: output.systems.map(({ name }) => name).join(' · '),
    blocks: comparisonBlocks(output, lang),
  }),
})
