/**
 * A Discord that runs on this machine: REST, gateway and CDN over real sockets, strict about what it is sent.
 *
 * The bot's own client runs against it unchanged (`rest: { api: double.api }`). Tests act as people do through `slash`,
 * `click`, … and assert on the messages they would see, and that `double.violations` is empty.
 */
import type { AddressInfo } from 'node:net'
import { type APIApplicationCommand, type APIUser, Locale } from 'discord-api-types/v10'
import { type Cdn, type File, type HostedFile, startCdn } from './cdn.js'
import { createDriver, type Driver } from './driver.js'
import { createFaults, type Fault } from './faults.js'
import { attachGateway, type Gateway } from './gateway.js'
import { createHttpDelivery, type HttpDelivery } from './http-delivery.js'
import { createMessages, type Message } from './messages.js'
import { assertSnowflake, userPayload } from './payloads.js'
import { createRest } from './rest.js'
import { type Closed, newChanges, snowflakes, type TestGuild, until, type Violation, type World } from './world.js'

export type { Interaction } from './interaction.js'
export type { Attachment, Message } from './messages.js'
export type { TestGuild, TestUser, Violation } from './world.js'

export interface DoubleOptions {
  token: string
  applicationId: string
  guilds: TestGuild[]
  botName?: string
}

export interface DiscordDouble extends Driver {
  /** For the client's `rest.api`. */
  readonly api: string
  readonly cdn: string
  readonly port: number
  readonly bot: APIUser
  /** All that the bot did which Discord would refuse, and any flaw of the double's own answers. */
  readonly violations: Violation[]
  /** Epoch ms. Assign another clock to let the 3 s and the 15 min pass without waiting. */
  now: () => number
  readonly gateway: Gateway
  /** The other way in which interactions can be delivered. */
  readonly http: HttpDelivery
  /** Resolves while a bot is connected and identified. */
  ready(timeoutMs?: number): Promise<void>
  /** As last deployed. */
  commands(guildId?: string): readonly APIApplicationCommand[]
  /** What everyone sees in a channel, or in a guild's `general`, or somebody in direct messages with the bot, oldest first. */
  channel(id: string): Message[]
  /** Add to it what people and moderators do. */
  readonly closed: Closed
  failNext(fault: Fault): void
  /** Puts a file on the CDN, to be given as an option's value. */
  attach(file: File): HostedFile
  /** Resolves with the first truthy `look()`, tried whenever something happens in the double. */
  until<T>(look: () => T | null | undefined | false, timeoutMs?: number): Promise<T>
  close(): Promise<void>
}

const WAIT_MS = 10_000

function createWorld(options: DoubleOptions, cdn: Cdn, clock: { now: () => number }, snowflake: () => string): World {
  const { token, applicationId, botName = 'hypercall' } = options
  const guilds = options.guilds.map((guild) => {
    assertSnowflake(guild.id, 'guild')
    const { id, name, locale = Locale.EnglishUS, roles = [], channels = [], installed = true } = guild
    for (const channel of channels) assertSnowflake(channel.id, 'channel')
    for (const role of roles) assertSnowflake(role.id, 'role')
    return { id, name, locale, roles, channels, installed, channelId: snowflake() }
  })
  assertSnowflake(applicationId, 'applicationId')
  return {
    token,
    applicationId,
    bot: userPayload({ id: applicationId, username: botName }, true),
    guilds,
    now: () => clock.now(),
    snowflake,
    cdn,
    messages: createMessages(cdn, () => clock.now(), snowflake),
    closed: { gone: new Set(), forbidden: new Set(), refusing: new Set() },
    commands: new Map(),
    directs: new Set(),
    interactions: new Map(),
    violations: [],
    changes: newChanges(),
  }
}

export async function startDiscordDouble(options: DoubleOptions): Promise<DiscordDouble> {
  const clock = { now: () => Date.now() }
  const snowflake = snowflakes(() => clock.now())
  const cdn = await startCdn(snowflake)
  const world = createWorld(options, cdn, clock, snowflake)
  const faults = createFaults()
  const app = await createRest(world, faults)
  const gateway = attachGateway(app.server, world)
  const http = createHttpDelivery(world)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo

  return {
    ...createDriver(
      world,
      (payload) => {
        if (http.url === undefined) gateway.dispatch('INTERACTION_CREATE', payload)
        else void http.post(payload)
      },
      (t, told) => {
        // Where no connection is wanted, nobody hears of anything but interactions.
        if (http.url === undefined) gateway.dispatch(t, told)
      },
    ),
    api: `http://127.0.0.1:${port}/api`,
    cdn: cdn.url,
    port,
    bot: world.bot,
    violations: world.violations,
    get now() {
      return clock.now
    },
    set now(now) {
      clock.now = now
    },
    gateway,
    http,
    async ready(timeoutMs = WAIT_MS) {
      const connected = () => gateway.sessions.some((session) => session.connected)
      await until(world.changes, connected, timeoutMs, () => 'no bot has identified')
    },
    commands: (guildId = 'global') => world.commands.get(guildId) ?? [],
    channel: (id) => world.messages.inChannel(world.guilds.find((guild) => guild.id === id)?.channelId ?? id),
    closed: world.closed,
    failNext: faults.add,
    attach: (file) => cdn.host(`ephemeral-attachments/${world.applicationId}`, file),
    until: (look, timeoutMs = WAIT_MS) => until(world.changes, look, timeoutMs, () => `never happened: ${look}`),
    async close() {
      gateway.close()
      await Promise.all([app.close(), cdn.close()])
    },
  }
}
