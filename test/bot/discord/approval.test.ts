// A call that waits for others, as people in a channel see it.
import { MessageFlags } from 'discord-api-types/v10'
import Docker from 'dockerode'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Interaction } from '../../helpers/discord/interaction.js'
import type { Message } from '../../helpers/discord/messages.js'
import { makeContainer } from '../../helpers/engine.js'
import {
  APPROVALS,
  ada,
  answered,
  asEve,
  type Bot,
  bob,
  ELSEWHERE_CHANNEL,
  eve,
  LAB,
  labelsOf,
  OPERATORS,
  shown,
  startBot,
  VIEWERS,
} from './bot.js'

const POLICY = `
  permit (principal, action in Action::"read", resource);
  permit (principal, action in [Action::"approval.give", Action::"approval.decline"], resource);
  @confirm("It starts what costs money.") @confirm_zh("将启动会产生费用的容器。") @approve("role:admin")
  permit (principal in Role::"operator", action == Action::"container.start", resource);
  @confirm("It tells what was said.") @approve("role:admin")
  permit (principal in Role::"operator", action == Action::"container.logs", resource);
  @confirm("It stops what others use.") @approve("role:admin:2")
  permit (principal in Role::"operator", action == Action::"container.stop", resource);
  permit (principal in Role::"admin", action == Action::"settings.set", resource);`

const docker = new Docker({ socketPath: inject('engineSocket') })
let bot: Bot

beforeAll(async () => {
  bot = await startBot({ hosts: { local: inject('engineSocket') }, policy: POLICY })
})
afterAll(() => bot?.close())
afterEach(() => {
  bot.room.now = Date.now
  bot.double.closed.gone.clear()
  bot.double.closed.forbidden.clear()
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
const approvalOf = (news: Message): string => /(?:Request|请求):\*\* ([0-9a-f]{12})/.exec(shown(news))?.[1] ?? ''
const isFollowed = (news: Message): boolean =>
  bot.room.actions.notices.all().some(({ approval }) => approval === approvalOf(news))
/** The notice once it says something. */
const now = async (news: Message, words: RegExp): Promise<Message> => {
  const current = () => bot.double.channel(news.channel_id).find(({ id }) => id === news.id) as Message
  await expect.poll(() => shown(current()), { timeout: 6_000 }).toMatch(words)
  return current()
}
/** And can no longer be clicked. */
const becomes = async (news: Message, words: RegExp): Promise<void> => {
  expect(labelsOf(await now(news, words))).toEqual([])
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
    await becomes(news, /approved; ada can confirm it now[\s\S]*Agreed:\*\* eve/)
    const ready = await asked.waitFor((message) => shown(message).includes('Approved by eve'))
    expect(labelsOf(ready)).toEqual(['Confirm', 'Cancel'])
    await called(/^<@\d+> Approved by eve/)
    expect(await isRunning(container)).toBe(false)
    press(ready, 'Confirm')
    await asked.waitFor((message) => shown(message).includes('Started'))
    expect(await isRunning(container)).toBe(true)
    await becomes(news, /confirmed by ada/)
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
    await becomes(asked.followUps[0] as Message, /Declined by:\*\* eve[\s\S]*Reason:\*\* \\\*\\\*no/)
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
    const approval = approvalOf(news)
    const late = bot.double.slash({ ...asEve, command: 'approval give', options: { approval } })
    expect(shown(await answered(late))).toContain('APPROVAL_OVER')
    await becomes(news, /withdrawn by ada/)
    expect(await isRunning(container)).toBe(false)
  })

  it('says how many are still missing, and that nobody came', async () => {
    const container = await makeContainer(docker, { start: false })
    const asked = ask('container stop', container.name)
    const news = await announced(asked)
    expect(shown(news)).toContain('Still missing:** 2 × admin')
    await answered(press(news, 'Approve', asEve))
    const half = await now(news, /Still missing:\*\* 1 × admin[\s\S]*Agreed:\*\* eve/)
    expect(labelsOf(half)).toEqual(['Approve', 'Decline'])
    bot.room.now = () => Date.now() + 61 * 60_000
    await becomes(news, /State:\*\* expired/)
  })

  it('survives a restart: it is kept true, its asker is called, and their first card still confirms it', async () => {
    const container = await makeContainer(docker, { start: false })
    const asked = ask('container start', container.name)
    const news = await announced(asked)
    expect(isFollowed(news)).toBe(true)
    await bot.restart()
    const before = bot.double.channel(LAB).length
    await answered(press(news, 'Approve', asEve))
    await becomes(news, /approved; ada can confirm it now/)
    await expect.poll(() => bot.double.channel(LAB).length, { timeout: 6_000 }).toBe(before + 1)
    expect(bot.double.channel(LAB).at(-1)?.content).toMatch(new RegExp(`^<@${ada.id}> Approved by eve`))
    press(await answered(asked), 'Confirm')
    await asked.waitFor((message) => shown(message).includes('Started'))
    await becomes(news, /confirmed by ada/)
    await expect.poll(() => isFollowed(news), { timeout: 6_000 }).toBe(false)
  })

  it('is brought up to date when the bot was away while it was decided', async () => {
    const container = await makeContainer(docker, { start: false })
    const asked = ask('container start', container.name)
    const news = await announced(asked)
    await bot.discord.close()
    const eveHerself = { kind: 'user', id: eve.id, name: 'eve', tenant: LAB, roles: ['admin'] } as const
    bot.room.actions.approvals.decide(approvalOf(news), eveHerself, { agrees: false, reason: 'not today' })
    await bot.restart()
    await becomes(news, /Reason:\*\* not today/)
    await called(/eve declined .*not today/)
  })
})

describe('a channel for approvals', () => {
  const set = async (options: Record<string, string>) => {
    await answered(bot.double.slash({ ...asEve, command: 'settings set', options }))
  }
  const settings = async () => shown(await answered(bot.double.slash({ ...asEve, command: 'settings show' })))
  afterEach(() => {
    bot.double.closed.gone.clear()
    return set({ clear: 'approvals', language: 'auto' })
  })
  /** The newest there. */
  const there = (channel = APPROVALS) => bot.double.channel(channel).at(-1)
  const askStart = async () => {
    const container = await makeContainer(docker, { start: false })
    const asked = ask('container start', container.name)
    return { container, asked, card: await answered(asked) }
  }

  it('gets every request, in its own language, and nothing is said where it was made', async () => {
    await set({ approvals: APPROVALS, language: 'zh' })
    const { container, asked, card } = await askStart()
    // What everybody reads is in the language that was set.
    expect(shown(card)).toMatch(new RegExp(`请确认[\\s\\S]*已向审批人显示于：\\*\\* <#${APPROVALS}>`))
    const news = there() as Message
    expect(shown(news)).toMatch(new RegExp(`ada 请求审批[\\s\\S]*${container.name}`))
    expect(news.content).toBe('')
    expect([...news.mentions, ...news.mention_roles]).toEqual([])
    expect(asked.followUps).toEqual([])
    const agreed = await answered(press(news, '同意', asEve))
    expect(isPrivate(agreed)).toBe(true)
    // What one alone reads is in their own.
    expect(shown(agreed)).toContain('approved; ada can confirm it now')
    await becomes(news, /已获准，ada 现在可以确认/)
    await called(/^<@\d+> eve 已同意/)
    press(await asked.waitFor((message) => shown(message).includes('eve 已同意')), '确认')
    await becomes(news, /ada 已确认/)
    expect(await isRunning(container)).toBe(true)
  })

  it.each([
    ['gone', 'that channel is gone'],
    ['forbidden', 'the bot may not post there'],
  ] as const)('that is %s is no dead end: the asker is told, and the settings say so', async (kind, words) => {
    await set({ approvals: APPROVALS })
    bot.double.closed[kind].add(APPROVALS)
    const before = bot.double.channel(APPROVALS).length
    const { asked, card } = await askStart()
    expect(shown(card)).toContain(words)
    const news = await announced(asked)
    expect(await settings()).toContain(words)
    bot.double.closed[kind].clear()
    await answered(press(news, 'Approve', asEve))
    await becomes(news, /approved/)
    expect(bot.double.channel(APPROVALS)).toHaveLength(before)
    // Once it works again, nothing is wrong with it.
    await askStart()
    await expect.poll(() => bot.double.channel(APPROVALS).length).toBe(before + 1)
    expect(await settings()).not.toContain(words)
  })

  it('A87: of another guild gets nothing', async () => {
    await set({ approvals: APPROVALS })
    // As somebody could over REST, where a channel is any number.
    const admin = { kind: 'user', id: eve.id, name: 'eve', tenant: LAB, roles: ['admin'] } as const
    bot.room.actions.settings.change(admin, { approvals: ELSEWHERE_CHANNEL })
    const { asked, card } = await askStart()
    expect(shown(card)).toContain('that channel is not of this server')
    await announced(asked)
    expect(bot.double.channel(ELSEWHERE_CHANNEL)).toEqual([])
    expect(await settings()).toContain('that channel is not of this server')
  })

  it('that is deleted while a request waits there lets go of it, and the settings say so', async () => {
    await set({ approvals: APPROVALS })
    const { asked } = await askStart()
    const news = there() as Message
    bot.double.closed.gone.add(APPROVALS)
    const options = { approval: approvalOf(news) }
    await answered(bot.double.slash({ ...asEve, command: 'approval give', options }))
    await called(/^<@\d+> Approved by eve/)
    await expect.poll(settings, { timeout: 6_000 }).toContain('that channel is gone')
    press(await asked.waitFor((message) => shown(message).includes('Approved by eve')), 'Confirm')
    await expect.poll(() => isFollowed(news), { timeout: 6_000 }).toBe(false)
  })

  it('is where it waits when the channel it was asked in is deleted; its asker is told directly', async () => {
    await set({ approvals: APPROVALS })
    const { asked } = await askStart()
    const news = there() as Message
    bot.double.closed.gone.add(asked.payload.channel_id)
    await answered(press(news, 'Approve', asEve))
    await expect.poll(() => bot.double.channel(ada.id).at(-1)?.content, { timeout: 6_000 }).toMatch(/Approved by eve/)
  })
})
