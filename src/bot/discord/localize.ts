// Names and descriptions in the languages that Discord may be set to: English, and both kinds of Chinese.
import { readFile } from 'node:fs/promises'
import type { Bilingual } from '../../actions/index.js'

/** Simplified Chinese in Traditional characters. */
export type Traditional = (simplified: string) => string

/** Made by the build, in the same place for the sources and for what is built of them. */
const BUILT = new URL('../../../dist/traditional.json', import.meta.url)

/**
 * The converter itself would take 40 MB to say a few hundred sentences, so that the build has it say them all.
 * @returns what it is not told of stays as it is
 */
export async function readTraditional(): Promise<Traditional> {
  const table = new Map(Object.entries(JSON.parse(await readFile(BUILT, 'utf8')) as Record<string, string>))
  return (simplified) => table.get(simplified) ?? simplified
}

/** Discord, "Application Command Option Structure". */
const LONGEST_DESCRIPTION = 100

export interface Localizer {
  /** @param zh where there is none, the English name is shown */
  named(name: string, zh: string | undefined): { name: string; name_localizations?: Record<string, string> }
  described(words: Bilingual): { description: string; description_localizations: Record<string, string> }
}

export function localizer(traditional: Traditional): Localizer {
  const chinese = (zh: string) => ({ 'zh-CN': zh, 'zh-TW': traditional(zh) })
  return {
    named: (name, zh) => ({ name, ...(zh === undefined ? {} : { name_localizations: chinese(zh) }) }),
    described: ({ en, zh }) => ({
      description: en.slice(0, LONGEST_DESCRIPTION),
      description_localizations: chinese(zh.slice(0, LONGEST_DESCRIPTION)),
    }),
  }
}
