// What somebody wrote in a message, as others would read it.
import type { APIMessage } from 'discord-api-types/v10'

const MENTION = /<@!?(\d+)>/g

/** @param self the bot's own id: whoever calls it says nothing more by that @returns people by their names */
export const textOf = ({ content, mentions }: Pick<APIMessage, 'content' | 'mentions'>, self: string): string =>
  content
    .replaceAll(MENTION, (mention, id: string) => {
      if (id === self) return ''
      const user = mentions.find((one) => one.id === id)
      return user === undefined ? mention : `@${user.username}`
    })
    .trim()
