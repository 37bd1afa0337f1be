/** Discord posting interactions to a bot's endpoint: signed, each with the time it was sent, and not asked twice. */
import { generateKeyPairSync, sign } from 'node:crypto'
import type { World } from './world.js'

export interface HttpDelivery {
  /** Of the application, as the developer portal shows it: 64 hexadecimal digits. */
  readonly publicKey: string
  /** As Discord signs it. @param timestamp epoch s */
  headers(body: string, timestamp?: number): Record<string, string>
  /** Posts interactions to this address from now on, in place of the gateway. */
  to(url: string): void
  /** Where they go; undefined while the gateway has them. */
  readonly url: string | undefined
  /** Never rejects: a bot that does not take an interaction is a violation. */
  post(payload: unknown): Promise<void>
}

/** An Ed25519 public key ends with its 32 bytes (RFC 8410). */
const KEY_BYTES = 32

export function createHttpDelivery(world: World): HttpDelivery {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  let url: string | undefined
  const headers = (body: string, timestamp = Math.floor(world.now() / 1000)) => ({
    'content-type': 'application/json',
    'x-signature-ed25519': sign(null, Buffer.from(`${timestamp}${body}`), privateKey).toString('hex'),
    'x-signature-timestamp': String(timestamp),
  })
  return {
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES).toString('hex'),
    headers,
    get url() {
      return url
    },
    to(address) {
      url = address
    },
    async post(payload) {
      const body = JSON.stringify(payload)
      const violation = (message: string) => world.violations.push({ where: 'endpoint', rule: 'delivery', message })
      try {
        const response = await fetch(url ?? '', { method: 'POST', headers: headers(body), body })
        const text = await response.text()
        // The bot answers through the callback's own address; then this answer has to be empty.
        if (response.status !== 202 || text !== '') violation(`the endpoint answered ${response.status} ${text}`)
      } catch (error) {
        violation(`the endpoint did not answer: ${String(error)}`)
      }
    },
  }
}
