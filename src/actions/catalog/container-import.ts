import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { openArchive, reported } from '../archive-input.js'
import { artifactField, onHost, referenceField } from '../fields.js'
import { readReference, writeReference } from '../hosts/image-reference.js'
import { JobStarted, jobStartedView } from '../job-views.js'

export default defineAction({
  name: 'container.import',
  summary: {
    en: 'Make an image of an archive that `container export` made',
    zh: '将 container export 生成的归档导入为镜像',
  },
  effect: 'change',
  target: 'host',
  needs: 'import',
  acceptsFile: true,
  fileTypes: ['.tar'],
  startsJob: true,
  private: true,
  input: Type.Object({ ...onHost, reference: referenceField, artifact: Type.Optional(artifactField) }),
  output: JobStarted,
  async run({ reference, artifact }, context) {
    const { driver } = context
    const name = readReference(reference)
    const archive = await openArchive(artifact, context)
    const job = context.startJob(
      async (signal, progress) => {
        const id = await driver.importImage(reported(archive, progress), name.repository, name.tag, signal)
        return { images: [{ id, tags: [writeReference(name)] }] }
      },
      () => archive.bytes.close(),
    )
    return { jobId: job.id, leftOut: [] }
  },
  view: jobStartedView,
})
