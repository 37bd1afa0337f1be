// /help: every command with its fields, straight from the registry's own descriptions.

import { positionalFields, spell } from '../../line.js'
import type { Command } from './api.js'
import { say } from './text.js'
import { Embed } from './view.js'
import { useLang, useWords, type Word } from './words.js'

interface HelpCardProps {
  readonly commands: readonly Command[]
  /** What was asked about; empty for all. */
  readonly about: string
  onPick(line: string): void
}

const EFFECT_WORDS = {
  read: 'effectRead',
  change: 'effectChange',
  destroy: 'effectDestroy',
  disclose: 'effectDisclose',
} as const satisfies Record<Command['effect'], Word>

function CommandHelp({ command, onPick }: { readonly command: Command; onPick(line: string): void }) {
  const t = useWords()
  const lang = useLang()
  const line = spell(command.name)
  const places = positionalFields(command)
  return (
    <li class="command">
      <p class="command-head">
        <button type="button" class="command-name" onClick={() => onPick(`${line} `)}>
          {line}
        </button>
        {places.map(({ name }) => (
          <code key={name} class="command-place">
            {name}
          </code>
        ))}
        <span class={`badge effect-${command.effect}`}>{t(EFFECT_WORDS[command.effect])}</span>
        {command.acceptsFile ? <span class="badge">{t('takesFile')}</span> : null}
      </p>
      <p class="command-summary">{say(lang, command.summary)}</p>
      {command.fields.length === 0 ? null : (
        <dl class="command-fields">
          {command.fields.map((field) => (
            <div key={field.name}>
              <dt>
                <code>{field.name}</code>
                {field.required ? <span class="badge">{t('required')}</span> : null}
              </dt>
              <dd>
                {say(lang, field.description)}
                {field.choices ? <span class="command-choices"> {field.choices.join(' · ')}</span> : null}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  )
}

export function HelpCard({ commands, about, onPick }: HelpCardProps) {
  const t = useWords()
  const wanted = about
    .toLowerCase()
    .replace(/^\//, '')
    .replaceAll(/[\s.]+/g, ' ')
    .trim()
  const fitting = commands.filter(({ name }) => `${spell(name)} `.startsWith(`/${wanted} `))
  const shown = wanted === '' || fitting.length === 0 ? commands : fitting
  return (
    <Embed tone="info" heading={t('help')}>
      <p class="text">{shown === fitting || wanted === '' ? t('helpIntro') : t('helpNone', { name: about })}</p>
      <ul class="commands">
        {shown.map((command) => (
          <CommandHelp key={command.name} command={command} onPick={onPick} />
        ))}
      </ul>
    </Embed>
  )
}
