// Interactions that Discord posts to us, in place of a connection that we hold. Each is answered over REST, as those of the
// gateway are, so that whatever comes after it is the same code; the request itself is only acknowledged.
import { type APIInteraction, InteractionResponseType, InteractionType } from 'discord-api-types/v10'
import type { FastifyInstance } from 'fastify'
import { AppError } from '../../actions/index.js'
import { signatureVerifier } from './signature.js'

export const INTERACTIONS_PATH = '/discord/interactions'

/** Clocks differ, and one that is some minutes off must not silence the bot. An interaction is of use for 15 minutes. */
const MOST_AGE_MS = 10 * 60_000
/** A message that a command is used on comes whole, embeds included. */
const LARGEST_BODY_BYTES = 1024 * 1024

export interface EndpointOptions {
  /** The application's, 64 hexadecimal digits. */
  readonly publicKey: string
  /** Epoch ms. */
  readonly now: () => number
  readonly receive: (payload: APIInteraction) => void
}

export function interactionRoutes(app: FastifyInstance, { publicKey, now, receive }: EndpointOptions): void {
  const isSigned = signatureVerifier(publicKey)
  // A scope of its own: here alone a body stays the bytes that were signed.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: LARGEST_BODY_BYTES }, (_request, body, done) =>
      done(null, body),
    )
    scope.post(INTERACTIONS_PATH, async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const { 'x-signature-ed25519': signature, 'x-signature-timestamp': timestamp } = request.headers
      if (!isSigned({ signature, timestamp, body })) throw new AppError('SIGNATURE_INVALID')
      const ageMs = now() - Number(timestamp) * 1000
      if (!(Math.abs(ageMs) <= MOST_AGE_MS)) {
        request.log.warn({ ageMs }, "an interaction was refused for its age: check this machine's clock")
        throw new AppError('SIGNATURE_INVALID')
      }
      const payload = JSON.parse(body.toString('utf8')) as APIInteraction
      if (payload.type === InteractionType.Ping) return { type: InteractionResponseType.Pong }
      receive(payload)
      return reply.code(202).send()
    })
  })
}
