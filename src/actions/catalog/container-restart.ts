import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { GRACE_SECONDS, graceField, onContainer } from '../fields.js'
import { InstanceDetailShape, instanceDetailOutput, instanceView } from '../host-views.js'

const HEADING = { en: 'Restarted', zh: '已重启' } as const

export default defineAction({
  name: 'container.restart',
  summary: { en: 'Stop a container and start it again', zh: '重启容器' },
  effect: 'change',
  target: 'instance',
  needs: 'restart',
  input: Type.Object({ ...onContainer, grace: Type.Optional(graceField) }),
  output: InstanceDetailShape,
  async run({ grace }, { host, driver, instance, signal }) {
    await driver.restart(instance.id, grace ?? GRACE_SECONDS, signal)
    return instanceDetailOutput(host, await driver.inspect(instance.id, signal))
  },
  view: (output, lang) => instanceView(output, HEADING[lang], lang),
})
