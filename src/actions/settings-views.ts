// A guild's settings, as its administrators are shown them.
import { type Static, Type } from 'typebox'
import type { Principal } from './action.js'
import { text } from './fields.js'
import type { ChannelProblem, GuildSettings, Language } from './settings/settings.js'
import type { Bilingual, Lang } from './text.js'
import type { Fact, View } from './view.js'

export const guildRoleField = text(
  { en: 'A role of this server; @everyone is everybody', zh: '本服务器的身份组；@everyone 表示所有人' },
  { max: 20, pattern: '^[0-9]{5,20}$', refers: 'role' },
)

export const policyRoleField = text(
  {
    en: 'The role of policy that it stands for: viewer, operator, admin',
    zh: '对应的策略角色：viewer、operator、admin',
  },
  { max: 32, pattern: '^[a-z][a-z0-9-]*$' },
)

export const SettingsShape = Type.Object({
  guild: Type.String(),
  language: Type.String({ description: 'auto, en or zh' }),
  approvals: Type.Optional(Type.String({ description: 'The channel for requests for approval, by its id' })),
  approvalsProblem: Type.Optional(
    Type.String({ description: 'Why nothing could be shown there the last time: gone, forbidden or elsewhere' }),
  ),
  roles: Type.Array(Type.Object({ guildRole: Type.String({ description: 'by its id' }), role: Type.String() })),
})

export type SettingsOutput = Static<typeof SettingsShape>

export const settingsOutput = ({ tenant }: Principal, { roles, ...settings }: GuildSettings): SettingsOutput => ({
  guild: tenant,
  ...settings,
  roles: roles.map((mapping) => ({ ...mapping })),
})

const WORDS = {
  heading: { en: 'Settings of this server', zh: '本服务器的设置' },
  language: { en: 'Language of what everybody reads', zh: '所有人可见内容的语言' },
  approvals: { en: 'Requests for approval are shown in', zh: '审批请求显示于' },
  whereAsked: { en: 'the channel where they are made', zh: '发起请求的频道' },
  problem: { en: 'Problem', zh: '问题' },
  rolesRule: {
    en: 'Besides these, the operator maps roles in DISCORD_ROLES, and an administrator of the server is `admin`.',
    zh: '除此之外，运维方在 DISCORD_ROLES 中映射角色；服务器管理员即 `admin`。',
  },
} as const satisfies Record<string, Bilingual>

const LANGUAGE_WORDS: Readonly<Record<Language, Bilingual>> = {
  auto: { en: "auto: the asker's own, else the server's", zh: 'auto：提问者自己的语言，否则为服务器的语言' },
  en: { en: 'English', zh: '英文' },
  zh: { en: 'Chinese', zh: '中文' },
}

export const PROBLEM_WORDS: Readonly<Record<ChannelProblem, Bilingual>> = {
  gone: { en: 'that channel is gone', zh: '该频道已不存在' },
  forbidden: {
    en: 'the bot may not post there: it needs View Channel, Send Messages and Embed Links',
    zh: '机器人无权在该频道发言：需要“查看频道”“发送消息”和“嵌入链接”权限',
  },
  elsewhere: { en: 'that channel is not of this server', zh: '该频道不属于本服务器' },
}

export function settingsView(output: SettingsOutput, lang: Lang): View {
  const { language, approvals, approvalsProblem, roles } = output
  const problem = PROBLEM_WORDS[approvalsProblem as ChannelProblem]
  const facts: Fact[] = [
    { label: WORDS.language[lang], value: LANGUAGE_WORDS[language as Language][lang] },
    approvals === undefined
      ? { label: WORDS.approvals[lang], value: WORDS.whereAsked[lang] }
      : { label: WORDS.approvals[lang], value: approvals, refers: 'channel' },
    ...(approvalsProblem === undefined ? [] : [{ label: WORDS.problem[lang], value: problem[lang] }]),
    ...roles.map(({ guildRole, role }) => ({ label: role, value: guildRole, refers: 'role' }) as const),
  ]
  return {
    tone: approvalsProblem === undefined ? 'info' : 'warn',
    heading: WORDS.heading[lang],
    blocks: [
      { kind: 'facts', facts },
      { kind: 'text', text: WORDS.rolesRule[lang] },
    ],
  }
}
