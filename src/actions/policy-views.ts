// What policy says of a call that is not made, and how that is told.
import { type Static, Type } from 'typebox'
import { cardField } from './card-fields.js'
import { AppError } from './errors.js'
import { artifactField, containerField, hostField, imageField, text, toField } from './fields.js'
import { peopleOf } from './guard/approvals.js'
import type { Explained } from './guard/explain.js'
import type { Lang } from './text.js'
import type { View } from './view.js'

const WORDS = {
  allowed: { en: 'Allowed', zh: '允许' },
  first: { en: 'Allowed, but not at once', zh: '允许，但需先满足条件' },
  refused: { en: 'Not allowed', zh: '不允许' },
  who: { en: 'Who', zh: '谁' },
  what: { en: 'What', zh: '操作' },
  where: { en: 'Where', zh: '对象' },
  decided: { en: 'Decided by', zh: '决定的策略' },
  nothing: { en: 'nothing permits it', zh: '没有策略允许' },
  confirm: { en: 'To be confirmed', zh: '需确认' },
  approve: { en: 'To be agreed to by', zh: '需同意者' },
  reason: { en: 'Reason', zh: '原因' },
  needed: { en: 'to be given', zh: '需提供' },
} as const

/** What says which call is meant. */
export const SUPPOSED = {
  action: text(
    { en: 'The command: container.start', zh: '命令，例如 container.start' },
    { max: 65, complete: 'action' },
  ),
  host: Type.Optional(hostField),
  container: Type.Optional(containerField),
  image: Type.Optional(imageField),
  card: Type.Optional(cardField),
  artifact: Type.Optional(artifactField),
  to: Type.Optional(toField),
  path: Type.Optional(text({ en: 'Where in the container', zh: '容器内的路径' }, { max: 4096 })),
}

export const ExplainedShape = Type.Object({
  who: Type.Array(Type.String(), { description: 'the roles that were asked about' }),
  action: Type.String(),
  on: Type.String(),
  allowed: Type.Boolean(),
  policies: Type.Array(Type.String(), { description: 'those that decided; empty when nothing permits it' }),
  confirm: Type.Optional(Type.String({ description: 'why its asker is to say yes first' })),
  approvals: Type.Array(Type.Object({ role: Type.String(), count: Type.Integer() })),
  reason: Type.Boolean({ description: 'whether a reason is to be given' }),
})

type ExplainedOutput = Static<typeof ExplainedShape>
type Input = Readonly<Partial<Record<keyof typeof SUPPOSED, string>>> & { readonly action: string }

export function explainedOutput(
  { allowed, policies, demand }: Explained,
  { action, ...on }: Input,
  roles: readonly string[],
  lang: Lang,
): ExplainedOutput {
  return {
    who: [...roles],
    action,
    on: Object.entries(on)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
    allowed,
    policies: [...policies],
    ...(demand?.why ? { confirm: demand.why[lang] } : {}),
    approvals: (demand?.approvals ?? []).map(({ role, count }) => ({ role, count })),
    reason: demand?.reason ?? false,
  }
}

export function explainedView(output: ExplainedOutput, lang: Lang): View {
  const { who, action, on, allowed, policies, confirm, approvals, reason } = output
  const isAtOnce = confirm === undefined && !reason
  return {
    tone: allowed ? (isAtOnce ? 'good' : 'warn') : 'bad',
    heading: (allowed ? (isAtOnce ? WORDS.allowed : WORDS.first) : WORDS.refused)[lang],
    blocks: [
      {
        kind: 'facts',
        facts: [
          { label: WORDS.who[lang], value: who.join(', ') || '-' },
          { label: WORDS.what[lang], value: action },
          ...(on === '' ? [] : [{ label: WORDS.where[lang], value: on }]),
          { label: WORDS.decided[lang], value: policies.join(', ') || WORDS.nothing[lang] },
          ...(confirm === undefined ? [] : [{ label: WORDS.confirm[lang], value: confirm }]),
          ...(approvals.length === 0 ? [] : [{ label: WORDS.approve[lang], value: peopleOf(approvals) }]),
          ...(reason ? [{ label: WORDS.reason[lang], value: WORDS.needed[lang] }] : []),
        ],
      },
    ],
  }
}

const ROLE = /^[A-Za-z0-9_-]{1,64}$/

/** `operator, viewer` @throws AppError INVALID_INPUT */
export function rolesOf(list: string): string[] {
  const roles = list.split(/[,，\s]+/).filter((role) => role !== '')
  const wrong = roles.find((role) => !ROLE.test(role))
  if (wrong === undefined) return roles
  throw new AppError('INVALID_INPUT', { problem: { en: `"${wrong}" is no role`, zh: `“${wrong}”不是角色` } })
}
