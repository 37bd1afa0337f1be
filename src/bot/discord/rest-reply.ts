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

/** Unknown channel, message, webhook, interaction; missing access; nobody who takes it; an expired token. */
const GONE = new Set<number | string>([10003, 10008, 10015, 10062, 50001, 50007, 50013, 50027])

function replyError(cause: unknown): ReplyError {
  if (!(cause instanceof DiscordAPIError)) {
    return new ReplyError('failed', cause instanceof Error ? cause.message : String(cause), { cause })
  }
  // The error itself carries the request's address, and with it the interaction's token: only its words are kept.
  const words = `${cause.code}: ${cause.message}`
  const code = typeof cause.code === 'number' ? { code: cause.code } : {}
  if (GONE.has(cause.code)) return new ReplyError('gone', words, code)
  return new ReplyError(cause.status >= 400 && cause.status < 500 ? 'refused' : 'failed', words, code)
}

/** @returns what Discord answered @throws ReplyError */
export async function guarded(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work
  } catch (error) {
    throw replyError(error)
  }
}

export const wireFiles = (message: Message) =>
  message.files.map(({ name, contentType, data }) => ({ name, contentType, data }))

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

/** @param rest whose token is not used: an interaction brings its own */
export function restReply(rest: REST, payload: APIInteraction): Reply {
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
    async takeBack(message) {
      // First away with it: Discord would make the next message the deferred one, and show that to everyone.
      await guarded(rest.delete(Routes.webhookMessage(application, token), { auth: false }))
      const body = { ...message.body, flags: MessageFlags.Ephemeral }
      const files = wireFiles(message)
      await guarded(rest.post(Routes.webhook(application, token), { body, files, auth: false }))
    },
    async edit(message) {
      const { body } = message
      const url = Routes.webhookMessage(application, token)
      await guarded(rest.patch(url, { body, files: wireFiles(message), auth: false }))
    },
    async followUp(message) {
      const { body } = message
      const url = Routes.webhook(application, token)
      const { id } = (await guarded(rest.post(url, { body, files: wireFiles(message), auth: false }))) as APIMessage
      return id
    },
  }
}
