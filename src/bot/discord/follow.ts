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
import { calling, type Messenger } from './messenger.js'
import { type Card, type Message, render } from './render.js'
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
  /** Where it was asked, by its id. */
  readonly channel?: string
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
  readonly messenger: Messenger
  readonly log: Logger
  /** Epoch ms. */
  readonly now: () => number
  /** Ends the following, not what is followed. */
  readonly stop: AbortSignal
}

export const canEditStill = ({ issuedAt }: Followed, now: number): boolean => replyWindowMs(issuedAt, now) > MARGIN_MS

/** Somebody to be called, by id, and where. */
export interface Called {
  readonly user: string
  readonly channel: string | undefined
}

/**
 * Calls somebody in public, or by a direct message where that cannot be. Does not reject for what Discord refuses.
 * @param told in Discord's markdown @param card what a direct message says instead: nobody else reads it
 */
export async function callAsker(
  { user, channel }: Called,
  told: string,
  { messenger, log }: Pick<FollowOptions, 'messenger' | 'log'>,
  card?: Card,
): Promise<void> {
  const reached = async (send: () => Promise<unknown>, where: string): Promise<boolean> => {
    try {
      await send()
      return true
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error
      log.warn({ err: error, user }, `the asker could not be told ${where}`)
      return false
    }
  }
  const message = calling(user, told)
  if (channel !== undefined && (await reached(() => messenger.post(channel, message), 'in the channel'))) return
  await reached(() => messenger.tell(user, card ? render(card) : message), 'by a direct message')
}

/** Sends a card; one that Discord will not take goes without its buttons. @param send rejects with ReplyError */
export async function sendCard(send: (message: Message) => Promise<void>, card: Card, log: Logger): Promise<void> {
  try {
    await send(render(card))
  } catch (error) {
    if (!(error instanceof ReplyError) || error.failure !== 'refused') throw error
    log.error({ err: error }, 'Discord refused a message; sending it without buttons')
    await send(render({ ...card, plain: true }))
  }
}

/** Shows a card where the reply is. */
export const show = (reply: Reply, card: Card, log: Logger): Promise<void> =>
  sendCard((message) => reply.edit(message), card, log)

/** @returns once the job has ended and its asker was told, or `stop` has fired */
export async function followJob(followed: FollowedJob, options: FollowOptions): Promise<void> {
  const { actions, log, now, stop } = options
  const { jobId, principal, lang, notes, reply } = followed
  let shown = ''
  let canEdit = true

  /** @returns whether it is to be seen there */
  async function edit(card: Card): Promise<boolean> {
    try {
      await show(reply, card, log)
      return true
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error
      // An edit that failed once is followed by the next; a place that is gone stays gone.
      if (error.failure === 'gone') canEdit = false
      else shown = ''
      log.warn({ err: error, job: jobId }, 'a progress edit did not reach Discord')
      return false
    }
  }

  for (;;) {
    const job = await within(stop, EDIT_EVERY_MS, (signal) => actions.jobs.wait(jobId, principal.tenant, signal))
    if (stop.aborted) return
    if (!canEditStill(followed, now())) canEdit = false
    const hasEnded = job.finishedAt !== undefined
    const view = jobView(jobOutput(job, { artifacts: actions.artifacts, principal, lang, now }), lang)
    const card = { view: { ...view, blocks: [...view.blocks, ...notes] }, lang }
    const state = JSON.stringify(view)
    let isShown = canEdit && state === shown
    if (canEdit && !isShown) {
      shown = state
      isShown = await edit(card)
    }
    if (!hasEnded) continue
    if (!isShown) {
      // In public it names the job and nothing of what it made.
      const told = say(lang, WORDS.jobEnded, { job: job.id, action: job.action })
      await callAsker({ user: principal.id, channel: followed.channel }, told, options, card)
    }
    return
  }
}
