// Notes how far the audit log goes outside the database, so that whoever can change that cannot cut off its end unnoticed.
import { appendFile } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { Seal } from '../actions/index.js'
import { within } from '../actions/index.js'

const LOG = 'log'
const ANSWER_MS = 10_000

/** What `hypercall audit verify --head` takes. */
const headOf = ({ seq, hash }: Seal): string => `${seq}:${hash}`

async function post(url: string, seal: Seal): Promise<void> {
  await within(new AbortController().signal, ANSWER_MS, async (signal) => {
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ head: headOf(seal), ...seal })
    const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal })
    await answer.body?.cancel()
    if (!answer.ok) throw new Error(`it answered with ${answer.status}`)
  })
}

/** @param places by comma: `log`, a file to add lines to, an address to post to @returns what notes a seal there */
export function openAuditMirror(places: string, log: Logger): (seal: Seal) => void {
  const all = places.split(',').filter((place) => place !== '')
  const noteAt = async (place: string, seal: Seal): Promise<void> => {
    if (place === LOG) log.info({ head: headOf(seal), ...seal }, 'the audit log was signed')
    else if (/^https?:/.test(place)) await post(place, seal)
    else await appendFile(place, `${JSON.stringify({ head: headOf(seal), ...seal })}\n`, { mode: 0o600 })
  }
  return (seal) => {
    for (const place of all) {
      // An address may carry a secret, and the operator knows what they set.
      noteAt(place, seal).catch((err: unknown) => log.error({ err }, 'HYPERCALL_AUDIT_MIRROR: a place was not reached'))
    }
  }
}
