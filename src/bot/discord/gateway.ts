// Interactions over Discord's gateway. The client keeps the connection; what it delivers is taken raw.

import { Client, Events, GatewayIntentBits, type REST } from 'discord.js'
import { type APIInteraction, GatewayDispatchEvents } from 'discord-api-types/v10'
import type { Logger } from 'pino'
import { type Config, guildsOf } from '../config.js'
import type { Reply } from './reply.js'
import { apiOf } from './rest.js'
import { restReply } from './rest-reply.js'

export interface Gateway {
  readonly rest: REST
  /** Resolves once every guild is known; rejects when Discord closes the connection for good before that. */
  readonly ready: Promise<void>
  close(): Promise<void>
}

export interface GatewayOptions {
  readonly config: Config
  readonly token: string
  readonly log: Logger
  readonly onInteraction: (payload: APIInteraction, reply: Reply) => void
}

/** @throws Error when Discord does not accept the token, or cannot be reached */
export async function openGateway({ config, token, log, onInteraction }: GatewayOptions): Promise<Gateway> {
  // Guilds is not a privileged intent; interactions need none at all.
  const client = new Client({ intents: [GatewayIntentBits.Guilds], rest: { api: apiOf(config) } })

  const listed = new Set(guildsOf(config))
  const told = new Set<string>()
  const welcome = (guild: { readonly id: string; readonly name: string }) => {
    if (listed.has(guild.id) || told.has(guild.id)) return
    told.add(guild.id)
    log.info(
      { guild: guild.id, name: guild.name },
      `people in this guild can only ask; to let them use the local host, add ${guild.id} to DISCORD_GUILDS`,
    )
  }

  const ready = new Promise<void>((resolve, reject) => {
    client.once(Events.ClientReady, () => {
      client.guilds.cache.forEach(welcome)
      resolve()
    })
    // Only for what no new attempt can mend: a revoked token, above all.
    client.on(Events.ShardDisconnect, ({ code }) => {
      const lost = new Error(`Discord closed the connection for good (code ${code}): check DISCORD_TOKEN`)
      if (client.isReady()) log.error({ err: lost }, 'no longer connected to Discord')
      reject(lost)
    })
  })
  // Whoever awaits it is told; nobody has to.
  ready.catch(() => undefined)

  client.on(Events.GuildCreate, welcome)
  client.on(Events.Error, (error) => log.error({ err: error }, 'the Discord client failed'))
  client.on(Events.ShardError, (error) => log.error({ err: error }, 'the Discord connection failed'))
  client.on(Events.ShardReconnecting, () => log.warn('reconnecting to Discord'))
  client.on(Events.ShardResume, () => log.info('resumed the connection to Discord'))
  client.ws.on(GatewayDispatchEvents.InteractionCreate, (payload: APIInteraction) =>
    onInteraction(payload, restReply(client.rest, payload)),
  )

  try {
    await client.login(token)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`could not log in to Discord: ${reason} Check DISCORD_TOKEN and DISCORD_API.`, { cause })
  }
  return { rest: client.rest, ready, close: () => client.destroy() }
}
