// The file systems of a Docker Engine's containers: what is in them, and archives in and out.
import { extract } from 'tar-stream'
import { AppError } from '../../errors.js'
import type { Entry, HostDriver, Owner } from '../driver.js'
import { type Client, type Docker, READ_MS, type Reading, streamOf } from './client.js'
import { readingOf } from './instances.js'

/** Go's os.FileMode, as the engine states it in X-Docker-Container-Path-Stat. */
const GO_MODE = {
  directory: 1 << 31,
  symlink: 1 << 27,
  irregular: (1 << 26) | (1 << 25) | (1 << 24) | (1 << 21),
} as const

function entryOf(header: string): Entry {
  const stat = JSON.parse(Buffer.from(header, 'base64').toString()) as {
    name: string
    size: number
    mode: number
    linkTarget: string
  }
  const kind =
    stat.mode & GO_MODE.directory
      ? 'directory'
      : stat.mode & GO_MODE.symlink
        ? 'link'
        : stat.mode & GO_MODE.irregular
          ? 'other'
          : 'file'
  return {
    name: stat.name,
    kind,
    sizeBytes: stat.size,
    mode: stat.mode & 0o777,
    ...(stat.linkTarget ? { linkTarget: stat.linkTarget } : {}),
  }
}

const CIRCLE = { en: 'the links on it lead in a circle', zh: '其中的符号链接形成循环' } as const
const circular = (reason: string): AppError | undefined =>
  /too many (levels of symbolic )?links/i.test(reason) ? new AppError('PATH_INVALID', { problem: CIRCLE }) : undefined

/** A path that leads through a file is as absent as one that leads nowhere; the engine tells them apart. */
const absent =
  (path: string): Reading =>
  ({ statusCode, reason }) =>
    statusCode === 404 || /not a directory/i.test(reason) ? new AppError('PATH_NOT_FOUND', { path }) : circular(reason)

const destination =
  (path: string): Reading =>
  ({ statusCode, reason }) => {
    if (statusCode === 404) return new AppError('DESTINATION_NOT_FOUND', { path })
    return statusCode === 403 || /read-?only/i.test(reason)
      ? new AppError('DESTINATION_READ_ONLY', { path })
      : circular(reason)
  }

type Part = Pick<HostDriver, 'stat' | 'owner' | 'putArchive' | 'getArchive' | 'export' | 'exportSize'>

/** An engine walks through all that a container wrote. */
const ADD_UP_MS = 10 * 60_000

export function filesOf(client: Client): Part {
  const { host } = client

  const files: Part = {
    async stat(id, path, signal) {
      try {
        return await client.ask(signal, READ_MS, readingOf(host, id, absent(path)), async (abortSignal) => {
          const answer = (await client.docker.getContainer(id).infoArchive({ path, abortSignal })) as unknown as {
            headers: Record<string, string | undefined>
            resume(): void
          }
          answer.resume()
          return entryOf(answer.headers['x-docker-container-path-stat'] ?? '')
        })
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        if (error.code !== 'PATH_NOT_FOUND' && error.code !== 'ENGINE_REFUSED') throw error
      }
      // The answer to a HEAD has no words; the same question as a GET is refused with the reason.
      try {
        const archive = await files.getArchive(id, path, signal)
        archive.close()
      } catch (error) {
        if (error instanceof AppError && error.code === 'PATH_NOT_FOUND') return undefined
        throw error
      }
      throw new AppError('ENGINE_REFUSED', { host, reason: 'it has an archive of this path, and no facts about it' })
    },

    async owner(id, path, signal): Promise<Owner> {
      // The engine's stat has no owner; the first header of the archive has. The rest is never read.
      const archive = streamOf(await files.getArchive(id, path, signal), signal)
      const entries = extract()
      archive.on('error', (error) => entries.destroy(error))
      archive.pipe(entries)
      try {
        for await (const entry of entries) {
          return { uid: entry.header.uid ?? 0, gid: entry.header.gid ?? 0 }
        }
        throw new AppError('PATH_NOT_FOUND', { path })
      } catch (error) {
        throw error instanceof AppError ? error : new AppError('ENGINE_LOST', { host }, { cause: error })
      } finally {
        archive.unpipe(entries)
        archive.destroy()
      }
    },

    async putArchive(id, directory, tar, signal) {
      const path = `/containers/${id}/archive?${new URLSearchParams({ path: directory })}`
      const request = { method: 'PUT', path, body: tar, mediaType: 'application/x-tar' } as const
      await client.send(signal, readingOf(host, id, destination(directory)), request)
    },

    getArchive: (id, path, signal) =>
      client.stream(signal, readingOf(host, id, absent(path)), {
        method: 'GET',
        path: `/containers/${id}/archive?${new URLSearchParams({ path })}`,
      }),

    export: (id, signal) =>
      client.stream(signal, readingOf(host, id), { method: 'GET', path: `/containers/${id}/export` }),

    exportSize: (id, signal) =>
      client.ask(signal, ADD_UP_MS, readingOf(host, id), async (abortSignal) => {
        // The client takes this here too; only its types do not say so.
        const options = { size: true, abortSignal } as Docker.ContainerInspectOptions
        const found = (await client.docker.getContainer(id).inspect(options)) as { SizeRootFs?: number }
        return found.SizeRootFs
      }),
  }
  return files
}
