// The server: the house with its ways in from the network, Discord among them.
import { rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { spareMemory } from '../knowledge/index.js'
import type { Config } from './config.js'
import { type DiscordBot, startDiscord } from './discord/index.js'
import { addressFile, localUrl, loginUrl, openHouse, ROOT, VERSION } from './main.js'
import { createMetrics } from './metrics.js'
import { openPictures } from './pictures.js'
import { watchPolicy } from './policy-watch.js'
import { createServer } from './server.js'
import { openToOthers } from './state-modes.js'

const DIAGRAMS = join(ROOT, 'dist', 'diagrams')
const FONTS = ['Regular', 'Bold'].map((weight) => join(ROOT, 'dist', 'fonts', `NotoSansHans-${weight}.otf`))
const DRAWING_THREAD = join(ROOT, 'dist', 'bot', 'draw-worker.js')
/** What runs gets this long to finish when the process is told to stop. */
const GRACE_MS = 8_000

export interface Running {
  /** Where people go. */
  readonly url: string
  /** Signs the owner in, once. */
  readonly loginUrl: string
  /** Resolves when it cannot go on, with why; until it is closed it serves what it can. */
  readonly ended: Promise<Error>
  close(): Promise<void>
}

/** Serves until it is closed. @throws ConfigError, or the system's error when the address cannot be had */
export async function serve(
  config: Config,
  webFolder = fileURLToPath(new URL('./web/', import.meta.url)),
): Promise<Running> {
  const house = await openHouse(config)
  const { actions, log } = house
  const metrics = createMetrics(actions.jobs.counts)
  const gate = metrics.watch(actions.gate)
  let discord: DiscordBot | undefined
  let url = localUrl(config.HYPERCALL_BIND, config.HYPERCALL_PORT)
  const publicUrl = () => config.HYPERCALL_PUBLIC_URL?.replace(/\/+$/, '') ?? url
  const app = await createServer({
    gate,
    actions,
    credentials: house.credentials,
    metrics,
    log,
    webFolder,
    diagramsFolder: DIAGRAMS,
    publicUrl,
    maxUploadBytes: config.HYPERCALL_MAX_UPLOAD,
    minFreeBytes: config.HYPERCALL_MIN_FREE,
    version: VERSION,
    checkDatabase: house.checkDatabase,
    ...(config.DISCORD_TRANSPORT === 'http' && config.DISCORD_PUBLIC_KEY !== undefined
      ? { discord: { publicKey: config.DISCORD_PUBLIC_KEY, now: Date.now, receive: (one) => discord?.receive(one) } }
      : {}),
  })
  const pictures = openPictures({ folder: DIAGRAMS, worker: DRAWING_THREAD, fonts: FONTS })
  const policyWatch = watchPolicy(config.HYPERCALL_POLICY, actions.replacePolicy, log)
  try {
    // Whoever asks first is not to wait for the cards that ship.
    const { cards, passages } = await house.knowledge.stats()
    actions.sweep().catch((err: unknown) => log.error({ err }, 'what has had its time could not be removed'))
    if (config.DISCORD_TOKEN !== undefined || config.DISCORD_TRANSPORT === 'http') {
      discord = await startDiscord({ config, actions: { ...actions, gate }, log, pictures, now: Date.now })
    }
    await app.listen({ host: config.HYPERCALL_BIND, port: config.HYPERCALL_PORT })
    url = localUrl(config.HYPERCALL_BIND, (app.server.address() as AddressInfo).port)
    writeFileSync(addressFile(config), `${url}\n`, { mode: 0o600 })
    log.info({ cards, passages, hosts: house.hosts.map((host) => host.name) }, 'ready')
    house.knowledge.readAhead().catch((err: unknown) => log.warn({ err }, 'the knowledge base could not be read ahead'))
  } catch (error) {
    policyWatch.close()
    await app.close()
    await discord?.close()
    await house.close(0)
    throw error
  }
  for (const { path, mode } of openToOthers(config.HYPERCALL_STATE)) {
    log.warn({ path, mode }, 'others on this machine can reach this part of the state: chmod go= closes it')
  }
  if (actions.recovered > 0) log.warn({ jobs: actions.recovered }, 'jobs of an earlier run were marked as interrupted')
  if (house.hosts.length === 0)
    log.warn('no Docker engine found: container commands will say so, everything else works')

  const stopSparing = spareMemory()
  return {
    url: publicUrl(),
    loginUrl: loginUrl(house),
    ended: discord?.refused ?? new Promise(() => undefined),
    async close() {
      stopSparing()
      policyWatch.close()
      rmSync(addressFile(config), { force: true })
      // First the doors, so that nothing new comes in; what is inside gets its grace, and no more than that.
      const grace = setTimeout(() => app.server.closeAllConnections(), GRACE_MS)
      await Promise.all([app.close(), discord?.close()])
      clearTimeout(grace)
      await pictures.close()
      await house.close(GRACE_MS)
    },
  }
}
