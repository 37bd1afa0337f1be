import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { openArchive, reported } from '../archive-input.js'
import { artifactField, onHost } from '../fields.js'
import { JobStarted, jobStartedView } from '../job-views.js'

export default defineAction({
  name: 'image.load',
  summary: { en: 'Load images from an archive that `image save` made', zh: '从 image save 生成的归档载入镜像' },
  effect: 'change',
  target: 'host',
  needs: 'load',
  acceptsFile: true,
  fileTypes: ['.tar'],
  startsJob: true,
  private: true,
  input: Type.Object({ ...onHost, artifact: Type.Optional(artifactField) }),
  output: JobStarted,
  async run({ artifact }, context) {
    const { driver } = context
    const archive = await openArchive(artifact, context)
    const job = context.startJob(
      async (signal, progress) => {
        const loaded = await driver.load(reported(archive, progress), signal)
        const images = (await driver.images(signal)).filter(
          ({ id, tags }) => loaded.includes(id) || tags.some((tag) => loaded.includes(tag)),
        )
        return { images: images.map(({ id, tags }) => ({ id, tags })) }
      },
      () => archive.bytes.close(),
    )
    return { jobId: job.id, leftOut: [] }
  },
  view: jobStartedView,
})
