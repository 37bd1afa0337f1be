// The door that Discord posts to: what passes it, what does not, and how often.
import { type APIInteraction, InteractionType } from 'discord-api-types/v10'
import fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AppError } from '../../../src/actions/index.js'
import { INTERACTIONS_PATH, interactionRoutes } from '../../../src/bot/discord/endpoint.js'
import { createHttpDelivery } from '../../helpers/discord/http-delivery.js'
import type { World } from '../../helpers/discord/world.js'
import { ada, answered, LAB, overHttp, startBot } from './bot.js'

const MINUTE_S = 60
const clock = { now: () => Date.now() } as World
const discord = createHttpDelivery(clock)
const stranger = createHttpDelivery(clock)
let app: FastifyInstance
let received: APIInteraction[] = []

beforeAll(async () => {
  app = fastify()
  app.setErrorHandler((error, _request, reply) =>
    reply
      .code(error instanceof AppError ? error.status : (error as { statusCode: number }).statusCode)
      .send({ code: (error as { code?: string }).code }),
  )
  const receive = (payload: APIInteraction) => void received.push(payload)
  interactionRoutes(app, { publicKey: discord.publicKey, now: Date.now, receive })
  await app.ready()
})
afterAll(() => app.close())
beforeEach(() => {
  received = []
})

const COMMAND = JSON.stringify({ id: '1', type: InteractionType.ApplicationCommand, token: 't' })
const post = (payload: string, headers: Record<string, string>) =>
  app.inject({ method: 'POST', url: INTERACTIONS_PATH, payload, headers })
const at = (secondsFromNow: number) => Math.floor(Date.now() / 1000) + secondsFromNow

describe('the endpoint', () => {
  it('answers a ping, and takes an interaction without a word', async () => {
    const ping = JSON.stringify({ id: '2', type: InteractionType.Ping })
    const ponged = await post(ping, discord.headers(ping))
    expect([ponged.statusCode, ponged.json()]).toEqual([200, { type: 1 }])
    const taken = await post(COMMAND, discord.headers(COMMAND))
    expect([taken.statusCode, taken.body]).toEqual([202, ''])
    expect(received).toMatchObject([{ id: '1' }])
  })

  it('A79: refuses whatever Discord did not sign', async () => {
    const right = discord.headers(COMMAND)
    const { 'x-signature-ed25519': signature = '' } = right
    const forgeries: [string, Record<string, string>][] = [
      [COMMAND, { 'content-type': 'application/json' }],
      [COMMAND, stranger.headers(COMMAND)],
      [`${COMMAND} `, right],
      [COMMAND, { ...right, 'x-signature-timestamp': String(at(1)) }],
      // Node reads hexadecimal up to the first character that is none.
      [COMMAND, { ...right, 'x-signature-ed25519': `${signature}zz` }],
      [COMMAND, { ...right, 'x-signature-ed25519': signature.slice(2) }],
      [COMMAND, { ...right, 'x-signature-ed25519': '' }],
      ['', right],
    ]
    for (const [payload, headers] of forgeries) {
      const { statusCode, body } = await post(payload, headers)
      expect([statusCode, body]).toEqual([401, '{"code":"SIGNATURE_INVALID"}'])
    }
    expect(received).toEqual([])
  })

  it('A80: refuses what was signed long ago, or will be, but bears with a clock that is five minutes off', async () => {
    for (const seconds of [-11 * MINUTE_S, 11 * MINUTE_S]) {
      expect((await post(COMMAND, discord.headers(COMMAND, at(seconds)))).statusCode).toBe(401)
    }
    const notANumber = discord.headers(COMMAND, Number.NaN)
    expect((await post(COMMAND, notANumber)).statusCode).toBe(401)
    expect(received).toEqual([])
    for (const seconds of [-5 * MINUTE_S, 5 * MINUTE_S]) {
      expect((await post(COMMAND, discord.headers(COMMAND, at(seconds)))).statusCode).toBe(202)
    }
  })

  it('refuses a body of more than a megabyte before it looks at it', async () => {
    const large = JSON.stringify({ id: '1', type: 2, pad: 'x'.repeat(1024 * 1024) })
    expect((await post(large, discord.headers(large))).statusCode).toBe(413)
    expect(received).toEqual([])
  })
})

it('A81: an interaction that is sent again is answered once', async () => {
  overHttp()
  const bot = await startBot({ hosts: {} })
  try {
    const asked = bot.double.slash({ user: ada, guildId: LAB, command: 'ask', options: { question: 'What is KVM?' } })
    await answered(asked)
    const states = asked.edits.length
    await bot.double.http.post(asked.payload)
    await bot.double.http.post(asked.payload)
    const later = bot.double.slash({ user: ada, guildId: LAB, command: 'ask', options: { question: 'What is Xen?' } })
    await answered(later)
    expect(asked.edits.length).toBe(states)
    expect(bot.lines.filter(({ level }) => level >= 40)).toEqual([])
    expect(bot.double.violations).toEqual([])
  } finally {
    await bot.close()
  }
})
