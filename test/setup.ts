// Before any test: the programs, the engine and the image. After the last: nothing of it is left.
import { randomUUID } from 'node:crypto'
import type { TestProject } from 'vitest/node'
import { findEngine, makeImage, removeContainers } from './helpers/engine.js'
import { installMissing } from './helpers/packages.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** The socket of the engine that the tests may use. */
    engineSocket: string
    /** Marks what this run of the tests makes. */
    run: string
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  installMissing([
    ...(['busybox', 'docker', 'chromium', 'openssl', 'sshd'] as const),
    ...(process.env.DOCKER_HOST ? [] : (['dockerd'] as const)),
  ])
  const engine = await findEngine()
  const run = randomUUID()
  await makeImage(engine.docker)
  project.provide('engineSocket', engine.socketPath)
  project.provide('run', run)
  return async () => {
    await removeContainers(engine.docker, run)
    await engine.stop()
  }
}
