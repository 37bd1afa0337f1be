import { createHash } from 'node:crypto'
import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { AppError } from '../errors.js'
import { onContainer, referenceField, toField } from '../fields.js'
import { readReference, writeReference } from '../hosts/image-reference.js'
import { relay } from '../hosts/relay.js'
import { JobStarted, jobStartedView } from '../job-views.js'
import type { JobProgress } from '../jobs/jobs.js'
import { withTotal } from '../jobs/total.js'

export default defineAction({
  name: 'container.transfer',
  summary: {
    en: "Send a container's file system to another host, as an image there",
    zh: '将容器的文件系统发送到另一台主机并生成镜像',
  },
  effect: 'disclose',
  target: 'instance',
  needs: 'export',
  sendsTo: 'import',
  startsJob: true,
  private: true,
  input: Type.Object({
    ...onContainer,
    to: toField,
    reference: referenceField,
  }),
  output: JobStarted,
  run({ reference }, { host, driver, destination, instance, startJob }) {
    const { driver: there, name: to } = destination
    const name = readReference(reference)
    const leftOut = instance.mounts.map((mount) => mount.destination)
    const move = async (signal: AbortSignal, progress: JobProgress, total: () => number | undefined) => {
      const hash = createHash('sha256')
      return relay(
        {
          from: host,
          source: await driver.export(instance.id, signal),
          total,
          to: destination,
          see: (piece) => hash.update(piece),
          // Without a name until it was looked at: a tag that is in use there keeps its image if this fails.
          give: (archive, until) => there.importImage(archive, '', '', until),
          async accept(imageId, until) {
            // The one layer of such an image is known by the digest of the tar that it was made of.
            const { layers } = await there.inspectImage(imageId, until)
            if (layers.length !== 1 || layers[0] !== `sha256:${hash.digest('hex')}`) {
              throw new AppError('TRANSFER_MISMATCH', { to })
            }
            await there.tag(imageId, name.repository, name.tag, until)
          },
        },
        signal,
        progress,
      )
    }
    const job = startJob(async (signal, progress) => {
      const size = (until: AbortSignal) => driver.exportSize(instance.id, until)
      const id = await withTotal(size, signal, (total) => move(signal, progress, total))
      return { images: [{ id, tags: [writeReference(name)] }], ...(leftOut.length === 0 ? {} : { leftOut }) }
    })
    return { jobId: job.id, leftOut }
  },
  view: jobStartedView,
})
