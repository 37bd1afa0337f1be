/** One interaction: what was sent, what the bot made of it, and how a test waits for more. */
import type { APIApplicationCommandOptionChoice, APIBaseInteraction, InteractionType } from 'discord-api-types/v10'
import type { Component, MessageBody } from './limits.js'
import type { Message, Version } from './messages.js'
import { until, type World } from './world.js'

/** The bot's first answer, as it sent it. */
export interface Callback {
  type: number
  data?: (MessageBody & { choices?: APIApplicationCommandOptionChoice[]; custom_id?: string; title?: string }) | null
}

export type Sent = APIBaseInteraction<InteractionType, unknown> & { channel_id: string }

// A machine that others use may take several times as long as a quiet one.
const WAIT_MS = 20_000

export class Interaction {
  /** Epoch ms on the double's clock: the 3 s and the 15 min count from here. */
  readonly sentAt: number
  callback: Callback | null = null
  /** How long the bot took to answer. */
  firstAnswerMs: number | null = null
  /** Which message `@original` means: the answer, or for an update the message that was clicked. */
  originalId: string | null = null
  readonly followUpIds: string[] = []

  constructor(
    readonly payload: Sent,
    private readonly world: World,
    /** For people who read a failure, e.g. `/container start`. */
    readonly label: string,
    /** The message whose component was used, and for a form the interaction that opened it. */
    readonly from: { messageId?: string | null; opener?: Interaction } = {},
  ) {
    this.sentAt = world.now()
  }

  get sourceId(): string | null {
    return this.from.messageId ?? null
  }

  get id(): string {
    return this.payload.id
  }

  get token(): string {
    return this.payload.token
  }

  get deferred(): boolean {
    return this.callback?.type === 5 || this.callback?.type === 6
  }

  /** What autocompletion offered. */
  get choices(): readonly APIApplicationCommandOptionChoice[] | null {
    return this.callback?.type === 8 ? (this.callback.data?.choices ?? []) : null
  }

  /** The form the bot opened. */
  get modal(): { custom_id: string; title: string; components: Component[] } | null {
    return this.callback?.type === 9 ? (this.callback.data as NonNullable<Interaction['modal']>) : null
  }

  /** The answer's message as it is now; null before there is one and after it was deleted. */
  message(): Message | null {
    return this.world.messages.find(this.originalId)
  }

  /** What the asker sees of it: the answer, or what came after an answer that was taken back. */
  answer(): Message | null {
    return this.message() ?? (this.originalId === null ? null : (this.followUps.at(-1) ?? null))
  }

  /** Every state of that message, the first included, whoever changed it. */
  get edits(): readonly Version[] {
    return this.world.messages.history(this.originalId)
  }

  get followUps(): Message[] {
    return this.followUpIds.map((id) => this.world.messages.find(id)).filter((message) => message !== null)
  }

  /** Resolves once the bot has answered at all, a deferral included. */
  firstAnswer(timeoutMs = WAIT_MS): Promise<Callback> {
    return this.until(() => this.callback, timeoutMs, 'was not answered')
  }

  /** Resolves with what the asker sees once it fulfils the predicate. A deferral's empty message counts too. */
  waitFor(predicate: (message: Message) => boolean, timeoutMs = WAIT_MS): Promise<Message> {
    const look = () => {
      const message = this.answer()
      return message && predicate(message) ? message : null
    }
    return this.until(look, timeoutMs, 'has no such message')
  }

  private until<T>(look: () => T | null, timeoutMs: number, complaint: string): Promise<T> {
    const seen = () => {
      const { content, embeds } = this.message() ?? {}
      const state = JSON.stringify({ content, embeds, violations: this.world.violations })
      return `${this.label} ${complaint}; at the end: ${state}`
    }
    return until(this.world.changes, look, timeoutMs, seen)
  }
}
