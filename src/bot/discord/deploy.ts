// Keeps the commands that Discord holds equal to the registry's, and leaves them alone when they are.
import { isDeepStrictEqual } from 'node:util'
import type { REST } from '@discordjs/rest'
import {
  type RESTGetAPIApplicationCommandsResult,
  type RESTGetCurrentApplicationResult,
  Routes,
} from 'discord-api-types/v10'
import type { Registry } from '../../actions/index.js'
import { type Config, guildsOf } from '../config.js'
import { type CommandBody, commandsOf } from './commands.js'
import { readTraditional } from './localize.js'
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
  'channel_types',
  'options',
  'contexts',
  'integration_types',
  'default_member_permissions',
  'nsfw',
]

const isNothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === '' ||
  (Array.isArray(value) && value.length === 0)

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

/** A message command may be called like a slash command. */
const keyOf = ({ type = 1, name }: Held): string => `${type} ${name}`
const sorted = (commands: readonly Held[]) => [...commands].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).map(normal)

interface Held {
  readonly type?: number
  readonly name: string
}

export const sameCommands = (wanted: readonly Held[], held: readonly Held[]): boolean =>
  isDeepStrictEqual(sorted(wanted), sorted(held))

/** Of a guild's own command, Discord does not ask where it is there. */
const ofGuild = <Command extends object>(command: Command): Omit<Command, 'contexts' | 'integration_types'> => {
  const { contexts: _contexts, integration_types: _types, ...rest } = command as Command & Partial<CommandBody>
  return rest as Omit<Command, 'contexts' | 'integration_types'>
}

/** Missing access, unknown guild: the bot is not there, so nothing of ours is. */
const ABSENT: readonly unknown[] = [50001, 10004]

export interface Synced {
  readonly commands: number
  /** Whether anything had to be sent. */
  readonly sent: boolean
}

/**
 * Brings Discord's commands up to date, globally or in each listed guild, and takes them away from where they are no longer
 * wanted, so that nobody sees one twice. What does not differ is left alone.
 * @throws Error with Discord's reason: commands that were not deployed must not look deployed
 */
export async function syncCommands(rest: REST, config: Config, registry: Registry): Promise<Synced> {
  const commands = commandsOf(registry, await readTraditional())
  const isGlobal = config.DISCORD_COMMANDS === 'global'
  // Without this, Discord leaves the translations out and every comparison would find a difference.
  const query = new URLSearchParams({ with_localizations: 'true' })

  async function sync(route: `/${string}`, wanted: readonly object[], like: (command: Held) => Held): Promise<boolean> {
    const held = (await rest.get(route, { query })) as RESTGetAPIApplicationCommandsResult
    if (sameCommands(wanted as readonly Held[], held.map(like))) return false
    await rest.put(route, { body: wanted })
    return true
  }

  async function syncGuild(id: string, guild: string): Promise<boolean> {
    try {
      return await sync(Routes.applicationGuildCommands(id, guild), isGlobal ? [] : commands.map(ofGuild), ofGuild)
    } catch (error) {
      if (isGlobal && ABSENT.includes((error as { readonly code?: unknown }).code)) return false
      throw error
    }
  }

  try {
    const id =
      config.DISCORD_APPLICATION_ID ??
      ((await rest.get(Routes.currentApplication())) as RESTGetCurrentApplicationResult).id
    const global = () => sync(Routes.applicationCommands(id), isGlobal ? commands : [], (command) => command)
    const guilds = async () => {
      let sent = false
      for (const guild of guildsOf(config)) sent = (await syncGuild(id, guild)) || sent
      return sent
    }
    // First to where they are wanted: for a moment there are two of each rather than none.
    const sent: boolean[] = []
    for (const scope of isGlobal ? [global, guilds] : [guilds, global]) sent.push(await scope())
    return { commands: commands.length, sent: sent.includes(true) }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`the commands could not be deployed to Discord: ${reason}`, { cause })
  }
}

/** By hand, without a connection. @returns one line that says what happened @throws as `syncCommands` */
export async function deployCommands(config: Config, registry: Registry): Promise<string> {
  const { commands, sent } = await syncCommands(botRest(config), config, registry)
  return sent ? `deployed ${commands} commands` : `all ${commands} commands are up to date`
}
