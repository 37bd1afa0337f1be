import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { jobField } from '../fields.js'
import { JobShape, jobOutput, jobView } from '../job-views.js'
import { within } from '../within.js'

/** Long enough for the job to end and be seen ended; a job that takes longer is reported as it is. */
const SETTLE_MS = 2_000

export default defineAction({
  name: 'job.cancel',
  summary: { en: 'Cancel a job', zh: '取消任务' },
  effect: 'change',
  target: 'none',
  private: true,
  input: Type.Object({ job: jobField }),
  output: JobShape,
  async run({ job }, context) {
    const { jobs, principal, signal } = context
    jobs.cancel(job, principal.tenant)
    const ended = await within(signal, SETTLE_MS, (inTime) => jobs.wait(job, principal.tenant, inTime))
    return jobOutput(ended, context)
  },
  view: jobView,
})
