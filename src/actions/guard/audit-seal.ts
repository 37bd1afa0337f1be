// The signature under the audit log: this instance's key says how far the log went at a moment, so that rows which are cut
// off at its end, or were removed for their age, are told from rows that never were.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalJson } from './redact.js'

/** `head`: the log went on to this row. `base`: rows up to this one were removed for their age. */
export const SEALS = ['head', 'base'] as const
export type SealKind = (typeof SEALS)[number]

export interface Seal {
  readonly kind: SealKind
  readonly seq: number
  /** Of that row, in hex. */
  readonly hash: string
  /** Epoch ms. */
  readonly at: number
  /** Ed25519 over the other fields as canonical JSON, base64url. */
  readonly signature: string
}

export interface Sealer {
  /** Of the key, raw, in base64url: whoever has it can check a seal that was kept elsewhere. */
  readonly publicKey: string
  seal(unsigned: Omit<Seal, 'signature'>): Seal
  /** Whether this instance's key signed it. */
  isOurs(seal: Seal): boolean
}

const KEY_FILE = 'audit-key.pem'

function readKey(path: string): KeyObject | undefined {
  try {
    return createPrivateKey(readFileSync(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`${KEY_FILE} of the state folder cannot be read`, { cause: error })
  }
}

/** Of several processes that start at once, all end up with the key of the first. */
function makeKey(path: string): KeyObject {
  const { privateKey } = generateKeyPairSync('ed25519')
  try {
    writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { flag: 'wx', mode: 0o600, flush: true })
    return privateKey
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return createPrivateKey(readFileSync(path))
  }
}

const bytesOf = ({ kind, seq, hash, at }: Omit<Seal, 'signature'>): Buffer =>
  Buffer.from(canonicalJson({ kind, seq, hash, at }))

/** @param folder where the key is; made if it is missing, for this user alone */
export function openSealer(folder: string): Sealer {
  const path = join(folder, KEY_FILE)
  const key = readKey(path) ?? makeKey(path)
  const publicKey = createPublicKey(key)
  return {
    publicKey: publicKey.export({ format: 'jwk' }).x ?? '',
    seal: (unsigned) => ({ ...unsigned, signature: sign(null, bytesOf(unsigned), key).toString('base64url') }),
    isOurs: (seal) => verify(null, bytesOf(seal), publicKey, Buffer.from(seal.signature, 'base64url')),
  }
}
