import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { onContainer } from '../fields.js'
import { MountShape, mountsBlock, WhereShape, whereFact } from '../host-views.js'

const HEADING = { en: 'Mounts', zh: '挂载' } as const

export default defineAction({
  name: 'container.mounts',
  summary: { en: 'Show which folders and volumes a container is given', zh: '查看容器挂载的目录与卷' },
  effect: 'read',
  target: 'instance',
  input: Type.Object(onContainer),
  output: Type.Object({ ...WhereShape.properties, mounts: Type.Array(MountShape) }),
  run: (_, { host, instance }) => ({
    host,
    container: instance.name,
    mounts: instance.mounts.map((mount) => ({ ...mount })),
  }),
  view: (output, lang) => ({
    tone: 'info',
    heading: HEADING[lang],
    blocks: [{ kind: 'facts', facts: [whereFact(output, lang)] }, mountsBlock(output.mounts, lang)],
  }),
})
