import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { writingDirectly } from '../../src/actions/jobs/direct-file.js'

const MIB = 1024 * 1024

async function fileIn(parent: string) {
  const folder = mkdtempSync(join(parent, 'hc-direct-'))
  const path = join(folder, 'file')
  const file = await open(path, 'wx', 0o600)
  onTestFinished(async () => {
    await file.close()
    rmSync(folder, { recursive: true })
  })
  return { path, file }
}

/** In pieces of odd lengths, in memory that holds something else once they have been taken. */
async function give(bytes: Buffer, take: (pieces: readonly Buffer[]) => Promise<void>): Promise<void> {
  const lent = Buffer.alloc(300_001)
  for (let at = 0; at < bytes.length; ) {
    const taken = bytes.copy(lent, 0, at)
    await take([lent.subarray(0, Math.min(7, taken)), lent.subarray(7, taken)])
    lent.fill(0)
    at += taken
  }
}

it.for([0, 1, 4096, MIB - 1, MIB, MIB + 1, 2 * MIB, 3 * MIB + 511])(
  'writes %i bytes as they are',
  async (length, { skip }) => {
    const { path, file } = await fileIn(tmpdir())
    const bytes = randomBytes(length)
    const writing = await writingDirectly(path, file)
    if (writing === undefined) return skip('the file system of the tests has no such way')
    await give(bytes, writing.write)
    await writing.end()
    await writing.close()
    expect(readFileSync(path).equals(bytes)).toBe(true)
  },
)

it('tells of what the disk did not take, though it was given before', async ({ skip }) => {
  const { path, file } = await fileIn(tmpdir())
  const reader = await open(path, 'r')
  // The end of a file goes another way, which is closed to it here.
  const writing = await writingDirectly(path, reader)
  if (writing === undefined) return skip('the file system of the tests has no such way')
  await give(randomBytes(MIB + 5), writing.write)
  await expect(writing.end()).rejects.toMatchObject({ code: 'EBADF' })
  await writing.close()
  await reader.close()
  expect((await file.stat()).size).toBe(MIB)
})
