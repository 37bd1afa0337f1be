import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { GRACE_SECONDS, graceField, onContainer } from '../fields.js'
import { InstanceDetailShape, instanceDetailOutput, instanceView } from '../host-views.js'

const HEADING = { en: 'Stopped', zh: '已停止' } as const

export default defineAction({
  name: 'container.stop',
  summary: { en: 'Stop a container', zh: '停止容器' },
  effect: 'change',
  target: 'instance',
  needs: 'stop',
  input: Type.Object({ ...onContainer, grace: Type.Optional(graceField) }),
  output: InstanceDetailShape,
  async run({ grace }, { host, driver, instance, signal }) {
    await driver.stop(instance.id, grace ?? GRACE_SECONDS, signal)
    return instanceDetailOutput(host, await driver.inspect(instance.id, signal))
  },
  view: (output, lang) => instanceView(output, HEADING[lang], lang),
})
