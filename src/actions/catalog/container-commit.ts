import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { flag, onContainer, referenceField, text } from '../fields.js'
import { WhereShape, whereFact } from '../host-views.js'
import { readReference, writeReference } from '../hosts/image-reference.js'

const WORDS = {
  heading: { en: 'Image made', zh: '已生成镜像' },
  image: { en: 'Image', zh: '镜像' },
  left: {
    en: 'What is in its mounts is not in the image.',
    zh: '挂载中的内容不在镜像内。',
  },
} as const

export default defineAction({
  name: 'container.commit',
  summary: { en: "Make an image of a container's file system", zh: '将容器的文件系统提交为镜像' },
  effect: 'change',
  target: 'instance',
  needs: 'commit',
  input: Type.Object({
    ...onContainer,
    reference: referenceField,
    comment: Type.Optional(text({ en: 'What to remember about it', zh: '提交说明' }, { max: 500 })),
    pause: Type.Optional(
      flag({
        en: 'Hold the container still meanwhile, so that the image fits together (default true)',
        zh: '提交期间暂停容器以保证一致（默认 true）',
      }),
    ),
  }),
  output: Type.Object({
    ...WhereShape.properties,
    id: Type.String(),
    reference: Type.String(),
    leftOut: Type.Array(Type.String(), { description: 'Mounts inside the container that the image does not hold' }),
  }),
  async run({ reference, comment, pause = true }, { host, driver, instance, signal }) {
    const name = readReference(reference)
    const request = { ...name, pause, ...(comment === undefined ? {} : { comment }) }
    return {
      host,
      container: instance.name,
      id: await driver.commit(instance.id, request, signal),
      reference: writeReference(name),
      leftOut: instance.mounts.map(({ destination }) => destination),
    }
  },
  view: (output, lang) => ({
    tone: 'good',
    heading: WORDS.heading[lang],
    blocks: [
      {
        kind: 'facts',
        facts: [
          whereFact(output, lang),
          { label: WORDS.image[lang], value: output.reference },
          { label: 'ID', value: output.id },
        ],
      },
      ...(output.leftOut.length === 0
        ? []
        : [{ kind: 'text', text: `${WORDS.left[lang]} ${output.leftOut.join(', ')}` } as const]),
    ],
  }),
})
