/** How Discord treats the answers to an interaction: the clocks, what is acknowledged once, what `@original` means. */
import { type APIMessageInteractionMetadata, type APIUser, InteractionType } from 'discord-api-types/v10'
import type { Callback, Interaction } from './interaction.js'
import { mentionsProblem, type Problem } from './limits.js'
import { type Draft, isEphemeral, isLoading, type Message, type Seed } from './messages.js'
import { type Modal, modalProblems } from './modals.js'
import { Refusal } from './refusal.js'
import type { World } from './world.js'

/** @see https://docs.discord.com/developers/interactions/receiving-and-responding */
const FIRST_ANSWER_MS = 3000
const TOKEN_LIFE_MS = 15 * 60_000

const CALLBACKS: Partial<Record<InteractionType, number[]>> = {
  [InteractionType.ApplicationCommand]: [4, 5, 9, 12],
  [InteractionType.ApplicationCommandAutocomplete]: [8],
  [InteractionType.MessageComponent]: [4, 5, 6, 7, 9, 12],
  [InteractionType.ModalSubmit]: [4, 5, 6, 7, 12],
}

const COMMAND_REPLY = 20
const REPLY = 19

/** Takes a problem that Discord itself would let pass. */
type Note = (problem: Problem) => void

function noteMentions(draft: Draft, note: Note): void {
  const problem = mentionsProblem(draft.body)
  if (problem) note(problem)
}

const askerOf = ({ payload }: Interaction) => (payload.member?.user ?? payload.user) as APIUser

function metadata(interaction: Interaction): APIMessageInteractionMetadata {
  const { payload, sourceId, from } = interaction
  const isClick = payload.type === InteractionType.MessageComponent
  return {
    id: payload.id,
    type: payload.type,
    user: askerOf(interaction),
    authorizing_integration_owners: payload.authorizing_integration_owners,
    ...(isClick && sourceId ? { interacted_message_id: sourceId } : {}),
    ...(from.opener ? { triggering_interaction_metadata: metadata(from.opener) } : {}),
  } as APIMessageInteractionMetadata
}

function seed(world: World, interaction: Interaction, isFollowUp = false): Seed {
  const { payload, originalId } = interaction
  const followed = isFollowUp && originalId ? { original_response_message_id: originalId } : {}
  return {
    channel_id: payload.channel_id,
    author: world.bot,
    application_id: world.applicationId,
    webhook_id: world.applicationId,
    type: payload.type === InteractionType.ApplicationCommand && !isFollowUp ? COMMAND_REPLY : REPLY,
    interaction_metadata: { ...metadata(interaction), ...followed },
  }
}

export function findByToken(world: World, token: string): Interaction {
  const interaction = world.interactions.get(token)
  if (!interaction || world.now() - interaction.sentAt > TOKEN_LIFE_MS) throw new Refusal(50027)
  if (!interaction.callback) throw new Refusal(10015)
  return interaction
}

/** Carries out the first answer. @throws Refusal when it is late, second, or of a type that does not fit */
export function answer(
  world: World,
  id: string,
  token: string,
  callback: Callback,
  draft: Draft,
  note: Note,
): Interaction {
  const interaction = world.interactions.get(token)
  if (interaction?.id !== id) throw new Refusal(10062)
  if (interaction.callback) throw new Refusal(40060)
  const tookMs = world.now() - interaction.sentAt
  if (tookMs > FIRST_ANSWER_MS) throw new Refusal(10062)
  const { payload, sourceId } = interaction
  const fits = CALLBACKS[payload.type]?.includes(callback.type)
  const updates = callback.type === 6 || callback.type === 7
  if (!fits || (updates && !sourceId)) {
    const message = `callback type ${callback.type} does not fit an interaction of type ${payload.type}`
    throw new Refusal(50035, [{ rule: 'callback_type', message }])
  }
  const wrong = callback.type === 9 ? modalProblems(callback.data as Modal) : []
  if (wrong.length > 0) throw new Refusal(50035, wrong)
  const flags = draft.body.flags ?? 0
  if (callback.type === 4) {
    noteMentions(draft, note)
    interaction.originalId = world.messages.create(seed(world, interaction), draft, flags).id
  }
  if (callback.type === 5) interaction.originalId = world.messages.defer(seed(world, interaction), flags).id
  if (updates) interaction.originalId = sourceId
  if (callback.type === 7 && sourceId) world.messages.edit(sourceId, draft)
  interaction.callback = callback
  interaction.firstAnswerMs = tookMs
  return interaction
}

/** A message that this interaction's token may touch. */
export function ownMessage(world: World, interaction: Interaction, id: string): Message {
  const target = id === '@original' ? interaction.originalId : id
  if (target === null || (target !== interaction.originalId && !interaction.followUpIds.includes(target)))
    throw new Refusal(10008)
  return world.messages.get(target)
}

export function editReply(world: World, interaction: Interaction, id: string, draft: Draft, note: Note): Message {
  const message = ownMessage(world, interaction, id)
  // What fills a deferred answer creates it, as far as pings go.
  if (isLoading(message)) noteMentions(draft, note)
  return world.messages.edit(message.id, draft)
}

export function followUp(world: World, interaction: Interaction, draft: Draft, note: Note): Message {
  const original = interaction.message()
  // Discord's oddity: the first follow-up of a deferred answer becomes that answer, its visibility kept.
  if (original && isLoading(original)) return editReply(world, interaction, '@original', draft, note)
  const isGuest = !('0' in interaction.payload.authorizing_integration_owners)
  if (isGuest && interaction.followUpIds.length >= 5) throw new Refusal(40094)
  noteMentions(draft, note)
  const message = world.messages.create(seed(world, interaction, true), draft, draft.body.flags ?? 0)
  interaction.followUpIds.push(message.id)
  return message
}

/** What `with_response=true` is answered with. */
export function callbackResponse(interaction: Interaction): object {
  const { payload, callback } = interaction
  const message = interaction.message()
  const isUpdate = callback?.type === 6 || callback?.type === 7
  return {
    interaction: {
      id: payload.id,
      type: payload.type,
      channel_id: payload.channel_id,
      ...(payload.guild_id ? { guild_id: payload.guild_id } : {}),
      ...(message
        ? {
            response_message_id: message.id,
            response_message_loading: isLoading(message),
            response_message_ephemeral: isEphemeral(message),
          }
        : {}),
    },
    ...(message ? { resource: { type: isUpdate ? 7 : 4, message } } : {}),
  }
}
