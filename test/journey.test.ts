// One way through the whole product, as it is served: a person in Discord asks, looks, starts, copies in and exports, and
// downloads over HTTP what the link in the answer leads to.
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import Docker from 'dockerode'
import { extract } from 'tar-stream'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { ada, answered, LAB, OPERATORS, shown, startDouble, TOKEN } from './bot/discord/bot.js'
import type { DiscordDouble } from './helpers/discord/double.js'
import type { SlashRequest } from './helpers/discord/driver.js'
import { makeContainer } from './helpers/engine.js'
import { startServer, type TestServer } from './helpers/server.js'

const docker = new Docker({ socketPath: inject('engineSocket') })
const content = randomBytes(5 * 1024 * 1024)
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

let double: DiscordDouble
let server: TestServer
beforeAll(async () => {
  double = await startDouble()
  server = await startServer({
    DOCKER_HOST: `unix://${inject('engineSocket')}`,
    DISCORD_TOKEN: TOKEN,
    DISCORD_GUILDS: LAB,
    DISCORD_ROLES: `operator=${OPERATORS}`,
    DISCORD_API: double.api,
    DISCORD_CDN: `${double.cdn}/ephemeral-attachments`,
  })
})
afterAll(async () => {
  await server?.close()
  await double?.close()
})

const slash = (command: string, options: SlashRequest['options'] = {}, more: Partial<SlashRequest> = {}) =>
  double.slash({ user: ada, roles: [OPERATORS], command, options, ...more })
const confirm = (message: Parameters<DiscordDouble['click']>[0]['message']) =>
  double.click({ user: ada, roles: [OPERATORS], message, label: 'Confirm' })

/** The first file of this name in a tar. */
async function fileOf(tar: Readable, name: string): Promise<Buffer | undefined> {
  const entries = tar.pipe(extract())
  let found: Buffer | undefined
  for await (const entry of entries) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    if (entry.header.name === name) found = Buffer.concat(chunks)
  }
  return found
}

it('leads from a question to the right bytes', async () => {
  const container = await makeContainer(docker, { start: false })

  await double.ready()
  await expect.poll(() => double.commands().length).toBeGreaterThan(0)

  const question = slash('ask', { question: '容器和虚拟机有什么区别？' }, { locale: 'zh-CN' })
  expect(shown(await answered(question))).toContain('[1]')

  const listed = await answered(slash('container list', { name: container.name }))
  expect(shown(listed)).toContain(container.name)

  const starting = slash('container start', { container: container.name })
  confirm(await answered(starting))
  await starting.waitFor((message) => shown(message).includes('Started'))
  expect((await container.inspect()).State.Running).toBe(true)

  const file = double.attach({ filename: 'payload.bin', content })
  const copying = slash('container copy-in', { container: container.name, path: '/srv/', file })
  confirm(await answered(copying))
  const copied = await copying.waitFor((message) => shown(message).includes('Copied in'))
  expect(shown(copied)).toContain(sha256(content))

  const exporting = slash('container export', { container: container.name })
  confirm(await answered(exporting))
  const done = await exporting.waitFor((message) => shown(message).includes('Done'), 30_000)
  // An address of this machine cannot be a button in Discord; it is written out.
  const [link = ''] = /http:\/\/127\.0\.0\.1:\d+\/d\/[\w./-]+/.exec(shown(done)) ?? []
  const download = Buffer.from(await (await fetch(link)).arrayBuffer())
  expect(shown(done)).toContain(sha256(download))
  const exported = await fileOf(Readable.from([download], { objectMode: false }), 'srv/payload.bin')
  expect(exported?.equals(content)).toBe(true)

  expect(double.violations).toEqual([])
}, 60_000)
