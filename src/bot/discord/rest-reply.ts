// Answers to interactions and to messages, over Discord's REST API.

import { DiscordAPIError, type REST } from '@discordjs/rest'
import {
  type APIInteraction,
  type APIMessage,
  InteractionResponseType,
  MessageFlags,
  Routes,
} from 'discord-api-types/v10'
import type { Message } from './render.js'
import { type Reply, ReplyError } from './reply.js'

/** Unknown channel, message, webhook, interaction; missing access; an expired token. */
const GONE = new Set<number | string>([10003, 10008, 10015, 10062, 50001, 50013, 50027])

function replyError(cause: unknown): ReplyError {
  if (!(cause instanceof DiscordAPIError)) {
    return new ReplyError('failed', cause instanceof Error ? cause.message : String(cause), { cause })
  }
  // The error itself carries the request's address, and with it the interaction's token: only its words are kept.
  const words = `${cause.code}: ${cause.message}`
  if (GONE.has(cause.code)) return new ReplyError('gone', words)
  return new ReplyError(cause.status >= 400 && cause.status < 500 ? 'refused' : 'failed', words)
}

const wireFiles = (message: Message) =>
  message.files.map(({ name, contentType, data }) => ({ name, contentType, data }))

export interface ReplyRest {
  /** Needs no token: an interaction's own is in its addresses. */
  readonly interaction: REST
  /** With the bot's token; without it nothing can be posted. */
  readonly bot?: REST
}

/** @throws ReplyError */
async function guarded(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    throw replyError(error)
  }
}

/** Below a message, in its channel; calls nobody, not even whom it answers. @param bot with its token @throws ReplyError */
export async function answerMessage(
  bot: REST,
  { id, channel_id: channel }: Pick<APIMessage, 'id' | 'channel_id'>,
  answer: Message,
): Promise<void> {
  const body = {
    ...answer.body,
    allowed_mentions: { parse: [], replied_user: false },
    // What has been deleted meanwhile is answered all the same: its author waits for that.
    message_reference: { message_id: id, fail_if_not_exists: false },
  }
  await guarded(bot.post(Routes.channelMessages(channel), { body, files: wireFiles(answer) }))
}

export function restReply({ interaction: rest, bot }: ReplyRest, payload: APIInteraction): Reply {
  const { id, token, application_id: application } = payload
  let isAnswered = false
  const answer = async (body: object, files: ReturnType<typeof wireFiles> = []): Promise<void> => {
    await guarded(rest.post(Routes.interactionCallback(id, token), { body, files, auth: false }))
    isAnswered = true
  }
  return {
    get isAnswered() {
      return isAnswered
    },
    defer: (ephemeral) =>
      answer({
        type: InteractionResponseType.DeferredChannelMessageWithSource,
        data: ephemeral ? { flags: MessageFlags.Ephemeral } : {},
      }),
    deferUpdate: () => answer({ type: InteractionResponseType.DeferredMessageUpdate }),
    whisper: (message) =>
      answer(
        {
          type: InteractionResponseType.ChannelMessageWithSource,
          data: { ...message.body, flags: MessageFlags.Ephemeral },
        },
        wireFiles(message),
      ),
    update: (message) =>
      answer({ type: InteractionResponseType.UpdateMessage, data: message.body }, wireFiles(message)),
    openForm: (form) => answer({ type: InteractionResponseType.Modal, data: form }),
    autocomplete: (choices) =>
      answer({ type: InteractionResponseType.ApplicationCommandAutocompleteResult, data: { choices } }),
    edit: (message) =>
      guarded(
        rest.patch(Routes.webhookMessage(application, token), {
          body: message.body,
          files: wireFiles(message),
          auth: false,
        }),
      ),
    followUp: (message) =>
      guarded(
        rest.post(Routes.webhook(application, token), { body: message.body, files: wireFiles(message), auth: false }),
      ),
    async post(content, userId) {
      const channel = payload.channel?.id
      if (channel === undefined) throw new ReplyError('gone', 'the interaction names no channel')
      if (bot === undefined) throw new ReplyError('gone', 'there is no DISCORD_TOKEN to post with')
      const body = { content, allowed_mentions: { parse: [], users: [userId] } }
      await guarded(bot.post(Routes.channelMessages(channel), { body }))
    },
  }
}
