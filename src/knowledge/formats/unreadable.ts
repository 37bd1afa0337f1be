/** Owns the one way to say that a document cannot be taken, wherever in it that is noticed, and what several places say. */
import type { Told } from '../model.js'

export const NOT_UTF8: Told = { en: 'not valid UTF-8', zh: '不是有效的 UTF-8' }
export const NUL_BYTE: Told = { en: 'holds a NUL byte: not a text', zh: '含有 NUL 字节：不是文本' }
export const tooManyBytes = (most: number): Told => ({ en: `larger than ${most} bytes`, zh: `超过 ${most} 字节` })

export class Unreadable extends Error {
  /**
   * @param told for whoever brought the document
   * @param line 1-based, where in the file it is
   * @param file missing when whoever catches it knows best which file it was
   */
  constructor(
    readonly told: Told,
    readonly line = 1,
    readonly file?: string,
    options?: ErrorOptions,
  ) {
    super(told.en, options)
  }
}
