// The bot's own messages over Discord's REST API.
import type { REST } from '@discordjs/rest'
import { type APIChannel, type APIMessage, Routes } from 'discord-api-types/v10'
import type { Messenger } from './messenger.js'
import type { Message } from './render.js'
import { ReplyError } from './reply.js'
import { guarded, wireFiles } from './rest-reply.js'

/** @param rest with the bot's token; without it nothing can be said */
export function restMessenger(rest: REST | undefined): Messenger {
  const bot = (): REST => {
    if (rest === undefined) throw new ReplyError('gone', 'there is no DISCORD_TOKEN to post with')
    return rest
  }
  /** A channel never moves to another guild. */
  const guilds = new Map<string, string | undefined>()
  const requestOf = (message: Message) => ({ body: message.body, files: wireFiles(message) })

  async function post(channel: string, message: Message): Promise<string> {
    const { id } = (await guarded(bot().post(Routes.channelMessages(channel), requestOf(message)))) as APIMessage
    return id
  }
  return {
    post,
    async edit(channel, id, message) {
      await guarded(bot().patch(Routes.channelMessage(channel, id), requestOf(message)))
    },
    async tell(user, message) {
      const body = { recipient_id: user }
      const { id } = (await guarded(bot().post(Routes.userChannels(), { body }))) as APIChannel
      await post(id, message)
    },
    async guildOf(channel) {
      if (!guilds.has(channel)) {
        const found = (await guarded(bot().get(Routes.channel(channel)))) as APIChannel
        guilds.set(channel, 'guild_id' in found ? found.guild_id : undefined)
      }
      return guilds.get(channel)
    },
  }
}
