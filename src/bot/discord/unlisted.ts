// Guilds that the operator may not know of: whoever wonders why people there can only ask finds the reason in the log.
import type { Logger } from 'pino'
import { type Config, guildsOf } from '../config.js'

/** @returns to be told of every guild, as often as one likes; each is logged once */
export function unlistedGuilds(
  config: Config,
  log: Logger,
): (guild: { readonly id: string; readonly name?: string }) => void {
  const known = new Set(guildsOf(config))
  return ({ id, name }) => {
    if (known.has(id)) return
    known.add(id)
    log.info(
      { guild: id, name },
      `people in this guild can only ask; to let them use the local host, add ${id} to DISCORD_GUILDS`,
    )
  }
}
