import { createHash } from 'node:crypto'
import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { AppError } from '../errors.js'
import { onContainer, text, toField } from '../fields.js'
import { relay } from '../hosts/relay.js'
import { JobStarted, jobStartedView } from '../job-views.js'

/** The engine's own rule for repositories, registries included. */
const REPOSITORY =
  '^(?:[a-zA-Z0-9.-]+(?::[0-9]+)?/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$'

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
    repository: text(
      { en: 'What the image is called there, such as team/app', zh: '目标镜像名称，例如 team/app' },
      { max: 200, pattern: REPOSITORY },
    ),
    tag: Type.Optional(
      text({ en: 'Its tag; latest by default', zh: '镜像标签；默认为 latest' }, { max: 128, pattern: '^\\w[\\w.-]*$' }),
    ),
  }),
  output: JobStarted,
  run({ repository, tag = 'latest' }, { host, driver, destination, instance, startJob }) {
    const { driver: there, name: to } = destination
    const leftOut = instance.mounts.map((mount) => mount.destination)
    const job = startJob(async (signal, progress) => {
      const hash = createHash('sha256')
      const id = await relay(
        {
          from: host,
          source: await driver.export(instance.id, signal),
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
            await there.tag(imageId, repository, tag, until)
          },
        },
        signal,
        progress,
      )
      return { images: [{ id, tags: [`${repository}:${tag}`] }], ...(leftOut.length === 0 ? {} : { leftOut }) }
    })
    return { jobId: job.id, leftOut }
  },
  view: jobStartedView,
})
