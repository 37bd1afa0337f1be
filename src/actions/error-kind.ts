// What is known of a failure before it happens.
import type { Bilingual } from './text.js'

export interface ErrorKind extends Bilingual {
  readonly status: number
  /** True when the same call, unchanged, may succeed later. */
  readonly retry: boolean
}

export const kind = (status: number, retry: boolean, en: string, zh: string): ErrorKind => ({ status, retry, en, zh })
