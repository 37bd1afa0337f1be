// What this browser remembers about how the page is to look and speak.
import { useEffect, useState } from 'preact/hooks'
import type { Lang } from '../../../actions/index.js'

export type Theme = 'light' | 'dark'

/** A browser may refuse to remember; then a choice lasts as long as the page. */
function remembered(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined
  } catch (error) {
    if (error instanceof DOMException) return undefined
    throw error
  }
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch (error) {
    if (!(error instanceof DOMException)) throw error
  }
}

const prefersDark = () => matchMedia('(prefers-color-scheme: dark)')

/** @returns the theme shown now, and how to choose the other; without a choice it follows the system */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [chosen, choose] = useState<Theme | undefined>(() => {
    const value = remembered('hypercall.theme')
    return value === 'light' || value === 'dark' ? value : undefined
  })
  const [system, setSystem] = useState<Theme>(() => (prefersDark().matches ? 'dark' : 'light'))
  useEffect(() => {
    const query = prefersDark()
    const follow = () => setSystem(query.matches ? 'dark' : 'light')
    query.addEventListener('change', follow)
    return () => query.removeEventListener('change', follow)
  }, [])
  useEffect(() => {
    if (chosen === undefined) return
    document.documentElement.dataset.theme = chosen
    remember('hypercall.theme', chosen)
  }, [chosen])
  return [chosen ?? system, choose]
}

/** @returns the language shown now, and how to choose the other; without a choice it is the browser's */
export function useChosenLang(): [Lang, (lang: Lang) => void] {
  const [lang, setLang] = useState<Lang>(() => {
    const value = remembered('hypercall.lang')
    if (value === 'zh' || value === 'en') return value
    return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
  })
  useEffect(() => {
    document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en'
  }, [lang])
  const choose = (next: Lang) => {
    remember('hypercall.lang', next)
    setLang(next)
  }
  return [lang, choose]
}
