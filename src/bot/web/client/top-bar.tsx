// The bar above everything: whose page it is, and how it looks and speaks.
import type { Lang } from '../../../actions/index.js'
import type { Me } from './api.js'
import { LeaveIcon, MoonIcon, SunIcon } from './icons.js'
import type { Theme } from './preferences.js'
import { useLang, useWords } from './words.js'

interface TopBarProps {
  readonly me: Me | undefined
  readonly theme: Theme
  onTheme(theme: Theme): void
  onLang(lang: Lang): void
  onSignOut(): void
}

export function TopBar({ me, theme, onTheme, onLang, onSignOut }: TopBarProps) {
  const t = useWords()
  const lang = useLang()
  const themeLabel = t(theme === 'dark' ? 'toLight' : 'toDark')
  return (
    <header class="top-bar">
      <img src="/page/favicon.svg" alt="" width="28" height="28" />
      <h1 class="product">{t('product')}</h1>
      <span class="spring" />
      {me ? (
        <span class="who" title={t('signedInAs', { name: `${me.name} (${me.roles.join(', ')})` })}>
          {me.name}
        </span>
      ) : null}
      <button
        type="button"
        class="icon-button lang"
        lang={lang === 'zh' ? 'en' : 'zh-CN'}
        aria-label={t('switchLang')}
        title={t('switchLang')}
        onClick={() => onLang(lang === 'zh' ? 'en' : 'zh')}
      >
        {t('toChinese')}
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label={themeLabel}
        title={themeLabel}
        onClick={() => onTheme(theme === 'dark' ? 'light' : 'dark')}
      >
        {theme === 'dark' ? <SunIcon /> : <MoonIcon />}
      </button>
      {me ? (
        <button type="button" class="icon-button" aria-label={t('signOut')} title={t('signOut')} onClick={onSignOut}>
          <LeaveIcon />
        </button>
      ) : null}
    </header>
  )
}
