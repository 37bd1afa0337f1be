// What a request carries: JSON, or a form whose one file goes to the disk first, since a tar must know its size.
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { FastifyRequest } from 'fastify'
import { AppError, bytesOf, bytesOfFile, type FileSource, formatBytes, transfer } from '../../actions/index.js'

export interface RequestCall {
  /** JSON values as they came; form fields as text. */
  readonly fields: Record<string, unknown>
  readonly file?: FileSource
  /** Removes the file from the disk; to be called however the call ended. */
  dispose(): Promise<void>
}

export interface BodyOptions {
  readonly workFolder: string
  readonly maxUploadBytes: number
  readonly minFreeBytes: number
}

const nothingToDispose = async (): Promise<void> => undefined

const refuse = (en: string, zh: string): never => {
  throw new AppError('INVALID_INPUT', { problem: { en, zh } })
}

/** @throws AppError INVALID_INPUT, UPLOAD_TOO_LARGE, UPLOAD_INCOMPLETE, STORAGE_FULL */
export async function readCall(
  request: FastifyRequest,
  signal: AbortSignal,
  options: BodyOptions,
): Promise<RequestCall> {
  if (!request.isMultipart()) {
    const body: unknown = request.body ?? {}
    if (typeof body !== 'object' || Array.isArray(body))
      refuse('the body must be a JSON object', '请求体应为 JSON 对象')
    return { fields: { ...(body as Record<string, unknown>) }, dispose: nothingToDispose }
  }
  const fields: Record<string, unknown> = {}
  let file: FileSource | undefined
  const path = join(options.workFolder, `upload-${randomUUID()}`)
  const dispose = () => rm(path, { force: true })
  try {
    for await (const part of request.parts()) {
      if (part.type === 'field') {
        if (Object.hasOwn(fields, part.fieldname))
          refuse(`"${part.fieldname}" came twice`, `“${part.fieldname}”出现了两次`)
        if (part.valueTruncated) refuse(`"${part.fieldname}" is too long`, `“${part.fieldname}”太长`)
        fields[part.fieldname] = part.value
        continue
      }
      if (part.fieldname !== 'file' || file !== undefined) {
        refuse('a form carries one file, as "file"', '表单只能携带一个名为“file”的文件')
      }
      const name = basename(part.filename || 'file')
      const { sizeBytes, sha256 } = await transfer(bytesOf(part.file), path, {
        temporary: `${path}.part`,
        isPassing: true,
        signal,
        minFreeBytes: options.minFreeBytes,
        maxBytes: options.maxUploadBytes,
        sourceLost: (cause) =>
          new AppError('UPLOAD_INCOMPLETE', { got: part.file.bytesRead, expected: '?' }, { cause }),
      })
      file = {
        name,
        sizeBytes,
        reference: { name, sizeBytes, sha256 },
        // Opened here and not when it is first read: a job reads on after the call has answered and the name is gone.
        open: () => bytesOfFile(path),
      }
    }
  } catch (error) {
    await dispose()
    if (error instanceof AppError && error.code === 'UPLOAD_TOO_LARGE') {
      throw new AppError('UPLOAD_TOO_LARGE', { limit: formatBytes(options.maxUploadBytes) }, { cause: error })
    }
    throw error
  }
  return { fields, ...(file ? { file } : {}), dispose }
}
