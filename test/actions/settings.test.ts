// What a guild sets for itself, and who may: behind the shipped policies, and behind one that is too generous.
import { afterAll, describe, expect, it } from 'vitest'
import { codeOf, DEFAULT_POLICY, openRoom, POLICY, principal, type Room } from '../helpers/room.js'

const LAB = '210000000000000001'
const OTHER = '210000000000000002'
const CREW = '310000000000000001'
const CHANNEL = '510000000000000001'

const rooms: Room[] = []
const open = async (policy: string): Promise<Room> => {
  const room = await openRoom({ policy })
  rooms.push(room)
  return room
}
afterAll(async () => {
  for (const room of rooms) await room.close()
})

const somebody = (roles: readonly string[], tenant = LAB) => ({
  principal: principal(roles, { kind: 'user', id: '41', tenant }),
})
const admin = somebody(['admin'])
const mapping = { 'server-role': CREW, role: 'operator' }

describe('settings', () => {
  it('start as nothing, are changed one by one, and stay in their guild', async () => {
    const room = await open(DEFAULT_POLICY)
    const show = (who = admin) => room.does<object>('settings.show', {}, who)
    const nothing = { guild: LAB, language: 'auto', roles: [] }
    expect(await show()).toEqual(nothing)
    await room.does('settings.set', { language: 'zh' }, admin)
    await room.does('settings.set', { approvals: CHANNEL }, admin)
    await room.does('settings.map-role', mapping, admin)
    await room.does('settings.map-role', mapping, admin)
    expect(await show()).toEqual({
      guild: LAB,
      language: 'zh',
      approvals: CHANNEL,
      roles: [{ guildRole: CREW, role: 'operator' }],
    })
    expect(await show(somebody(['admin'], OTHER))).toEqual({ ...nothing, guild: OTHER })
    await room.does('settings.set', { language: 'auto', clear: 'approvals' }, admin)
    await room.does('settings.unmap-role', mapping, admin)
    expect(await show()).toEqual(nothing)
    expect(await codeOf(room.does('settings.unmap-role', mapping, admin))).toBe('MAPPING_NOT_FOUND')
    const { rows } = await room.does<{ rows: { action: string }[] }>('audit.list', { limit: 50 }, admin)
    expect(rows.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['settings.set', 'settings.map-role', 'settings.unmap-role']),
    )
  })

  it('show what kept a request from being shown, until another channel is set', async () => {
    const room = await open(DEFAULT_POLICY)
    const problem = async () =>
      (await room.does<{ approvalsProblem?: string }>('settings.show', {}, admin)).approvalsProblem
    await room.does('settings.set', { approvals: CHANNEL }, admin)
    room.actions.settings.note(LAB, CHANNEL, 'forbidden')
    expect(await problem()).toBe('forbidden')
    room.actions.settings.note(LAB, CHANNEL, undefined)
    expect(await problem()).toBeUndefined()
    room.actions.settings.note(LAB, CHANNEL, 'gone')
    await room.does('settings.set', { approvals: '510000000000000002' }, admin)
    // Of the channel before.
    room.actions.settings.note(LAB, CHANNEL, 'gone')
    expect(await problem()).toBeUndefined()
  })

  it('take nothing that makes no sense', async () => {
    const room = await open(DEFAULT_POLICY)
    for (const input of [
      {},
      { approvals: CHANNEL, clear: 'approvals' },
      { approvals: 'general' },
      { language: 'fr' },
      { approvals: '' },
    ]) {
      expect(await codeOf(room.does('settings.set', input, admin)), JSON.stringify(input)).toBe('INVALID_INPUT')
    }
    for (const input of [
      // What reads like the id of a Discord role would be one.
      { ...mapping, role: CREW },
      { ...mapping, role: 'Admin' },
      { ...mapping, 'server-role': 'crew' },
    ]) {
      expect(await codeOf(room.does('settings.map-role', input, admin)), JSON.stringify(input)).toBe('INVALID_INPUT')
    }
    for (const verb of ['settings.show', 'settings.set', 'settings.map-role', 'settings.unmap-role']) {
      const input = { 'settings.show': {}, 'settings.set': { language: 'en' } }[verb] ?? mapping
      expect(await codeOf(room.does(verb, input, somebody(['admin'], 'local'))), verb).toBe('GUILD_REQUIRED')
    }
  })

  it.each([
    ['the default policy', DEFAULT_POLICY],
    ['that of a small team', POLICY],
  ])('A85: are out of reach for whoever is no admin, by %s', async (_, policy) => {
    const room = await open(policy)
    for (const roles of [[], ['viewer'], ['operator'], ['operator', 'viewer', CREW, LAB]]) {
      const calls = [
        ['settings.show', {}],
        ['settings.set', { approvals: CHANNEL }],
        ['settings.map-role', mapping],
        ['settings.map-role', { 'server-role': LAB, role: 'admin' }],
        ['settings.unmap-role', mapping],
      ] as const
      for (const [verb, input] of calls) {
        expect(await codeOf(room.does(verb, input, somebody(roles))), `${verb} ${roles}`).toBe('FORBIDDEN')
      }
    }
    expect(room.actions.settings.of(LAB).roles).toEqual([])
  })

  it('A86: give nobody a right that the one who sets them lacks, whatever policy allows', async () => {
    const room = await open('permit (principal, action, resource);')
    const operator = somebody(['operator', CREW])
    for (const role of ['admin', 'viewer', 'constructor']) {
      const input = { 'server-role': CREW, role }
      expect(await codeOf(room.does('settings.map-role', input, operator)), role).toBe('ROLE_NOT_YOURS')
      expect(await codeOf(room.does('settings.unmap-role', input, operator)), role).toBe('ROLE_NOT_YOURS')
    }
    await room.does('settings.map-role', mapping, operator)
    await room.does('settings.map-role', { ...mapping, role: 'admin' }, admin)
    expect(await codeOf(room.does('settings.unmap-role', { ...mapping, role: 'admin' }, operator))).toBe(
      'ROLE_NOT_YOURS',
    )
  })
})
