// Text for people exists in both languages or not at all: the type makes a missing translation a compile error.

export type Lang = 'zh' | 'en'

export interface Bilingual {
  readonly en: string
  readonly zh: string
}

export type TextValues = Readonly<Record<string, unknown>>

/** Fills `{name}` placeholders; a placeholder without a value becomes an empty string, never its own name. */
export function say(lang: Lang, text: Bilingual, values: TextValues = {}): string {
  return text[lang].replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name]
    return value === undefined || value === null ? '' : String(value)
  })
}

/** Fills the placeholders of both languages at once. */
export const fill = (text: Bilingual, values: TextValues): Bilingual => ({
  en: say('en', text, values),
  zh: say('zh', text, values),
})

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** @param bytes a count of bytes @returns for example `512 B`, `1.5 GiB` */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1
  return `${value.toFixed(digits)} ${UNITS[unit]}`
}

/** @param at epoch ms @returns ISO 8601 in UTC, to the second: the same in every surface's record */
export const formatTime = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`
