// A call that waits for others: shown to them in public, and kept true there until it is over, whatever restarts meanwhile.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Approval,
  approvalOutput,
  approvalView,
  type Bilingual,
  type Block,
  becauseOf,
  type ChannelProblem,
  type Lang,
  type NoticeRow,
  PROBLEM_WORDS,
  say,
} from '../../actions/index.js'
import { callAsker, canEditStill, type Followed, type FollowOptions, show } from './follow.js'
import { escapeText } from './markdown.js'
import { type Card, type Message, render } from './render.js'
import { ReplyError } from './reply.js'
import { WORDS } from './words.js'

const LOOK_EVERY_MS = 2_000
/** Where Discord failed, and may again. */
const RETRY_MS = 30_000

export interface Waiting extends Followed {
  readonly approval: Approval
  /** The asker's card, which confirms or cancels. */
  readonly card: Card
  /** Of what everybody reads. */
  readonly publicLang: Lang
}

export interface ApprovalNotices {
  /**
   * Shows a request to those who decide, in the guild's channel for that or else where it was made, and to its asker what
   * they wait for. Rejects with ReplyError when the asker's own card could not be shown.
   */
  open(waiting: Waiting): Promise<void>
  /** Keeps every notice true, those of an earlier run included. @returns once `stop` has fired */
  follow(): Promise<void>
}

/** Discord, "JSON Error Codes": unknown channel; missing access, missing permissions. */
const PROBLEMS: Readonly<Record<number, ChannelProblem>> = { 10003: 'gone', 50001: 'forbidden', 50013: 'forbidden' }
const problemOf = ({ code }: ReplyError): ChannelProblem | undefined =>
  code === undefined ? undefined : PROBLEMS[code]

/** What of a request changes what its notice says. */
const stateOf = ({ state, ended, givenBy, missing, declined }: Approval): string =>
  JSON.stringify([state, ended, givenBy, missing, declined])

const messageOf = (approval: Approval, lang: Lang): Message =>
  render({ view: approvalView(approvalOutput(approval, lang), lang), lang })

const withBlocks = (card: Card, blocks: readonly Block[]): Card => ({
  ...card,
  view: { ...card.view, blocks: [...card.view.blocks, ...blocks] },
})

function decisionOf({ id, givenBy, declined }: Approval, lang: Lang): string {
  if (!declined) return say(lang, WORDS.approved, { by: givenBy.join(', '), approval: id })
  return say(lang, WORDS.declined, { by: declined.by, because: becauseOf(declined)[lang], approval: id })
}

export function createApprovalNotices(options: FollowOptions): ApprovalNotices {
  const { actions, messenger, log, now, stop } = options
  const { approvals, notices, settings } = actions
  /** Those that this process can still edit the asker's own card of. */
  const waitings = new Map<string, Waiting>()
  /** On their way into a channel. */
  const opening = new Set<string>()
  const retryAt = new Map<string, number>()

  /** In the guild's channel for it. @returns where that is, and what the asker is told of it */
  async function inChannel({ principal: { tenant }, approval, lang, publicLang }: Waiting) {
    const { approvals: channel } = settings.of(tenant)
    if (channel === undefined) return { blocks: [] }
    let why: Bilingual = WORDS.discordFailed
    const note = (problem: ChannelProblem): void => {
      why = PROBLEM_WORDS[problem]
      settings.note(tenant, channel, problem)
    }
    try {
      // What is asked of one guild is not shown to another, whatever channel was set.
      if ((await messenger.guildOf(channel)) === tenant) {
        const message = await messenger.post(channel, messageOf(approval, publicLang))
        settings.note(tenant, channel, undefined)
        const facts = [{ label: WORDS.shownIn[lang], value: channel, refers: 'channel' }] as const
        return { place: { channel, message }, blocks: [{ kind: 'facts', facts }] satisfies Block[] }
      }
      note('elsewhere')
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error
      log.warn({ err: error, approval: approval.id }, 'a request could not be shown in the channel for approvals')
      const problem = problemOf(error)
      if (problem) note(problem)
    }
    const text = say(lang, WORDS.notShownThere, { why: why[lang] })
    return { blocks: [{ kind: 'text', text }] satisfies Block[] }
  }

  async function update(row: NoticeRow, approval: Approval, state: string): Promise<void> {
    const { channel, message, tenant } = row
    if (channel !== null && message !== null) {
      try {
        await messenger.edit(channel, message, messageOf(approval, row.lang))
      } catch (error) {
        if (!(error instanceof ReplyError)) throw error
        log.warn({ err: error, approval: row.approval }, 'a notice of an approval could not be brought up to date')
        if (error.failure === 'failed') {
          retryAt.set(row.approval, now() + RETRY_MS)
          return
        }
        const problem = problemOf(error)
        if (problem) settings.note(tenant, channel, problem)
        notices.place(row.approval, undefined)
      }
    }
    retryAt.delete(row.approval)
    notices.shows(row.approval, state)
  }

  async function tell(row: NoticeRow, approval: Approval): Promise<void> {
    const told = decisionOf(approval, row.asker_lang)
    const waiting = waitings.get(row.approval)
    if (waiting && canEditStill(waiting, now())) {
      const { declined } = approval
      const { buttons = [], ...card } = withBlocks(waiting.card, [{ kind: 'text', text: told }])
      const view = { ...card.view, tone: declined ? 'bad' : 'good' } as const
      await show(waiting.reply, { ...card, view, ...(declined ? {} : { buttons }) }, log).catch((error: unknown) => {
        if (!(error instanceof ReplyError)) throw error
        log.warn({ err: error, approval: row.approval }, 'news of an approval did not reach Discord')
      })
    }
    await callAsker({ user: row.asker, channel: row.asked_in ?? undefined }, escapeText(told), options)
    notices.told(row.approval)
  }

  async function keepTrue(row: NoticeRow): Promise<void> {
    const approval = opening.has(row.approval) ? undefined : approvals.get(row.approval)
    if (approval === undefined) return
    const state = stateOf(approval)
    if (state !== row.shown && (retryAt.get(row.approval) ?? 0) <= now()) await update(row, approval, state)
    const isDecided = approval.state === 'given' || approval.state === 'declined'
    if (isDecided && row.told === 0) await tell(row, approval)
    const isOver = approval.state === 'over' || approval.state === 'declined'
    if (isOver && !retryAt.has(row.approval)) {
      notices.remove(row.approval)
      waitings.delete(row.approval)
    }
  }

  return {
    async open(waiting) {
      const { approval, principal, lang, publicLang, reply, channel } = waiting
      opening.add(approval.id)
      try {
        notices.insert({
          approval: approval.id,
          tenant: principal.tenant,
          lang: publicLang,
          channel: null,
          message: null,
          shown: stateOf(approval),
          asker: principal.id,
          asker_lang: lang,
          asked_in: channel ?? null,
          told: 0,
        })
        const { place, blocks } = await inChannel(waiting)
        if (place) notices.place(approval.id, place)
        const card = withBlocks(waiting.card, blocks)
        waitings.set(approval.id, { ...waiting, card })
        await show(reply, card, log)
        if (place === undefined) {
          const message = await reply.followUp(messageOf(approval, publicLang))
          if (channel !== undefined) notices.place(approval.id, { channel, message })
        }
      } finally {
        opening.delete(approval.id)
      }
    },
    async follow() {
      while (!stop.aborted) {
        const looks = await Promise.allSettled(notices.all().map(keepTrue))
        for (const look of looks) {
          if (look.status === 'rejected') log.error({ err: look.reason }, 'an approval could not be followed')
        }
        await sleep(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => {})
      }
    },
  }
}
