/**
 * Owns the first reading of a base that was not in memory: after a restart of the machine a search would read its blocks
 * one by one, ten times as slowly as they are read in a row.
 */
import { open } from 'node:fs/promises'
import { totalmem } from 'node:os'

const PIECE_BYTES = 1024 * 1024
/** What is larger would push out of memory what others use, and itself. */
const MOST_OF_MEMORY = 0.5

const memoryBytes = (): number => Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)

/** Lets the system read a whole file and keep it in memory, unless that is short. Holds one piece of it at a time. */
export async function readAhead(file: string, signal: AbortSignal): Promise<void> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    if (size > MOST_OF_MEMORY * memoryBytes()) return
    const piece = Buffer.allocUnsafe(PIECE_BYTES)
    for (let at = 0; at < size && !signal.aborted; at += PIECE_BYTES) await handle.read(piece, 0, PIECE_BYTES, at)
  } finally {
    await handle.close()
  }
}
