import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { guildRoleField, policyRoleField, SettingsShape, settingsOutput, settingsView } from '../settings-views.js'

export default defineAction({
  name: 'settings.unmap-role',
  summary: {
    en: 'Let a role of this server no longer stand for a role of policy',
    zh: '取消本服务器身份组与策略角色的映射',
  },
  effect: 'change',
  target: 'none',
  atOnce: true,
  private: true,
  administrative: true,
  input: Type.Object({ 'server-role': guildRoleField, role: policyRoleField }),
  output: SettingsShape,
  run: ({ 'server-role': guildRole, role }, { settings, principal }) =>
    settingsOutput(principal, settings.unmap(principal, { guildRole, role })),
  view: settingsView,
})
