// Keeps the commands that Discord holds equal to the registry's, and leaves them alone when they are.
import { isDeepStrictEqual } from 'node:util'
import type { REST } from '@discordjs/rest'
import {
  type RESTGetAPIApplicationCommandsResult,
  type RESTGetCurrentApplicationResult,
  Routes,
} from 'discord-api-types/v10'
import type { Registry } from '../../actions/index.js'
import type { Config } from '../config.js'
import { type CommandBody, commandsOf } from './commands.js'
import { botRest } from './rest.js'

/** What of a command is ours to say; Discord adds ids, versions and fields that come and go. */
const KEYS = [
  'type',
  'name',
  'name_localizations',
  'description',
  'description_localizations',
  'required',
  'autocomplete',
  'choices',
  'value',
  'min_value',
  'max_value',
  'min_length',
  'max_length',
  'options',
  'contexts',
  'integration_types',
  'default_member_permissions',
  'nsfw',
]

const isNothing = (value: unknown): boolean =>
  value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0)

/** One form for what we send and what Discord sends back: what is absent, null, false and empty all mean the same there. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal)
  if (typeof value !== 'object' || value === null) return value
  const named = value as Record<string, unknown>
  return Object.fromEntries(
    KEYS.filter((key) => !isNothing(named[key])).map((key) => [
      key,
      key.endsWith('_localizations') ? named[key] : normal(named[key]),
    ]),
  )
}

const byName = (commands: readonly { readonly name: string }[]) =>
  [...commands].sort((a, b) => (a.name < b.name ? -1 : 1)).map(normal)

export const sameCommands = (
  wanted: readonly { readonly name: string }[],
  held: readonly { readonly name: string }[],
): boolean => isDeepStrictEqual(byName(wanted), byName(held))

/**
 * @param applicationId asked of Discord when missing
 * @returns whether anything had to be sent
 * @throws Error with Discord's reason: commands that were not deployed must not look deployed
 */
export async function syncCommands(
  rest: REST,
  applicationId: string | undefined,
  wanted: readonly CommandBody[],
): Promise<boolean> {
  try {
    const id = applicationId ?? ((await rest.get(Routes.currentApplication())) as RESTGetCurrentApplicationResult).id
    // Without this, Discord leaves the translations out and every comparison would find a difference.
    const query = new URLSearchParams({ with_localizations: 'true' })
    const held = (await rest.get(Routes.applicationCommands(id), { query })) as RESTGetAPIApplicationCommandsResult
    if (sameCommands(wanted, held)) return false
    await rest.put(Routes.applicationCommands(id), { body: wanted })
    return true
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`the commands could not be deployed to Discord: ${reason}`, { cause })
  }
}

/** By hand, without a connection. @returns one line that says what happened @throws as `syncCommands` */
export async function deployCommands(config: Config, registry: Registry): Promise<string> {
  const rest = botRest(config)
  const commands = commandsOf(registry)
  const wasSent = await syncCommands(rest, config.DISCORD_APPLICATION_ID, commands)
  return wasSent ? `deployed ${commands.length} commands` : `all ${commands.length} commands are up to date`
}
