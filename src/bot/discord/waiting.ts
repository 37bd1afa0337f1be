// Calls that policy wants a reason for: kept while their asker is asked, and for nobody else. In memory, for a restart costs no
// more than typing the command again, and what was typed may hold secrets.
import { randomBytes } from 'node:crypto'
import { AppError, type Principal, principalKey } from '../../actions/index.js'
import type { CallRequest } from './answer.js'

/** As long as the reply to the call can be edited. */
const KEPT_MS = 15 * 60_000
/** The oldest make way. */
const MOST = 1_000

interface Waiting {
  readonly request: CallRequest
  readonly owner: string
  /** Epoch ms. */
  readonly until: number
}

export interface WaitingCalls {
  /** @returns its token */
  keep(request: CallRequest, principal: Principal): string
  /** @throws AppError CONFIRMATION_EXPIRED, CONFIRMATION_NOT_YOURS */
  find(token: string, principal: Principal): CallRequest
  /** The same, once. */
  take(token: string, principal: Principal): CallRequest
}

/** @param now epoch ms */
export function createWaitingCalls(now: () => number): WaitingCalls {
  const waiting = new Map<string, Waiting>()

  function find(token: string, principal: Principal): CallRequest {
    const found = waiting.get(token)
    if (!found || found.until <= now()) throw new AppError('CONFIRMATION_EXPIRED')
    if (found.owner !== principalKey(principal)) throw new AppError('CONFIRMATION_NOT_YOURS')
    return found.request
  }

  return {
    keep(request, principal) {
      for (const [token, { until }] of waiting) {
        if (waiting.size < MOST && until > now()) break
        waiting.delete(token)
      }
      const token = randomBytes(16).toString('base64url')
      waiting.set(token, { request, owner: principalKey(principal), until: now() + KEPT_MS })
      return token
    },
    find,
    take(token, principal) {
      const request = find(token, principal)
      waiting.delete(token)
      return request
    },
  }
}
