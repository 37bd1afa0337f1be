// A call taken through the gate, and what is to be shown of its outcome: a result, a question or a refusal.
import type { Logger } from 'pino'
import {
  AppError,
  type Approval,
  type Block,
  type ConfirmFirst,
  type FileSource,
  type Gate,
  type Lang,
  type PictureBlock,
  type Principal,
  say,
  type View,
  within,
} from '../../actions/index.js'
import type { Pictures } from '../pictures.js'
import { confirmId, reasonId, withdrawId } from './custom-id.js'
import type { Card } from './render.js'
import type { WaitingCalls } from './waiting.js'
import { WORDS } from './words.js'

/** Who asks, in which language, and under which id it is logged. */
export interface Asker {
  readonly principal: Principal
  /** Its id. */
  readonly channel?: string
  readonly lang: Lang
  readonly requestId: string
  readonly log: Logger
}

export interface CallRequest {
  readonly action: string
  readonly input: Readonly<Record<string, unknown>>
  /** Made late: an attachment that is refused is an answer like any other. */
  readonly file?: () => FileSource
  readonly confirm?: string
}

export interface Answer {
  readonly card: Card
  /** What goes on, and what of the first answer stays true to its end. */
  readonly job?: { readonly id: string; readonly notes: readonly Block[] }
  /** What others have to agree to. */
  readonly approval?: Approval
  /** Why nothing was done, where nothing is asked either: of no interest to anybody else. */
  readonly refused?: AppError
}

export interface Answers {
  /** Never rejects: a failure is a card too. */
  to(request: CallRequest, asker: Asker): Promise<Answer>
}

function knownError(error: unknown, { requestId, log }: Asker): AppError {
  if (error instanceof AppError) return error
  // The gate logs the bugs behind it; what is no AppError here is one of this surface.
  log.error({ err: error }, 'an interaction failed')
  return new AppError('INTERNAL', { requestId }, { cause: error })
}

export function errorCard(error: unknown, asker: Asker): Card {
  const { lang } = asker
  const known = knownError(error, asker)
  return { view: { tone: 'bad', blocks: [{ kind: 'text', text: known.describe(lang) }] }, lang, footer: known.code }
}

export interface AnswersOptions {
  readonly gate: Gate
  /** Epoch ms. */
  readonly now: () => number
  readonly signal: AbortSignal
  readonly pictures: Pictures
  /** Where a call may wait for its reason; without one, it is only told that it needs one. */
  readonly waiting?: WaitingCalls
}

export function createAnswers({ gate, now, signal, pictures, waiting }: AnswersOptions): Answers {
  async function pictureOf({ blocks }: View): Promise<Card['picture']> {
    const block = blocks.find(({ kind }) => kind === 'picture') as PictureBlock | undefined
    const png = block && (await pictures.png(block))
    return block && png && { png, alt: block.alt }
  }

  function confirmCard(outcome: ConfirmFirst, lang: Lang): Card {
    const seconds = Math.max(0, Math.round((outcome.expiresAt - now()) / 1000))
    const rule: Block = {
      kind: 'text',
      text: outcome.approval ? WORDS.confirmAfter[lang] : say(lang, WORDS.confirmRule, { seconds }),
    }
    return {
      view: { ...outcome.view, blocks: [...outcome.view.blocks, rule] },
      lang,
      buttons: [
        { label: WORDS.confirm[lang], customId: confirmId(outcome.token), style: 'danger' },
        { label: WORDS.cancel[lang], customId: withdrawId(outcome.token), style: 'secondary' },
      ],
    }
  }

  /** What is missing is asked for, so that nothing has to be typed again. */
  function refusal(error: AppError, request: CallRequest, asker: Asker): Answer {
    const card = errorCard(error, asker)
    if (!waiting || error.code !== 'REASON_REQUIRED') return { card, refused: error }
    const customId = reasonId(waiting.keep(request, asker.principal))
    return { card: { ...card, buttons: [{ label: WORDS.giveReason[asker.lang], customId, style: 'primary' }] } }
  }

  return {
    async to(request, asker) {
      const { action, input, file, confirm } = request
      const { principal, channel, lang, requestId } = asker
      try {
        const outcome = await within(signal, undefined, (signal) =>
          gate.call({
            principal,
            surface: 'discord',
            ...(channel === undefined ? {} : { channel }),
            lang,
            requestId,
            action,
            input,
            ...(file ? { file: file() } : {}),
            ...(confirm === undefined ? {} : { confirm }),
            signal,
          }),
        )
        if (outcome.status === 'confirm') {
          const { approval } = outcome
          return { card: confirmCard(outcome, lang), ...(approval ? { approval } : {}) }
        }
        const picture = await pictureOf(outcome.view)
        const card: Card = { view: outcome.view, lang, ...(picture ? { picture } : {}) }
        if (!outcome.action.startsJob) return { card }
        const { jobId } = outcome.output as { readonly jobId: string }
        // The first block names the job, as every later view does; the others are what the result will lack.
        return { card, job: { id: jobId, notes: outcome.view.blocks.slice(1) } }
      } catch (error) {
        return refusal(knownError(error, asker), request, asker)
      }
    },
  }
}
