import { Type } from 'typebox'
import { BY_HAND } from '../../knowledge/index.js'
import { defineAction } from '../action.js'
import { readableOf } from '../bytes.js'
import { AppError } from '../errors.js'
import { flag, text } from '../fields.js'
import { importView } from '../knowledge-views.js'

export default defineAction({
  name: 'knowledge.import',
  summary: {
    en: 'Bring documents into the knowledge base: Markdown, HTML, PDF, JSON Lines, or a zip of them',
    zh: '向知识库导入文档：Markdown、HTML、PDF、JSON Lines，或其 zip 压缩包',
  },
  effect: 'change',
  target: 'none',
  acceptsFile: true,
  fileTypes: ['.md', '.markdown', '.html', '.htm', '.pdf', '.jsonl', '.zip'],
  acceptsFolder: true,
  input: Type.Object({
    collection: Type.Optional(
      text(
        { en: 'The name they are kept together under', zh: '所属集合的名称' },
        { max: 64, pattern: '^[\\p{L}\\p{N}][\\p{L}\\p{N}_.-]*$' },
      ),
    ),
    mirror: Type.Optional(
      flag({
        en: 'Also remove what is in the collection and no longer in the source',
        zh: '同时移除集合中已不在来源里的内容',
      }),
    ),
    'dry-run': Type.Optional(flag({ en: 'Check everything, change nothing', zh: '只检查，不做任何更改' })),
  }),
  output: Type.Object({
    added: Type.Integer(),
    changed: Type.Integer(),
    unchanged: Type.Integer(),
    removed: Type.Integer(),
    rejected: Type.Integer(),
    problems: Type.Array(Type.Object({ file: Type.String(), line: Type.Integer(), message: Type.String() })),
    dryRun: Type.Boolean(),
  }),
  async run(input, { knowledge, principal, file, lang, signal }) {
    if (file === undefined) throw new AppError('FILE_REQUIRED')
    // What was written by hand belongs to the default collection, and no source has it.
    if (input.mirror === true && (input.collection ?? BY_HAND) === BY_HAND) {
      throw new AppError('COLLECTION_REQUIRED', { reserved: BY_HAND })
    }
    const dryRun = input['dry-run'] ?? false
    const report = await knowledge.import(readableOf(await file.open(signal)), {
      tenant: principal.tenant,
      collection: input.collection ?? BY_HAND,
      file: file.name,
      author: principal.name,
      dryRun,
      mirror: input.mirror ?? false,
      signal,
    })
    return {
      ...report,
      problems: report.problems.map((problem) => ({ ...problem, message: problem.message[lang] })),
      dryRun,
    }
  },
  view: importView,
})
