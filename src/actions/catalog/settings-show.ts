import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { requireGuild } from '../settings/settings.js'
import { SettingsShape, settingsOutput, settingsView } from '../settings-views.js'

export default defineAction({
  name: 'settings.show',
  summary: { en: 'Show what this server has set for itself', zh: '查看本服务器的设置' },
  effect: 'read',
  target: 'none',
  private: true,
  administrative: true,
  input: Type.Object({}),
  output: SettingsShape,
  run(_input, { settings, principal }) {
    requireGuild(principal)
    return settingsOutput(principal, settings.of(principal.tenant))
  },
  view: settingsView,
})
