// Where a result goes when the place it was asked in is no more.
import Docker from 'dockerode'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { makeContainer } from '../../helpers/engine.js'
import { ada, type Bot, buttonsOf, LAB, OPERATORS, shown, startBot } from './bot.js'

const docker = new Docker({ socketPath: inject('engineSocket') })
let bot: Bot
beforeAll(async () => {
  const hosts = { local: inject('engineSocket') }
  bot = await startBot({ hosts, policy: 'permit (principal, action, resource);' })
})
afterAll(() => bot?.close())
afterEach(() => {
  expect(bot.double.violations).toEqual([])
  expect(bot.room.bugs).toEqual([])
})

const endOf = async (): Promise<{ id: string; state: string }> => {
  const newest = () => bot.room.actions.jobs.recent(LAB, 1)[0]
  await expect.poll(() => newest()?.finishedAt, { timeout: 10_000 }).toBeDefined()
  return newest() as { id: string; state: string }
}

async function exportIntoNowhere() {
  const container = await makeContainer(docker, { start: false })
  const options = { container: container.name }
  // Accepted, and then the channel goes.
  const asked = bot.double.slash({ user: ada, roles: [OPERATORS], command: 'container export', options })
  await asked.firstAnswer()
  bot.double.closed.gone.add(asked.payload.channel_id)
  return asked
}

describe('a result whose channel is gone', () => {
  it('arrives as a direct message, with its link, for its asker alone', async () => {
    await exportIntoNowhere()
    const { id } = await endOf()
    await expect.poll(() => bot.double.channel(ada.id).length, { timeout: 10_000 }).toBe(1)
    const [message] = bot.double.channel(ada.id)
    expect(shown(message as never).replaceAll('\\', '')).toMatch(new RegExp(`^Done[\\s\\S]*${id}[\\s\\S]*SHA-256`))
    expect([...buttonsOf(message as never).map(({ url }) => url), shown(message as never)].join()).toContain('/d/')
    expect(bot.double.channel(LAB).some(({ content }) => content.includes(id))).toBe(false)
  })

  it('stays with its job when its asker takes no direct messages, with a line in the log', async () => {
    bot.double.closed.refusing.add(ada.id)
    await exportIntoNowhere()
    const { state } = await endOf()
    expect(state).toBe('done')
    const told = () => bot.lines.find(({ msg }) => msg === 'the asker could not be told by a direct message')
    await expect.poll(told, { timeout: 10_000 }).toMatchObject({ level: 40, user: ada.id })
    expect(bot.double.channel(ada.id)).toHaveLength(1)
  })
})
