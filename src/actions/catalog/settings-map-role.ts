import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { guildRoleField, policyRoleField, SettingsShape, settingsOutput, settingsView } from '../settings-views.js'

export default defineAction({
  name: 'settings.map-role',
  summary: { en: 'Let a role of this server stand for a role of policy', zh: '将本服务器的身份组映射为策略角色' },
  effect: 'change',
  target: 'none',
  atOnce: true,
  private: true,
  administrative: true,
  input: Type.Object({ 'server-role': guildRoleField, role: policyRoleField }),
  output: SettingsShape,
  run: ({ 'server-role': guildRole, role }, { settings, principal }) =>
    settingsOutput(principal, settings.map(principal, { guildRole, role })),
  view: settingsView,
})
