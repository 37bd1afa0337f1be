/** Messages that people write, and what a bot hears of them: less, without the privileged intent for their content. */
import { type APIUser, GatewayIntentBits } from 'discord-api-types/v10'
import type { SayRequest } from './driver.js'
import type { Message } from './messages.js'
import { DEFAULT_FILE_LIMIT_BYTES, memberPayload, userPayload } from './payloads.js'
import type { Guild, World } from './world.js'

const PLAIN = 0
const REPLY = 19
const CONTENT = { content: '', embeds: [], attachments: [], components: [] }

interface Written {
  readonly message: Message
  /** What a session of these intents is told, if anything. */
  told(intents: number): unknown
}

export function writtenMessage(world: World, guild: Guild | null, request: SayRequest): Written {
  const { user, text, attachments = [], replyTo, pings = true, isBot = false, roles = [] } = request
  const author = userPayload(user, isBot)
  const everyone = text.includes('@everyone')
  const called = [
    ...(text.includes(`<@${world.bot.id}>`) ? [world.bot] : []),
    ...(replyTo && pings ? [replyTo.author as APIUser] : []),
  ]
  const mentions = [...new Map(called.map((one) => [one.id, one])).values()]
  const uploads = attachments.map(({ filename, content }, index) => ({
    index,
    filename,
    contentType: 'text/plain',
    bytes: Buffer.from(content),
  }))
  if (!guild) world.directs.add(user.id)
  const message = world.messages.create(
    {
      channel_id: guild?.channelId ?? user.id,
      author,
      type: replyTo ? REPLY : PLAIN,
      mentions: mentions as Message['mentions'],
      mention_everyone: everyone,
      ...(replyTo ? { message_reference: { type: 0, channel_id: replyTo.channel_id, message_id: replyTo.id } } : {}),
    },
    { body: { content: text }, uploads, fileLimitBytes: DEFAULT_FILE_LIMIT_BYTES },
    0,
  )
  const { user: _user, ...member } = memberPayload(author, roles, 0n)
  const place = guild ? { guild_id: guild.id, member } : {}
  const isReadable = !guild || mentions.some(({ id }) => id === world.bot.id)
  return {
    message,
    told(intents) {
      const wanted = guild ? GatewayIntentBits.GuildMessages : GatewayIntentBits.DirectMessages
      if ((intents & wanted) === 0 || guild?.installed === false) return undefined
      const isWhole = isReadable || (intents & GatewayIntentBits.MessageContent) !== 0
      return { ...message, ...place, ...(isWhole ? {} : CONTENT) }
    },
  }
}
