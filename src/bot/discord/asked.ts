// An interaction, with what was read off it.
import type { APIInteraction } from 'discord-api-types/v10'
import type { Asker } from './answer.js'
import type { Reply } from './reply.js'

export interface Asked<Payload extends APIInteraction = APIInteraction> extends Asker {
  readonly payload: Payload
  readonly reply: Reply
  /** Epoch ms, by our own clock: Discord's and ours may differ by minutes. */
  readonly issuedAt: number
}
