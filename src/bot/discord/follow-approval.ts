// A call that waits for others: shown to them in public, and followed until they have decided, so that its asker is told.
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, type Approval, approvalOutput, approvalView, becauseOf, say } from '../../actions/index.js'
import { callAsker, canEditStill, type Followed, type FollowOptions, show } from './follow.js'
import { escapeText } from './markdown.js'
import { type Card, render } from './render.js'
import { ReplyError } from './reply.js'
import { WORDS } from './words.js'

const LOOK_EVERY_MS = 2_000

export interface FollowedApproval extends Followed {
  readonly approval: Approval
  /** The asker's card, which confirms or cancels. */
  readonly card: Card
}

/** Whoever may decide finds it in the channel, whether or not the asker's own card can be seen there. */
export const announce = ({ approval, lang, reply }: FollowedApproval): Promise<void> =>
  reply.followUp(render({ view: approvalView(approvalOutput(approval, lang), lang), lang }))

const isOver = (error: unknown): boolean => error instanceof AppError && error.code === 'APPROVAL_NOT_FOUND'

/** @returns once others have decided and the asker was told, it was withdrawn or has expired, or `stop` has fired */
export async function followApproval(
  followed: FollowedApproval,
  { actions, log, now, stop }: FollowOptions,
): Promise<void> {
  const { card, principal, lang, reply } = followed
  const look = (): Approval | undefined => {
    try {
      return actions.approvals.show(followed.approval.id, principal)
    } catch (error) {
      if (isOver(error)) return undefined
      throw error
    }
  }
  let approval = look()
  while (approval?.state === 'open') {
    await sleep(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => {})
    if (stop.aborted) return
    approval = look()
  }
  if (approval === undefined || approval.state === 'over') return
  const { id, givenBy, declined } = approval
  const told = declined
    ? say(lang, WORDS.declined, { by: declined.by, because: becauseOf(declined)[lang], approval: id })
    : say(lang, WORDS.approved, { by: givenBy.join(', '), approval: id })
  if (canEditStill(followed, now())) {
    const tone = declined ? 'bad' : 'good'
    const blocks = [...card.view.blocks, { kind: 'text', text: told } as const]
    const { buttons = [], ...rest } = card
    const view = { ...card.view, tone, blocks } as const
    await show(reply, { ...rest, view, ...(declined ? {} : { buttons }) }, log).catch((error: unknown) => {
      if (!(error instanceof ReplyError)) throw error
      log.warn({ err: error, approval: id }, 'news of an approval did not reach Discord')
    })
  }
  await callAsker(followed, escapeText(told))
}
