// Images of a Docker Engine.
import { watched } from '../../bytes.js'
import { AppError } from '../../errors.js'
import type { HostDriver, Image, ImageDetail, PullProgress } from '../driver.js'
import { createNameGuard } from '../image-names.js'
import { plainArchive } from '../plain-archive.js'
import { CHANGE_MS, type Client, type Docker, READ_MS, type Reading, reasonOf } from './client.js'
import { createMessageReader, type EngineMessage, messagesIn } from './messages.js'

/** An image that lost its last tag is listed under this name. */
const NO_NAME = '<none>'
const named = (names: readonly string[] | null | undefined): string[] =>
  (names ?? []).filter((name) => !name.startsWith(NO_NAME))

const summaryOf = (info: Docker.ImageInfo): Image => ({
  id: info.Id,
  tags: named(info.RepoTags),
  digests: named(info.RepoDigests),
  sizeBytes: info.Size,
  createdAt: info.Created * 1000,
  labels: info.Labels ?? {},
})

const listOf = (words: string | readonly string[] | null | undefined): string[] =>
  words === null || words === undefined ? [] : typeof words === 'string' ? [words] : [...words]

function detailOf(info: Docker.ImageInspectInfo): ImageDetail {
  const { Config } = info
  return {
    id: info.Id,
    tags: named(info.RepoTags),
    digests: named(info.RepoDigests),
    sizeBytes: info.Size,
    // An image that was imported with no date has none.
    createdAt: Date.parse(info.Created) || 0,
    labels: Config.Labels ?? {},
    os: info.Os,
    arch: info.Architecture,
    command: listOf(Config.Cmd),
    entrypoint: listOf(Config.Entrypoint),
    user: Config.User || 'root',
    workingDir: Config.WorkingDir || '/',
    environmentNames: (Config.Env ?? []).map((pair) => pair.split('=', 1)[0] ?? ''),
    ports: Object.keys(Config.ExposedPorts ?? {}),
    volumes: Object.keys(Config.Volumes ?? {}),
    layers: info.RootFS.Layers ?? [],
  }
}

const UNREACHABLE =
  /no such host|dial tcp|i\/o timeout|connection refused|network is unreachable|TLS handshake|lookup /i
const UNKNOWN = /not found|manifest unknown|does not exist|access denied|denied:/i
const NO_TAR = /archive\/tar|unexpected EOF/i
/** What `load` says of a tar whose parts are missing or are not what they should be; it names paths of its machine. */
const NO_IMAGES =
  /no such file or directory|unmarshal|invalid character|evalSymlinks|unrecognized image format|invalid archive|invalid (manifest|diffid|checksum|reference)/i

const BROKEN_TAR = { en: 'its tar is broken or cut short', zh: '其 tar 已损坏或不完整' } as const
const NOT_SAVED = { en: 'it holds no images as `save` writes them', zh: '其中没有由 save 写出的镜像' } as const

interface Step {
  readonly Id: string
  readonly Created: number
  readonly CreatedBy: string
  readonly Size: number
  readonly Comment: string
}

interface LayerProgress {
  readonly current: number
  readonly total: number
}

/** Bytes over all layers, as they are told one by one. */
function createPullMeter(onProgress: (progress: PullProgress) => void): (message: EngineMessage) => void {
  const layers = new Map<string, LayerProgress>()
  return ({ id, status, progressDetail }) => {
    if (status === 'Downloading' && id !== undefined) {
      layers.set(id, { current: progressDetail?.current ?? 0, total: progressDetail?.total ?? 0 })
    } else if (id !== undefined && /complete|already exists/i.test(status ?? '')) {
      const { total } = layers.get(id) ?? { total: 0 }
      layers.set(id, { current: total, total })
    }
    const sum = (of: keyof LayerProgress) => [...layers.values()].reduce((all, layer) => all + layer[of], 0)
    onProgress({ bytes: sum('current'), totalBytes: sum('total'), phase: status ?? '' })
  }
}

type Part = Pick<
  HostDriver,
  'images' | 'inspectImage' | 'history' | 'tag' | 'removeImage' | 'save' | 'load' | 'importImage' | 'pull'
>

export function imagesOf(client: Client): Part {
  const { host } = client
  /** The client's own call takes no signal. */
  const historyOf = (id: string, abortSignal: AbortSignal): Promise<Step[]> =>
    new Promise((resolve, reject) => {
      const request = { path: `/images/${id}/history`, method: 'GET', statusCodes: { 200: true }, abortSignal }
      client.docker.modem.dial(request, (error, steps) => (error ? reject(error) : resolve(steps as Step[])))
    })
  const missing =
    (image: string): Reading =>
    ({ statusCode, reason }) =>
      (statusCode === 404 && /no such image|not found/i.test(reason)) || /^failed to get digest/.test(reason)
        ? new AppError('IMAGE_NOT_FOUND', { image, host })
        : undefined
  /** The client takes a signal here too; only its types do not say so. */
  const inspectionOf = (id: string, abortSignal: AbortSignal): Promise<Docker.ImageInspectInfo> =>
    client.docker.getImage(id).inspect({ abortSignal } as Docker.ImageInspectOptions)
  const notImported: Reading = ({ reason }) =>
    NO_TAR.test(reason) ? new AppError('ARCHIVE_INVALID', { reason: BROKEN_TAR }) : undefined
  const notLoaded: Reading = (refusal) =>
    notImported(refusal) ??
    (NO_IMAGES.test(refusal.reason) ? new AppError('ARCHIVE_INVALID', { reason: NOT_SAVED }) : undefined)

  function refused(told: string, reading: Reading): AppError {
    const reason = reasonOf(new Error(told))
    return reading({ statusCode: 200, reason }) ?? new AppError('ENGINE_REFUSED', { host, reason })
  }

  /** Answers of the engine that tell a failure in a message of an answer that began well. */
  function followed(text: string, reading: Reading): EngineMessage[] {
    const messages = messagesIn(text)
    for (const { error } of messages) if (error !== undefined) throw refused(error, reading)
    return messages
  }

  return {
    images: (signal) =>
      client.ask(
        signal,
        READ_MS,
        () => undefined,
        async (abortSignal) => (await client.docker.listImages({ all: true, abortSignal })).map(summaryOf),
      ),

    inspectImage: (id, signal) =>
      client.ask(signal, READ_MS, missing(id), async (abortSignal) => detailOf(await inspectionOf(id, abortSignal))),

    history: (id, signal) =>
      client.ask(signal, READ_MS, missing(id), async (abortSignal) => {
        const steps = await historyOf(id, abortSignal)
        return steps.map(({ Id, Created, CreatedBy, Size, Comment }) => ({
          ...(Id === '<missing>' ? {} : { id: Id }),
          createdAt: Created * 1000,
          createdBy: CreatedBy,
          sizeBytes: Size,
          comment: Comment,
        }))
      }),

    async tag(id, repository, tag, signal) {
      await client.ask(signal, CHANGE_MS, missing(id), (abortSignal) =>
        client.docker.getImage(id).tag({ repo: repository, tag, abortSignal }),
      )
    },

    removeImage: (reference, force, signal) =>
      client.ask(
        signal,
        CHANGE_MS,
        (refusal) =>
          refusal.statusCode === 409
            ? new AppError('IMAGE_IN_USE', { image: reference, host, reason: refusal.reason })
            : missing(reference)(refusal),
        async (abortSignal) => {
          const steps = (await client.docker.getImage(reference).remove({ force, abortSignal })) as {
            Untagged?: string
            Deleted?: string
          }[]
          return {
            untagged: steps.flatMap(({ Untagged }) => Untagged ?? []),
            deleted: steps.flatMap(({ Deleted }) => Deleted ?? []),
          }
        },
      ),

    save(references, signal) {
      const query = new URLSearchParams(references.map((reference): [string, string] => ['names', reference]))
      const reading = missing(references.join(', '))
      return client.stream(signal, reading, { method: 'GET', path: `/images/get?${query}` })
    },

    async load(archive, signal) {
      const body = watched(plainArchive(archive), createNameGuard())
      const request = { method: 'POST', path: '/images/load?quiet=1', body } as const
      const text = await client.send(signal, notLoaded, { ...request, mediaType: 'application/x-tar' })
      const messages = followed(text, notLoaded)
      return messages.flatMap(({ stream = '' }) => /^Loaded image(?: ID)?: (.+)$/m.exec(stream)?.[1]?.trim() ?? [])
    },

    async importImage(archive, repository, tag, signal) {
      const query = new URLSearchParams({ fromSrc: '-', repo: repository, tag })
      const request = { method: 'POST', path: `/images/create?${query}`, body: plainArchive(archive) } as const
      const text = await client.send(signal, notImported, { ...request, mediaType: 'application/x-tar' })
      const messages = followed(text, notImported)
      const id = messages.findLast(({ status = '' }) => status.startsWith('sha256:'))?.status
      if (id === undefined) throw new AppError('ENGINE_LOST', { host })
      return id
    },

    async pull(reference, onProgress, signal) {
      const reading: Reading = ({ reason }) => {
        if (UNREACHABLE.test(reason)) return new AppError('REGISTRY_UNREACHABLE', { image: reference, host, reason })
        return UNKNOWN.test(reason) ? new AppError('IMAGE_NOT_FOUND', { image: reference, host }) : undefined
      }
      const query = new URLSearchParams({ fromImage: reference })
      const answer = await client.stream(signal, reading, { method: 'POST', path: `/images/create?${query}` })
      const meter = createPullMeter(onProgress)
      let failed: string | undefined
      const read = createMessageReader((message) => {
        failed ??= message.error
        meter(message)
      })
      try {
        await answer.flow(async (pieces) => {
          for (const piece of pieces) read(piece)
        }, signal)
      } catch (error) {
        if (signal.aborted) throw signal.reason
        throw new AppError('ENGINE_LOST', { host }, { cause: error })
      }
      if (failed !== undefined) throw refused(failed, reading)
      const info = await client.ask(signal, READ_MS, missing(reference), (abortSignal) =>
        inspectionOf(reference, abortSignal),
      )
      return info.Id
    },
  }
}
