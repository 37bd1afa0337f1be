/** The objects Discord sends, built from the little a test says. */
import {
  type APIApplicationCommand,
  type APIBaseInteraction,
  type APIInteractionGuildMember,
  type APIUser,
  type GatewayGuildCreateDispatchData,
  InteractionContextType,
  type InteractionType,
  type LocaleString,
  PermissionFlagsBits as Permission,
} from 'discord-api-types/v10'
import type { CommandBody } from './limits.js'
import type { Guild, TestUser, World } from './world.js'

// A number, not a literal 0: their enums have no such member.
const NO_FLAGS: number = 0

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
    public_flags: NO_FLAGS,
    flags: NO_FLAGS,
    primary_guild: null,
    ...(isBot ? { bot: true } : {}),
  }) as APIUser

export const applicationPayload = ({ applicationId, bot, guilds }: World) => ({
  id: applicationId,
  name: bot.username,
  icon: null,
  description: '',
  type: null,
  flags: 0,
  flags_new: '0',
  bot,
  verify_key: '0'.repeat(64),
  redirect_uris: [],
  interactions_endpoint_url: null,
  role_connections_verification_url: null,
  owner: userPayload({ id: '80351110224678912', username: 'owner' }),
  approximate_guild_count: guilds.length,
  approximate_user_install_count: 0,
  approximate_user_authorization_count: 0,
  explicit_content_filter: 0,
  team: null,
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

const MEMBER = Permission.ViewChannel | Permission.SendMessages | Permission.UseApplicationCommands

export const rolesPayload = (guild: Guild) => [
  rolePayload(guild.id, '@everyone', MEMBER, 0),
  ...guild.roles.map((role, i) => rolePayload(role.id, role.name, role.permissions ?? 0n, i + 1)),
]

export const channelPayload = (guild: Guild) => ({
  id: guild.channelId,
  type: 0 as const,
  name: 'general',
  guild_id: guild.id,
  position: 0,
  permission_overwrites: [],
  parent_id: null,
  topic: null,
  nsfw: false,
  last_message_id: null,
  rate_limit_per_user: 0,
})

export const memberPayload = (user: APIUser, roles: string[], permissions: bigint): APIInteractionGuildMember => ({
  user,
  roles,
  permissions: String(permissions),
  joined_at: '2024-01-01T00:00:00.000Z',
  nick: null,
  avatar: null,
  banner: null,
  premium_since: null,
  communication_disabled_until: null,
  deaf: false,
  mute: false,
  pending: false,
  flags: NO_FLAGS,
})

export const guildCreate = (guild: Guild, bot: APIUser): GatewayGuildCreateDispatchData => ({
  id: guild.id,
  name: guild.name,
  icon: null,
  splash: null,
  discovery_splash: null,
  banner: null,
  description: null,
  owner_id: '80351110224678912',
  region: '',
  afk_channel_id: null,
  afk_timeout: 300,
  verification_level: 0,
  default_message_notifications: 0,
  explicit_content_filter: 0,
  roles: rolesPayload(guild),
  emojis: [],
  stickers: [],
  features: [],
  mfa_level: 0,
  application_id: null,
  system_channel_id: null,
  system_channel_flags: NO_FLAGS,
  rules_channel_id: null,
  public_updates_channel_id: null,
  safety_alerts_channel_id: null,
  vanity_url_code: null,
  premium_tier: 0,
  premium_progress_bar_enabled: false,
  preferred_locale: guild.locale as GatewayGuildCreateDispatchData['preferred_locale'],
  nsfw_level: 0,
  hub_type: null,
  incidents_data: null,
  joined_at: '2024-01-01T00:00:00.000Z',
  large: false,
  member_count: 2,
  voice_states: [],
  members: [memberPayload(bot, [], MEMBER)],
  channels: [channelPayload(guild)],
  threads: [],
  presences: [],
  stage_instances: [],
  guild_scheduled_events: [],
  soundboard_sounds: [],
})

/** Who does something in Discord, and where. */
export interface Asker {
  user: TestUser
  /** The first configured guild by default; null for a direct message with the bot. */
  guildId?: string | null
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
        channel: channelPayload(guild),
        channel_id: guild.channelId,
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
