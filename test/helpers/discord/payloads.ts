/** The objects Discord sends, built from the little a test says. */
import {
  type APIApplicationCommand,
  type APIBaseInteraction,
  type APIUser,
  InteractionContextType,
  type InteractionType,
  type LocaleString,
  PermissionFlagsBits as Permission,
} from 'discord-api-types/v10'
import type { CommandBody } from './limits.js'
import type { Guild, TestUser, World } from './world.js'

export const isoTime = (epochMs: number) => new Date(epochMs).toISOString()

export function assertSnowflake(id: string, what: string): void {
  if (!/^\d{17,20}$/.test(id)) throw new Error(`${what} ${JSON.stringify(id)} is no snowflake: 17 to 20 digits`)
}

/** `flags` and `primary_guild` are required by the description. */
export const userPayload = ({ id, username, globalName }: TestUser, isBot = false): APIUser =>
  ({
    id,
    username,
    global_name: globalName ?? null,
    discriminator: '0',
    avatar: null,
    public_flags: 0,
    flags: 0,
    primary_guild: null,
    ...(isBot ? { bot: true } : {}),
  }) as unknown as APIUser

const nulls = (...keys: string[]) => Object.fromEntries(keys.map((key) => [key, null]))
const OWNER = userPayload({ id: '80351110224678912', username: 'owner' })

export const applicationPayload = ({ applicationId, bot, guilds }: World) => ({
  ...nulls('icon', 'type', 'interactions_endpoint_url', 'role_connections_verification_url', 'team'),
  id: applicationId,
  name: bot.username,
  description: '',
  flags: 0,
  flags_new: '0',
  bot,
  verify_key: '0'.repeat(64),
  redirect_uris: [],
  owner: OWNER,
  approximate_guild_count: guilds.length,
  approximate_user_install_count: 0,
  approximate_user_authorization_count: 0,
  explicit_content_filter: 0,
  eligible_oauth2_scopes: [],
})

const rolePayload = (id: string, name: string, permissions: bigint, position: number) => ({
  id,
  name,
  permissions: String(permissions),
  position,
  color: 0,
  colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
  hoist: false,
  managed: false,
  mentionable: false,
  flags: 0,
})

export const directPayload = (id: string, recipient: APIUser) => ({
  id,
  type: 1 as const,
  flags: 0,
  last_message_id: null,
  recipients: [recipient],
})

const MEMBER = Permission.ViewChannel | Permission.SendMessages | Permission.UseApplicationCommands

export const rolesPayload = (guild: Guild) => [
  rolePayload(guild.id, '@everyone', MEMBER, 0),
  ...guild.roles.map((role, i) => rolePayload(role.id, role.name, role.permissions ?? 0n, i + 1)),
]

export const channelsOf = ({ channelId, channels }: Guild) => [{ id: channelId, name: 'general' }, ...channels]

export const channelPayload = (guild: Guild, { id, name } = { id: guild.channelId, name: 'general' }) => ({
  id,
  type: 0 as const,
  flags: 0,
  name,
  guild_id: guild.id,
  position: 0,
  permission_overwrites: [],
  parent_id: null,
  topic: null,
  nsfw: false,
  last_message_id: null,
  rate_limit_per_user: 0,
})

export const memberPayload = (user: APIUser, roles: string[], permissions: bigint) => ({
  ...nulls('nick', 'avatar', 'banner', 'premium_since', 'communication_disabled_until'),
  user,
  roles,
  permissions: String(permissions),
  joined_at: '2024-01-01T00:00:00.000Z',
  deaf: false,
  mute: false,
  pending: false,
  flags: 0,
})

const LISTS = ['emojis', 'stickers', 'features', 'voice_states', 'threads', 'presences', 'stage_instances']
const ZEROES = ['verification_level', 'default_message_notifications', 'explicit_content_filter', 'mfa_level']

export const guildCreate = (guild: Guild, bot: APIUser) => ({
  ...nulls('icon', 'splash', 'discovery_splash', 'banner', 'description', 'application_id', 'afk_channel_id'),
  ...nulls('system_channel_id', 'rules_channel_id', 'public_updates_channel_id', 'vanity_url_code', 'hub_type'),
  ...Object.fromEntries([...LISTS, 'guild_scheduled_events', 'soundboard_sounds'].map((key) => [key, []])),
  ...Object.fromEntries([...ZEROES, 'system_channel_flags', 'premium_tier', 'nsfw_level'].map((key) => [key, 0])),
  id: guild.id,
  name: guild.name,
  owner_id: OWNER.id,
  preferred_locale: guild.locale,
  premium_progress_bar_enabled: false,
  afk_timeout: 300,
  joined_at: '2024-01-01T00:00:00.000Z',
  large: false,
  member_count: 2,
  roles: rolesPayload(guild),
  members: [memberPayload(bot, [], MEMBER)],
  channels: channelsOf(guild).map((channel) => channelPayload(guild, channel)),
})

/** Who does something in Discord, and where. */
export interface Asker {
  user: TestUser
  /** The first configured guild by default; null for a direct message with the bot. */
  guildId?: string | null
  /** Of that guild; `general` by default. */
  channelId?: string
  locale?: LocaleString
  roles?: string[]
  /** Beyond what every member has. */
  permissions?: bigint
  attachmentSizeLimitBytes?: number
}

export const DEFAULT_FILE_LIMIT_BYTES = 10 * 1024 * 1024

export function guildOf(world: World, guildId: string | null | undefined): Guild | null {
  if (guildId === null) return null
  const guild = guildId === undefined ? world.guilds[0] : world.guilds.find(({ id }) => id === guildId)
  if (!guild) throw new Error(`no guild ${guildId ?? ''} is configured`)
  return guild
}

/** All of an interaction but its `data`. */
export function interactionPayload<Type extends InteractionType>(world: World, type: Type, asker: Asker) {
  assertSnowflake(asker.user.id, 'user')
  const guild = guildOf(world, asker.guildId)
  const roles = asker.roles ?? []
  const channel = guild && channelsOf(guild).find(({ id }) => id === (asker.channelId ?? guild.channelId))
  if (guild && !channel) throw new Error(`no channel ${asker.channelId} in this guild`)
  for (const id of roles)
    if (!guild?.roles.some((role) => role.id === id)) throw new Error(`role ${id} is not of this guild`)
  const user = userPayload(asker.user)
  const granted = guild?.roles.filter(({ id }) => roles.includes(id)).map((role) => role.permissions ?? 0n) ?? []
  const permissions = [MEMBER, asker.permissions ?? 0n, ...granted].reduce((all, one) => all | one)
  const place = guild
    ? {
        guild_id: guild.id,
        guild: { id: guild.id, locale: guild.locale, features: [] },
        guild_locale: guild.locale,
        channel: channelPayload(guild, channel ?? undefined),
        channel_id: channel?.id,
        member: memberPayload(user, roles, permissions),
        context: InteractionContextType.Guild,
      }
    : { channel: { id: asker.user.id, type: 1, flags: 0 }, channel_id: asker.user.id, user, context: 1 }
  return {
    id: world.snowflake(),
    application_id: world.applicationId,
    type,
    // Opaque to the bot, as Discord's are.
    token: Buffer.from(`interaction:${world.snowflake()}`).toString('base64url'),
    version: 1,
    ...place,
    app_permissions: String(MEMBER | Permission.AttachFiles | Permission.EmbedLinks),
    locale: asker.locale ?? 'en-US',
    entitlements: [],
    authorizing_integration_owners: guild?.installed === false ? { 1: asker.user.id } : { 0: guild?.id ?? '0' },
    attachment_size_limit: asker.attachmentSizeLimitBytes ?? DEFAULT_FILE_LIMIT_BYTES,
  } as unknown as APIBaseInteraction<Type, unknown> & { channel_id: string }
}

/** A deep copy without its nulls, which Discord answers by leaving the key out. */
export function withoutNulls<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutNulls) as T
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined)
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)])) as T
}

/** @param id kept when a command of that name was there before, as Discord does */
export function commandPayload(world: World, body: CommandBody, id: string, guildId?: string): APIApplicationCommand {
  const permissions = body.default_member_permissions
  return {
    description: '',
    ...withoutNulls(body),
    type: body.type ?? 1,
    id,
    application_id: world.applicationId,
    version: world.snowflake(),
    default_member_permissions: permissions === null || permissions === undefined ? null : String(permissions),
    ...(guildId ? { guild_id: guildId } : {}),
  } as APIApplicationCommand
}
