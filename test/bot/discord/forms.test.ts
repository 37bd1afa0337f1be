// Commands on messages, and forms: what is typed there is a call like any other.
import { MessageFlags } from 'discord-api-types/v10'
import Docker from 'dockerode'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Interaction } from '../../helpers/discord/interaction.js'
import type { Message } from '../../helpers/discord/messages.js'
import { makeContainer } from '../../helpers/engine.js'
import { ada, answered, type Bot, bob, ELSEWHERE, LAB, labelsOf, OPERATORS, shown, startBot, VIEWERS } from './bot.js'

const POLICY = `
  permit (principal, action in [Action::"ask", Action::"knowledge.show", Action::"knowledge.feedback"], resource);
  permit (principal, action in [Action::"approval.show", Action::"approval.decline"], resource);
  permit (principal in Role::"operator", action in [Action::"knowledge.save", Action::"knowledge.gaps"], resource)
    unless { resource is Card && resource.id == "gap-1000000" };
  @confirm("It is for all to read.") @reason("required")
  permit (principal in Role::"viewer", action == Action::"knowledge.save", resource);
  @reason("required")
  permit (principal in Role::"operator", action == Action::"container.start", resource);
  @confirm("It stops.") @approve("role:admin")
  permit (principal in Role::"operator", action == Action::"container.stop", resource);`

const eve = { id: '410000000000000005', username: 'eve' }
const docker = new Docker({ socketPath: inject('engineSocket') })
let bot: Bot

beforeAll(async () => {
  bot = await startBot({ hosts: { local: inject('engineSocket') }, policy: POLICY })
})
afterAll(() => bot?.close())
afterEach(() => {
  bot.room.now = Date.now
  bot.double.now = Date.now
  expect(bot.double.violations).toEqual([])
  expect(bot.room.bugs).toEqual([])
})

const asAda = { user: ada, roles: [OPERATORS] }
const asBob = { user: bob, roles: [VIEWERS] }
const asEve = { user: eve, permissions: 8n }
const isPrivate = (message: Message) => ((message.flags ?? 0) & MessageFlags.Ephemeral) !== 0
const say = (text: string, more: object = {}) => bot.double.say({ user: bob, text, ...more })
const menu = (command: string, message: Message, more: object = asAda) =>
  bot.double.menu({ ...asAda, command, message, ...more })

interface Field {
  label: string
  description?: string
  component: { custom_id: string; value?: string; required?: boolean; style: number; max_length?: number }
}
/** The form that an interaction is answered with. */
async function formOf(opened: Interaction) {
  expect(await opened.firstAnswer()).toMatchObject({ type: 9 })
  const { title, components } = opened.modal as { title: string; components: unknown[] }
  const fields = components as Field[]
  return {
    title,
    labels: fields.map(({ label }) => label),
    names: fields.map(({ component }) => component.custom_id),
    of: (name: string) => fields.find(({ component }) => component.custom_id === name)?.component,
  }
}
const cardOf = async (card: string) =>
  bot.room.does<{ title: string; text: string; tags: string[]; author: string; version: number; sources: object[] }>(
    'knowledge.show',
    { card },
    { principal: { kind: 'user', id: '1', name: 'x', tenant: LAB, roles: [] } },
  )

describe('a message that is saved to the knowledge base', () => {
  it('is a draft to be changed, and keeps its author and its address', async () => {
    const text = 'Reset the tunnel\nRun `wg-quick down wg0` on the gateway, then `up`.'
    const message = say(text)
    const opened = menu('Save to knowledge', message)
    const form = await formOf(opened)
    expect(form).toMatchObject({ title: 'Save to knowledge', names: ['title', 'text', 'tags'] })
    expect(form.of('title')).toMatchObject({ value: 'Reset the tunnel', required: true, style: 1 })
    expect(form.of('text')).toMatchObject({ value: text, required: true, style: 2, max_length: 4000 })
    expect(form.of('tags')).toMatchObject({ required: false })

    const fields = { title: 'Resetting the tunnel', text: `${text}\nIt takes a minute.`, tags: 'vpn, gateway' }
    const sent = bot.double.submit({ ...asAda, form: opened, fields })
    const saved = await answered(sent)
    expect(shown(saved)).toContain('Added')
    expect(isPrivate(saved)).toBe(false)
    expect(await cardOf(`discord-${message.id}`)).toMatchObject({
      title: fields.title,
      text: fields.text,
      tags: ['vpn', 'gateway'],
      author: 'ada',
      sources: [{ title: 'bob', url: `https://discord.com/channels/${LAB}/${message.channel_id}/${message.id}` }],
    })
    const showing = bot.double.slash({
      ...asAda,
      command: 'knowledge show',
      options: { card: `discord-${message.id}` },
    })
    expect(shown(await answered(showing))).toContain(`bob https://discord.com/channels/${LAB}/`)

    // The same message again is the same card.
    const again = menu('Save to knowledge', message)
    await formOf(again)
    await answered(bot.double.submit({ ...asAda, form: again, fields: { ...fields, text: 'Ask the night shift.' } }))
    expect(await cardOf(`discord-${message.id}`)).toMatchObject({ text: 'Ask the night shift.', version: 2 })
  })

  it('is asked about in Chinese where its reader is Chinese, and for a reason where policy wants one', async () => {
    const message = say('快照前先冻结文件系统，否则恢复时可能丢失最后的写入。')
    const opened = menu('Save to knowledge', message, { ...asBob, locale: 'zh-TW' })
    const form = await formOf(opened)
    expect(form).toMatchObject({ title: '存入知识库', labels: ['标题', '文本', '标签', '原因'] })
    expect(form.of('reason')).toMatchObject({ required: true })
    const fields = { title: '快照', text: '快照前先冻结文件系统。', reason: '常被问到' }
    expect(() => bot.double.submit({ ...asBob, form: opened, fields: { ...fields, reason: '' } })).toThrow(/needed/)
    const sent = bot.double.submit({ ...asBob, form: opened, fields, locale: 'zh-TW' })
    // Confirmed like any other call.
    const card = await answered(sent)
    expect(shown(card)).toContain('It is for all to read.')
    bot.double.click({ ...asBob, message: card, label: '确认', locale: 'zh-TW' })
    expect(shown(await sent.waitFor((now) => shown(now).includes('已添加')))).toContain(`discord-${message.id}`)
  })

  it('is refused to whoever may not, before they have typed anything', async () => {
    const refused = await answered(menu('Save to knowledge', say('Something worth keeping.'), { user: eve, roles: [] }))
    expect(shown(refused)).toContain('FORBIDDEN')
    expect(isPrivate(refused)).toBe(true)
  })

  it.each(['Save to knowledge', 'Ask about this'])('%s: needs text, and no more than text', async (command) => {
    const files = [{ filename: 'notes.txt', content: 'x' }]
    const withFile = await answered(menu(command, say('See the file.', { attachments: files })))
    expect(shown(withFile)).toMatch(/has attachments[\s\S]*INVALID_INPUT/)
    const unknown = bot.double.slash({ ...asAda, command: 'ask', options: { question: 'the price of unicorns?' } })
    const empty = await answered(menu(command, await answered(unknown), { locale: 'zh-CN' }))
    expect(shown(empty)).toContain('该消息没有文字内容')
    expect([withFile, empty].map(isPrivate)).toEqual([true, true])
  })

  it('says so where its text has become too long for a question', async () => {
    expect(shown(await answered(menu('Ask about this', say('why? '.repeat(300)))))).toContain('longer than 1000')
  })
})

describe('a message that is asked about', () => {
  it('is answered as its question would be, in public', async () => {
    const message = say(`<@${ada.id}> What is a type 1 hypervisor?`)
    const answer = await answered(menu('Ask about this', message, { user: eve, roles: [] }))
    expect(shown(answer)).toMatch(/hypervisor[\s\S]*\[1\]/i)
    expect(isPrivate(answer)).toBe(false)
    const elsewhere = bot.double.say({ user: bob, guildId: ELSEWHERE, text: '什么是容器？' })
    expect(shown(await answered(menu('Ask about this', elsewhere, { user: bob, roles: [] })))).toContain('[1]')
  })
})

describe('a question without an answer', () => {
  it('can be answered by whoever knows, in a form that begins with it', async () => {
    const question = 'How much milk does the coffee machine in the lab take?'
    const asked = bot.double.slash({ user: bob, roles: [], command: 'ask', options: { question } })
    const unknown = await answered(asked)
    expect(labelsOf(unknown)).toContain('Teach me')

    const stranger = await answered(bot.double.click({ user: bob, roles: [], message: unknown, label: 'Teach me' }))
    expect(shown(stranger)).toContain('FORBIDDEN')
    expect(shown(asked.message() as Message)).toBe(shown(unknown))

    const opened = bot.double.click({ ...asAda, message: unknown, label: 'Teach me' })
    const form = await formOf(opened)
    const [, cut = ''] = /^(.+?)…?$/.exec(form.of('title')?.value ?? '') ?? []
    expect(cut.length).toBeGreaterThan(20)
    expect(question.startsWith(cut)).toBe(true)
    const fields = { title: question, text: 'The coffee machine in the lab takes 300 ml of milk.' }
    const saved = await answered(bot.double.submit({ ...asAda, form: opened, fields }))
    expect(shown(saved)).toContain('Added')
    // Somebody else's question: it stays for all to see.
    expect(isPrivate(saved)).toBe(true)
    const gaps = await answered(bot.double.slash({ ...asAda, command: 'knowledge gaps' }))
    expect(shown(gaps)).not.toContain('coffee')
    const again = bot.double.slash({ user: bob, roles: [], command: 'ask', options: { question } })
    expect(shown(await answered(again))).toContain('300 ml')
  })

  it('of any length and script fits its button', async () => {
    const questions = ['二'.repeat(900), `"${'\\'.repeat(400)}" unicorns`, `${'🦄'.repeat(200)} price of unicorns`]
    for (const question of questions) {
      const unknown = await answered(bot.double.slash({ ...asAda, command: 'ask', options: { question } }))
      const label = labelsOf(unknown).find((one) => ['Teach me', '教我'].includes(one)) ?? 'none'
      expect((await formOf(bot.double.click({ ...asAda, message: unknown, label }))).names).toContain('text')
    }
  })
})

describe('a call that policy wants a reason for', () => {
  it('asks for it, and goes on as it was', async () => {
    const container = await makeContainer(docker, { start: false })
    const isRunning = async () => (await container.inspect()).State.Running
    const options = { container: container.name }
    const asked = bot.double.slash({ ...asAda, command: 'container start', options })
    const card = await answered(asked)
    expect(shown(card)).toContain('REASON_REQUIRED')
    expect(labelsOf(card)).toEqual(['Give the reason'])

    const stranger = bot.double.click({ ...asEve, message: card, label: 'Give the reason' })
    expect(shown(await answered(stranger))).toContain('CONFIRMATION_NOT_YOURS')

    const opened = bot.double.click({ ...asAda, message: card, label: 'Give the reason' })
    expect(await formOf(opened)).toMatchObject({ title: 'Give the reason', names: ['reason'] })
    expect(await isRunning()).toBe(false)
    bot.double.submit({ ...asAda, form: opened, fields: { reason: 'the site is down' } })
    await asked.waitFor((message) => shown(message).includes('Started'))
    expect(await isRunning()).toBe(true)

    // Once: a form that was left open does not run it again.
    await container.stop({ t: 0 })
    const late = await answered(bot.double.submit({ ...asAda, form: opened, fields: { reason: 'again' } }))
    expect(shown(late)).toContain('CONFIRMATION_EXPIRED')
    expect(await isRunning()).toBe(false)
  })

  it('is forgotten after a quarter of an hour', async () => {
    const container = await makeContainer(docker, { start: false })
    const options = { container: container.name }
    const card = await answered(bot.double.slash({ ...asAda, command: 'container start', options }))
    bot.room.now = () => Date.now() + 16 * 60_000
    bot.double.now = bot.room.now
    const opened = bot.double.click({ ...asAda, message: card, label: 'Give the reason' })
    expect(shown(await answered(opened))).toContain('CONFIRMATION_EXPIRED')
  })
})

describe('declining what somebody else asks for', () => {
  it('opens a form for the reason, which the asker is told', async () => {
    const container = await makeContainer(docker)
    const asked = bot.double.slash({ ...asAda, command: 'container stop', options: { container: container.name } })
    await answered(asked)
    await expect.poll(() => asked.followUps.length).toBe(1)
    const news = asked.followUps[0] as Message
    const opened = bot.double.click({ ...asEve, message: news, label: 'Decline', locale: 'zh-CN' })
    const form = await formOf(opened)
    expect(form).toMatchObject({ title: '拒绝他人的操作请求', labels: ['原因'] })
    expect(form.of('reason')).toMatchObject({ required: false, max_length: 300 })
    const sent = bot.double.submit({ ...asEve, form: opened, fields: { reason: 'not before the release' } })
    expect(isPrivate(await answered(sent))).toBe(true)
    const told = await asked.waitFor((message) => shown(message).includes('eve declined'))
    expect(shown(told)).toContain('not before the release')
  })
})
