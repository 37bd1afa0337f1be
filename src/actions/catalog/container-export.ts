import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { AppError } from '../errors.js'
import { flag, onContainer } from '../fields.js'
import { JobStarted, jobStartedView } from '../job-views.js'

export default defineAction({
  name: 'container.export',
  summary: { en: "Export a container's file system as a tar archive", zh: '将容器的文件系统导出为 tar 归档' },
  effect: 'disclose',
  target: 'instance',
  startsJob: true,
  private: true,
  input: Type.Object({
    ...onContainer,
    gzip: Type.Optional(
      flag({ en: 'Compress it: smaller, but several times slower', zh: '压缩：更小，但速度会慢数倍' }),
    ),
  }),
  output: JobStarted,
  run({ gzip }, { principal, artifacts, host, driver, instance, startJob }) {
    const leftOut = instance.mounts.map((mount) => mount.destination)
    const job = startJob(async (signal, progress) => {
      const artifact = await artifacts.create(await driver.export(instance.id, signal), {
        owner: principal,
        name: gzip ? `${instance.name}.tar.gz` : `${instance.name}.tar`,
        mediaType: gzip ? 'application/gzip' : 'application/x-tar',
        ...(gzip ? { gzip } : {}),
        signal,
        sourceLost: (cause) => new AppError('ENGINE_LOST', { host }, { cause }),
        onBytes: progress.report,
      })
      return { artifact: artifact.id, ...(leftOut.length === 0 ? {} : { leftOut }) }
    })
    return { jobId: job.id, leftOut }
  },
  view: jobStartedView,
})
