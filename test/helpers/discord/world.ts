/** What the double knows: its cast, its clock, everything sent so far. All parts share one. */
import { EventEmitter, once } from 'node:events'
import type { APIApplicationCommand, APIUser, LocaleString } from 'discord-api-types/v10'
import type { Cdn } from './cdn.js'
import type { Interaction } from './interaction.js'
import type { Problem } from './limits.js'
import type { Messages } from './messages.js'

export interface TestUser {
  id: string
  username: string
  globalName?: string
}

export interface TestGuild {
  id: string
  name: string
  locale?: LocaleString
  roles?: { id: string; name: string; permissions?: bigint }[]
  /** Besides `general`. */
  channels?: { id: string; name: string }[]
  /** False: people use the app there without the bot being a member, so it never gets a GUILD_CREATE. Default true. */
  installed?: boolean
}

export interface Guild extends Required<TestGuild> {
  /** Of `general`, where people are. */
  channelId: string
}

/** What people and moderators did to keep the bot out. */
export interface Closed {
  /** Channels that were deleted. */
  readonly gone: Set<string>
  /** Channels in which the bot may see and send nothing. */
  readonly forbidden: Set<string>
  /** Users who take no direct messages. */
  readonly refusing: Set<string>
}

export interface Violation extends Problem {
  where: string
}

export interface World {
  readonly token: string
  readonly applicationId: string
  readonly bot: APIUser
  readonly guilds: readonly Guild[]
  /** Epoch ms. Replace it to move time. */
  now: () => number
  snowflake(): string
  readonly cdn: Cdn
  readonly messages: Messages
  /** By scope: 'global' or a guild's id. */
  readonly closed: Closed
  readonly commands: Map<string, APIApplicationCommand[]>
  /** Channels of direct messages with the bot; as ids they have those of whom it talks to. */
  readonly directs: Set<string>
  /** By token. */
  readonly interactions: Map<string, Interaction>
  readonly violations: Violation[]
  /** Emits 'change' whenever a test that waits should look again. */
  readonly changes: EventEmitter
}

const DISCORD_EPOCH = 1_420_070_400_000n

/** Ids carry the double's time, as the bot may read the age of an interaction off its id. */
export function snowflakes(now: () => number): () => string {
  let sequence = 0n
  return () => {
    sequence = (sequence + 1n) % 0x3fffffn
    return String(((BigInt(Math.floor(now())) - DISCORD_EPOCH) << 22n) | sequence)
  }
}

export function newChanges(): EventEmitter {
  // Each waiting test listens; there is no number of them that would be a leak.
  return new EventEmitter().setMaxListeners(0)
}

/** Resolves with the first truthy `look()`; `what` says what never came. */
export async function until<T>(
  changes: EventEmitter,
  look: () => T | null | undefined | false,
  timeoutMs: number,
  what: () => string,
): Promise<T> {
  const signal = AbortSignal.timeout(timeoutMs)
  for (;;) {
    const found = look()
    if (found) return found
    await once(changes, 'change', { signal }).catch((cause) => {
      throw new Error(`${what()} (waited ${timeoutMs} ms)`, { cause })
    })
  }
}
