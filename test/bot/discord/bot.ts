// The bot in a Discord of its own: the real actions on a real engine, the shipped knowledge, and a clock that can be set.
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { pino } from 'pino'
import type { Host, Rates } from '../../../src/actions/index.js'
import { type Config, readConfig } from '../../../src/bot/config.js'
import { INTERACTIONS_PATH, interactionRoutes } from '../../../src/bot/discord/endpoint.js'
import { type DiscordBot, startDiscord } from '../../../src/bot/discord/index.js'
import { type DiscordDouble, startDiscordDouble } from '../../helpers/discord/double.js'
import type { Interaction } from '../../helpers/discord/interaction.js'
import type { Message } from '../../helpers/discord/messages.js'
import { builtPictures } from '../../helpers/pictures.js'
import { dockerHost, openRoom, type Room } from '../../helpers/room.js'

export const APP = '110000000000000001'
export const TOKEN = 'a-token'
/** Listed in DISCORD_GUILDS, and the one that people are in unless a test says otherwise. */
export const LAB = '210000000000000001'
/** Not listed. */
export const ELSEWHERE = '210000000000000002'
export const OPERATORS = '310000000000000001'
export const VIEWERS = '310000000000000002'
/** A Discord role that is only called like a policy role. */
export const IMPOSTORS = '310000000000000003'
export const ELSEWHERE_ADMINS = '310000000000000009'

/** Where requests for approval can be shown. */
export const APPROVALS = '510000000000000001'
/** Of the guild that is not listed. */
export const ELSEWHERE_CHANNEL = '510000000000000002'

export const ada = { id: '410000000000000001', username: 'ada', globalName: 'Ada' }
export const bob = { id: '410000000000000002', username: 'bob' }
/** An administrator of the guild. */
export const eve = { id: '410000000000000005', username: 'eve' }
export const asEve = { user: eve, roles: [] as string[], permissions: 8n }

let transport: 'gateway' | 'http' = 'gateway'
/** Every bot that is started from now on gets its interactions so. */
export const overHttp = (): void => {
  transport = 'http'
}
/** What a connection can do that a request cannot. */
export const isGateway = (): boolean => transport === 'gateway'

/** Given by the operator: nobody reaches the CDN from within a message of the bot's own. */
export const configFor = (double: DiscordDouble, settings: Readonly<Record<string, string>> = {}): Config =>
  readConfig({
    DISCORD_TOKEN: TOKEN,
    DISCORD_GUILDS: LAB,
    DISCORD_ROLES: `operator=${OPERATORS},viewer=${VIEWERS}`,
    DISCORD_API: double.api,
    DISCORD_TRANSPORT: transport,
    DISCORD_PUBLIC_KEY: double.http.publicKey,
    DISCORD_CDN: `${double.cdn}/ephemeral-attachments`,
    ...settings,
  })

export const startDouble = (): Promise<DiscordDouble> =>
  startDiscordDouble({
    token: TOKEN,
    applicationId: APP,
    guilds: [
      {
        id: LAB,
        name: 'Lab',
        channels: [{ id: APPROVALS, name: 'approvals' }],
        roles: [
          { id: OPERATORS, name: 'operators' },
          { id: VIEWERS, name: 'viewers' },
          { id: IMPOSTORS, name: 'admin' },
        ],
      },
      {
        id: ELSEWHERE,
        name: 'Elsewhere',
        channels: [{ id: ELSEWHERE_CHANNEL, name: 'elsewhere' }],
        roles: [{ id: ELSEWHERE_ADMINS, name: 'operator', permissions: 8n }],
      },
    ],
  })

export interface LogLine {
  readonly msg: string
  readonly level: number
  readonly [key: string]: unknown
}

export interface TestLog {
  readonly log: pino.Logger
  readonly lines: readonly LogLine[]
}

export function testLog(): TestLog {
  const lines: LogLine[] = []
  const write = (line: string) => void lines.push(JSON.parse(line) as LogLine)
  return { log: pino({ level: 'debug' }, { write }), lines }
}

export interface Bot extends TestLog {
  readonly double: DiscordDouble
  readonly room: Room
  /** Stops the bot and starts it again, on the same state. */
  restart(): Promise<void>
  readonly discord: DiscordBot
  close(): Promise<void>
}

export interface BotOptions {
  /** By name: where its engine listens. Or whole. */
  readonly hosts: Readonly<Record<string, string>> | readonly Host[]
  readonly settings?: Readonly<Record<string, string>>
  /** Instead of the one that ships. */
  readonly policy?: string
  readonly rates?: Partial<Rates>
}

/** The bot's endpoint by itself, on a port of its own, and the double told of it. */
async function openEndpoint(double: DiscordDouble, discord: () => DiscordBot, now: () => number) {
  const app = fastify()
  interactionRoutes(app, { publicKey: double.http.publicKey, now, receive: (payload) => discord().receive(payload) })
  await app.listen({ port: 0, host: '127.0.0.1' })
  double.http.to(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}${INTERACTIONS_PATH}`)
  return app
}

const isWhole = (hosts: BotOptions['hosts']): hosts is readonly Host[] => Array.isArray(hosts)

export async function startBot({ hosts, settings, policy, rates }: BotOptions): Promise<Bot> {
  const double = await startDouble()
  const room = await openRoom({
    hosts: isWhole(hosts)
      ? hosts
      : Object.entries(hosts).map(([name, socketPath]) => dockerHost(name, socketPath, ['local', LAB])),
    ...(policy === undefined ? {} : { policy }),
    ...(rates === undefined ? {} : { rates }),
  })
  await room.knowledge.ingest('data/knowledge')
  const { log, lines } = testLog()
  const config = configFor(double, settings)
  const pictures = builtPictures()
  const start = async () => {
    const started = await startDiscord({ config, actions: room.actions, log, pictures, now: () => room.now() })
    await started.ready
    return started
  }
  let discord = await start()
  const endpoint = isGateway()
    ? undefined
    : await openEndpoint(
        double,
        () => discord,
        () => room.now(),
      )
  return {
    double,
    room,
    get discord() {
      return discord
    },
    async restart() {
      await discord.close()
      discord = await start()
    },
    log,
    lines,
    async close() {
      await discord.close()
      await endpoint?.close()
      await pictures.close()
      await room.close()
      await double.close()
    },
  }
}

/** All that a person reads in a message, its buttons left out. */
export const shown = ({ content, embeds }: Message): string =>
  [content, ...embeds.flatMap((embed) => [embed.title, embed.description, embed.footer?.text])]
    .filter(Boolean)
    .join('\n')

export interface Button {
  readonly label: string
  readonly custom_id?: string
  readonly url?: string
}

export const buttonsOf = ({ components }: Message): Button[] =>
  ((components ?? []) as { components?: Button[] }[]).flatMap((row) => row.components ?? [])

export const labelsOf = (message: Message): string[] => buttonsOf(message).map(({ label }) => label)

/** The answer once it shows something. */
export const answered = (interaction: Interaction, timeoutMs?: number): Promise<Message> =>
  interaction.waitFor((message) => message.embeds.length > 0, timeoutMs)
