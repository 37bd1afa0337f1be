// What a guild sets for itself, as its people see it.
import { type APIApplicationCommandSubcommandOption, MessageFlags } from 'discord-api-types/v10'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { SlashRequest } from '../../helpers/discord/driver.js'
import {
  APPROVALS,
  ada,
  answered,
  asEve,
  type Bot,
  bob,
  ELSEWHERE,
  ELSEWHERE_ADMINS,
  IMPOSTORS,
  LAB,
  OPERATORS,
  shown,
  startBot,
} from './bot.js'

let bot: Bot
beforeAll(async () => {
  bot = await startBot({ hosts: {} })
})
afterAll(() => bot?.close())
afterEach(() => {
  expect(bot.double.violations).toEqual([])
  expect(bot.room.bugs).toEqual([])
})

const run = (command: string, options: SlashRequest['options'], more: Omit<SlashRequest, 'command'>) =>
  bot.double.slash({ command, ...(options ? { options } : {}), ...more })
/** Says yes where that is asked. */
async function confirmed(command: string, options: SlashRequest['options']): Promise<string> {
  const asked = run(command, options, asEve)
  await answered(asked)
  bot.double.click({ ...asEve, message: asked, label: 'Confirm' })
  return shown(await asked.waitFor((message) => shown(message).includes('Settings of this server')))
}
const tries = async (who: Omit<SlashRequest, 'command'>) => shown(await answered(run('job list', {}, who)))

describe('/settings', () => {
  it('asks for a role and a channel as Discord knows them', () => {
    const settings = bot.double.commands().find(({ name }) => name === 'settings')
    const verb = (name: string) =>
      settings?.options?.find((option) => option.name === name) as APIApplicationCommandSubcommandOption | undefined
    expect(verb('map-role')?.options?.map(({ name, type }) => [name, type])).toEqual([
      ['server-role', 8],
      ['role', 3],
      ['reason', 3],
    ])
    expect(verb('set')?.options?.find(({ name }) => name === 'approvals')).toMatchObject({
      type: 7,
      channel_types: [0, 5],
    })
  })

  it('maps a role with an administrator’s click, and the mapping counts at once, until it is taken back', async () => {
    const crew = { user: bob, roles: [IMPOSTORS] }
    expect(await tries(crew)).toContain('FORBIDDEN')
    const options = { 'server-role': IMPOSTORS, role: 'viewer' }
    const asked = run('settings map-role', options, asEve)
    const card = await answered(asked)
    expect(shown(card)).toMatch(/who may do what[\s\S]*\*\*server-role:\*\* <@&310000000000000003>/)
    expect((card.flags ?? 0) & MessageFlags.Ephemeral).not.toBe(0)
    expect(await tries(crew)).toContain('FORBIDDEN')
    bot.double.click({ ...asEve, message: asked, label: 'Confirm' })
    const done = await asked.waitFor((message) => shown(message).includes('Settings of this server'))
    expect(shown(done)).toContain(`**viewer:** <@&${IMPOSTORS}>`)
    expect(await tries(crew)).not.toContain('FORBIDDEN')
    expect(await tries({ user: ada, roles: [] })).toContain('FORBIDDEN')
    await confirmed('settings unmap-role', options)
    expect(await tries(crew)).toContain('FORBIDDEN')
  })

  it('is refused to everybody else, and in a server that is not listed to its administrators too', async () => {
    const options = { 'server-role': OPERATORS, role: 'admin' }
    expect(shown(await answered(run('settings map-role', options, { user: ada, roles: [OPERATORS] })))).toContain(
      'FORBIDDEN',
    )
    const elsewhere = { user: bob, guildId: ELSEWHERE, roles: [ELSEWHERE_ADMINS] }
    const there = { 'server-role': ELSEWHERE_ADMINS, role: 'admin' }
    expect(shown(await answered(run('settings map-role', there, elsewhere)))).toContain('FORBIDDEN')
    expect(bot.room.actions.settings.of(LAB).roles).toEqual([])
  })

  it('names the channel as Discord does, in the language of the one who looks', async () => {
    await answered(run('settings set', { approvals: APPROVALS }, asEve))
    const told = shown(await answered(run('settings show', {}, { ...asEve, locale: 'zh-TW' })))
    expect(told).toContain(`**审批请求显示于：** <#${APPROVALS}>`)
    await answered(run('settings set', { clear: 'approvals' }, asEve))
  })
})
