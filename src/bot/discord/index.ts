// The Discord surface: the bot's connection, its commands and its answers. Others import this file, and deploy.ts.
import type { Logger } from 'pino'
import type { Actions } from '../../actions/index.js'
import type { Config } from '../config.js'
import type { Pictures } from '../pictures.js'
import { commandsOf } from './commands.js'
import { syncCommands } from './deploy.js'
import { createInteractions } from './interaction.js'
import { tokenOf } from './rest.js'

export interface DiscordOptions {
  readonly config: Config
  readonly actions: Actions
  readonly log: Logger
  readonly pictures: Pictures
  /** Epoch ms. */
  readonly now: () => number
}

export interface DiscordBot {
  /** Resolves once connected with the commands in place. Rejects, and has been logged, when that failed. */
  readonly ready: Promise<void>
  /** Takes nothing new and lets what is under way finish, within a few seconds. */
  close(): Promise<void>
}

const CLOSE_GRACE_MS = 8_000

/** @throws Error when Discord does not accept the token, or cannot be reached */
export async function startDiscord({ config, actions, log, pictures, now }: DiscordOptions): Promise<DiscordBot> {
  const token = tokenOf(config)
  // The client library costs 0.7 s and 50 MB: only those who gave a token pay it.
  const { openGateway } = await import('./gateway.js')
  const interactions = createInteractions({ config, actions, log, pictures, now })
  const gateway = await openGateway({
    config,
    token,
    log,
    onInteraction: (payload, reply) => void interactions.handle(payload, reply),
  })
  const deploy = async () => {
    const commands = commandsOf(actions.gate.registry)
    const sent = await syncCommands(gateway.rest, config.DISCORD_APPLICATION_ID, commands)
    log.info({ commands: commands.length }, sent ? 'deployed the commands' : 'the commands are up to date')
  }
  const ready = Promise.all([gateway.ready, deploy()]).then(() => log.info('connected to Discord'))
  ready.catch((error: unknown) => log.error({ err: error }, 'not ready on Discord'))
  return {
    ready,
    async close() {
      await interactions.close(CLOSE_GRACE_MS)
      await gateway.close()
    },
  }
}
