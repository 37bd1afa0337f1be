// What Discord and the network do to a bot: every interaction that Discord took an answer to is answered to its end.
import Docker from 'dockerode'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Interaction } from '../../helpers/discord/interaction.js'
import { makeContainer } from '../../helpers/engine.js'
import { ada, answered, type Bot, isGateway, OPERATORS, shown, startBot } from './bot.js'

const docker = new Docker({ socketPath: inject('engineSocket') })
const MINUTE_MS = 60_000
let bot: Bot

beforeAll(async () => {
  bot = await startBot({ hosts: { local: inject('engineSocket') } })
})
afterAll(() => bot?.close())
afterEach(() => {
  bot.room.now = Date.now
  bot.double.now = Date.now
  expect(bot.double.violations).toEqual([])
  expect(bot.room.bugs).toEqual([])
})

const run = (command: string, options = {}) => bot.double.slash({ user: ada, roles: [OPERATORS], command, options })
const ask = () => run('ask', { question: 'What is a container?' })
const allAnswered = (asked: readonly Interaction[]) => Promise.all(asked.map((one) => answered(one)))
const sessions = () => bot.double.gateway.sessions

describe.runIf(isGateway())('a connection', () => {
  it('that is cut twenty times is resumed, and nothing that came meanwhile is lost', async () => {
    const asked: Interaction[] = []
    const resumed = () => sessions().reduce((sum, { resumes }) => sum + resumes, 0)
    for (let cut = 1; cut <= 20; cut += 1) {
      asked.push(ask())
      bot.double.gateway.drop()
      // Delivered only once the bot is back.
      asked.push(ask(), run('container list'))
      await bot.double.until(() => resumed() >= cut, 30_000)
    }
    const texts = (await allAnswered(asked)).map(shown)
    expect(texts.filter((text) => text === '')).toEqual([])
    expect(new Set(asked.map(({ id }) => id)).size).toBe(60)
    expect(sessions()).toHaveLength(1)
  }, 180_000)

  it('whose session Discord has forgotten begins anew', async () => {
    for (let time = 1; time <= 3; time += 1) {
      const before = sessions().length
      const under = ask()
      await under.firstAnswer()
      bot.double.gateway.invalidate()
      await bot.double.until(() => sessions().length > before && sessions().at(-1)?.connected, 60_000)
      await allAnswered([under, ask(), run('container list')])
    }
  }, 240_000)
})

describe("Discord's REST", () => {
  it.each([
    ['limits the whole bot', { status: 429, global: true }],
    ['limits one of its buckets', { status: 429, global: false }],
    ['fails', { status: 500, times: 2 }],
    ['is away', { status: 502, times: 2 }],
  ])('answers that come when it %s arrive later', async (_what, fault) => {
    for (const path of [/callback/, /webhooks/]) {
      bot.double.failNext({ path, retryAfter: 0.2, ...fault })
      const [first, second] = [ask(), run('container list')]
      await allAnswered([first, second])
    }
  })

  it('takes no answer that is late: then nothing has been done', async () => {
    const container = await makeContainer(docker, { start: false })
    const late = run('container start', { container: container.name })
    // Three seconds pass at Discord before it hears of the bot.
    bot.double.now = () => Date.now() + 4_000
    await expect
      .poll(() => bot.lines.some(({ msg }) => msg.includes('did not reach Discord')), { timeout: 20_000 })
      .toBe(true)
    expect(late.callback).toBeNull()
    expect((await container.inspect()).State.Running).toBe(false)
  })
})

it.each([-5, 5])('a clock that is %i minutes off changes nothing', async (minutes) => {
  bot.room.now = () => Date.now() + minutes * MINUTE_MS
  const container = await makeContainer(docker, { start: false })
  const starting = run('container start', { container: container.name })
  const card = await answered(starting)
  expect(shown(card)).toContain(container.name)
  await allAnswered([ask(), run('container list')])
})
