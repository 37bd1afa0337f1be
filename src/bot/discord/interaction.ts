// One interaction, whichever way it came: read as a call, taken through the gate, answered in its asker's language.
import { randomUUID } from 'node:crypto'
import {
  type APIApplicationCommandAutocompleteInteraction,
  type APIApplicationCommandInteraction,
  type APIChatInputApplicationCommandInteractionData,
  type APIInteraction,
  type APIMessageComponentInteraction,
  type APIModalSubmitInteraction,
  ApplicationCommandType,
  InteractionType,
  MessageFlags,
} from 'discord-api-types/v10'
import type { Logger } from 'pino'
import { type Actions, AppError, pendingError } from '../../actions/index.js'
import { createCompletions } from '../completions.js'
import type { Config } from '../config.js'
import type { Pictures } from '../pictures.js'
import { type CallRequest, createAnswers, errorCard } from './answer.js'
import { createApprovalNotices } from './approval-notices.js'
import { type Asked, forAll } from './asked.js'
import { attachmentSource, recalledSource } from './attachment.js'
import { readCommand } from './commands.js'
import { suggestionsOf } from './complete.js'
import { type Press, readCustomId } from './custom-id.js'
import { followJob, show } from './follow.js'
import { createForms } from './forms.js'
import type { Messenger } from './messenger.js'
import { firstTime } from './once.js'
import { principalReader, userOf } from './principal.js'
import { render } from './render.js'
import { type Reply, ReplyError } from './reply.js'
import { createUnderWay } from './under-way.js'
import { createWaitingCalls } from './waiting.js'
import { type Locales, langOf, publicLangOf, WORDS } from './words.js'

export interface InteractionsOptions {
  readonly config: Config
  readonly actions: Actions
  readonly log: Logger
  readonly pictures: Pictures
  readonly messenger: Messenger
  /** Epoch ms. */
  readonly now: () => number
}

export interface Interactions {
  /** Goes on with what an earlier run left waiting. */
  start(): void
  /** Resolves once the interaction has its answer, except for what a job adds later; one that came before has had it. Never rejects. */
  handle(payload: APIInteraction, reply: Reply): Promise<void>
  /** Refuses what is new, gives what is under way a grace, then aborts it. */
  close(graceMs: number): Promise<void>
}

/** How long a click on a confirmation is remembered: longer than its card can be clicked with effect. */
const CLICK_KEPT_MS = 5 * 60_000

export function createInteractions(options: InteractionsOptions): Interactions {
  const { config, actions, log, pictures, messenger, now } = options
  const { gate, workFolder } = actions
  const downloads = { config, workFolder }
  const principals = principalReader(config, (guild) => actions.settings.of(guild).roles)
  const completions = createCompletions({ gate, changes: actions.changes, surface: 'discord', log, now })
  const isNew = firstTime(now)
  const underWay = createUnderWay()
  const stopFollowing = new AbortController()
  const abort = new AbortController()
  const followOptions = { actions, messenger, now, stop: stopFollowing.signal }
  const notices = createApprovalNotices({ ...followOptions, log })
  const waiting = createWaitingCalls(now)
  const answers = createAnswers({ gate, now, signal: abort.signal, pictures, waiting })
  const forms = createForms({ actions, waiting, signal: abort.signal })
  /** Confirmations that were clicked here: a second click must not write over what the first one shows. */
  const clicked = new Set<string>()

  /** Carries out a command. */
  async function begin(request: CallRequest, asked: Asked): Promise<void> {
    const { private: isPrivate } = gate.registry.get(request.action)
    await asked.reply.defer(isPrivate)
    await carryOut(request, isPrivate ? asked : forAll(asked), isPrivate ? undefined : asked)
  }

  /**
   * @param asked already deferred
   * @param alone the same for the asker's eyes, where others see the answer: a refusal is not for them
   */
  async function carryOut(request: CallRequest, asked: Asked, alone?: Asked): Promise<void> {
    const { reply, log } = asked
    const { card, job, approval, refused } = await answers.to(request, asked)
    if (refused && alone) return reply.takeBack(render(errorCard(refused, alone)))
    if (approval) return notices.open({ ...asked, approval, card })
    try {
      await show(reply, card, log)
    } finally {
      if (job) follow(followJob({ ...asked, jobId: job.id, notes: job.notes }, { ...followOptions, log }), log)
    }
  }

  function follow(work: Promise<void>, log: Logger): void {
    void underWay.track(
      work.catch((error: unknown) => log.warn({ err: error }, 'what goes on could not be followed to its end')),
    )
  }

  async function onCommand(asked: Asked<APIApplicationCommandInteraction>): Promise<void> {
    const { data } = asked.payload
    if (data.type === ApplicationCommandType.ChatInput) return onSlash(data, asked)
    if (data.type !== ApplicationCommandType.Message) {
      throw new AppError('INVALID_INPUT', { problem: WORDS.unknownKind })
    }
    const request = await forms.forMessage(data, asked)
    if (request) await begin(request, asked)
  }

  async function onSlash(data: APIChatInputApplicationCommandInteractionData, asked: Asked): Promise<void> {
    const { action, input, attachment } = readCommand(data)
    const file =
      attachment &&
      (() => {
        const { url, filename, size } = attachment
        return attachmentSource({ url, name: filename, sizeBytes: size }, downloads)
      })
    await begin({ action, input, ...(file ? { file } : {}) }, asked)
  }

  /** What happens to a message that is there already, or to none. */
  type OnMessage = APIMessageComponentInteraction | APIModalSubmitInteraction

  const isSeenByAskerAlone = ({ payload }: Asked<OnMessage>): boolean =>
    ((payload.message?.flags ?? 0) & MessageFlags.Ephemeral) !== 0
  const isAsker = ({ payload }: Asked<OnMessage>): boolean =>
    payload.message?.interaction_metadata?.user.id === userOf(payload).id

  /** Decides whose click it is before it answers at all: a stranger's must not touch the card. */
  async function onDecision(
    { kind, token }: Press & { kind: 'confirm' | 'withdraw' },
    asked: Asked<APIMessageComponentInteraction>,
  ): Promise<void> {
    const { reply, principal, requestId } = asked
    const seen = isSeenByAskerAlone(asked) ? asked : forAll(asked)
    const clicker = { principal, requestId, surface: 'discord' } as const
    if (isAsker(asked) && clicked.has(token)) return reply.deferUpdate()
    let recalled: ReturnType<typeof gate.recall>
    try {
      recalled = gate.recall(token, clicker)
    } catch (error) {
      const isOver = error instanceof AppError && error.code === 'CONFIRMATION_EXPIRED'
      if (!isOver || !isAsker(asked)) throw error
      return reply.update(render(errorCard(error, seen)))
    }
    const approval = recalled.approval && kind === 'confirm' && actions.approvals.show(recalled.approval, principal)
    // For the clicker alone: the card is still to be clicked.
    if (approval && approval.state === 'open') throw pendingError(approval)
    clicked.add(token)
    setTimeout(() => clicked.delete(token), CLICK_KEPT_MS).unref()

    if (kind === 'withdraw') {
      const { lang } = seen
      gate.withdraw(token, clicker)
      const blocks = [{ kind: 'text', text: WORDS.nothingDone[lang] }] as const
      return reply.update(render({ view: { tone: 'info', heading: WORDS.cancelled[lang], blocks }, lang }))
    }
    try {
      await reply.deferUpdate()
    } catch (error) {
      // Nothing has run, so a second click must count.
      clicked.delete(token)
      throw error
    }
    const { action, input, file } = recalled
    const source = file && (() => recalledSource(file, downloads))
    await carryOut({ action, input, confirm: token, ...(source ? { file: source } : {}) }, seen)
  }

  /** Carries out what a button or a form of a message stands for. */
  async function onMessage(request: CallRequest, asked: Asked<OnMessage>): Promise<void> {
    const { payload, reply } = asked
    const { private: isPrivate } = gate.registry.get(request.action)
    const isOwn = isSeenByAskerAlone(asked)
    // In place for whoever the message answers, unless that would show everyone what is for one alone.
    const inPlace = isAsker(asked) && (isOwn || !isPrivate)
    const isWhispered = payload.message !== undefined || isPrivate
    await (inPlace ? reply.deferUpdate() : reply.defer(isWhispered))
    await carryOut(request, (inPlace ? isOwn : isWhispered) ? asked : forAll(asked))
  }

  async function onClick(asked: Asked<APIMessageComponentInteraction>): Promise<void> {
    const press = readCustomId(asked.payload.data.custom_id)
    switch (press?.kind) {
      case 'confirm':
      case 'withdraw':
        return onDecision(press, asked)
      case 'reason':
        return forms.forReason(press, asked)
      case 'do':
        if (!(await forms.forChoice(press, asked))) await onMessage(press, asked)
        return
      default:
        throw new AppError('INVALID_INPUT', { problem: WORDS.unknownButton })
    }
  }

  async function onTyping(asked: Asked<APIApplicationCommandAutocompleteInteraction>): Promise<void> {
    const { payload, reply, principal, channel, lang } = asked
    const { action, input, focused } = readCommand(payload.data)
    const registered = gate.registry.actions.find(({ name }) => name === action)
    const kind = registered?.fields.find(({ name }) => name === focused)?.complete
    if (kind === undefined || focused === undefined) return reply.autocomplete([])
    const host = typeof input.host === 'string' ? { host: input.host } : {}
    const typed = String(input[focused] ?? '')
    const who = { principal, lang, ...(channel === undefined ? {} : { channel }) }
    await reply.autocomplete(suggestionsOf(await completions.find({ ...who, kind, typed, ...host })))
  }

  async function dispatch(asked: Asked): Promise<void> {
    const { payload } = asked
    switch (payload.type) {
      case InteractionType.ApplicationCommand:
        return onCommand({ ...asked, payload })
      case InteractionType.MessageComponent:
        return onClick({ ...asked, payload })
      case InteractionType.ApplicationCommandAutocomplete:
        return onTyping({ ...asked, payload })
      case InteractionType.ModalSubmit: {
        const form = { ...asked, payload }
        return onMessage(forms.sent(form), form)
      }
      default:
        throw new AppError('INVALID_INPUT', { problem: WORDS.unknownKind })
    }
  }

  /** Whatever went wrong is told to the asker alone, as long as there is a way to tell. */
  async function refuse(error: unknown, asked: Asked): Promise<void> {
    const { payload, reply, log } = asked
    if (error instanceof ReplyError) {
      log.warn({ err: error }, 'an answer did not reach Discord')
      return
    }
    const card = errorCard(error, asked)
    if (payload.type === InteractionType.ApplicationCommandAutocomplete) await reply.autocomplete([])
    else await (reply.isAnswered ? reply.edit(render(card)) : reply.whisper(render(card)))
  }

  async function serve(payload: APIInteraction, reply: Reply): Promise<void> {
    const requestId = randomUUID()
    const child = log.child({ requestId, interaction: payload.id })
    try {
      const channel = payload.channel === undefined ? {} : { channel: payload.channel.id }
      const principal = principals.of(payload)
      const { language } = actions.settings.of(principal.tenant)
      const lang = langOf(payload as Locales, language)
      const who = { principal, ...channel, lang, publicLang: publicLangOf(lang, language) }
      const asked = { payload, reply, ...who, requestId, issuedAt: now(), log: child }
      try {
        if (stopFollowing.signal.aborted) throw new AppError('SHUTTING_DOWN')
        await dispatch(asked)
      } catch (error) {
        await refuse(error, asked)
      }
    } catch (error) {
      child.error({ err: error }, 'an interaction could not be answered')
    }
  }

  return {
    start: () => follow(notices.follow(), log),
    async handle(payload, reply) {
      if (!isNew(payload.id)) return
      return underWay.track(serve(payload, reply))
    },
    async close(graceMs) {
      stopFollowing.abort()
      await underWay.settled(graceMs)
      abort.abort(new AppError('SHUTTING_DOWN'))
    },
  }
}
