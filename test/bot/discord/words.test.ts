import { describe, expect, it } from 'vitest'
import { langOf, publicLangOf } from '../../../src/bot/discord/words.js'

describe('the language of an answer', () => {
  it("is the asker's, else the guild's, else what the guild has set, else English", () => {
    expect(langOf({ locale: 'zh-TW', guild_locale: 'en-US' }, 'en')).toBe('zh')
    expect(langOf({ locale: 'ja', guild_locale: 'zh-CN' }, 'zh')).toBe('en')
    expect(langOf({ guild_locale: 'zh-CN' }, 'en')).toBe('zh')
    expect(langOf({ guild_locale: 'fr' }, 'zh')).toBe('en')
    expect(langOf({}, 'zh')).toBe('zh')
    expect(langOf({}, 'auto')).toBe('en')
  })

  it('that everybody reads is what was set, or else of the one who asked', () => {
    expect(publicLangOf('en', 'zh')).toBe('zh')
    expect(publicLangOf('zh', 'en')).toBe('en')
    expect(publicLangOf('zh', 'auto')).toBe('zh')
  })
})
