// What a guild sets for itself: the language of what everybody there reads, where requests for approval are shown, and which
// of its roles stand for which roles of policy.
import type { Principal } from '../action.js'
import { AppError } from '../errors.js'
import type { SettingsRow, SettingsStore } from './settings-store.js'

/** `auto`: each in their own. */
export const LANGUAGES = ['auto', 'en', 'zh'] as const
export type Language = (typeof LANGUAGES)[number]

/** Why nothing can be shown in a channel: it is not there, the bot may not post in it, or it is another guild's. */
export const CHANNEL_PROBLEMS = ['gone', 'forbidden', 'elsewhere'] as const
export type ChannelProblem = (typeof CHANNEL_PROBLEMS)[number]

export interface RoleMapping {
  /** Of the guild, by its id. */
  readonly guildRole: string
  /** Of policy. */
  readonly role: string
}

export interface GuildSettings {
  readonly language: Language
  /** A channel, by its id. */
  readonly approvals?: string
  /** As of the last attempt. */
  readonly approvalsProblem?: ChannelProblem
  readonly roles: readonly RoleMapping[]
}

export interface SettingsChange {
  readonly language?: Language
  /** Null: none from now on. */
  readonly approvals?: string | null
}

export interface Settings {
  /** What counts when nothing was set, for any tenant that is no guild as well. */
  of(tenant: string): GuildSettings
  /** @throws AppError GUILD_REQUIRED */
  change(principal: Principal, change: SettingsChange): GuildSettings
  /** @throws AppError GUILD_REQUIRED, ROLE_NOT_YOURS */
  map(principal: Principal, mapping: RoleMapping): GuildSettings
  /** @throws AppError GUILD_REQUIRED, ROLE_NOT_YOURS, MAPPING_NOT_FOUND */
  unmap(principal: Principal, mapping: RoleMapping): GuildSettings
  /** What came of showing something in a guild's channel. */
  note(tenant: string, channel: string, problem: ChannelProblem | undefined): void
}

const GUILD = /^[0-9]{5,20}$/
/** Gives any role, by the name that the shipped policies and Discord's own administrators have. */
const ADMIN = 'admin'

/** @throws AppError GUILD_REQUIRED */
export function requireGuild({ tenant }: Principal): void {
  if (!GUILD.test(tenant)) throw new AppError('GUILD_REQUIRED')
}

const isOneOf = <T extends string>(values: readonly T[], value: string | null | undefined): value is T =>
  values.some((known) => known === value)

export function openSettings(store: SettingsStore): Settings {
  const row = (tenant: string): SettingsRow =>
    store.get(tenant) ?? { tenant, language: 'auto', approvals_channel: null, approvals_problem: null }

  function of(tenant: string): GuildSettings {
    const { language, approvals_channel: approvals, approvals_problem: problem } = row(tenant)
    return {
      language: isOneOf(LANGUAGES, language) ? language : 'auto',
      ...(approvals === null ? {} : { approvals }),
      ...(isOneOf(CHANNEL_PROBLEMS, problem) ? { approvalsProblem: problem } : {}),
      roles: store.roles(tenant).map(({ guild_role: guildRole, role }) => ({ guildRole, role })),
    }
  }
  /** Whatever policy a team writes: nobody gives or takes a right that they do not have. */
  function requireRole({ roles }: Principal, role: string): void {
    if (!roles.includes(role) && !roles.includes(ADMIN)) throw new AppError('ROLE_NOT_YOURS', { role })
  }

  return {
    of,
    change(principal, { language, approvals }) {
      requireGuild(principal)
      store.put({
        ...row(principal.tenant),
        ...(language === undefined ? {} : { language }),
        ...(approvals === undefined ? {} : { approvals_channel: approvals, approvals_problem: null }),
      })
      return of(principal.tenant)
    },
    map(principal, { guildRole, role }) {
      requireGuild(principal)
      requireRole(principal, role)
      store.map(principal.tenant, guildRole, role)
      return of(principal.tenant)
    },
    unmap(principal, { guildRole, role }) {
      requireGuild(principal)
      requireRole(principal, role)
      if (!store.unmap(principal.tenant, guildRole, role)) throw new AppError('MAPPING_NOT_FOUND', { role })
      return of(principal.tenant)
    },
    note: (tenant, channel, problem) => store.note(tenant, channel, problem ?? null),
  }
}
