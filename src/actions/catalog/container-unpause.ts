import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { onContainer } from '../fields.js'
import { InstanceDetailShape, instanceDetailOutput, instanceView } from '../host-views.js'

const HEADING = { en: 'Goes on', zh: '已恢复运行' } as const

export default defineAction({
  name: 'container.unpause',
  summary: { en: 'Let a paused container go on', zh: '恢复已暂停的容器' },
  effect: 'change',
  target: 'instance',
  needs: 'pause',
  input: Type.Object(onContainer),
  output: InstanceDetailShape,
  async run(_, { host, driver, instance, signal }) {
    await driver.unpause(instance.id, signal)
    return instanceDetailOutput(host, await driver.inspect(instance.id, signal))
  },
  view: (output, lang) => instanceView(output, HEADING[lang], lang),
})
