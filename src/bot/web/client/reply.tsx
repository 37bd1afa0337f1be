// One exchange as it is drawn: what was asked, and the answer below it in whatever state it is.
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { isCommand } from '../../line.js'
import type { Api, Command, Failure } from './api.js'
import { ConfirmCard } from './confirm-card.js'
import type { Conversation, Exchange, ExchangeState } from './conversation.js'
import { HelpCard } from './help-card.js'
import { FileIcon } from './icons.js'
import { useFollow } from './jobs.js'
import { formatBytes } from './text.js'
import { Blocks, Choices, Embed } from './view.js'
import { useLang, useWords } from './words.js'

interface MessageProps {
  readonly who: string
  readonly avatar: ComponentChildren
  readonly at: number
  readonly tag?: string
  readonly children: ComponentChildren
}

function Message({ who, avatar, at, tag, children }: MessageProps) {
  const lang = useLang()
  const time = new Date(at)
  return (
    <div class="message">
      <div class="avatar" aria-hidden="true">
        {avatar}
      </div>
      <div class="message-body">
        <p class="byline">
          <strong>{who}</strong>
          {tag === undefined ? null : <span class="tag">{tag}</span>}
          <time dateTime={time.toISOString()}>
            {time.toLocaleTimeString(lang === 'zh' ? 'zh-CN' : 'en', { hour: '2-digit', minute: '2-digit' })}
          </time>
        </p>
        {children}
      </div>
    </div>
  )
}

type Of<K extends ExchangeState['kind']> = Extract<ExchangeState, { kind: K }>

function Waiting({ state, onStop }: { readonly state: Of<'waiting'>; onStop(): void }) {
  const t = useWords()
  const { sent } = state
  const ratio = sent && sent.total > 0 ? sent.bytes / sent.total : undefined
  return (
    <div class="waiting">
      {ratio !== undefined && ratio < 1 && sent ? (
        <div class="waiting-progress">
          <Blocks
            blocks={[
              {
                kind: 'progress',
                ratio,
                label: t('sending', { sent: formatBytes(sent.bytes), total: formatBytes(sent.total) }),
              },
            ]}
          />
        </div>
      ) : (
        <span class="dots" role="img" aria-label={t('working')}>
          <i />
          <i />
          <i />
        </span>
      )}
      <button type="button" class="button quiet" onClick={onStop}>
        {t('stop')}
      </button>
    </div>
  )
}

interface DoneProps {
  readonly state: Of<'done'>
  readonly exchange: Exchange
  readonly conversation: Conversation
  readonly api: Api
}

function Done({ state, exchange, conversation, api }: DoneProps) {
  const t = useWords()
  const [isLost, setLost] = useState(false)
  const [failure, setFailure] = useState<Failure>()
  const { job, answer } = state
  const { view } = answer
  useFollow(failure ? undefined : job?.id, api, {
    onNews: (news) => conversation.update(exchange, news),
    onContact: setLost,
    onEnd: setFailure,
  })
  const isAbout = (input: Readonly<Record<string, unknown>>) => job !== undefined && input.job === job.id
  // A card that follows its job needs no button to do so.
  // And what wants a form is typed as a command here.
  const choices = (view.choices ?? []).filter(
    (choice) => choice.draft === undefined && !(choice.action === 'job.status' && isAbout(choice.input)),
  )
  return (
    <>
      <Embed tone={view.tone} heading={view.heading}>
        <Blocks blocks={view.blocks} />
        <Choices
          choices={choices}
          onPress={({ action, input }) =>
            isAbout(input) ? conversation.act(exchange, action, input) : conversation.press(action, input)
          }
        />
      </Embed>
      {job && !failure ? (
        <p class="aside following" aria-live="off">
          {isLost ? t('followLost') : t('following')}
        </p>
      ) : null}
      {failure ? <FailureCard failure={failure} /> : null}
    </>
  )
}

const PAGE_WORDS = { OFFLINE: 'offline', STOPPED: 'stopped', UNREADABLE: 'unreadable' } as const
const isPageCode = (code: string): code is keyof typeof PAGE_WORDS => Object.hasOwn(PAGE_WORDS, code)

interface FailureCardProps {
  readonly failure: Failure
  onAgain?(): void
  onEdit?(): void
}

function FailureCard({ failure, onAgain, onEdit }: FailureCardProps) {
  const t = useWords()
  const { code, requestId } = failure
  return (
    <Embed tone={code === 'STOPPED' ? 'warn' : 'bad'} heading={t('failed')}>
      <p class="text">{isPageCode(code) ? t(PAGE_WORDS[code]) : failure.message}</p>
      <div class="actions">
        {onAgain && failure.retry ? (
          <button type="button" class="button primary" onClick={onAgain}>
            {t('tryAgain')}
          </button>
        ) : null}
        {onEdit ? (
          <button type="button" class="button" onClick={onEdit}>
            {t('edit')}
          </button>
        ) : null}
        <span class="aside codes">
          <code>{code}</code>
          {requestId === undefined ? null : (
            <span class="request">
              {t('request')} <code>{requestId}</code>
            </span>
          )}
        </span>
      </div>
    </Embed>
  )
}

interface ReplyProps {
  readonly exchange: Exchange
  readonly conversation: Conversation
  readonly api: Api
  readonly commands: readonly Command[]
  readonly name: string
  /** Puts a line into the box, with its file if it had one. */
  onPick(line: string, file?: File): void
  /** The keyboard's way back, when what it was on is gone. */
  onSettled(): void
}

function Body({ exchange, conversation, api, commands, onPick, onSettled }: ReplyProps) {
  const t = useWords()
  const { state } = exchange
  switch (state.kind) {
    case 'waiting':
      return <Waiting state={state} onStop={() => conversation.stop(exchange)} />
    case 'done':
      return <Done state={state} exchange={exchange} conversation={conversation} api={api} />
    case 'confirm':
      return (
        <ConfirmCard
          answer={state.answer}
          notice={state.notice}
          isGrave={commands.find(({ name }) => name === state.answer.action)?.effect === 'destroy'}
          onConfirm={() => {
            conversation.confirm(exchange)
            onSettled()
          }}
          onWithdraw={() => {
            conversation.withdraw(exchange)
            onSettled()
          }}
          onAgain={() => conversation.again(exchange)}
        />
      )
    case 'withdrawn':
      return (
        <Embed tone="info">
          <p class="text">{t('withdrawn')}</p>
        </Embed>
      )
    case 'failed':
      return (
        <FailureCard
          failure={state.failure}
          onAgain={() => conversation.again(exchange)}
          onEdit={() => onPick(exchange.line, exchange.file)}
        />
      )
    case 'help':
      return <HelpCard commands={commands} about={state.about} onPick={onPick} />
  }
}

export function Reply(props: ReplyProps) {
  const t = useWords()
  const { exchange, name } = props
  return (
    <article class="exchange" aria-busy={exchange.state.kind === 'waiting'}>
      <Message who={name} at={exchange.at} avatar={<span class="initial">{name.slice(0, 1)}</span>}>
        <p class={isCommand(exchange.line) ? 'said command-line' : 'said'}>{exchange.line}</p>
        {exchange.file ? (
          <p class="chip">
            <FileIcon />
            <span class="chip-name">{exchange.file.name}</span>
            <span class="chip-size">{formatBytes(exchange.file.size)}</span>
          </p>
        ) : null}
      </Message>
      <Message
        who={t('product')}
        tag={t('bot')}
        at={exchange.at}
        avatar={<img src="/page/favicon.svg" alt="" width="40" height="40" />}
      >
        <Body {...props} />
      </Message>
    </article>
  )
}
