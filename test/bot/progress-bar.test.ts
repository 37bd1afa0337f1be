import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { ByteSource } from '../../src/actions/index.js'
import { openProgressBar, progressLine } from '../../src/bot/progress-bar.js'

const MIB = 2 ** 20

it('a line of progress says how much, how fast and how long', () => {
  const line = (doneBytes: number, elapsedMs: number) =>
    progressLine({ doneBytes, totalBytes: 10 * MIB, elapsedMs }, 80)
  expect(line(0, 0)).toBe(`[${'-'.repeat(30)}]   0%  0:00`)
  expect(line(5 * MIB, 2_000)).toBe(`[${'#'.repeat(15)}${'-'.repeat(15)}]  50%  2.5 MiB/s  0:02`)
  expect(line(10 * MIB, 61_500)).toBe(`[${'#'.repeat(30)}] 100%  167 KiB/s  1:01`)
})

it('a line of progress never says more than all, nor all before it is', () => {
  expect(progressLine({ doneBytes: 999, totalBytes: 1000, elapsedMs: 0 }, 80)).toContain(' 99%')
  expect(progressLine({ doneBytes: 2000, totalBytes: 1000, elapsedMs: 0 }, 80)).toContain('] 100%')
  expect(progressLine({ doneBytes: 0, totalBytes: 0, elapsedMs: 0 }, 80)).toContain('] 100%')
})

it('a line of progress is narrower than any terminal', () => {
  for (let columns = 1; columns <= 100; columns += 1) {
    const line = progressLine({ doneBytes: 512 * MIB, totalBytes: 1024 * MIB, elapsedMs: 3_600_000 }, columns)
    expect(line.length).toBeLessThan(columns)
  }
  expect(progressLine({ doneBytes: 1, totalBytes: 2, elapsedMs: 0 }, 20)).toBe('[###---]  50%  0:00')
  expect(progressLine({ doneBytes: 1, totalBytes: 2, elapsedMs: 0 }, 12)).toBe(' 50%  0:00')
})

it('the bar counts bytes when more are asked for, shows itself once the file is open, and takes itself back', async () => {
  const written: string[] = []
  const terminal = { columns: 80, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream
  const source = {
    name: 'notes.md',
    sizeBytes: 4,
    reference: { name: 'notes.md' },
    open: async (): Promise<ByteSource> => ({
      async flow(take) {
        await take([Buffer.from('ab')])
        await take([Buffer.from('cd')])
      },
      close: () => undefined,
    }),
  }
  const bar = openProgressBar(source, terminal)
  bar.clear()
  expect(written).toEqual([])
  const { signal } = new AbortController()
  const opened = await bar.file.open(signal)
  const read: string[] = []
  await opened.flow(async ([piece]) => {
    read.push(String(piece))
    await sleep(500)
  }, signal)
  expect(read).toEqual(['ab', 'cd'])
  expect(written[0]).toContain(' 50%')
  expect(written.at(-1)).toContain('] 100%')
  bar.clear()
  expect(written.at(-1)).toBe('\r\u001b[K')
})
