// Containers of a Docker Engine: what they are, and what is done with them. Their files are in files.ts.
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../errors.js'
import {
  type Change,
  type HostDriver,
  INSTANCE_STATES,
  type Instance,
  type InstanceDetail,
  type InstanceState,
  type LogRequest,
  type Mount,
} from '../driver.js'
import {
  CHANGE_MS,
  type Client,
  type Docker,
  type EngineError,
  READ_MS,
  type Reading,
  type Refusal,
  reasonOf,
} from './client.js'
import { createDemultiplexer, demultiplexed } from './multiplex.js'
import { optionsOf } from './run-options.js'
import { sampleOf } from './stats.js'

const stateOf = (state: string): InstanceState => INSTANCE_STATES.find((known) => known === state) ?? 'dead'

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

/** What an engine says of a container that is not there, or not as it has to be. */
export function readingOf(host: string, id: string, also: Reading = () => undefined): Reading {
  const container = id.slice(0, 12)
  return (refusal: Refusal) => {
    const { statusCode, reason } = refusal
    if (statusCode === 404 && /no such container/i.test(reason)) {
      return new AppError('INSTANCE_NOT_FOUND', { container, host })
    }
    if (/is not running|is paused|already paused|not paused|unpause the container/i.test(reason)) {
      return new AppError('INSTANCE_NOT_RUNNING', { container, host })
    }
    return also(refusal)
  }
}

/** The engine says "already so" with 304, which is what was asked for. */
async function unlessAlready(done: Promise<unknown>): Promise<void> {
  try {
    await done
  } catch (error) {
    if ((error as EngineError).statusCode !== 304) throw error
  }
}

interface EngineChange {
  readonly Kind: number
  readonly Path: string
}

const CHANGES = ['changed', 'added', 'deleted'] as const
const changeOf = ({ Kind, Path }: EngineChange): Change => ({ kind: CHANGES[Kind] ?? 'changed', path: Path })

/** An engine's reason is cut to less. */
const LONGEST_REASON = 1024
const EXEC_POLL_MS = 250
/** A file system is read through, and an image of gigabytes written. */
const COMMIT_MS = 15 * 60_000

type Part = Pick<
  HostDriver,
  | 'list'
  | 'inspect'
  | 'run'
  | 'start'
  | 'stop'
  | 'restart'
  | 'pause'
  | 'unpause'
  | 'rename'
  | 'remove'
  | 'logs'
  | 'sample'
  | 'top'
  | 'exec'
  | 'wait'
  | 'diff'
  | 'commit'
>

export function instancesOf(client: Client): Part {
  const { host } = client
  const container = (id: string) => client.docker.getContainer(id)
  const taken =
    (name: string): Reading =>
    ({ statusCode, reason }) =>
      statusCode === 409 && /already in use/i.test(reason) ? new AppError('NAME_TAKEN', { name, host }) : undefined
  const read = <T>(id: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>) =>
    client.ask(signal, READ_MS, readingOf(host, id), work)
  const change = <T>(
    id: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
    also?: Reading,
    graceSeconds = 0,
  ) => client.ask(signal, CHANGE_MS + graceSeconds * 1000, readingOf(host, id, also), work)

  const inspect = (id: string, signal: AbortSignal) =>
    read(id, signal, async (abortSignal) => detailOf(await container(id).inspect({ abortSignal })))

  /** A change that the engine refuses because there is nothing to change is none. */
  async function unlessIn(
    state: InstanceState,
    id: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<unknown>,
  ): Promise<void> {
    try {
      await change(id, signal, work)
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'INSTANCE_NOT_RUNNING') throw error
      if ((await inspect(id, signal)).state !== state) throw error
    }
  }

  return {
    list: (signal) =>
      client.ask(
        signal,
        READ_MS,
        () => undefined,
        async (abortSignal) => (await client.docker.listContainers({ all: true, abortSignal })).map(summaryOf),
      ),

    inspect,

    async run(request, signal) {
      const reading: Reading = (refusal) =>
        taken(request.name ?? '')(refusal) ??
        (/no such image/i.test(refusal.reason)
          ? new AppError('IMAGE_NOT_FOUND', { image: request.imageTag ?? request.imageId, host })
          : undefined)
      const made = await client.ask(signal, CHANGE_MS, reading, (abortSignal) =>
        client.docker.createContainer({ ...optionsOf(request), abortSignal }),
      )
      try {
        if ((await inspect(made.id, signal)).imageId !== request.imageId) throw new AppError('TARGET_CHANGED')
        await change(made.id, signal, (abortSignal) => made.start({ abortSignal }))
        return made.id
      } catch (error) {
        // A port that is taken, a program that is not there: what could not be started is of no use to anyone.
        await made.remove({ force: true, v: true }).catch(() => undefined)
        throw error
      }
    },

    start: (id, signal) => change(id, signal, (abortSignal) => unlessAlready(container(id).start({ abortSignal }))),

    stop: (id, graceSeconds, signal) =>
      change(
        id,
        signal,
        (abortSignal) => unlessAlready(container(id).stop({ t: graceSeconds, abortSignal })),
        undefined,
        graceSeconds,
      ),

    restart: (id, graceSeconds, signal) =>
      change(
        id,
        signal,
        (abortSignal) => container(id).restart({ t: graceSeconds, abortSignal }),
        undefined,
        graceSeconds,
      ),

    pause: (id, signal) => unlessIn('paused', id, signal, (abortSignal) => container(id).pause({ abortSignal })),

    unpause: (id, signal) => unlessIn('running', id, signal, (abortSignal) => container(id).unpause({ abortSignal })),

    rename: (id, name, signal) =>
      change(id, signal, (abortSignal) => container(id).rename({ name, abortSignal }), taken(name)),

    remove: (id, { force, volumes }, signal) =>
      change(
        id,
        signal,
        (abortSignal) => container(id).remove({ force, v: volumes, abortSignal }),
        ({ statusCode, reason }) =>
          statusCode === 409 && /running|paused/i.test(reason)
            ? new AppError('INSTANCE_RUNS', { container: id.slice(0, 12), host })
            : undefined,
      ),

    async logs(id, { tail, since, timestamps }: LogRequest, signal) {
      const info = await read(id, signal, (abortSignal) => container(id).inspect({ abortSignal }))
      const query = new URLSearchParams({
        stdout: '1',
        stderr: '1',
        tail: String(tail),
        timestamps: String(timestamps),
      })
      if (since !== undefined) query.set('since', (since / 1000).toFixed(3))
      const path = `/containers/${id}/logs?${query}`
      const answer = await client.stream(signal, readingOf(host, id), { method: 'GET', path })
      return info.Config.Tty ? answer : demultiplexed(answer)
    },

    sample: (id, signal) => sampleOf(client, readingOf(host, id), id, signal),

    top: (id, signal) =>
      read(id, signal, async (abortSignal) => {
        const { Titles, Processes } = await container(id).top({ abortSignal })
        return { columns: Titles, rows: Processes }
      }),

    async exec(id, { command, user, workingDir }, take, signal) {
      const made = await read(id, signal, (abortSignal) =>
        container(id).exec({
          Cmd: [...command],
          AttachStdout: true,
          AttachStderr: true,
          ...(user === undefined ? {} : { User: user }),
          ...(workingDir === undefined ? {} : { WorkingDir: workingDir }),
          abortSignal,
        }),
      )
      const output = await client.stream(signal, readingOf(host, id), {
        method: 'POST',
        path: `/exec/${made.id}/start`,
        json: { Detach: false, Tty: false },
        untilClose: true,
      })
      let beginning = ''
      const demultiplex = createDemultiplexer((bytes, from) => {
        if (beginning.length < LONGEST_REASON) beginning += bytes.toString()
        take(bytes, from)
      })
      try {
        await output.flow(async (pieces) => {
          for (const piece of pieces) demultiplex(piece)
        }, signal)
      } catch (error) {
        if (signal.aborted) throw signal.reason
        throw new AppError('ENGINE_LOST', { host }, { cause: error })
      }
      for (;;) {
        const { Running, ExitCode, Pid } = await read(id, signal, (abortSignal) => made.inspect({ abortSignal }))
        if (!Running && Pid === 0) {
          // Some engines say only in its output that a program could not be started.
          throw new AppError('ENGINE_REFUSED', { host, reason: reasonOf(new Error(beginning)) })
        }
        if (!Running) return ExitCode ?? 0
        // It has closed its output and goes on.
        await sleep(EXEC_POLL_MS, undefined, { signal })
      }
    },

    async wait(id, signal) {
      const answer = await client.send(signal, readingOf(host, id), { method: 'POST', path: `/containers/${id}/wait` })
      return (JSON.parse(answer) as { StatusCode: number }).StatusCode
    },

    diff: (id, signal) =>
      client.ask(signal, CHANGE_MS, readingOf(host, id), async (abortSignal) => {
        // The engine says null where there are none, which its client gives back as bytes.
        const changes: unknown = await container(id).changes({ abortSignal })
        return Array.isArray(changes) ? (changes as EngineChange[]).map(changeOf) : []
      }),

    commit: (id, { repository, tag, comment, pause }, signal) =>
      client.ask(signal, COMMIT_MS, readingOf(host, id), async (abortSignal) => {
        const options = { repo: repository, tag, pause, ...(comment === undefined ? {} : { comment }), abortSignal }
        const { Id } = (await container(id).commit(options)) as { Id: string }
        return Id
      }),
  }
}
