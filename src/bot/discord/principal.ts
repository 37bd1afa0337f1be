// Who is asking: read off what Discord vouches for, and never off anything that a person can type.
import {
  type APIInteraction,
  type APIUser,
  ApplicationIntegrationType,
  type GatewayMessageCreateDispatchData,
  PermissionFlagsBits,
} from 'discord-api-types/v10'
import type { Principal, RoleMapping } from '../../actions/index.js'
import { type Config, guildsOf, rolesOf } from '../config.js'

const ADMIN = 'admin'

export function userOf(payload: APIInteraction): APIUser {
  const user = payload.member?.user ?? payload.user
  if (!user) throw new Error('an interaction without a user')
  return user
}

/** Whether the guild itself took this bot in. Otherwise its user brought it along, and the guild owes the bot nothing. */
const isOfGuild = ({ authorizing_integration_owners: owners, guild_id: guild }: APIInteraction): boolean =>
  guild !== undefined && owners?.[ApplicationIntegrationType.GuildInstall] === guild

/** Who somebody is, by what Discord says of them, and by what the operator and the guild have set. */
export interface Principals {
  of(payload: APIInteraction): Principal
  /** Of who wrote a message; Discord does not say there who is an administrator. */
  ofAuthor(message: GatewayMessageCreateDispatchData): Principal
}

/** What a guild's own roles stand for there, as its administrators set it. */
export type GuildRoles = (guild: string) => readonly RoleMapping[]

/** @param guildRoles asked at every interaction, so that a change counts at once */
export function principalReader(config: Config, guildRoles: GuildRoles): Principals {
  const listed = new Set(guildsOf(config))
  const mapped = rolesOf(config)

  // The unique handle: display names and nicknames can be made to look like anyone's.
  const baseOf = ({ id, username }: APIUser) => ({ kind: 'user', id, name: username }) as const
  /** A direct message belongs to no guild, so it sees no guild's hosts, jobs or knowledge. */
  const alone = (user: APIUser): Principal => ({ ...baseOf(user), tenant: `dm:${user.id}`, roles: [] })

  function memberOf(guild: string, user: APIUser, roles: readonly string[], isAdministrator: boolean): Principal {
    // @everyone is a role whose id is the guild's, but Discord does not list it.
    const held = [...roles, guild]
    const policyRoles = listed.has(guild)
      ? [
          ...held.flatMap((id) => mapped.get(id) ?? []),
          ...guildRoles(guild).flatMap(({ guildRole, role }) => (held.includes(guildRole) ? [role] : [])),
          ...(isAdministrator ? [ADMIN] : []),
        ]
      : []
    return { ...baseOf(user), tenant: guild, roles: [...new Set([...held, ...policyRoles])] }
  }

  return {
    of(payload) {
      const user = userOf(payload)
      const { member, guild_id: guild } = payload
      if (!member || guild === undefined || !isOfGuild(payload)) return alone(user)
      const isAdministrator = (BigInt(member.permissions) & PermissionFlagsBits.Administrator) !== 0n
      return memberOf(guild, user, member.roles, isAdministrator)
    },
    ofAuthor({ author, member, guild_id: guild }) {
      return guild === undefined ? alone(author) : memberOf(guild, author, member?.roles ?? [], false)
    },
  }
}
