// When a form is opened, and which call it becomes part of once it is sent: for a message that is to be kept, for a button whose
// call wants words that no button has, for a call that policy wants a reason for.
import type {
  APIMessage,
  APIMessageApplicationCommandInteractionData,
  APIModalSubmitInteraction,
} from 'discord-api-types/v10'
import { type Actions, AppError, type FormField } from '../../actions/index.js'
import type { CallRequest } from './answer.js'
import type { Asked } from './asked.js'
import { doId, noteId, type Press, readCustomId, reasonId } from './custom-id.js'
import { formOf, readForm } from './form.js'
import { textOf } from './message-text.js'
import type { WaitingCalls } from './waiting.js'
import { WORDS } from './words.js'

type Of<Kind extends Press['kind']> = Extract<Press, { kind: Kind }>
type Input = Readonly<Record<string, unknown>>

export interface Forms {
  /**
   * For a command on a message: opens its form, or gives back the call where none is needed.
   * @throws AppError INVALID_INPUT for a message without text, or with more than text; FORBIDDEN
   */
  forMessage(data: APIMessageApplicationCommandInteractionData, asked: Asked): Promise<CallRequest | undefined>
  /** For a button: @returns whether a form was opened, for the call wants one @throws AppError FORBIDDEN */
  forChoice(press: Of<'do'>, asked: Asked): Promise<boolean>
  /** @throws AppError CONFIRMATION_EXPIRED, CONFIRMATION_NOT_YOURS */
  forReason(press: Of<'reason'>, asked: Asked): Promise<void>
  /** The call that a form which was sent stands for. @throws AppError as `forReason`, or INVALID_INPUT for none of ours */
  sent(asked: Asked<APIModalSubmitInteraction>): CallRequest
}

export interface FormsOptions {
  readonly actions: Actions
  readonly waiting: WaitingCalls
  readonly signal: AbortSignal
}

const REASON = 'reason'
/** Longer ones are a text's first paragraph rather than its title. */
const LONGEST_TITLE = 80

const titleOf = (text: string): string => {
  const [first = ''] = text.trim().split('\n')
  return first.length <= LONGEST_TITLE ? first : ''
}

export function createForms({ actions, waiting, signal }: FormsOptions): Forms {
  const { gate, explain } = actions

  /** What is to be filled in. Whoever may not do it is told so before they have written anything. */
  async function fieldsFor(name: string, input: Input, { principal, channel }: Asked): Promise<FormField[]> {
    const { form } = gate.registry.get(name)
    const caller = { principal, surface: 'discord', ...(channel === undefined ? {} : { channel }) } as const
    const explained = await explain({ asker: caller, caller, action: name, input, signal }).catch((error: unknown) => {
      // Who may not look at it is not told whether they may change it; the gate will say when they try.
      if (error instanceof AppError) return undefined
      throw error
    })
    if (explained?.allowed === false) throw new AppError('FORBIDDEN', { action: name })
    if (explained?.demand?.reason !== true) return [...form]
    return [...form.filter(({ field }) => field !== REASON), { field: REASON, needed: true }]
  }

  /** What a form about a message leaves unsaid. */
  function noted({ action, message, author }: Omit<Of<'note'>, 'kind'>, { payload, channel }: Asked): Input {
    const offer = gate.registry.get(action).message
    const link = `https://discord.com/channels/${payload.guild_id ?? '@me'}/${channel}/${message}`
    return {
      ...(offer?.id === undefined ? {} : { [offer.id]: `discord-${message}` }),
      ...(offer?.source === undefined ? {} : { [offer.source]: `${author} ${link}` }),
    }
  }

  return {
    async forMessage({ name, target_id: target, resolved }, asked) {
      const { reply, lang } = asked
      const action = gate.registry.actions.find(({ message }) => message?.name.en === name)
      const message: APIMessage | undefined = resolved.messages[target]
      if (!action?.message || !message) throw new AppError('INVALID_INPUT', { problem: WORDS.unknownKind })
      const { into, name: title } = action.message
      const text = textOf(message, asked.payload.application_id)
      if (message.attachments.length > 0) throw new AppError('INVALID_INPUT', { problem: WORDS.hasAttachments })
      if (text === '') throw new AppError('INVALID_INPUT', { problem: WORDS.noText })
      if (action.form.length === 0) return { action: action.name, input: { [into]: text } }

      const author = message.author.username
      const known = noted({ action: action.name, message: message.id, author }, asked)
      const fields = await fieldsFor(action.name, known, asked)
      const customId = noteId(action.name, message.id, author)
      const draft = { title: titleOf(text), [into]: text }
      await reply.openForm(formOf({ customId, title: title[lang], action, fields, draft, lang }))
      return undefined
    },

    async forChoice({ action: name, input }, asked) {
      const { reply, lang } = asked
      const action = gate.registry.get(name)
      if (action.form.length === 0) return false
      const fields = await fieldsFor(name, input, asked)
      const isAsked = ([field]: [string, unknown]) => fields.some((one) => one.field === field)
      const known = Object.fromEntries(Object.entries(input).filter((entry) => !isAsked(entry)))
      const title = action.summary[lang]
      await reply.openForm(formOf({ customId: doId(name, known), title, action, fields, draft: input, lang }))
      return true
    },

    async forReason({ token }, { reply, principal, lang }) {
      const action = gate.registry.get(waiting.find(token, principal).action)
      const title = WORDS.giveReason[lang]
      const fields = [{ field: REASON, needed: true }] as const
      await reply.openForm(formOf({ customId: reasonId(token), title, action, fields, draft: {}, lang }))
    },

    sent(asked) {
      const { payload, principal } = asked
      const press = readCustomId(payload.data.custom_id)
      const typed = readForm(payload.data)
      switch (press?.kind) {
        case 'do':
          return { action: press.action, input: { ...press.input, ...typed } }
        case 'note':
          return { action: press.action, input: { ...noted(press, asked), ...typed } }
        case 'reason': {
          const request = waiting.take(press.token, principal)
          return { ...request, input: { ...request.input, ...typed } }
        }
        default:
          throw new AppError('INVALID_INPUT', { problem: WORDS.unknownKind })
      }
    },
  }
}
