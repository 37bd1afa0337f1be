// How an interaction is answered: the port that every transport speaks through.
import type { APIApplicationCommandOptionChoice, APIModalInteractionResponseCallbackData } from 'discord-api-types/v10'
import type { Message } from './render.js'

/**
 * Milliseconds in which Discord still accepts an edit of this reply; 0 once the token has expired.
 * @param issuedAt epoch ms @param now epoch ms
 * @see Discord, "Receiving and Responding": tokens are valid for 15 minutes
 */
export const replyWindowMs = (issuedAt: number, now: number): number => Math.max(0, issuedAt + 15 * 60_000 - now)

export type ReplyFailure =
  /** Too late, or the message or its channel is no longer there: nothing more can be shown in this place. */
  | 'gone'
  /** Discord will not have this content; another may do. */
  | 'refused'
  /** Discord or the network failed, after all retries. */
  | 'failed'

export class ReplyError extends Error {
  readonly failure: ReplyFailure
  /** Discord's own, where it gave one. */
  readonly code?: number

  constructor(failure: ReplyFailure, message: string, options: ErrorOptions & { readonly code?: number } = {}) {
    super(message, options)
    this.name = 'ReplyError'
    this.failure = failure
    if (options.code !== undefined) this.code = options.code
  }
}

/** Every method rejects with ReplyError. The first answer must be given within 3 s of the interaction. */
export interface Reply {
  /** Whether a first answer was accepted: from then on there is something to edit. */
  readonly isAnswered: boolean
  /** First answer: "thinking…", seen by the asker alone if `ephemeral`. */
  defer(ephemeral: boolean): Promise<void>
  /** First answer to a click: the message with the button will be edited. */
  deferUpdate(): Promise<void>
  /** First answer: a message for the asker alone. */
  whisper(message: Message): Promise<void>
  /** First answer to a click: the message with the button becomes this one. */
  update(message: Message): Promise<void>
  /** First answer to a command or a click: a form, which comes back as an interaction of its own. */
  openForm(form: APIModalInteractionResponseCallbackData): Promise<void>
  /** First answer to a request for completions. */
  autocomplete(choices: readonly APIApplicationCommandOptionChoice<string>[]): Promise<void>
  /** In place of what was deferred for everyone to see: a message for the asker alone. */
  takeBack(message: Message): Promise<void>
  /** Of what was deferred or answered, within 15 minutes. */
  edit(message: Message): Promise<void>
  /** A message of its own below what was answered, for everyone there, within 15 minutes. @returns its id */
  followUp(message: Message): Promise<string>
}
