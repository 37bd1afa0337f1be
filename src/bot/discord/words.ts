// What this surface itself says to people, and which language it says it in. Everything else comes with the views.
import type { Bilingual, Lang, Language } from '../../actions/index.js'

/** Of people and guilds, as Discord names them: `zh-CN`, `zh-TW`, `en-US`, … */
export interface Locales {
  readonly locale?: string
  readonly guild_locale?: string
}

/** @returns the asker's own language, else the guild's, else what the guild has set */
export function langOf({ locale, guild_locale }: Locales, setting: Language): Lang {
  const known = locale ?? guild_locale
  if (known !== undefined) return known.startsWith('zh') ? 'zh' : 'en'
  return setting === 'zh' ? 'zh' : 'en'
}

/** @returns the language of what everybody in a guild reads, where one of them asked */
export const publicLangOf = (own: Lang, setting: Language): Lang => (setting === 'auto' ? own : setting)

export const WORDS = {
  confirm: { en: 'Confirm', zh: '确认' },
  cancel: { en: 'Cancel', zh: '取消' },
  cancelled: { en: 'Cancelled', zh: '已取消' },
  nothingDone: { en: 'Nothing was done.', zh: '未执行任何操作。' },
  confirmRule: {
    en: 'Only you can confirm this, within {seconds} s.',
    zh: '仅您本人可以确认，{seconds} 秒内有效。',
  },
  confirmAfter: {
    en: 'Only you can confirm this, once it is approved.',
    zh: '获准后，仅您本人可以确认。',
  },
  approved: {
    en: 'Approved by {by}: what you asked for (request {approval}) can be confirmed now.',
    zh: '{by} 已同意：您的请求（{approval}）现在可以确认。',
  },
  declined: {
    en: '{by} declined what you asked for (request {approval}){because}',
    zh: '{by} 已拒绝您的请求（{approval}）{because}',
  },
  shownIn: { en: 'Shown to those who decide in', zh: '已向审批人显示于' },
  notShownThere: {
    en: 'The channel for approvals cannot be used: {why}. So the request is shown here. /settings set names another.',
    zh: '无法使用审批频道：{why}。因此请求显示在此处。可用 /settings set 另设频道。',
  },
  discordFailed: { en: 'Discord did not take it', zh: 'Discord 未接受' },
  rowsCut: { en: '{shown} of {all} rows; all of it is in {file}.', zh: '显示 {shown} / {all} 行；完整内容见 {file}。' },
  cut: { en: 'Shortened; all of it is in {file}.', zh: '内容有删减；完整内容见 {file}。' },
  buttonsCut: {
    en: 'Next steps without a button here: {count}; {file} has them as commands.',
    zh: '{count} 个后续操作没有按钮；其命令见 {file}。',
  },
  fileCut: { en: 'Cut here: the rest exceeds what Discord takes.', zh: '在此截断：其余内容超出 Discord 的上限。' },
  jobEnded: {
    en: 'Your job {job} ({action}) has ended. `/job status job:{job}` shows you the result.',
    zh: '您的任务 {job}（{action}）已结束。使用 `/job status job:{job}` 查看结果。',
  },
  giveReason: { en: 'Give the reason', zh: '说明原因' },
  noText: { en: 'that message has no text of its own', zh: '该消息没有文字内容' },
  hasAttachments: {
    en: 'that message has attachments, and only text can be taken from a message',
    zh: '该消息带有附件，而从消息中只能取得文字',
  },
  unknownButton: { en: 'this button is not one of mine', zh: '无法识别此按钮' },
  unknownKind: { en: 'this kind of command is not one of mine', zh: '无法识别此类命令' },
  file: { en: 'The file to send in', zh: '要上传的文件' },
  group: { en: 'Commands: {verbs}', zh: '命令：{verbs}' },
} as const satisfies Record<string, Bilingual>
