// The whole server with Discord at its door: what is answered by the process as it is shipped, and what ends it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { INTERACTIONS_PATH } from '../../../src/bot/discord/endpoint.js'
import type { DiscordDouble } from '../../helpers/discord/double.js'
import { startServer } from '../../helpers/server.js'
import { APP, ada, answered, LAB, shown, startDouble, TOKEN } from './bot.js'

const open: { close(): Promise<void> }[] = []
const opened = <T extends { close(): Promise<void> }>(one: T): T => {
  open.push(one)
  return one
}
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

const overHttp = (double: DiscordDouble, settings = {}) =>
  startServer({
    DISCORD_TRANSPORT: 'http',
    DISCORD_PUBLIC_KEY: double.http.publicKey,
    DISCORD_API: double.api,
    ...settings,
  })

it('answers over HTTP without any token of the bot, in all three seconds and later', async () => {
  const double = opened(await startDouble())
  const server = opened(await overHttp(double))
  double.http.to(`${server.url}${INTERACTIONS_PATH}`)
  // Deployed by hand, from another machine.
  const deploying = opened(await overHttp(double, { DISCORD_TOKEN: TOKEN, DISCORD_APPLICATION_ID: APP }))
  await double.until(() => double.commands().length > 0, 30_000)
  await deploying.close()
  open.pop()
  const asked = double.slash({ user: ada, guildId: LAB, command: 'ask', options: { question: 'What is KVM?' } })
  expect(shown(await answered(asked))).toContain('[1]')
  expect(double.gateway.sessions).toEqual([])
  expect(double.violations).toEqual([])
})

it('A82: slows whoever tries signatures, and nobody else', async () => {
  const double = opened(await startDouble())
  const server = opened(await overHttp(double))
  const url = `${server.url}${INTERACTIONS_PATH}`
  const forged = () => fetch(url, { method: 'POST', headers: double.http.headers('{}'), body: '{"type":1}' })
  const statuses: number[] = []
  for (let n = 0; n < 25; n += 1) statuses.push((await forged()).status)
  expect(new Set(statuses.slice(0, 20))).toEqual(new Set([401]))
  expect(new Set(statuses.slice(20))).toEqual(new Set([429]))
  const body = '{"type":1}'
  const ponged = await fetch(url, { method: 'POST', headers: double.http.headers(body), body })
  expect([ponged.status, await ponged.json()]).toEqual([200, { type: 1 }])
})

it('ends with a line and a code of its own when the token is revoked', async () => {
  const double = opened(await startDouble())
  const state = mkdtempSync(join(tmpdir(), 'hc-revoked-'))
  opened({ close: async () => rmSync(state, { recursive: true, force: true }) })
  const env = {
    PATH: process.env.PATH,
    HYPERCALL_STATE: state,
    HYPERCALL_PORT: '0',
    HYPERCALL_LOG_LEVEL: 'silent',
    DISCORD_TOKEN: TOKEN,
    DISCORD_API: double.api,
  }
  const child = spawn(process.execPath, ['bin/hypercall.mjs', 'serve'], { env })
  let said = ''
  child.stderr.on('data', (bytes: Buffer) => {
    said += String(bytes)
  })
  const ended = once(child, 'exit')
  await double.ready(30_000)
  double.gateway.drop(4004)
  expect(await ended).toEqual([3, null])
  expect(said).toBe('Discord does not accept DISCORD_TOKEN: it was revoked, or is wrong\n')
})
