import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { onContainer } from '../fields.js'
import { InstanceDetailShape, instanceDetailOutput, instanceView } from '../host-views.js'

const HEADING = { en: 'Paused', zh: '已暂停' } as const

export default defineAction({
  name: 'container.pause',
  summary: { en: 'Hold everything in a container still', zh: '暂停容器中的所有进程' },
  effect: 'change',
  target: 'instance',
  needs: 'pause',
  input: Type.Object(onContainer),
  output: InstanceDetailShape,
  async run(_, { host, driver, instance, signal }) {
    await driver.pause(instance.id, signal)
    return instanceDetailOutput(host, await driver.inspect(instance.id, signal))
  },
  view: (output, lang) => instanceView(output, HEADING[lang], lang),
})
