import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { flag, onContainer } from '../fields.js'
import { WhereShape, whereFact } from '../host-views.js'
import type { Mount } from '../hosts/driver.js'

const WORDS = {
  heading: { en: 'Removed', zh: '已删除' },
  kept: { en: 'Volumes that are still there', zh: '仍然保留的卷' },
} as const

/** A volume that nobody named has a name of 64 hexadecimal digits. */
const isUnnamed = ({ source }: Mount): boolean => /^[0-9a-f]{64}$/.test(source)

export default defineAction({
  name: 'container.remove',
  summary: { en: 'Remove a container and all that it wrote', zh: '删除容器及其写入的内容' },
  effect: 'destroy',
  target: 'instance',
  needs: 'remove',
  input: Type.Object({
    ...onContainer,
    force: Type.Optional(flag({ en: 'Also while it runs: it is killed', zh: '即使正在运行也删除：会被强制结束' })),
    volumes: Type.Optional(flag({ en: 'Its unnamed volumes too', zh: '同时删除其匿名卷' })),
  }),
  output: Type.Object({
    ...WhereShape.properties,
    id: Type.String(),
    keptVolumes: Type.Array(Type.String(), { description: 'Volumes of it that are still there' }),
  }),
  async run({ force = false, volumes = false }, { host, driver, instance, signal }) {
    await driver.remove(instance.id, { force, volumes }, signal)
    const kept = instance.mounts.filter((mount) => mount.kind === 'volume' && !(volumes && isUnnamed(mount)))
    return { host, container: instance.name, id: instance.id, keptVolumes: kept.map(({ source }) => source) }
  },
  view: (output, lang) => ({
    tone: 'good',
    heading: WORDS.heading[lang],
    blocks: [
      {
        kind: 'facts',
        facts: [
          whereFact(output, lang),
          ...(output.keptVolumes.length === 0
            ? []
            : [{ label: WORDS.kept[lang], value: output.keptVolumes.join(', ') }]),
        ],
      },
    ],
  }),
})
