import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { onContainer } from '../fields.js'
import { InstanceDetailShape, instanceDetailOutput, instanceView } from '../host-views.js'

const HEADING = { en: 'Started', zh: '已启动' } as const

export default defineAction({
  name: 'container.start',
  summary: { en: 'Start a container', zh: '启动容器' },
  effect: 'change',
  target: 'instance',
  needs: 'start',
  input: Type.Object(onContainer),
  output: InstanceDetailShape,
  async run(_, { host, driver, instance, signal }) {
    await driver.start(instance.id, signal)
    return instanceDetailOutput(host, await driver.inspect(instance.id, signal))
  },
  view: (output, lang) => instanceView(output, HEADING[lang], lang),
})
