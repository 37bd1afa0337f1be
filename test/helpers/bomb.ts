// Ten megabytes that are ten gigabytes.
import { constants, deflateRawSync } from 'node:zlib'

const MIB = 1024 * 1024
const LAST_BLOCK = Buffer.from([3, 0])

/** Zeros, deflated. After a full flush the same bytes mean the same again, so that nothing is compressed twice. */
export function deflatedZeros(sizeMiB: number): Buffer {
  const one = deflateRawSync(Buffer.alloc(MIB), { level: 9, finishFlush: constants.Z_FULL_FLUSH })
  return Buffer.concat([...Array.from({ length: sizeMiB }, () => one), LAST_BLOCK])
}

/** Of the whole process, while something is done. */
export async function growthMiB(of: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage.rss()
  let most = before
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss())
  }, 10)
  await of()
  clearInterval(watch)
  return (most - before) / MIB
}
