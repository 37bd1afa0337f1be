import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { onHost, text } from '../fields.js'
import { fullReference } from '../hosts/image-reference.js'
import { JobStarted, jobStartedView } from '../job-views.js'

export default defineAction({
  name: 'image.pull',
  summary: { en: 'Pull an image from its registry', zh: '从镜像仓库拉取镜像' },
  effect: 'change',
  target: 'host',
  needs: 'pull',
  startsJob: true,
  private: true,
  input: Type.Object({
    ...onHost,
    reference: text(
      {
        en: 'Its name there, as repository:tag, such as alpine:3.20',
        zh: '镜像在仓库中的名称，格式为 仓库:标签，例如 alpine:3.20',
      },
      { max: 400, complete: 'image' },
    ),
  }),
  output: JobStarted,
  run(input, { driver, startJob }) {
    const reference = fullReference(input.reference)
    const job = startJob(async (signal, progress) => {
      const id = await driver.pull(reference, ({ bytes }) => progress.report(bytes), signal)
      const { tags } = await driver.inspectImage(id, signal)
      return { images: [{ id, tags }] }
    })
    return { jobId: job.id, leftOut: [] }
  },
  view: jobStartedView,
})
