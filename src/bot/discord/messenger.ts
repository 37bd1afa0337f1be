// What the bot says by itself, with its own token: in channels, and to one person.
import type { Message } from './render.js'

/** Every method rejects with ReplyError. */
export interface Messenger {
  /** @returns the message's id */
  post(channel: string, message: Message): Promise<string>
  /** A message of the bot's own. */
  edit(channel: string, id: string, message: Message): Promise<void>
  /** A direct message. */
  tell(user: string, message: Message): Promise<void>
  /** @returns the guild that a channel is of; undefined for a direct one */
  guildOf(channel: string): Promise<string | undefined>
}

/** @param told in Discord's markdown @returns words that call one person and nobody else */
export const calling = (user: string, told: string): Message => ({
  body: {
    content: `<@${user}> ${told}`,
    embeds: [],
    components: [],
    allowed_mentions: { parse: [], users: [user] },
    attachments: [],
  },
  files: [],
})
