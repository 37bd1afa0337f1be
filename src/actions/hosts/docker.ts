// The Docker Engine behind the driver interface; the only file that knows its client.
import { addAbortSignal } from 'node:stream'
import Docker from 'dockerode'
import { extract } from 'tar-stream'
import { type ByteSource, readableOf } from '../bytes.js'
import { AppError } from '../errors.js'
import { within } from '../within.js'
import type { Entry, Health, HostDriver, Instance, InstanceDetail, InstanceState, Mount, Owner } from './driver.js'
import type { DockerEndpoint } from './endpoint.js'
import { openStream } from './engine-stream.js'

const PROBE_MS = 3_000
const READ_MS = 10_000
const CHANGE_MS = 60_000

/** Go's os.FileMode, as the engine states it in X-Docker-Container-Path-Stat. */
const GO_MODE = {
  directory: 1 << 31,
  symlink: 1 << 27,
  irregular: (1 << 26) | (1 << 25) | (1 << 24) | (1 << 21),
} as const

const STATES: readonly string[] = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']
const stateOf = (state: string): InstanceState => (STATES.includes(state) ? (state as InstanceState) : 'dead')

interface EngineError extends Error {
  readonly statusCode?: number
  readonly code?: string
  readonly json?: { readonly message?: string }
}

const REFUSAL_BYTES = 64 * 1024

/** The error that an engine answered with in place of a stream. */
async function refusalOf(statusCode: number, body: ByteSource, signal: AbortSignal): Promise<EngineError> {
  let text = ''
  await body.flow(async (pieces) => {
    if (text.length < REFUSAL_BYTES) text += Buffer.concat(pieces).toString()
  }, signal)
  let message = text
  try {
    message = (JSON.parse(text) as { message: string }).message
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return Object.assign(new Error(message), { statusCode })
}

/** The engine's own words, without the paths of its machine and cut to a sentence's length. */
function reasonOf(error: EngineError): string {
  const words = error.json?.message ?? error.message.replace(/^\(HTTP code \d+\) [^-]*- /, '')
  const line = words.split('\n')[0] ?? ''
  return line
    .replaceAll(/\/(var\/lib|run|var\/run)\/[^\s:"']*/g, '…')
    .trim()
    .slice(0, 300)
}

function portsOf(ports: readonly Docker.Port[]): string[] {
  const shown = ports.map((port) =>
    port.PublicPort
      ? `${port.IP ?? ''}:${port.PublicPort}->${port.PrivatePort}/${port.Type}`
      : `${port.PrivatePort}/${port.Type}`,
  )
  return [...new Set(shown)]
}

const mountOf = (mount: Docker.ContainerInspectInfo['Mounts'][number]): Mount => ({
  kind: mount.Type,
  source: mount.Name ?? mount.Source,
  destination: mount.Destination,
  readOnly: !mount.RW,
})

const ENGINE_SOCKETS = /\/(docker|podman|containerd)\.sock$/

function detailOf(info: Docker.ContainerInspectInfo): InstanceDetail {
  const mounts = info.Mounts.map(mountOf)
  const startedAt = Date.parse(info.State.StartedAt)
  const ended = info.State.Status === 'exited' || info.State.Status === 'dead'
  return {
    id: info.Id,
    name: info.Name.replace(/^\//, ''),
    image: info.Config.Image,
    imageId: info.Image,
    state: stateOf(info.State.Status),
    status: info.State.Status,
    createdAt: Date.parse(info.Created),
    labels: info.Config.Labels ?? {},
    ports: Object.entries(info.NetworkSettings.Ports ?? {}).flatMap(([inside, outside]) =>
      outside?.length ? outside.map((port) => `${port.HostIp}:${port.HostPort}->${inside}`) : [inside],
    ),
    command: [info.Path, ...info.Args],
    user: info.Config.User === '' ? 'root' : info.Config.User,
    workingDir: info.Config.WorkingDir === '' ? '/' : info.Config.WorkingDir,
    environmentNames: (info.Config.Env ?? []).map((pair) => pair.split('=', 1)[0] ?? ''),
    mounts,
    networks: Object.keys(info.NetworkSettings.Networks ?? {}),
    restartCount: info.RestartCount,
    privileged: info.HostConfig.Privileged === true,
    hostNetwork: info.HostConfig.NetworkMode === 'host',
    engineSocketMounted: info.Mounts.some((mount) => ENGINE_SOCKETS.test(mount.Source)),
    ...(startedAt > 0 ? { startedAt } : {}),
    ...(ended ? { exitCode: info.State.ExitCode } : {}),
  }
}

const summaryOf = (info: Docker.ContainerInfo): Instance => ({
  id: info.Id,
  name: (info.Names[0] ?? '').replace(/^\//, ''),
  image: info.Image,
  imageId: info.ImageID,
  state: stateOf(info.State),
  status: info.Status,
  createdAt: info.Created * 1000,
  labels: info.Labels ?? {},
  ports: portsOf(info.Ports ?? []),
})

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

/** @param host the name that errors call it by */
export function dockerDriver(host: string, endpoint: DockerEndpoint): HostDriver {
  const docker =
    endpoint.kind === 'unix'
      ? new Docker({ socketPath: endpoint.path })
      : new Docker({
          host: endpoint.host,
          port: endpoint.port,
          protocol: endpoint.tls ? 'https' : 'http',
          ...endpoint.tls,
        })

  /** The client takes a signal here too; only its types do not say so. */
  const system = docker as unknown as {
    version(options: { abortSignal: AbortSignal }): Promise<Docker.DockerVersion>
    info(options: { abortSignal: AbortSignal }): Promise<{ Containers: number; ContainersRunning: number }>
  }

  /** What an engine's failure means to a caller. @param reference the container that was named, if one was */
  const translate = (error: unknown, signal: AbortSignal, reference?: string): unknown => {
    if (signal.aborted) return signal.reason
    if (!(error instanceof Error)) return error
    const { statusCode } = error as EngineError
    if (statusCode === undefined) {
      // No answer at all: refused, no socket, no right to it, timed out, hung up.
      return error instanceof AppError ? error : new AppError('HOST_UNREACHABLE', { host }, { cause: error })
    }
    const reason = reasonOf(error)
    if (statusCode === 404 && reference !== undefined && /no such container/i.test(reason)) {
      return new AppError('INSTANCE_NOT_FOUND', { container: reference, host }, { cause: error })
    }
    return new AppError('ENGINE_REFUSED', { host, reason }, { cause: error })
  }

  const asked = async <T>(
    signal: AbortSignal,
    ms: number,
    reference: string | undefined,
    ask: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    try {
      return await within(signal, ms, ask)
    } catch (error) {
      throw translate(error, signal, reference)
    }
  }

  /** The engine says "already so" with 304, which is what was asked for. */
  const unlessAlready = async (done: Promise<unknown>): Promise<void> => {
    try {
      await done
    } catch (error) {
      if ((error as EngineError).statusCode !== 304) throw error
    }
  }

  /** An answer that streams: opening has a deadline, the stream has none. */
  const stream = async (signal: AbortSignal, reference: string, path: string): Promise<ByteSource> => {
    try {
      const { statusCode, body } = await openStream(endpoint, path, CHANGE_MS, signal)
      if (statusCode === 200) return body
      throw await refusalOf(statusCode, body, signal)
    } catch (error) {
      throw translate(error, signal, reference)
    }
  }

  /** A path that leads through a file is as absent as one that leads nowhere; the engine tells them apart. */
  const pathError = (error: unknown, path: string): unknown => {
    if (!(error instanceof AppError) || error.code !== 'ENGINE_REFUSED') return error
    const cause = error.cause as EngineError
    const absent = cause.statusCode === 404 || /not a directory/i.test(reasonOf(cause))
    return absent ? new AppError('PATH_NOT_FOUND', { path }, { cause: error }) : error
  }

  const driver: HostDriver = {
    can: { start: true, stop: true, copyIn: true, copyOut: true, export: true },

    async probe(signal): Promise<Health> {
      try {
        const [version, info] = await within(signal, PROBE_MS, (abortSignal) =>
          Promise.all([system.version({ abortSignal }), system.info({ abortSignal })]),
        )
        return {
          state: 'healthy',
          detail: { en: 'The engine answers.', zh: '引擎响应正常。' },
          engine: 'Docker Engine',
          version: version.Version,
          apiVersion: version.ApiVersion,
          os: version.Os,
          arch: version.Arch,
          instances: { total: info.Containers, running: info.ContainersRunning },
        }
      } catch (error) {
        const { code } = error as EngineError
        const why =
          code === 'EACCES'
            ? {
                en: 'The engine is there, but this user may not use its socket.',
                zh: '引擎存在，但当前用户无权访问其套接字。',
              }
            : { en: 'The engine does not answer. Is it running?', zh: '引擎没有响应。它在运行吗？' }
        return { state: 'unhealthy', detail: why }
      }
    },

    list: (signal) =>
      asked(signal, READ_MS, undefined, async (abortSignal) =>
        (await docker.listContainers({ all: true, abortSignal })).map(summaryOf),
      ),

    inspect: (id, signal) =>
      asked(signal, READ_MS, id, async (abortSignal) =>
        detailOf(await docker.getContainer(id).inspect({ abortSignal })),
      ),

    start: (id, signal) =>
      asked(signal, CHANGE_MS, id, (abortSignal) => unlessAlready(docker.getContainer(id).start({ abortSignal }))),

    stop: (id, graceSeconds, signal) =>
      asked(signal, graceSeconds * 1000 + CHANGE_MS, id, (abortSignal) =>
        unlessAlready(docker.getContainer(id).stop({ t: graceSeconds, abortSignal })),
      ),

    async stat(id, path, signal) {
      try {
        return await asked(signal, READ_MS, id, async (abortSignal) => {
          const answer = (await docker.getContainer(id).infoArchive({ path, abortSignal })) as unknown as {
            headers: Record<string, string | undefined>
            resume(): void
          }
          answer.resume()
          return entryOf(answer.headers['x-docker-container-path-stat'] ?? '')
        })
      } catch (error) {
        const translated = pathError(error, path)
        if (translated instanceof AppError && translated.code === 'PATH_NOT_FOUND') return undefined
        if (!(error instanceof AppError) || error.code !== 'ENGINE_REFUSED') throw translated
        // The answer to a HEAD has no words; the same question as a GET is refused with the reason.
        return driver.getArchive(id, path, signal).then(
          (archive) => {
            archive.destroy()
            throw translated
          },
          (reason: unknown) => {
            if (reason instanceof AppError && reason.code === 'PATH_NOT_FOUND') return undefined
            throw reason
          },
        )
      }
    },

    async owner(id, path, signal): Promise<Owner> {
      // The engine's stat has no owner; the first header of the archive has. The rest is never read.
      const archive = await driver.getArchive(id, path, signal)
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
      try {
        await docker.getContainer(id).putArchive(tar, { path: directory, abortSignal: signal })
      } catch (error) {
        const translated = translate(error, signal, id)
        if (!(translated instanceof AppError)) throw translated
        const { statusCode } = error as EngineError
        if (statusCode === 404 && translated.code === 'ENGINE_REFUSED') {
          throw new AppError('DESTINATION_NOT_FOUND', { path: directory }, { cause: error })
        }
        if (statusCode === 403 || (statusCode !== undefined && /read-?only/i.test(reasonOf(error as EngineError)))) {
          throw new AppError('DESTINATION_READ_ONLY', { path: directory }, { cause: error })
        }
        if (translated.code === 'HOST_UNREACHABLE') throw new AppError('ENGINE_LOST', { host }, { cause: error })
        throw translated
      } finally {
        tar.destroy()
      }
    },

    async getArchive(id, path, signal) {
      try {
        const archive = await stream(signal, id, `/containers/${id}/archive?${new URLSearchParams({ path })}`)
        // Whoever reads it may be several pipes away: the signal reaches the connection itself.
        return addAbortSignal(signal, readableOf(archive))
      } catch (error) {
        throw pathError(error, path)
      }
    },

    export: (id, signal) => stream(signal, id, `/containers/${id}/export`),
  }
  return driver
}
