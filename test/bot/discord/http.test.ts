// The same suites again, with every interaction posted to the bot's endpoint and no connection to the gateway at all.
import { describe } from 'vitest'
import { overHttp } from './bot.js'

overHttp()
describe('over HTTP', async () => {
  await import('../discord.test.js')
  await import('./approval.test.js')
  await import('./attachment.test.js')
  await import('./connection.test.js')
  await import('./faults.test.js')
  await import('./forms.test.js')
})
