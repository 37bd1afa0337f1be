// The Discord surface: how interactions reach the bot, its commands and its answers. Others import this file, deploy.ts and
// endpoint.ts.
import { setTimeout as sleep } from 'node:timers/promises'
import type { APIInteraction } from 'discord-api-types/v10'
import type { Logger } from 'pino'
import type { Actions } from '../../actions/index.js'
import type { Config } from '../config.js'
import type { Pictures } from '../pictures.js'
import { syncCommands } from './deploy.js'
import { createInteractions } from './interaction.js'
import { createMentions } from './mention.js'
import { botRest, interactionRest, tokenOf } from './rest.js'
import { restMessenger } from './rest-messenger.js'
import { restReply } from './rest-reply.js'
import { unlistedGuilds } from './unlisted.js'

export interface DiscordOptions {
  readonly config: Config
  readonly actions: Actions
  readonly log: Logger
  readonly pictures: Pictures
  /** Epoch ms. */
  readonly now: () => number
}

export interface DiscordBot {
  /** Resolves once interactions can arrive and the commands are in place. */
  readonly ready: Promise<void>
  /** Resolves, with what to tell the operator, when Discord has refused the token: nothing but another one helps. */
  readonly refused: Promise<Error>
  /** Takes what came to the HTTP endpoint. */
  receive(payload: APIInteraction): void
  /** Takes nothing new and lets what is under way finish, within a few seconds. */
  close(): Promise<void>
}

const CLOSE_GRACE_MS = 8_000
const FIRST_PAUSE_MS = 2_000
const LONGEST_PAUSE_MS = 5 * 60_000

/** @throws Error when the settings lack the token that the gateway needs */
export async function startDiscord({ config, actions, log, pictures, now }: DiscordOptions): Promise<DiscordBot> {
  const overHttp = config.DISCORD_TRANSPORT === 'http'
  const token = overHttp ? config.DISCORD_TOKEN : tokenOf(config)
  const bot = token === undefined ? undefined : botRest(config)
  const rest = interactionRest(config)
  const interactions = createInteractions({ config, actions, log, pictures, messenger: restMessenger(bot), now })
  // Only a connection tells of messages.
  const mentions = overHttp || !bot ? undefined : createMentions({ config, actions, log, pictures, now, rest: bot })
  const onGuild = unlistedGuilds(config, log)
  const receive = (payload: APIInteraction): void => {
    if (payload.guild_id !== undefined) onGuild({ id: payload.guild_id })
    void interactions.handle(payload, restReply(rest, payload))
  }
  const stop = new AbortController()

  // The client library costs 0.7 s and 50 MB: only those who hold a connection pay it.
  const gateway = overHttp
    ? undefined
    : (await import('./gateway.js')).openGateway({
        config,
        token: tokenOf(config),
        log,
        onInteraction: receive,
        onMessage: (message, self) => void mentions?.handle(message, self),
        onGuild,
      })

  /** Commands that were deployed before stay good, so that whatever fails here is no reason to stop answering. */
  async function deploy(): Promise<void> {
    if (bot === undefined) {
      log.warn('without DISCORD_TOKEN the commands are not deployed, and nothing can be posted to a channel')
      return
    }
    for (let pauseMs = FIRST_PAUSE_MS; !stop.signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        const { commands, sent } = await syncCommands(bot, config, actions.gate.registry)
        log.info({ commands }, sent ? 'deployed the commands' : 'the commands are up to date')
        return
      } catch (error) {
        log.error({ err: error }, 'the commands could not be deployed; trying again later')
      }
      await sleep(pauseMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }

  interactions.start()
  const deployed = deploy()
  return {
    ready: Promise.all([gateway?.ready, deployed]).then(() => {
      log.info({ transport: config.DISCORD_TRANSPORT }, 'ready on Discord')
    }),
    refused: gateway?.refused ?? new Promise(() => undefined),
    receive,
    async close() {
      stop.abort()
      await Promise.all([interactions.close(CLOSE_GRACE_MS), mentions?.close(CLOSE_GRACE_MS)])
      await gateway?.close()
    },
  }
}
