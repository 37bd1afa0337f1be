import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { AppError } from '../errors.js'
import { onImage } from '../fields.js'
import { shortImageId } from '../hosts/image-reference.js'
import { tagMeant } from '../image-views.js'
import { JobStarted, jobStartedView } from '../job-views.js'

/** A name for the file: a reference has signs that file names may not have. */
const fileNameOf = (reference: string): string => `${reference.replaceAll(/[^\w.-]+/g, '-')}.tar`

export default defineAction({
  name: 'image.save',
  summary: {
    en: 'Save an image as a tar archive: by a tag that one, by its id all of its tags',
    zh: '将镜像保存为 tar 归档：按标签仅含该标签，按 ID 含全部标签',
  },
  effect: 'disclose',
  target: 'image',
  needs: 'images',
  startsJob: true,
  private: true,
  input: Type.Object(onImage),
  output: JobStarted,
  run({ image: asked }, { principal, artifacts, host, driver, image, startJob }) {
    const tag = tagMeant(image, asked)
    const tags = tag === undefined ? image.tags : [tag]
    const job = startJob(async (signal, progress) => {
      // Saved by name, so that the archive keeps the names: they must still mean the image that policy was asked about.
      const now = (await driver.images(signal)).find(({ id }) => id === image.id)
      if (!tags.every((name) => now?.tags.includes(name))) throw new AppError('TARGET_CHANGED')
      const artifact = await artifacts.create(await driver.save(tags.length > 0 ? tags : [image.id], signal), {
        owner: principal,
        name: fileNameOf(tags[0] ?? shortImageId(image.id)),
        mediaType: 'application/x-tar',
        signal,
        sourceLost: (cause) => new AppError('ENGINE_LOST', { host }, { cause }),
        onBytes: (bytes) => progress.report(bytes, image.sizeBytes),
      })
      return { artifact: artifact.id, images: [{ id: image.id, tags }] }
    })
    return { jobId: job.id, leftOut: [] }
  },
  view: jobStartedView,
})
