import { isDeepStrictEqual } from 'node:util'
import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { AppError } from '../errors.js'
import { onImage, toField } from '../fields.js'
import type { HostDriver, ImageDetail } from '../hosts/driver.js'
import { readReference } from '../hosts/image-reference.js'
import { relay } from '../hosts/relay.js'
import { tagMeant } from '../image-views.js'
import { JobStarted, jobStartedView } from '../job-views.js'

/** What makes an image what it is, for engines that know it by different ids. */
const essenceOf = ({ layers, os, arch, command, entrypoint, user, workingDir, environmentNames }: ImageDetail) => ({
  ...{ layers, os, arch, command, entrypoint, user, workingDir, environmentNames },
})

const isSame = (one: ImageDetail, other: ImageDetail): boolean =>
  one.id === other.id || isDeepStrictEqual(essenceOf(one), essenceOf(other))

async function find(driver: HostDriver, id: string, signal: AbortSignal): Promise<ImageDetail | undefined> {
  try {
    return await driver.inspectImage(id, signal)
  } catch (error) {
    if (error instanceof AppError && error.code === 'IMAGE_NOT_FOUND') return undefined
    throw error
  }
}

export default defineAction({
  name: 'image.transfer',
  summary: { en: 'Send an image to another host', zh: '将镜像发送到另一台主机' },
  effect: 'disclose',
  target: 'image',
  needs: 'images',
  sendsTo: 'load',
  startsJob: true,
  private: true,
  input: Type.Object({ ...onImage, to: toField }),
  output: JobStarted,
  run({ image: asked }, { host, driver, destination, image, startJob }) {
    const { driver: there, name: to } = destination
    const tag = tagMeant(image, asked)
    const tags = tag === undefined ? image.tags : [tag]
    const nameIt = async (imageId: string, signal: AbortSignal): Promise<void> => {
      for (const name of tags) {
        const { repository, tag: label } = readReference(name)
        await there.tag(imageId, repository, label, signal)
      }
    }
    const job = startJob(async (signal, progress) => {
      const original = await driver.inspectImage(image.id, signal)
      if (await find(there, image.id, signal)) {
        await nameIt(image.id, signal)
        return { images: [{ id: image.id, tags: [...tags] }] }
      }
      const id = await relay(
        {
          from: host,
          // By its id, so that the archive brings no names: those in use there keep their images if this fails.
          source: await driver.save([image.id], signal),
          total: () => image.sizeBytes,
          to: destination,
          give: async (archive, until) => (await there.load(archive, until))[0] ?? image.id,
          async accept(imageId, until) {
            if (!isSame(original, await there.inspectImage(imageId, until))) {
              throw new AppError('TRANSFER_MISMATCH', { to })
            }
            await nameIt(imageId, until)
          },
        },
        signal,
        progress,
      )
      return { images: [{ id, tags: [...tags] }] }
    })
    return { jobId: job.id, leftOut: [] }
  },
  view: jobStartedView,
})
