// Interactions and messages over Discord's gateway. The client keeps the connection, and another one takes its place where it gives up;
// what it delivers is taken raw.
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, DiscordjsErrorCodes, Events, GatewayIntentBits, Options } from 'discord.js'
import {
  type APIInteraction,
  GatewayCloseCodes,
  GatewayDispatchEvents,
  type GatewayMessageCreateDispatchData,
} from 'discord-api-types/v10'
import type { Logger } from 'pino'
import type { Config } from '../config.js'
import { restOptionsOf } from './rest.js'

/** Discord knows the token no more. */
export class TokenRefused extends Error {
  constructor(options?: ErrorOptions) {
    super('Discord does not accept DISCORD_TOKEN: it was revoked, or is wrong', options)
    this.name = 'TokenRefused'
  }
}

export interface Gateway {
  /** Resolves once every guild is known for the first time. */
  readonly ready: Promise<void>
  /** Resolves when Discord has refused the token: then nothing is tried any more. */
  readonly refused: Promise<TokenRefused>
  close(): Promise<void>
}

export interface GatewayOptions {
  readonly config: Config
  readonly token: string
  readonly log: Logger
  readonly onInteraction: (payload: APIInteraction) => void
  /** Told of every message that the bot can see. @param self its own id as a user */
  readonly onMessage: (message: GatewayMessageCreateDispatchData, self: string) => void
  /** Told of every guild that the bot is in, more than once. */
  readonly onGuild: (guild: { readonly id: string; readonly name: string }) => void
}

/** Between two clients; a client itself tries again at once, and waits as Discord asks it to. */
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000

const isTokenInvalid = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === DiscordjsErrorCodes.TokenInvalid

/** Begins to connect, and goes on until it is closed or the token is refused. */
export function openGateway({ config, token, log, onInteraction, onMessage, onGuild }: GatewayOptions): Gateway {
  const stop = new AbortController()

  /** @returns once a client has given up or was told to stop @throws TokenRefused, or why it could not connect */
  async function connectOnce(onReady: () => void): Promise<void> {
    // None of these is privileged: of messages that neither call the bot nor are written to it, the content stays away.
    const { Guilds, GuildMessages, DirectMessages } = GatewayIntentBits
    const client = new Client({
      shards: 'auto',
      intents: [Guilds, GuildMessages, DirectMessages],
      rest: restOptionsOf(config),
      makeCache: Options.cacheWithLimits({ ...Options.DefaultMakeCacheSettings, MessageManager: 0 }),
    })
    client.once(Events.ClientReady, () => {
      client.guilds.cache.forEach(onGuild)
      onReady()
    })
    client.on(Events.GuildCreate, onGuild)
    client.on(Events.Error, (error) => log.error({ err: error }, 'the Discord client failed'))
    client.on(Events.ShardError, (error) => log.error({ err: error }, 'the Discord connection failed'))
    client.on(Events.ShardReconnecting, () => log.warn('reconnecting to Discord'))
    client.on(Events.ShardResume, () => log.info('resumed the connection to Discord'))
    client.ws.on(GatewayDispatchEvents.InteractionCreate, onInteraction)
    client.ws.on(GatewayDispatchEvents.MessageCreate, (message: GatewayMessageCreateDispatchData) => {
      if (client.user) onMessage(message, client.user.id)
    })
    const stopped = new Promise<undefined>((resolve) => {
      stop.signal.addEventListener('abort', () => resolve(undefined), { once: true })
    })
    const closedFor = new Promise<number>((resolve) => {
      client.on(Events.ShardDisconnect, ({ code }) => resolve(code))
    })
    try {
      await Promise.race([client.login(token), stopped])
      const code = await Promise.race([closedFor, stopped])
      if (code === GatewayCloseCodes.AuthenticationFailed) throw new TokenRefused()
      if (code !== undefined) log.error({ code }, 'Discord closed the connection for good')
    } catch (error) {
      throw isTokenInvalid(error) ? new TokenRefused({ cause: error }) : error
    } finally {
      await client.destroy()
    }
  }

  let isReady: () => void = () => undefined
  const ready = new Promise<void>((resolve) => {
    isReady = resolve
  })
  async function keepConnected(): Promise<TokenRefused | undefined> {
    let pauseMs = FIRST_PAUSE_MS
    while (!stop.signal.aborted) {
      try {
        await connectOnce(() => {
          pauseMs = FIRST_PAUSE_MS
          isReady()
        })
      } catch (error) {
        if (error instanceof TokenRefused) return error
        if (!stop.signal.aborted) log.error({ err: error }, 'could not connect to Discord: check DISCORD_API')
      }
      await sleep(pauseMs, undefined, { signal: stop.signal }).catch(() => undefined)
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
    }
    return undefined
  }
  const ended = keepConnected()
  return {
    ready,
    refused: new Promise((resolve) => {
      void ended.then((error) => error && resolve(error))
    }),
    async close() {
      stop.abort()
      await ended
    },
  }
}
