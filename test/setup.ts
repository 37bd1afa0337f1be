// Before any test: the programs, the engine and the image. After the last: nothing of it is left.
import type { TestProject } from 'vitest/node'
import { findEngine, makeImage, removeContainers } from './helpers/engine.js'
import { installMissing } from './helpers/packages.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** The socket of the engine that the tests may use. */
    engineSocket: string
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  installMissing(['busybox', 'chromium', ...(process.env.DOCKER_HOST ? [] : (['dockerd'] as const))])
  const engine = await findEngine()
  await removeContainers(engine.docker)
  await makeImage(engine.docker)
  project.provide('engineSocket', engine.socketPath)
  return async () => {
    await removeContainers(engine.docker)
    await engine.stop()
  }
}
