// The bot, called in a channel or written to: a question like any other, answered below it.
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import type { SayRequest } from '../../helpers/discord/driver.js'
import type { Message } from '../../helpers/discord/messages.js'
import {
  APP,
  ada,
  answered,
  type Bot,
  bob,
  ELSEWHERE,
  IMPOSTORS,
  LAB,
  labelsOf,
  OPERATORS,
  shown,
  startBot,
  VIEWERS,
} from './bot.js'

/** Everyone may ask but those of one Discord role; what was asked is for operators to see. */
const POLICY = `
  permit (principal, action in [Action::"ask", Action::"knowledge.feedback"], resource);
  forbid (principal in Role::"${IMPOSTORS}", action == Action::"ask", resource);
  permit (principal in Role::"operator", action in [Action::"knowledge.gaps", Action::"audit.list"], resource);
  @reason("required")
  permit (principal in Role::"operator", action == Action::"knowledge.save", resource);`

let bot: Bot
beforeAll(async () => {
  bot = await startBot({ hosts: { local: inject('engineSocket') }, policy: POLICY, rates: { ask: 8 } })
})
afterAll(() => bot?.close())
afterEach(() => {
  bot.room.now = Date.now
  expect(bot.double.violations).toEqual([])
  expect(bot.room.bugs).toEqual([])
})

const call = (text: string, more: Partial<SayRequest> = {}) => bot.double.mention({ user: bob, text, ...more })
const answersTo = ({ id, channel_id: channel }: Message): Message[] =>
  bot.double
    .channel(bot.double.channel(LAB).some((one) => one.channel_id === channel) ? LAB : channel)
    .filter(({ message_reference: to, author }) => to?.message_id === id && author.id === APP)
const answerTo = async (message: Message): Promise<Message> => {
  await expect.poll(() => answersTo(message).length, { timeout: 5_000 }).toBe(1)
  return answersTo(message)[0] as Message
}
let asked = 0
/** A person whom the bot has not met yet. */
const somebody = () => ({ id: `4200000000000${String(++asked).padStart(5, '0')}`, username: `person${asked}` })

describe('calling the bot', () => {
  it.each([
    ['What is a type 1 hypervisor?', /hypervisor[\s\S]*\[1\]/i],
    ['什么是一型虚拟机监控程序？', /[\u4e00-\u9fff][\s\S]*\[1\]/],
  ])('with %j is answered below it, with sources, and pings nobody', async (question, expected) => {
    const answer = await answerTo(call(question))
    expect(answer.embeds[0]?.author).toBeUndefined()
    expect(shown(answer)).toMatch(expected)
    expect(answer.mentions).toEqual([])
    expect(labelsOf(answer).length).toBe(2)
  })

  it('in the middle of a sentence, and more than once, is no part of the question', async () => {
    const message = bot.double.say({ user: bob, text: `what is KVM, <@${APP}>? <@!${APP}>` })
    expect(shown(await answerTo(message))).toContain('[1]')
    const gaps = await answerTo(call('<@410000000000000001> zzqx?'))
    expect(shown(gaps)).toContain("I don't know")
  })

  it('without a question gets a kind word, in a guild that nobody listed too', async () => {
    expect(shown(await answerTo(call('')))).toContain('Hello')
    const elsewhere = call('什么是容器？', { guildId: ELSEWHERE })
    await expect
      .poll(() => bot.double.channel(ELSEWHERE).some((one) => shown(one).includes('[1]')), { timeout: 5_000 })
      .toBe(true)
    expect(elsewhere.content).toContain('什么是容器')
  })

  it('in a direct message takes no calling', async () => {
    const user = somebody()
    const message = bot.double.say({ user, guildId: null, text: 'What is a container?' })
    expect(shown(await answerTo(message))).toContain('[1]')
  })

  it('again in reply to its answer goes on; the reply alone does not', async () => {
    const first = await answerTo(call('What is KVM?'))
    const bare = bot.double.say({
      user: bob,
      text: '',
      attachments: [{ filename: 'a.txt', content: 'x' }],
      replyTo: first,
    })
    const quiet = bot.double.say({ user: bob, text: 'thanks', replyTo: first, pings: false })
    const more = bot.double.say({ user: bob, text: 'And what is Xen?', replyTo: first })
    expect(shown(await answerTo(more))).toMatch(/Xen/)
    expect([...answersTo(bare), ...answersTo(quiet)]).toEqual([])
  })

  it('is not what programs do, nor who calls everyone, nor who speaks of something else', async () => {
    const ignored = [
      call('What is KVM?', { user: somebody(), isBot: true }),
      call('@everyone What is KVM?', { user: somebody() }),
      bot.double.say({ user: somebody(), text: 'What is KVM?' }),
      bot.double.say({ user: somebody(), text: `<@${ada.id}> what is KVM?` }),
    ]
    // What came later has been answered, so these have been seen; each that was asked would be in the audit log.
    const last = call('What is LXC?', { user: somebody() })
    await answerTo(last)
    const owner = { kind: 'local', id: 'owner', name: 'owner', tenant: LAB, roles: ['operator'] } as const
    const { rows } = await bot.room.does<{ rows: { principal: string }[] }>('audit.list', {}, { principal: owner })
    const askers = [...ignored, last].filter(({ author }) =>
      rows.some(({ principal }) => principal.includes(author.id)),
    )
    expect(askers).toEqual([last])
    expect(ignored.flatMap(answersTo)).toEqual([])
  })

  it('is subject to policy by the roles of who calls, and told kindly', async () => {
    const refused = await answerTo(call('什么是容器？', { user: somebody(), roles: [IMPOSTORS] }))
    expect(shown(refused)).toMatch(/[\u4e00-\u9fff][\s\S]*FORBIDDEN/)
    expect(shown(await answerTo(call('什么是容器？', { user: somebody(), roles: [VIEWERS] })))).toContain('[1]')
  })

  it('counts as asking does', async () => {
    const user = somebody()
    const calls = Array.from({ length: 9 }, () => call('What is KVM?', { user }))
    const answers = await Promise.all(calls.map(answerTo))
    expect(answers.map((one) => shown(one).includes('RATE_LIMITED')).filter(Boolean)).toHaveLength(1)
    const slash = bot.double.slash({ user, command: 'ask', options: { question: 'What is KVM?' } })
    expect(shown(await answered(slash))).toContain('RATE_LIMITED')
  })

  it('gives an answer whose buttons work for everyone, each with their own rights', async () => {
    const unknown = await answerTo(call('What colour is the door of the lab?', { user: somebody() }))
    expect(labelsOf(unknown)).toContain('Teach me')
    const asAda = { user: ada, roles: [OPERATORS] }
    const form = bot.double.click({ ...asAda, message: unknown, label: 'Teach me' })
    await form.firstAnswer()
    const fields = { title: 'Door', text: 'The door of the lab has the colour blue.' }
    const sent = bot.double.submit({ ...asAda, form, fields })
    // Policy wants a reason; who may not look at cards was not told of that before.
    const why = bot.double.click({ ...asAda, message: await answered(sent), label: 'Give the reason' })
    await why.firstAnswer()
    bot.double.submit({ ...asAda, form: why, fields: { reason: 'asked often' } })
    await sent.waitFor((message) => shown(message).includes('Added'))
    expect(shown(await answerTo(call('What colour is the door of the lab?', { user: somebody() })))).toContain('blue')
  })

  it('whose channel Discord closed to the bot is in the log, and nothing else comes of it', async () => {
    // As it is, and without its buttons.
    const closed = { method: 'POST', path: /\/channels\/\d+\/messages$/, status: 403 } as const
    bot.double.failNext(closed)
    bot.double.failNext(closed)
    call('What is KVM?', { user: somebody() })
    await expect.poll(() => bot.lines.some(({ msg }) => msg === 'an answer did not reach Discord')).toBe(true)
  })
})
