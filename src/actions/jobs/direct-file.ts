// A file on its way to the disk itself, past the memory in which the system would keep it: nothing is copied there and waited for
// in the end, which costs as much processor time as the digest (`npm run bench:transfer`), and what others read often stays.
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** What a file is written through. */
export interface Writing {
  /** @throws what the system says, also of what it was given before */
  write(pieces: readonly Buffer[]): Promise<void>
  /** All of it is written, and on the disk unless it need not be. @throws as `write` does */
  end(): Promise<void>
  /** Lets go of what was opened for it, once nothing is under way; the file itself stays its opener's. */
  close(): Promise<void>
}

/** A multiple of what any disk takes as one. */
const BLOCK_BYTES = 1024 * 1024

/** Begins where a page of memory does, as a disk wants it: what malloc gives has its notes in front. */
const pages = (bytes: number): Buffer => Buffer.from(new ArrayBuffer(bytes, { maxByteLength: bytes }), 0, bytes)

const isRefusal = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EINVAL'

async function openDirectly(path: string): Promise<FileHandle | undefined> {
  const { O_DIRECT, O_WRONLY }: { readonly O_DIRECT?: number; readonly O_WRONLY: number } = constants
  if (O_DIRECT === undefined) return undefined
  try {
    return await open(path, O_WRONLY | O_DIRECT)
  } catch (error) {
    if (isRefusal(error)) return undefined
    throw error
  }
}

/**
 * @param path of the file @param file the same, opened to be written; takes what a disk does not take directly: the end
 * @returns undefined where the system or the file system has no such way
 */
export async function writingDirectly(path: string, file: FileHandle): Promise<Writing | undefined> {
  const direct = await openDirectly(path)
  return direct && writingThrough(direct, file)
}

function writingThrough(direct: FileHandle, file: FileHandle): Writing {
  const memory = pages(2 * BLOCK_BYTES)
  let filling = memory.subarray(0, BLOCK_BYTES)
  let leaving = memory.subarray(BLOCK_BYTES)
  let used = 0
  let position = 0
  let underWay: Promise<void> = Promise.resolve()
  let failure: unknown

  async function put(bytes: Buffer, at: number): Promise<void> {
    let written = 0
    try {
      if (bytes.length === BLOCK_BYTES) written = (await direct.write(bytes, 0, bytes.length, at)).bytesWritten
    } catch (error) {
      if (!isRefusal(error)) throw error
    }
    while (written < bytes.length) {
      written += (await file.write(bytes, written, bytes.length - written, at + written)).bytesWritten
    }
  }
  const settled = async (): Promise<void> => {
    await underWay
    if (failure !== undefined) throw failure
  }
  /** One block is filled while the other is on its way. */
  async function send(): Promise<void> {
    await settled()
    underWay = put(filling.subarray(0, used), position).catch((error: unknown) => {
      failure = error
    })
    position += used
    used = 0
    ;[filling, leaving] = [leaving, filling]
  }

  return {
    async write(pieces) {
      for (const piece of pieces) {
        for (let at = 0; at < piece.length; ) {
          const copied = piece.copy(filling, used, at)
          at += copied
          used += copied
          if (used === BLOCK_BYTES) await send()
        }
      }
    },
    async end() {
      await send()
      await settled()
      // Where it lies on the disk is still to be noted there.
      await file.sync()
    },
    async close() {
      await underWay
      await direct.close()
    },
  }
}
