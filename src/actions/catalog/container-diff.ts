import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { onContainer } from '../fields.js'
import { WhereShape, whereFact } from '../host-views.js'
import { say } from '../text.js'

const MOST_CHANGES = 1000

const WORDS = {
  heading: { en: 'Changed since its image', zh: '相对镜像的变化' },
  none: { en: 'Its file system is as its image made it.', zh: '文件系统与镜像一致，没有变化。' },
  counts: {
    en: '{added} added, {changed} changed, {deleted} deleted',
    zh: '新增 {added}，修改 {changed}，删除 {deleted}',
  },
  total: { en: 'Entries', zh: '条目' },
  cut: { en: '{shown} of {total} are listed.', zh: '共 {total} 条，列出其中 {shown} 条。' },
  columns: { en: ['Change', 'Path'], zh: ['变化', '路径'] },
  kinds: {
    added: { en: 'added', zh: '新增' },
    changed: { en: 'changed', zh: '修改' },
    deleted: { en: 'deleted', zh: '删除' },
  },
} as const

export default defineAction({
  name: 'container.diff',
  summary: {
    en: "List what a container's file system has that its image has not",
    zh: '列出容器文件系统相对镜像的变化',
  },
  // A look: it tells names, never content.
  effect: 'read',
  target: 'instance',
  needs: 'diff',
  input: Type.Object(onContainer),
  output: Type.Object({
    ...WhereShape.properties,
    added: Type.Integer(),
    changed: Type.Integer(),
    deleted: Type.Integer(),
    changes: Type.Array(
      Type.Object({
        kind: Type.Union([Type.Literal('added'), Type.Literal('changed'), Type.Literal('deleted')]),
        path: Type.String(),
      }),
      { description: 'The first 1000 of them' },
    ),
  }),
  async run(_, { host, driver, instance, signal }) {
    const all = await driver.diff(instance.id, signal)
    const counts = { added: 0, changed: 0, deleted: 0 }
    for (const { kind } of all) counts[kind] += 1
    return {
      host,
      container: instance.name,
      ...counts,
      changes: all.slice(0, MOST_CHANGES).map((change) => ({ ...change })),
    }
  },
  view(output, lang) {
    const { added, changed, deleted, changes } = output
    const total = added + changed + deleted
    return {
      tone: 'info',
      heading: WORDS.heading[lang],
      blocks: [
        {
          kind: 'facts',
          facts: [
            whereFact(output, lang),
            { label: WORDS.total[lang], value: say(lang, WORDS.counts, { added, changed, deleted }) },
          ],
        },
        total === 0
          ? { kind: 'text', text: WORDS.none[lang] }
          : {
              kind: 'table',
              columns: WORDS.columns[lang],
              rows: changes.map(({ kind, path }) => [WORDS.kinds[kind][lang], path]),
            },
        ...(changes.length < total
          ? [{ kind: 'text', text: say(lang, WORDS.cut, { shown: changes.length, total }) } as const]
          : []),
      ],
    }
  },
})
