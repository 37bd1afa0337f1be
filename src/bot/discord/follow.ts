// The rest of an answer that goes on: edits while a job runs, its end, and a call for the asker when edits are over.
import type { Logger } from 'pino'
import {
  type Actions,
  type Block,
  jobOutput,
  jobView,
  type Lang,
  type Principal,
  say,
  within,
} from '../../actions/index.js'
import { type Card, render } from './render.js'
import { type Reply, ReplyError, replyWindowMs } from './reply.js'
import { WORDS } from './words.js'

const EDIT_EVERY_MS = 2_000
/** An edit that is under way when the token expires is lost, so the last ones are not begun. */
const MARGIN_MS = 15_000

/** An answer that goes on. */
export interface Followed {
  /** The one who asked. */
  readonly principal: Principal
  readonly lang: Lang
  readonly reply: Reply
  /** Epoch ms: when the interaction came in. */
  readonly issuedAt: number
}

export interface FollowedJob extends Followed {
  readonly jobId: string
  /** What the first answer said that stays true to the end. */
  readonly notes: readonly Block[]
}

export interface FollowOptions {
  readonly actions: Actions
  readonly log: Logger
  /** Epoch ms. */
  readonly now: () => number
  /** Ends the following, not what is followed. */
  readonly stop: AbortSignal
}

export const canEditStill = ({ issuedAt }: Followed, now: number): boolean => replyWindowMs(issuedAt, now) > MARGIN_MS

/** Calls the asker, in public. @param told in Discord's markdown */
export const callAsker = ({ reply, principal }: Followed, told: string): Promise<void> =>
  reply.post(`<@${principal.id}> ${told}`, principal.id)

/** Shows a card where the reply is; one that Discord will not take is shown without its buttons. */
export async function show(reply: Reply, card: Card, log: Logger): Promise<void> {
  try {
    await reply.edit(render(card))
  } catch (error) {
    if (!(error instanceof ReplyError) || error.failure !== 'refused') throw error
    log.error({ err: error }, 'Discord refused a reply; showing it without buttons')
    await reply.edit(render({ ...card, plain: true }))
  }
}

/** @returns once the job has ended and its asker was told, or `stop` has fired */
export async function followJob(followed: FollowedJob, { actions, log, now, stop }: FollowOptions): Promise<void> {
  const { jobId, principal, lang, notes, reply } = followed
  let shown = ''
  let canEdit = true

  async function edit(card: Card): Promise<void> {
    try {
      await show(reply, card, log)
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error
      // An edit that failed once is followed by the next; a place that is gone stays gone.
      if (error.failure === 'gone') canEdit = false
      else shown = ''
      log.warn({ err: error, job: jobId }, 'a progress edit did not reach Discord')
    }
  }

  for (;;) {
    const job = await within(stop, EDIT_EVERY_MS, (signal) => actions.jobs.wait(jobId, principal.tenant, signal))
    if (stop.aborted) return
    if (!canEditStill(followed, now())) canEdit = false
    const hasEnded = job.finishedAt !== undefined
    if (canEdit) {
      const view = jobView(jobOutput(job, { artifacts: actions.artifacts, principal, lang, now }), lang)
      const state = JSON.stringify(view)
      if (state !== shown) {
        shown = state
        await edit({ view: { ...view, blocks: [...view.blocks, ...notes] }, lang })
      }
    }
    if (!hasEnded) continue
    if (!canEdit) {
      // In public, so it names the job and nothing of what it made.
      const told = say(lang, WORDS.jobEnded, { job: job.id, action: job.action })
      await callAsker(followed, told)
    }
    return
  }
}
