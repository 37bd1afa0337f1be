// Who has no session yet: takes the token from the link, or says how to get one.
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { type Api, Failure, type Me } from './api.js'
import { useWords } from './words.js'

/** The token never stays in the address bar, in the history or in a bookmark. */
export function takeLoginToken(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get('login') ?? undefined
  if (token !== undefined) history.replaceState(null, '', location.pathname + location.search)
  return token
}

/** A whole link may be pasted as well as its token. */
const tokenIn = (text: string): string => /[#&]login=([^&\s]+)/.exec(text)?.[1] ?? text.trim()

interface SignInProps {
  readonly api: Api
  /** A link that did not work, or a session that ended. */
  readonly reason: 'refused' | 'ended' | undefined
  onSignedIn(me: Me): void
}

export function SignIn({ api, reason, onSignedIn }: SignInProps) {
  const t = useWords()
  const id = useId()
  const field = useRef<HTMLInputElement>(null)
  const [failure, setFailure] = useState<Failure>()
  const [isBusy, setBusy] = useState(false)
  useEffect(() => field.current?.focus(), [])

  const submit = async () => {
    const token = tokenIn(field.current?.value ?? '')
    if (token === '' || isBusy) return
    setBusy(true)
    try {
      onSignedIn(await api.login(token))
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      setFailure(error)
      setBusy(false)
      field.current?.select()
    }
  }

  const trouble = failure
    ? failure.code === 'OFFLINE'
      ? t('offline')
      : failure.status === 401
        ? t('signInRefused')
        : failure.message
    : reason === 'refused'
      ? t('signInRefused')
      : reason === 'ended'
        ? t('signInAgain')
        : undefined
  return (
    <main class="sign-in">
      <form
        class="sign-in-card"
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <img src="/page/favicon.svg" alt="" width="56" height="56" />
        <h2>{t('signIn')}</h2>
        <p>{t('signInWhy')}</p>
        <pre>
          <code>hypercall login</code>
        </pre>
        <label for={id}>{t('signInLink')}</label>
        <div class="sign-in-row">
          <input
            ref={field}
            id={id}
            type="text"
            autocomplete="off"
            spellcheck={false}
            placeholder="http://…/#login=…"
          />
          <button type="submit" class="button primary" disabled={isBusy}>
            {t('signIn')}
          </button>
        </div>
        <p class="aside">{t('signInOnce')}</p>
        <p class="trouble" role="alert">
          {trouble}
        </p>
      </form>
    </main>
  )
}
