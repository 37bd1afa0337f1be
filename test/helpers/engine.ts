// A real Docker Engine for the tests: the one at DOCKER_HOST, the one that runs here, or one of our own.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import Docker from 'dockerode'
import { pack } from 'tar-stream'
import { inject } from 'vitest'
import { findProgram, requireProgram } from './packages.js'

export const TEST_IMAGE = 'hypercall-test/base:1'

export interface Engine {
  readonly socketPath: string
  readonly docker: Docker
  /** How it ends when the tests do; the engine that was there before us stays. */
  stop(): Promise<void>
  /** For the engines that we started: as a power cut would. */
  kill(): void
}

const DEFAULT_SOCKET = '/var/run/docker.sock'

async function answers(socketPath: string): Promise<boolean> {
  try {
    await new Docker({ socketPath }).ping()
    return true
  } catch {
    return false
  }
}

const socketOf = (address: string): string => {
  if (!address.startsWith('unix://')) throw new Error(`the tests reach an engine by its socket, not by ${address}`)
  return address.slice('unix://'.length)
}

/**
 * Starts an engine of its own in a fresh folder: no bridge and no packet filter, so that it runs anywhere.
 * @param more arguments for dockerd
 */
export async function startEngine(more: readonly string[] = []): Promise<Engine> {
  const dockerd = requireProgram('dockerd')
  const folder = mkdtempSync(join(tmpdir(), 'hc-engine-'))
  const socketPath = join(folder, 'docker.sock')
  const log = join(folder, 'dockerd.log')
  const output = openSync(log, 'a')
  const child: ChildProcess = spawn(
    dockerd,
    [
      ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid')],
      ...['-H', `unix://${socketPath}`, '--bridge=none', '--iptables=false', '--ip-masq=false'],
      ...more,
    ],
    { stdio: ['ignore', output, output], detached: true },
  )
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  for (let tries = 0; !(await answers(socketPath)); tries++) {
    if (child.exitCode !== null || tries > 300) {
      throw new Error(`dockerd did not come up:\n${readFileSync(log, 'utf8').split('\n').slice(-15).join('\n')}`)
    }
    await sleep(100)
  }
  const signalGroup = (signal: NodeJS.Signals) => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, signal)
  }
  return {
    socketPath,
    docker: new Docker({ socketPath }),
    kill: () => signalGroup('SIGKILL'),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        process.kill(child.pid ?? 0, 'SIGTERM')
        await Promise.race([ended, sleep(15_000, undefined, { ref: false })])
        if (child.exitCode === null && child.signalCode === null) signalGroup('SIGKILL')
        await ended
      }
      // Mounts that a killed engine left would keep the folder busy.
      execFileSync('sh', ['-c', `grep ' ${folder}/' /proc/mounts | cut -d' ' -f2 | sort -r | xargs -r umount -l`])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** @throws Error when there is none and none can be started: never a silent skip */
export async function findEngine(): Promise<Engine> {
  const address = process.env.DOCKER_HOST
  const socketPath = address === undefined || address === '' ? DEFAULT_SOCKET : socketOf(address)
  if (await answers(socketPath)) {
    return { socketPath, docker: new Docker({ socketPath }), stop: async () => undefined, kill: () => undefined }
  }
  if (process.getuid?.() !== 0 || findProgram('dockerd') === undefined) {
    throw new Error('no Docker Engine answers: start one, or name it in DOCKER_HOST=unix:///path/to/docker.sock')
  }
  return startEngine()
}

/** Makes the test image from a static busybox: no registry is asked. */
export async function makeImage(docker: Docker): Promise<void> {
  const exists = await docker
    .getImage(TEST_IMAGE)
    .inspect()
    .then(() => true)
    .catch(() => false)
  if (exists) return
  const busybox = requireProgram('busybox')
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' })
    .split('\n')
    .filter((name) => name !== '' && name !== 'busybox')
  const tree = pack()
  for (const folder of ['bin', 'etc', 'proc', 'sys', 'dev', 'root', 'srv', 'tmp', 'var']) {
    tree.entry({ name: `${folder}/`, type: 'directory', mode: folder === 'tmp' ? 0o1777 : 0o755 })
  }
  tree.entry({ name: 'bin/busybox', mode: 0o755 }, readFileSync(busybox))
  for (const applet of applets) tree.entry({ name: `bin/${applet}`, type: 'symlink', linkname: 'busybox' })
  tree.entry({ name: 'etc/passwd' }, 'root:x:0:0:root:/root:/bin/sh\n')
  tree.entry({ name: 'etc/group' }, 'root:x:0:\n')
  tree.finalize()
  const [repo = '', tag = ''] = TEST_IMAGE.split(':')
  const options = { fromSrc: '-', repo, tag, changes: ['ENV PATH=/bin', 'CMD ["/bin/sh"]'] }
  // The client takes any stream; its types want one of Node's own.
  const progress = await docker.importImage(Readable.from(tree, { objectMode: false }), options)
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()))
  })
}

export const TEST_LABEL = 'hypercall.test'

export interface ContainerOptions {
  readonly name?: string
  /** A shell command; it sleeps by default. */
  readonly command?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly binds?: readonly string[]
  readonly env?: readonly string[]
  readonly readOnly?: boolean
  readonly start?: boolean
}

let made = 0

/** A container that the end of the tests removes. */
export async function makeContainer(
  docker: Docker,
  options: ContainerOptions = {},
): Promise<Docker.Container & { name: string }> {
  made += 1
  const name = options.name ?? `hc-${process.pid}-${Date.now().toString(36)}-${made}`
  const container = await docker.createContainer({
    name,
    Image: TEST_IMAGE,
    Cmd: ['/bin/sh', '-c', options.command ?? 'trap exit TERM; while :; do sleep 1 & wait; done'],
    Env: [...(options.env ?? [])],
    Labels: { [TEST_LABEL]: inject('run'), ...options.labels },
    NetworkDisabled: true,
    HostConfig: { NetworkMode: 'none', Binds: [...(options.binds ?? [])], ReadonlyRootfs: options.readOnly ?? false },
  })
  if (options.start !== false) await container.start()
  return Object.assign(container, { name })
}

/** @param run those of this run of the tests alone: others may be using the same engine */
export async function removeContainers(docker: Docker, run: string): Promise<void> {
  const left = await docker.listContainers({ all: true, filters: { label: [`${TEST_LABEL}=${run}`] } })
  await Promise.allSettled(left.map((info) => docker.getContainer(info.Id).remove({ force: true, v: true })))
}
