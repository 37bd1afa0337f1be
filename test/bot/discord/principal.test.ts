import type { APIInteraction, GatewayMessageCreateDispatchData } from 'discord-api-types/v10'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../../src/bot/config.js'
import { principalReader } from '../../../src/bot/discord/principal.js'

const LAB = '210000000000000001'
const OPERATORS = '310000000000000001'

const CAPTAINS = '310000000000000004'
/** As an administrator of the guild has it. */
const mapped = [
  { guildRole: CAPTAINS, role: 'captain' },
  { guildRole: CAPTAINS, role: 'operator' },
]

const read = (member: object | undefined, more: object = {}, roles = `operator=${OPERATORS}`) =>
  principalReader(readConfig({ DISCORD_GUILDS: LAB, DISCORD_ROLES: roles }), () => mapped).of({
    guild_id: LAB,
    authorizing_integration_owners: { 0: (more as { guild_id?: string }).guild_id ?? LAB },
    ...(member
      ? { member: { roles: [], permissions: '0', nick: 'admin', user: { id: '41', username: 'ada' }, ...member } }
      : {}),
    ...more,
  } as unknown as APIInteraction)

describe('a principal', () => {
  it('has its Discord roles by id, and the policy roles that the operator mapped', () => {
    expect(read({ roles: [OPERATORS, '39'] })).toEqual({
      kind: 'user',
      id: '41',
      name: 'ada',
      tenant: LAB,
      roles: [OPERATORS, '39', LAB, 'operator'],
    })
  })

  it('has what its guild mapped besides, each once', () => {
    expect(read({ roles: [OPERATORS, CAPTAINS] }).roles).toEqual([OPERATORS, CAPTAINS, LAB, 'operator', 'captain'])
    expect(read({ roles: [CAPTAINS] }, { guild_id: '210000000000000002' }).roles).not.toContain('captain')
  })

  it('is an admin by Discord’s own permission alone', () => {
    expect(read({ permissions: '8' }).roles).toContain('admin')
    // Every other permission there is.
    expect(read({ permissions: String(((1n << 60n) - 1n) ^ 8n) }).roles).not.toContain('admin')
  })

  it('may be everyone of the guild, if the operator says so', () => {
    expect(read({}, {}, `viewer=${LAB}`).roles).toContain('viewer')
  })

  it('has no policy role in a guild that is not listed, nor in a direct message', () => {
    const elsewhere = { guild_id: '210000000000000002' }
    expect(read({ roles: [OPERATORS], permissions: '8' }, elsewhere).roles).toEqual([OPERATORS, '210000000000000002'])
    const direct = read(undefined, { guild_id: undefined, user: { id: '41', username: 'ada' } })
    expect(direct).toMatchObject({ tenant: 'dm:41', roles: [] })
  })

  it('has no right of a guild that did not take the bot in, but that its user brought it to', () => {
    const brought = { roles: [OPERATORS], permissions: '8' }
    const alone = { kind: 'user', id: '41', name: 'ada', tenant: 'dm:41', roles: [] }
    for (const owners of [{ 1: '41' }, { 0: '0' }, { 0: '210000000000000002', 1: '41' }, undefined]) {
      expect(read(brought, { authorizing_integration_owners: owners })).toEqual(alone)
    }
    const both = { authorizing_integration_owners: { 0: LAB, 1: '41' } }
    expect(read(brought, both)).toMatchObject({ tenant: LAB, roles: expect.arrayContaining(['operator', 'admin']) })
  })

  it('who wrote a message has what the operator mapped, and is no admin: Discord does not say there who is', () => {
    const author = { id: '41', username: 'ada' }
    const reader = principalReader(
      readConfig({ DISCORD_GUILDS: LAB, DISCORD_ROLES: `operator=${OPERATORS}` }),
      () => [],
    )
    const wrote = (more: object) => reader.ofAuthor({ author, ...more } as GatewayMessageCreateDispatchData)
    const member = { roles: [OPERATORS], permissions: '8' }
    expect(wrote({ guild_id: LAB, member })).toEqual({
      kind: 'user',
      id: '41',
      name: 'ada',
      tenant: LAB,
      roles: [OPERATORS, LAB, 'operator'],
    })
    expect(wrote({ guild_id: '210000000000000002', member }).roles).not.toContain('operator')
    expect(wrote({})).toMatchObject({ tenant: 'dm:41', roles: [] })
  })
})
