import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { integer, onContainer } from '../fields.js'
import { InstanceDetailShape, instanceDetailOutput, instanceView } from '../host-views.js'

const HEADING = { en: 'Stopped', zh: '已停止' } as const
/** As the engine's own tools do. */
const GRACE_SECONDS = 10

export default defineAction({
  name: 'container.stop',
  summary: { en: 'Stop a container', zh: '停止容器' },
  effect: 'change',
  target: 'instance',
  input: Type.Object({
    ...onContainer,
    grace: Type.Optional(
      integer(
        { en: 'Seconds it gets to end by itself before it is killed', zh: '强制结束前等待其自行退出的秒数' },
        { min: 0, max: 300, byDefault: GRACE_SECONDS },
      ),
    ),
  }),
  output: InstanceDetailShape,
  async run({ grace }, { host, driver, instance, signal }) {
    await driver.stop(instance.id, grace ?? GRACE_SECONDS, signal)
    return instanceDetailOutput(host, await driver.inspect(instance.id, signal))
  },
  view: (output, lang) => instanceView(output, HEADING[lang], lang),
})
