import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { AppError } from '../errors.js'
import { oneOf, text } from '../fields.js'
import { LANGUAGES } from '../settings/settings.js'
import { SettingsShape, settingsOutput, settingsView } from '../settings-views.js'

const nothingSaid = () =>
  new AppError('INVALID_INPUT', {
    problem: {
      en: 'say what to set: language, approvals or clear; not approvals and clear at once',
      zh: '请指定要设置的内容：language、approvals 或 clear；approvals 与 clear 不能同时使用',
    },
  })

export default defineAction({
  name: 'settings.set',
  summary: { en: "Set this server's language, and the channel for approvals", zh: '设置本服务器的语言与审批频道' },
  effect: 'change',
  target: 'none',
  atOnce: true,
  private: true,
  administrative: true,
  input: Type.Object({
    language: Type.Optional(
      oneOf(
        {
          en: "Of what everybody reads; auto: the asker's own. Private answers are always in the reader's",
          zh: '所有人可见内容的语言；auto 为提问者自己的语言。仅本人可见的回答始终用其本人的语言',
        },
        [...LANGUAGES],
      ),
    ),
    approvals: Type.Optional(
      text(
        { en: 'The channel that requests for approval are shown in', zh: '显示审批请求的频道' },
        { max: 20, pattern: '^[0-9]{5,20}$', refers: 'channel' },
      ),
    ),
    clear: Type.Optional(
      oneOf(
        {
          en: 'What to have no more: then requests show where they are made',
          zh: '清除的设置：清除后请求显示在发起处',
        },
        ['approvals'],
      ),
    ),
  }),
  output: SettingsShape,
  run({ language, approvals, clear }, { settings, principal }) {
    if ((language ?? approvals ?? clear) === undefined || (approvals !== undefined && clear !== undefined)) {
      throw nothingSaid()
    }
    const channel = clear === undefined ? approvals : null
    const changed = settings.change(principal, {
      ...(language === undefined ? {} : { language }),
      ...(channel === undefined ? {} : { approvals: channel }),
    })
    return settingsOutput(principal, changed)
  },
  view: settingsView,
})
