// Who is here, and what they therefore see.
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Failure, type Me, openApi } from './api.js'
import { Console } from './console.js'
import { useChosenLang, useTheme } from './preferences.js'
import { SignIn, takeLoginToken } from './sign-in.js'
import { TopBar } from './top-bar.js'
import { LangContext } from './words.js'

type Session =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'in'; readonly me: Me }
  /** `me`: who it was, so that what they were reading is still there when they come back. */
  | { readonly kind: 'out'; readonly reason?: 'refused' | 'ended'; readonly me?: Me }

export function App() {
  const [theme, setTheme] = useTheme()
  const [lang, setLang] = useChosenLang()
  const [session, setSession] = useState<Session>({ kind: 'unknown' })
  const spoken = useRef(lang)
  spoken.current = lang

  const onSignedOut = useCallback(() => {
    setSession((now) => (now.kind === 'in' ? { kind: 'out', reason: 'ended', me: now.me } : now))
  }, [])
  const api = useMemo(() => openApi(() => spoken.current, onSignedOut), [onSignedOut])

  useEffect(() => {
    const arrive = async (token: string | undefined) => {
      if (token !== undefined) {
        try {
          setSession({ kind: 'in', me: await api.login(token) })
          return
        } catch (error) {
          if (!(error instanceof Failure)) throw error
        }
      }
      try {
        // A used-up link still opens the page of whoever is signed in.
        setSession({ kind: 'in', me: await api.me() })
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        setSession({ kind: 'out', ...(token === undefined ? {} : { reason: 'refused' }) })
      }
    }
    const onHash = () => {
      const token = takeLoginToken()
      if (token !== undefined) void arrive(token)
    }
    void arrive(takeLoginToken())
    addEventListener('hashchange', onHash)
    return () => removeEventListener('hashchange', onHash)
  }, [api])

  const signOut = async () => {
    try {
      await api.logout()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
    }
    setSession({ kind: 'out' })
  }

  const me = session.kind === 'unknown' ? undefined : session.me
  return (
    <LangContext.Provider value={lang}>
      <TopBar
        me={session.kind === 'in' ? session.me : undefined}
        theme={theme}
        onTheme={setTheme}
        onLang={setLang}
        onSignOut={signOut}
      />
      {session.kind === 'out' ? (
        <SignIn api={api} reason={session.reason} onSignedIn={(signedIn) => setSession({ kind: 'in', me: signedIn })} />
      ) : null}
      {me ? (
        <div class="keep" hidden={session.kind === 'out'}>
          <Console api={api} me={me} />
        </div>
      ) : null}
    </LangContext.Provider>
  )
}
