// Whether a request was signed by Discord: Ed25519 over its timestamp and its raw body.
import { createPublicKey, verify } from 'node:crypto'

/** What DER puts before the 32 bytes of an Ed25519 public key (RFC 8410). */
const DER_HEAD = Buffer.from('302a300506032b6570032100', 'hex')
/** Checked first: `Buffer.from(text, 'hex')` stops silently at the first character that is none. */
const SIGNATURE = /^[0-9a-f]{128}$/i

export interface SignedRequest {
  readonly signature: unknown
  readonly timestamp: unknown
  readonly body: Buffer
}

/** @param publicKey 64 hexadecimal digits @returns whether a request was signed with the key that belongs to it */
export function signatureVerifier(publicKey: string): (request: SignedRequest) => boolean {
  const der = Buffer.concat([DER_HEAD, Buffer.from(publicKey, 'hex')])
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return ({ signature, timestamp, body }) =>
    typeof signature === 'string' &&
    typeof timestamp === 'string' &&
    SIGNATURE.test(signature) &&
    verify(null, Buffer.concat([Buffer.from(timestamp), body]), key, Buffer.from(signature, 'hex'))
}
