// How Discord's API is reached: the two settings that every way to it needs.
import type { Config } from '../config.js'

export const apiOf = (config: Config): string => config.DISCORD_API.replace(/\/+$/, '')

/** @throws Error when there is none */
export function tokenOf(config: Config): string {
  if (config.DISCORD_TOKEN === undefined) throw new Error('DISCORD_TOKEN is not set')
  return config.DISCORD_TOKEN
}
