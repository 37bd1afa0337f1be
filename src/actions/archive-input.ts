// The archive that a verb reads: an artifact, or the file that came with the call.
import type { CallContext } from './action.js'
import { type ByteSource, watched } from './bytes.js'
import { AppError } from './errors.js'
import type { JobProgress } from './jobs/jobs.js'

export interface InputArchive {
  /** Held open: to be closed by whoever does not read it. */
  readonly bytes: ByteSource
  readonly sizeBytes: number
}

/** @throws AppError ARCHIVE_REQUIRED, ARTIFACT_NOT_FOUND, or what the file's source fails with */
export async function openArchive(
  artifact: string | undefined,
  { artifacts, principal, file, signal }: CallContext,
): Promise<InputArchive> {
  if ((artifact === undefined) === (file === undefined)) throw new AppError('ARCHIVE_REQUIRED')
  if (artifact !== undefined) return artifacts.open(artifact, principal.tenant)
  if (file === undefined) throw new AppError('ARCHIVE_REQUIRED')
  return { bytes: await file.open(signal), sizeBytes: file.sizeBytes }
}

/** The archive's bytes, told of as they are taken. */
export function reported({ bytes }: InputArchive, progress: JobProgress): ByteSource {
  let taken = 0
  return watched(bytes, (piece) => {
    taken += piece.length
    progress.report(taken)
  })
}
