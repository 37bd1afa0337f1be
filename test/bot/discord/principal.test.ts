import type { APIInteraction } from 'discord-api-types/v10'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../../src/bot/config.js'
import { principalReader } from '../../../src/bot/discord/principal.js'

const LAB = '210000000000000001'
const OPERATORS = '310000000000000001'

const read = (member: object | undefined, more: object = {}, roles = `operator=${OPERATORS}`) =>
  principalReader(readConfig({ DISCORD_GUILDS: LAB, DISCORD_ROLES: roles }))({
    guild_id: LAB,
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
})
