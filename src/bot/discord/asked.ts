// An interaction, with what was read off it.
import type { APIInteraction } from 'discord-api-types/v10'
import type { Lang } from '../../actions/index.js'
import type { Asker } from './answer.js'
import type { Reply } from './reply.js'

export interface Asked<Payload extends APIInteraction = APIInteraction> extends Asker {
  readonly payload: Payload
  readonly reply: Reply
  /** Epoch ms, by our own clock: Discord's and ours may differ by minutes. */
  readonly issuedAt: number
  /** Of what everybody reads. */
  readonly publicLang: Lang
}

/** The same, for an answer that everybody reads. */
export const forAll = <T extends Asked>(asked: T): T => ({ ...asked, lang: asked.publicLang })
