/** Discord's error answers. @see https://docs.discord.com/developers/topics/opcodes-and-status-codes#json */
import type { Problem } from './limits.js'

const REFUSALS = {
  0: [401, '401: Unauthorized'],
  10003: [404, 'Unknown Channel'],
  10004: [404, 'Unknown Guild'],
  10008: [404, 'Unknown Message'],
  10015: [404, 'Unknown Webhook'],
  10062: [404, 'Unknown interaction'],
  40005: [413, 'Request entity too large'],
  40060: [400, 'Interaction has already been acknowledged.'],
  40094: [400, 'You have reached the maximum number of follow-up messages for this interaction.'],
  50001: [403, 'Missing Access'],
  50006: [400, 'Cannot send an empty message'],
  50007: [403, 'Cannot send messages to this user'],
  50027: [401, 'Invalid Webhook Token'],
  50035: [400, 'Invalid Form Body'],
} as const satisfies Record<number, readonly [number, string]>

export class Refusal extends Error {
  readonly status: number

  /** @param problems what the bot should not have sent: each becomes a violation. Bad timing is none. */
  constructor(
    readonly code: keyof typeof REFUSALS,
    readonly problems: Problem[] = [],
  ) {
    super(REFUSALS[code][1])
    this.status = REFUSALS[code][0]
  }

  get body() {
    const _errors = this.problems.map(({ message }) => ({ code: this.code, message }))
    return { code: this.code, message: this.message, ...(_errors.length > 0 ? { errors: { _errors } } : {}) }
  }
}
