import { posix } from 'node:path'
import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { bytesOf, readableOf } from '../bytes.js'
import { AppError } from '../errors.js'
import { onContainer, text } from '../fields.js'
import { fileIn, locate } from '../hosts/archives.js'
import { downloadName, instancePath } from '../hosts/paths.js'
import { JobStarted, jobStartedView } from '../job-views.js'

/** With the slash, a link to a directory is the directory, under the link's name; with `/.` the tar begins inside it. */
const directoryPath = (path: string, wanted: string): string => {
  const inside = wanted.endsWith('/') ? wanted : `${wanted}/`
  return path.endsWith('/.') ? `${inside}.` : inside
}

export default defineAction({
  name: 'container.copy-out',
  summary: { en: 'Copy a file or directory out of a container', zh: '从容器中复制出文件或目录' },
  effect: 'disclose',
  target: 'instance',
  startsJob: true,
  private: true,
  input: Type.Object({
    ...onContainer,
    path: text(
      {
        en: 'What to copy: a file comes as it is, a directory as a tar',
        zh: '要复制的路径：文件原样返回，目录打包为 tar',
      },
      { max: 4096 },
    ),
  }),
  output: JobStarted,
  async run({ path }, { principal, artifacts, host, driver, instance, signal: calling, startJob }) {
    const wanted = instancePath(path)
    const { path: real, entry } = await locate(driver, instance.id, wanted, calling)
    const saysDirectory = wanted.endsWith('/')
    if (!entry || (saysDirectory && entry.kind !== 'directory')) throw new AppError('PATH_NOT_FOUND', { path })
    if (entry.kind === 'other') {
      throw new AppError('PATH_INVALID', {
        problem: { en: 'it is a device, a pipe or a socket', zh: '它是设备、管道或套接字' },
      })
    }
    const isFile = entry.kind === 'file'
    const name = downloadName(posix.basename(wanted)) || instance.name
    const job = startJob(async (signal, progress) => {
      const archive = await driver.getArchive(instance.id, isFile ? real : directoryPath(path, wanted), signal)
      const artifact = await artifacts.create(isFile ? bytesOf(fileIn(readableOf(archive))) : archive, {
        owner: principal,
        name: isFile ? name : `${name}.tar`,
        mediaType: isFile ? 'application/octet-stream' : 'application/x-tar',
        signal,
        sourceLost: (cause) => new AppError('ENGINE_LOST', { host }, { cause }),
        onBytes: progress.report,
      })
      return { artifact: artifact.id }
    })
    return { jobId: job.id, leftOut: [] }
  },
  view: jobStartedView,
})
