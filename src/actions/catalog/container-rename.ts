import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { newNameField, onContainer } from '../fields.js'
import { InstanceDetailShape, instanceDetailOutput, instanceView } from '../host-views.js'

const HEADING = { en: 'Renamed', zh: '已重命名' } as const

export default defineAction({
  name: 'container.rename',
  summary: { en: 'Give a container another name', zh: '重命名容器' },
  effect: 'change',
  target: 'instance',
  needs: 'rename',
  input: Type.Object({ ...onContainer, name: newNameField }),
  output: InstanceDetailShape,
  async run({ name }, { host, driver, instance, signal }) {
    // The engine refuses to give a container the name that it has.
    if (name !== instance.name) await driver.rename(instance.id, name, signal)
    return instanceDetailOutput(host, await driver.inspect(instance.id, signal))
  },
  view: (output, lang) => instanceView(output, HEADING[lang], lang),
})
