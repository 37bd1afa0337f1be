import { afterEach, describe, expect, it } from 'vitest'
import { createRegistry } from '../../../src/actions/index.js'
import { startDiscord } from '../../../src/bot/discord/index.js'
import type { DiscordDouble } from '../../helpers/discord/double.js'
import { builtPictures } from '../../helpers/pictures.js'
import { openRoom, type Room } from '../../helpers/room.js'
import { ada, answered, bob, configFor, isGateway, OPERATORS, shown, startBot, startDouble, testLog } from './bot.js'

const open: { close(): Promise<void> }[] = []
const opened = <T extends { close(): Promise<void> }>(one: T): T => {
  open.push(one)
  return one
}
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

const start = async (double: DiscordDouble, room: Room, settings = {}) => {
  const { log, lines } = testLog()
  const config = configFor(double, settings)
  return {
    bot: await startDiscord({ config, actions: room.actions, log, pictures: builtPictures(), now: Date.now }),
    lines,
  }
}

describe('starting', () => {
  it.runIf(isGateway())('with a token that Discord does not know ends, and says which setting', async () => {
    const double = opened(await startDouble())
    const room = opened(await openRoom())
    const { bot } = await start(double, room, { DISCORD_TOKEN: 'wrong' })
    opened(bot)
    expect((await bot.refused).message).toContain('DISCORD_TOKEN')
    await expect(start(double, room, { DISCORD_TOKEN: '' })).rejects.toThrow('DISCORD_TOKEN is not set')
  })

  it.runIf(isGateway())('while Discord cannot be reached goes on trying, and says so', async () => {
    const double = opened(await startDouble())
    const room = opened(await openRoom())
    double.failNext({ method: 'GET', path: /gateway/, status: 503, times: 8 })
    const { bot, lines } = await start(double, room)
    opened(bot)
    await bot.ready
    expect(lines.some(({ level, msg }) => level === 50 && msg.includes('check DISCORD_API'))).toBe(true)
    double.violations.length = 0
  })

  it('with commands that Discord refuses tries again, and goes on answering', async () => {
    const bot = opened(await startBot({ hosts: {} }))
    bot.double.failNext({ method: 'GET', path: /commands/, status: 403 })
    const { bot: second, lines } = await start(bot.double, bot.room)
    opened(second)
    await second.ready
    expect(lines.some(({ level, msg }) => level === 50 && msg.includes('could not be deployed'))).toBe(true)
  })

  it.runIf(isGateway())('of a token that is revoked while it runs tells why it ends', async () => {
    const bot = opened(await startBot({ hosts: {} }))
    bot.double.gateway.drop(4004)
    expect((await bot.discord.refused).message).toContain('DISCORD_TOKEN')
  })
})

describe('stopping', () => {
  it('lets what is under way finish, refuses what is new, and leaves', async () => {
    const bot = opened(await startBot({ hosts: {} }))
    bot.double.failNext({ method: 'PATCH', path: /webhooks/, status: 429, retryAfter: 1 })
    const under = bot.double.slash({ user: ada, command: 'ask', options: { question: 'What is a container?' } })
    await under.firstAnswer()
    const closing = bot.discord.close()
    const late = bot.double.slash({ user: bob, command: 'ask', options: { question: 'x' }, locale: 'zh-CN' })
    expect(shown(await answered(late))).toMatch(/机器人正在停止.*SHUTTING_DOWN/s)
    await closing
    expect(shown(under.message() as never)).toContain('[1]')
    await expect.poll(() => bot.double.gateway.sessions.every(({ connected }) => !connected)).toBe(true)
    expect(bot.double.violations).toEqual([])
  })
})

describe('a click', () => {
  it('A70: on a button that this bot did not write is refused, for the clicker alone', async () => {
    const bot = opened(await startBot({ hosts: {} }))
    const asked = bot.double.slash({ user: ada, command: 'ask', options: { question: 'What is a container?' } })
    const message = await answered(asked)
    for (const customId of ['do:no.such:{}', 'do:ask:[]', 'nonsense', 'confirm:made-up']) {
      // As a message of an older version of the bot would have it.
      const { embeds } = message
      const row = { type: 1, components: [{ type: 2, style: 1, label: 'x', custom_id: customId }] }
      const url = `${bot.double.api}/v10/webhooks/${asked.payload.application_id}/${asked.token}/messages/@original`
      const body = JSON.stringify({ embeds: embeds.map(({ description }) => ({ description })), components: [row] })
      await fetch(url, { method: 'PATCH', headers: { 'content-type': 'application/json' }, body })
      const clicked = bot.double.click({ user: bob, roles: [OPERATORS], message: asked, customId })
      const told = await answered(clicked)
      expect(told.id).not.toBe(message.id)
      expect(told.flags).toBe(64)
      expect(shown(told)).toMatch(/INVALID_INPUT|ACTION_UNKNOWN|CONFIRMATION_EXPIRED/)
    }
    expect(bot.double.violations).toEqual([])
    expect(bot.lines.filter((line) => line.level >= 50)).toEqual([])
  })

  it.runIf(isGateway())('or command of a version that is gone is refused', async () => {
    const bot = opened(await startBot({ hosts: {} }))
    await bot.discord.close()
    // The newer one keeps the commands that are there.
    bot.double.failNext({ method: 'GET', path: /commands/, status: 403, times: 9 })
    const room = opened(await openRoom())
    const gate = { ...room.actions.gate, registry: createRegistry([]) }
    const { log } = testLog()
    const config = configFor(bot.double)
    const newer = await startDiscord({
      config,
      actions: { ...room.actions, gate },
      log,
      pictures: builtPictures(),
      now: Date.now,
    })
    opened(newer)
    await bot.double.ready()
    const asked = bot.double.slash({ user: ada, command: 'ask', options: { question: 'x' } })
    expect(shown(await answered(asked))).toContain('ACTION_UNKNOWN')
  })
})
