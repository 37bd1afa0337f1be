// What a Docker Engine tells of as it happens, as far as its lists show it.
import { AppError } from '../../errors.js'
import type { HostDriver, Watched } from '../driver.js'
import { whyUnreachable } from '../unreachable.js'
import type { Client } from './client.js'
import { createMessageReader } from './messages.js'

interface EngineEvent {
  readonly Type?: string
}

/** What a health check does every few seconds, or `docker exec`, is not among them. */
const SHOWN_IN_LISTS = {
  type: ['container', 'image'],
  event: [
    ...['create', 'start', 'die', 'pause', 'unpause', 'rename', 'destroy', 'commit'],
    ...['delete', 'import', 'load', 'pull', 'tag', 'untag', 'prune'],
  ],
}

const WATCHED: Readonly<Record<string, Watched>> = { container: 'instances', image: 'images' }

export const watchOf =
  (client: Client): HostDriver['watch'] =>
  async (onChange, signal) => {
    const path = `/events?${new URLSearchParams({ filters: JSON.stringify(SHOWN_IN_LISTS) })}`
    const answer = await client.stream(signal, () => undefined, { method: 'GET', path })
    onChange('instances')
    onChange('images')
    const read = createMessageReader<EngineEvent>(({ Type = '' }) => {
      const what = WATCHED[Type]
      if (what) onChange(what)
    })
    const lost = (error?: unknown): AppError =>
      new AppError('HOST_UNREACHABLE', { host: client.host, why: whyUnreachable(error) }, { cause: error })
    try {
      await answer.flow(async (pieces) => pieces.forEach(read), signal)
    } catch (error) {
      throw signal.aborted ? signal.reason : lost(error)
    }
    throw lost(new Error('the engine ended its events'))
  }
