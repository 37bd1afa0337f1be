import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { exportOf } from '../card-export.js'
import { oneOf, text } from '../fields.js'
import { JobStarted, jobStartedView } from '../job-views.js'

export default defineAction({
  name: 'knowledge.export',
  summary: { en: "Export your team's own cards, to be imported again", zh: '导出团队自己的卡片，可再次导入' },
  effect: 'disclose',
  target: 'none',
  startsJob: true,
  private: true,
  input: Type.Object({
    collection: Type.Optional(text({ en: 'Only this collection', zh: '仅此集合' }, { max: 64 })),
    format: Type.Optional(
      oneOf({ en: 'A zip of Markdown files, or JSON Lines', zh: 'Markdown 文件的 zip，或 JSON Lines' }, [
        'markdown',
        'jsonl',
      ]),
    ),
  }),
  output: JobStarted,
  run({ collection, format = 'markdown' }, { principal, artifacts, knowledge, startJob }) {
    const isZip = format === 'markdown'
    const job = startJob(async (signal, progress) => {
      const artifact = await artifacts.create(exportOf(knowledge, principal.tenant, collection, format, signal), {
        owner: principal,
        name: isZip ? 'knowledge.zip' : 'knowledge.jsonl',
        mediaType: isZip ? 'application/zip' : 'application/jsonl',
        signal,
        onBytes: progress.report,
      })
      return { artifact: artifact.id }
    })
    return { jobId: job.id, leftOut: [] }
  },
  view: jobStartedView,
})
