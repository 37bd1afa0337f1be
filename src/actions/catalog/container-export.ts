import { Type } from 'typebox'
import { defineAction, type InstanceContext } from '../action.js'
import { AppError } from '../errors.js'
import { flag, onContainer } from '../fields.js'
import type { Mount } from '../hosts/driver.js'
import { JobStarted, jobStartedView } from '../job-views.js'
import type { JobProgress } from '../jobs/jobs.js'
import { withTotal } from '../jobs/total.js'

/** An engine copies out of folders and volumes, not out of memory. */
const canBeCopied = ({ kind }: Mount): boolean => kind === 'bind' || kind === 'volume'

/** A name for the file: a path has signs that file names may not have. */
const volumeName = (container: string, path: string): string =>
  `${container}-${path.slice(1).replaceAll(/[^\w.-]+/g, '-')}.tar`

interface Source {
  /** What a download is called. */
  readonly name: string
  /** The mount that it is of; none for the container itself. */
  readonly path?: string
  readonly gzip?: boolean
}

/** Makes artifacts of a container and its mounts, one after the other: all of them, or none. */
async function makeAll(
  sources: readonly Source[],
  { artifacts, driver, host, instance, principal }: InstanceContext,
  signal: AbortSignal,
  progress: JobProgress,
  total: () => number | undefined,
): Promise<{ path?: string; artifact: string }[]> {
  const made: { path?: string; artifact: string }[] = []
  let before = 0
  try {
    for (const { name, path, gzip = false } of sources) {
      const source =
        path === undefined ? driver.export(instance.id, signal) : driver.getArchive(instance.id, path, signal)
      let read = 0
      const { id } = await artifacts.create(await source, {
        owner: principal,
        name: gzip ? `${name}.gz` : name,
        mediaType: gzip ? 'application/gzip' : 'application/x-tar',
        ...(gzip ? { gzip } : {}),
        signal,
        sourceLost: (cause) => new AppError('ENGINE_LOST', { host }, { cause }),
        onBytes(bytes) {
          read = bytes
          progress.report(before + bytes, total())
        },
      })
      before += read
      made.push({ artifact: id, ...(path === undefined ? {} : { path }) })
    }
    return made
  } catch (error) {
    for (const { artifact } of made) await artifacts.remove(artifact, principal.tenant)
    throw error
  }
}

export default defineAction({
  name: 'container.export',
  summary: { en: "Export a container's file system as a tar archive", zh: '将容器的文件系统导出为 tar 归档' },
  effect: 'disclose',
  target: 'instance',
  needs: 'export',
  startsJob: true,
  private: true,
  input: Type.Object({
    ...onContainer,
    gzip: Type.Optional(
      flag({ en: 'Compress it: smaller, but several times slower', zh: '压缩：更小，但速度会慢数倍' }),
    ),
    'with-volumes': Type.Optional(
      flag({
        en: 'Also what its volumes and folders of the host hold, each as an archive of its own',
        zh: '同时导出其卷与主机目录中的内容，各为一个归档',
      }),
    ),
  }),
  output: JobStarted,
  also: (input, { mounts }) =>
    input['with-volumes']
      ? mounts.filter(canBeCopied).map(({ destination }) => ({ action: 'container.copy-out', path: destination }))
      : [],
  run({ gzip = false, 'with-volumes': withVolumes = false }, context) {
    const { instance } = context
    const taken = withVolumes ? instance.mounts.filter(canBeCopied) : []
    const leftOut = instance.mounts.filter((mount) => !taken.includes(mount)).map(({ destination }) => destination)
    const sources = [
      { name: `${instance.name}.tar`, gzip },
      ...taken.map(({ destination }) => ({
        name: volumeName(instance.name, destination),
        path: destination,
        gzip,
      })),
    ]
    const job = context.startJob(async (signal, progress) => {
      const { driver } = context
      // What its mounts hold is not in the engine's figure.
      const size = taken.length > 0 ? undefined : (until: AbortSignal) => driver.exportSize(instance.id, until)
      const [whole, ...others] = await withTotal(size, signal, (total) =>
        makeAll(sources, context, signal, progress, total),
      )
      const volumes = others.map(({ path = '', artifact }) => ({ path, artifact }))
      return {
        ...(whole ? { artifact: whole.artifact } : {}),
        ...(leftOut.length === 0 ? {} : { leftOut }),
        ...(volumes.length === 0 ? {} : { volumes }),
      }
    })
    return { jobId: job.id, leftOut }
  },
  view: jobStartedView,
})
