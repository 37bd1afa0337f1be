// Who is asking: read off what Discord vouches for, and never off anything that a person can type.
import { type APIInteraction, type APIUser, PermissionFlagsBits } from 'discord-api-types/v10'
import type { Principal } from '../../actions/index.js'
import { type Config, guildsOf, rolesOf } from '../config.js'

const ADMIN = 'admin'

export function userOf(payload: APIInteraction): APIUser {
  const user = payload.member?.user ?? payload.user
  if (!user) throw new Error('an interaction without a user')
  return user
}

/** @returns reads the principal off an interaction, by the operator's settings */
export function principalReader(config: Config): (payload: APIInteraction) => Principal {
  const listed = new Set(guildsOf(config))
  const mapped = rolesOf(config)
  return (payload) => {
    const user = userOf(payload)
    const { member, guild_id: guild } = payload
    // The unique handle: display names and nicknames can be made to look like anyone's.
    const base = { kind: 'user', id: user.id, name: user.username } as const
    // A direct message belongs to no guild, so it sees no guild's hosts, jobs or knowledge.
    if (!member || guild === undefined) return { ...base, tenant: `dm:${user.id}`, roles: [] }
    // @everyone is a role whose id is the guild's, but Discord does not list it.
    const held = [...member.roles, guild]
    const isAdministrator = (BigInt(member.permissions) & PermissionFlagsBits.Administrator) !== 0n
    const policyRoles = listed.has(guild)
      ? [...held.flatMap((id) => mapped.get(id) ?? []), ...(isAdministrator ? [ADMIN] : [])]
      : []
    return { ...base, tenant: guild, roles: [...new Set([...held, ...policyRoles])] }
  }
}
