// A call that waits for others, as people in a channel see it.
import { MessageFlags } from 'discord-api-types/v10'
import Docker from 'dockerode'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Interaction } from '../../helpers/discord/interaction.js'
import type { Message } from '../../helpers/discord/messages.js'
import { makeContainer } from '../../helpers/engine.js'
import { ada, answered, asEve, type Bot, bob, eve, LAB, labelsOf, OPERATORS, shown, startBot, VIEWERS } from './bot.js'

const POLICY = `
  permit (principal, action in Action::"read", resource);
  permit (principal, action in [Action::"approval.give", Action::"approval.decline"], resource);
  @confirm("It starts what costs money.") @confirm_zh("将启动会产生费用的容器。") @approve("role:admin")
  permit (principal in Role::"operator", action == Action::"container.start", resource);
  @confirm("It tells what was said.") @approve("role:admin")
  permit (principal in Role::"operator", action == Action::"container.logs", resource);`

const docker = new Docker({ socketPath: inject('engineSocket') })
let bot: Bot

beforeAll(async () => {
  bot = await startBot({ hosts: { local: inject('engineSocket') }, policy: POLICY })
})
afterAll(() => bot?.close())
afterEach(() => {
  bot.room.now = Date.now
  expect(bot.double.violations).toEqual([])
  expect(bot.room.bugs).toEqual([])
})

const ask = (command: string, container: string, locale: 'en-US' | 'zh-CN' = 'en-US') =>
  bot.double.slash({ user: ada, roles: [OPERATORS], command, options: { container }, locale })
const press = (message: Message, label: string, more: object = {}) =>
  bot.double.click({ user: ada, roles: [OPERATORS], message, label, ...more })
const isPrivate = (message: Message) => ((message.flags ?? 0) & MessageFlags.Ephemeral) !== 0
const isRunning = async (container: Docker.Container) => (await container.inspect()).State.Running

/** What everyone in the channel sees of it. */
const announced = async (asked: Interaction): Promise<Message> => {
  await answered(asked)
  await expect.poll(() => asked.followUps.length).toBe(1)
  return asked.followUps[0] as Message
}
/** The one who asked is called, in a message of its own. */
const called = (words: RegExp) =>
  expect
    .poll(
      () => bot.double.channel(LAB).some(({ content }) => content.startsWith(`<@${ada.id}> `) && words.test(content)),
      {
        timeout: 6_000,
      },
    )
    .toBe(true)

describe('a call that waits for others', () => {
  it('is shown to all, agreed to by those who may, and confirmed by its asker', async () => {
    const container = await makeContainer(docker, { start: false })
    const asked = ask('container start', container.name)
    const card = await answered(asked)
    expect(shown(card)).toMatch(/It starts what costs money\.[\s\S]*1 × admin[\s\S]*once it is approved/)
    expect(labelsOf(card)).toEqual(['Confirm', 'Cancel'])
    const news = await announced(asked)
    expect(isPrivate(news)).toBe(false)
    expect(shown(news)).toMatch(new RegExp(`ada asks for approval[\\s\\S]*${container.name}`))
    expect(labelsOf(news)).toEqual(['Approve', 'Decline'])

    // Too early, by oneself, and by somebody who may not: each is told alone, and both cards stay.
    const refusals = [
      [press(card, 'Confirm'), 'APPROVAL_PENDING'],
      [press(news, 'Approve'), 'APPROVAL_NOT_YOURS'],
      [press(news, 'Approve', { user: bob, roles: [VIEWERS] }), 'APPROVAL_NOT_FOUND'],
    ] as const
    for (const [click, code] of refusals) {
      const told = await answered(click)
      expect(shown(told)).toContain(code)
      expect(isPrivate(told)).toBe(true)
    }
    expect(asked.message()).toEqual(card)
    expect(asked.followUps[0]).toEqual(news)
    expect(await isRunning(container)).toBe(false)

    const agreed = await answered(press(news, 'Approve', asEve))
    expect(shown(agreed)).toContain('approved; ada can confirm it now')
    expect(isPrivate(agreed)).toBe(true)
    const ready = await asked.waitFor((message) => shown(message).includes('Approved by eve'))
    expect(labelsOf(ready)).toEqual(['Confirm', 'Cancel'])
    await called(/^<@\d+> Approved by eve/)
    expect(await isRunning(container)).toBe(false)
    press(ready, 'Confirm')
    await asked.waitFor((message) => shown(message).includes('Started'))
    expect(await isRunning(container)).toBe(true)
  })

  it('is announced to all also where its asker alone sees the answer', async () => {
    const container = await makeContainer(docker, { command: 'echo hunter2' })
    // What ends meanwhile is not what was agreed to.
    await container.wait()
    const asked = ask('container logs', container.name, 'zh-CN')
    const card = await answered(asked)
    expect(isPrivate(card)).toBe(true)
    const news = await announced(asked)
    expect(isPrivate(news)).toBe(false)
    expect(labelsOf(news)).toEqual(['同意', '拒绝'])
    await answered(press(news, '同意', asEve))
    const ready = await asked.waitFor((message) => shown(message).includes('eve 已同意'))
    press(ready, '确认')
    await asked.waitFor((message) => shown(message).includes('hunter2'))
  })

  it('is declined for a reason that means nothing but its words', async () => {
    const container = await makeContainer(docker, { start: false })
    const asked = ask('container start', container.name)
    const [, approval = ''] = /Request:\*\* ([0-9a-f]{12})/.exec(shown(await announced(asked))) ?? []
    const reason = `**no** @everyone <@${bob.id}>`
    const options = { approval, reason }
    await answered(bot.double.slash({ user: eve, roles: [], permissions: 8n, command: 'approval decline', options }))
    await called(/eve declined .*: \\\*\\\*no\\\*\\\* @\u200beveryone \\<@\d+\\>$/)
    const told = await asked.waitFor((message) => shown(message).includes('eve declined'))
    expect(labelsOf(told)).toEqual([])
  })

  it('is over once somebody declines, and when it is cancelled', async () => {
    const container = await makeContainer(docker, { start: false })
    const declined = ask('container start', container.name)
    const form = press(await announced(declined), 'Decline', asEve)
    await form.firstAnswer()
    await answered(bot.double.submit({ ...asEve, form, fields: {} }))
    const told = await declined.waitFor((message) => shown(message).includes('eve declined'))
    expect(labelsOf(told)).toEqual([])
    await called(/eve declined/)

    const cancelled = ask('container start', container.name)
    const news = await announced(cancelled)
    press(await answered(cancelled), 'Cancel')
    await cancelled.waitFor((message) => shown(message).includes('Nothing was done'))
    expect(shown(await answered(press(news, 'Approve', asEve)))).toContain('APPROVAL_OVER')
    expect(await isRunning(container)).toBe(false)
  })
})
