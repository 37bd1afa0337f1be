// A message that calls the bot, or is written to it alone: a question like one of /ask, answered below it.
//
// No privileged intent is needed for it: Discord gives the content of messages that mention the bot or are written to it.
import { randomUUID } from 'node:crypto'
import type { REST } from '@discordjs/rest'
import { type GatewayMessageCreateDispatchData, MessageType } from 'discord-api-types/v10'
import type { Logger } from 'pino'
import { type Actions, AppError, type Lang } from '../../actions/index.js'
import type { Config } from '../config.js'
import type { Pictures } from '../pictures.js'
import { createAnswers } from './answer.js'
import { sendCard } from './follow.js'
import { textOf } from './message-text.js'
import { firstTime } from './once.js'
import { principalReader } from './principal.js'
import { answerMessage } from './rest-reply.js'
import { createUnderWay } from './under-way.js'

export interface MentionsOptions {
  readonly config: Config
  readonly actions: Actions
  readonly log: Logger
  readonly pictures: Pictures
  /** Epoch ms. */
  readonly now: () => number
  /** With the bot's token. */
  readonly rest: REST
}

export interface Mentions {
  /**
   * Of whatever message there is, answers those that are meant for the bot. Never rejects.
   * @param self the bot's own id as a user
   */
  handle(message: GatewayMessageCreateDispatchData, self: string): Promise<void>
  /** As `Interactions.close`. */
  close(graceMs: number): Promise<void>
}

/** What people write, as opposed to what Discord writes in their name: who joined, what was pinned. */
const WRITTEN: readonly MessageType[] = [MessageType.Default, MessageType.Reply]

/** @returns the question; undefined for what is not meant for the bot */
function questionIn(message: GatewayMessageCreateDispatchData, self: string): string | undefined {
  const { author, webhook_id: webhook, type, mentions, mention_everyone: everyone, content, guild_id: guild } = message
  if (author.bot || author.system || webhook !== undefined || everyone || !WRITTEN.includes(type)) return undefined
  const isDirect = guild === undefined
  if (!isDirect && !mentions.some(({ id }) => id === self)) return undefined
  const question = textOf(message, self)
  // Whoever replies to the bot calls it without meaning to: Discord does so by itself.
  const isCalled = isDirect || new RegExp(`<@!?${self}>`).test(content)
  return question === '' && !isCalled ? undefined : question
}

/** Messages do not say which language their author has set. */
const langOfText = (text: string): Lang => (/\p{sc=Han}/u.test(text) ? 'zh' : 'en')

export function createMentions({ config, actions, log, pictures, now, rest }: MentionsOptions): Mentions {
  const principals = principalReader(config, (guild) => actions.settings.of(guild).roles)
  const abort = new AbortController()
  const answers = createAnswers({ gate: actions.gate, now, signal: abort.signal, pictures })
  const underWay = createUnderWay()
  const isNew = firstTime(now)
  let isClosing = false

  async function answer(message: GatewayMessageCreateDispatchData, question: string): Promise<void> {
    const { id, channel_id: channel } = message
    const requestId = randomUUID()
    const child = log.child({ requestId, message: id })
    const asker = {
      principal: principals.ofAuthor(message),
      channel,
      lang: langOfText(question),
      requestId,
      log: child,
    }
    try {
      const { card } = await answers.to({ action: 'ask', input: { question } }, asker)
      // The question stands right above.
      const { about: _, ...view } = card.view
      await sendCard((answer) => answerMessage(rest, message, answer), { ...card, view }, child)
    } catch (error) {
      child.warn({ err: error }, 'an answer did not reach Discord')
    }
  }

  return {
    async handle(message, self) {
      const question = questionIn(message, self)
      if (question === undefined || isClosing || !isNew(message.id)) return
      return underWay.track(answer(message, question))
    },
    async close(graceMs) {
      isClosing = true
      await underWay.settled(graceMs)
      abort.abort(new AppError('SHUTTING_DOWN'))
    },
  }
}
