// How Discord's API is reached: as the bot, within its limit of requests a second, and as an interaction, which has none.
import { REST } from '@discordjs/rest'
import type { Config } from '../config.js'

const apiOf = (config: Config): string => config.DISCORD_API.replace(/\/+$/, '')

/** For the gateway's client, which brings a REST of its own. */
export const restOptionsOf = (config: Config) => ({ api: apiOf(config) })

/** @throws Error when there is none */
export function tokenOf(config: Config): string {
  if (config.DISCORD_TOKEN === undefined) throw new Error('DISCORD_TOKEN is not set')
  return config.DISCORD_TOKEN
}

export const botRest = (config: Config): REST => new REST(restOptionsOf(config)).setToken(tokenOf(config))

/** Each interaction has routes of its own, and the library remembers every one until it sweeps: an hour would be too long. */
const SWEEP_EVERY_MS = 60_000

/** For callbacks, edits and follow-ups: their token is in their address, and Discord does not count them as the bot's. */
export const interactionRest = (config: Config): REST =>
  new REST({
    ...restOptionsOf(config),
    globalRequestsPerSecond: Number.MAX_SAFE_INTEGER,
    handlerSweepInterval: SWEEP_EVERY_MS,
    hashSweepInterval: SWEEP_EVERY_MS,
    hashLifetime: SWEEP_EVERY_MS,
  })
