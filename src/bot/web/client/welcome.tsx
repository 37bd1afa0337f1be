// What there is to see before anything was asked: examples that work as they stand.
import { useWords, type Word } from './words.js'

const QUESTIONS = ['exampleKinds', 'exampleDocker', 'exampleCopy'] as const satisfies readonly Word[]
const COMMANDS = [
  { line: '/container list', word: 'exampleList' },
  { line: '/host status', word: 'exampleStatus' },
  { line: '/help', word: 'exampleHelp' },
] as const satisfies readonly { line: string; word: Word }[]

export function Welcome({ onSay }: { onSay(line: string): void }) {
  const t = useWords()
  return (
    <div class="welcome">
      <h2>{t('welcome')}</h2>
      <p>{t('welcomeMore')}</p>
      <div class="examples">
        <section>
          <h3>{t('tryAsking')}</h3>
          {QUESTIONS.map((word) => (
            <button key={word} type="button" class="example" onClick={() => onSay(t(word))}>
              {t(word)}
            </button>
          ))}
        </section>
        <section>
          <h3>{t('tryRunning')}</h3>
          {COMMANDS.map(({ line, word }) => (
            <button key={line} type="button" class="example" onClick={() => onSay(line)}>
              <code>{line}</code>
              <span>{t(word)}</span>
            </button>
          ))}
        </section>
      </div>
    </div>
  )
}
