// A source that breaks off before it is read: whoever reads it is told, and nobody else.
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { bytesOf } from '../../src/actions/index.js'

it('a stream that fails before anybody reads it fails for who reads it then', async () => {
  const stream = new Readable({ read() {} })
  const source = bytesOf(stream)
  stream.destroy(new Error('cut off'))
  // Long enough for an error that nobody listens to to end the process.
  await sleep(20)
  const taken: Buffer[] = []
  const reading = source.flow(async (pieces) => void taken.push(...pieces), new AbortController().signal)
  await expect(reading).rejects.toThrow('cut off')
  expect(taken).toEqual([])
})
