// How an approval is told: to the one who waits for it, and to those who decide.
import { type Static, Type } from 'typebox'
import { type Approval, type ApprovalEnd, peopleOf, type Requirement } from './guard/approvals.js'
import { formatTime, type Lang, say } from './text.js'
import type { Block, Choice, View } from './view.js'

const WORDS = {
  heading: { en: '{name} asks for approval', zh: '{name} 请求审批' },
  list: { en: 'Waiting for approval', zh: '等待审批' },
  none: { en: 'Nothing waits for you.', zh: '没有等待您处理的请求。' },
  rule: {
    en: 'Others must agree first: {missing}, with /approval give {id}, before {expiresAt}. Confirm it then.',
    zh: '需先由他人同意：{missing}，用 /approval give {id}，截止 {expiresAt}。之后再确认。',
  },
  give: { en: 'Approve', zh: '同意' },
  decline: { en: 'Decline', zh: '拒绝' },
  columns: { en: ['Request', 'Who', 'What', 'Missing', 'Until'], zh: ['请求', '发起人', '内容', '还需', '截止'] },
  fields: {
    request: { en: 'Request', zh: '请求' },
    state: { en: 'State', zh: '状态' },
    needed: { en: 'Needed', zh: '需要' },
    missing: { en: 'Still missing', zh: '还需' },
    agreed: { en: 'Agreed', zh: '已同意' },
    until: { en: 'Until', zh: '截止' },
    declined: { en: 'Declined by', zh: '拒绝者' },
    reason: { en: 'Reason', zh: '理由' },
  },
  states: {
    open: { en: 'waits', zh: '等待中' },
    given: { en: 'approved; {name} can confirm it now', zh: '已获准，{name} 现在可以确认' },
    declined: { en: 'declined', zh: '已拒绝' },
  },
  ends: {
    used: { en: 'confirmed by {name}', zh: '{name} 已确认' },
    withdrawn: { en: 'withdrawn by {name}', zh: '{name} 已撤回' },
    expired: { en: 'expired', zh: '已过期' },
  },
} as const

const RequirementShape = Type.Object({ role: Type.String(), count: Type.Integer() })

export const ApprovalShape = Type.Object({
  approval: Type.String(),
  action: Type.String(),
  asker: Type.String({ description: 'as the audit log names them' }),
  askerName: Type.String(),
  what: Type.String(),
  why: Type.String({ description: "the policy author's words" }),
  facts: Type.Array(
    Type.Object({
      label: Type.String(),
      value: Type.String(),
      refers: Type.Optional(Type.Enum(['role', 'channel'], { description: 'what the value is the id of' })),
    }),
  ),
  needed: Type.Array(RequirementShape),
  missing: Type.Array(RequirementShape),
  givenBy: Type.Array(Type.String()),
  declined: Type.Optional(Type.Object({ by: Type.String(), reason: Type.String() })),
  state: Type.String({ description: 'open, given, declined or over' }),
  ended: Type.Optional(Type.String({ description: 'used, withdrawn or expired' })),
  askedAt: Type.String({ description: 'ISO 8601, UTC' }),
  expiresAt: Type.String({ description: 'ISO 8601, UTC' }),
})

export type ApprovalOutput = Static<typeof ApprovalShape>

const copied = (requirements: readonly Requirement[]) => requirements.map(({ role, count }) => ({ role, count }))

export function approvalOutput(approval: Approval, lang: Lang): ApprovalOutput {
  const { id, what, why, facts, needed, missing, givenBy, askedAt, expiresAt, ...rest } = approval
  return {
    ...rest,
    approval: id,
    what: what[lang],
    why: why[lang],
    facts: facts.map(({ label, ...fact }) => ({ ...fact, label: typeof label === 'string' ? label : label[lang] })),
    needed: copied(needed),
    missing: copied(missing),
    givenBy: [...givenBy],
    askedAt: formatTime(askedAt),
    expiresAt: formatTime(expiresAt),
  }
}

/** What the asker is told besides the question. */
export function approvalBlocks({ id, missing, expiresAt }: Approval, lang: Lang): Block[] {
  const values = { id, missing: peopleOf(missing), expiresAt: formatTime(expiresAt) }
  return [{ kind: 'text', text: say(lang, WORDS.rule, values) }]
}

export function approvalChoices(approval: string, lang: Lang): Choice[] {
  const input = { approval }
  return [
    { label: WORDS.give[lang], action: 'approval.give', input, style: 'primary' },
    { label: WORDS.decline[lang], action: 'approval.decline', input, style: 'danger' },
  ]
}

function stateWords({ state, ended, askerName }: ApprovalOutput, lang: Lang): string {
  const words = state === 'over' ? WORDS.ends[ended as ApprovalEnd] : WORDS.states[state as keyof typeof WORDS.states]
  return say(lang, words, { name: askerName })
}

const TONES = { open: 'warn', given: 'good', declined: 'bad', over: 'info' } as const

export function approvalView(output: ApprovalOutput, lang: Lang): View {
  const { approval, what, why, facts, needed, missing, givenBy, declined, expiresAt, askerName } = output
  const state = output.state as keyof typeof TONES
  const { fields } = WORDS
  const told = [
    { label: fields.request[lang], value: approval },
    { label: fields.state[lang], value: stateWords(output, lang) },
    { label: fields.needed[lang], value: peopleOf(needed) },
    ...(state === 'open' ? [{ label: fields.missing[lang], value: peopleOf(missing) }] : []),
    ...(givenBy.length === 0 ? [] : [{ label: fields.agreed[lang], value: givenBy.join(', ') }]),
    ...(declined === undefined
      ? []
      : [
          { label: fields.declined[lang], value: declined.by },
          ...(declined.reason === '' ? [] : [{ label: fields.reason[lang], value: declined.reason }]),
        ]),
    ...(state === 'open' ? [{ label: fields.until[lang], value: expiresAt }] : []),
  ]
  return {
    tone: TONES[state],
    heading: say(lang, WORDS.heading, { name: askerName }),
    blocks: [
      { kind: 'text', text: what },
      { kind: 'text', text: why },
      ...(facts.length === 0 ? [] : [{ kind: 'facts', facts } as const]),
      { kind: 'facts', facts: told },
    ],
    ...(state === 'open' ? { choices: approvalChoices(approval, lang) } : {}),
  }
}

export function approvalsView(approvals: readonly ApprovalOutput[], lang: Lang): View {
  if (approvals.length === 0) return { tone: 'info', blocks: [{ kind: 'text', text: WORDS.none[lang] }] }
  return {
    tone: 'info',
    heading: WORDS.list[lang],
    blocks: [
      {
        kind: 'table',
        columns: WORDS.columns[lang],
        rows: approvals.map(({ approval, askerName, what, missing, expiresAt }) => [
          approval,
          askerName,
          what,
          peopleOf(missing),
          expiresAt,
        ]),
      },
    ],
    choices: approvals.slice(0, 5).map(({ approval, askerName }) => ({
      label: `${approval.slice(0, 6)} ${askerName}`,
      action: 'approval.show',
      input: { approval },
      style: 'secondary',
    })),
  }
}
