import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { jobField } from '../fields.js'
import { JobShape, jobOutput, jobView } from '../job-views.js'

export default defineAction({
  name: 'job.status',
  summary: { en: 'Show how far a job is, and the link to what it made', zh: '查看任务进度及其产物链接' },
  effect: 'read',
  target: 'none',
  private: true,
  input: Type.Object({ job: jobField }),
  output: JobShape,
  run: ({ job }, context) => jobOutput(context.jobs.get(job, context.principal.tenant), context),
  view: jobView,
})
