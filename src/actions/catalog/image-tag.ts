import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { onImage, referenceField } from '../fields.js'
import { readReference, shortImageId, writeReference } from '../hosts/image-reference.js'
import { ImageShape, imageOutput, imageView } from '../image-views.js'

const WORDS = {
  heading: { en: 'Tagged', zh: '已添加标签' },
  moved: { en: 'The name was taken from', zh: '该名称取自镜像' },
} as const

export default defineAction({
  name: 'image.tag',
  summary: { en: 'Give an image another name', zh: '为镜像添加名称' },
  effect: 'change',
  target: 'image',
  needs: 'images',
  input: Type.Object({ ...onImage, reference: referenceField }),
  output: Type.Object({
    ...ImageShape.properties,
    reference: Type.String(),
    takenFrom: Type.Optional(Type.String({ description: 'The image that had the name before' })),
  }),
  async run(input, { host, driver, image, signal }) {
    const wanted = readReference(input.reference)
    const reference = writeReference(wanted)
    const before = (await driver.images(signal)).find(({ tags }) => tags.includes(reference))
    await driver.tag(image.id, wanted.repository, wanted.tag, signal)
    return {
      ...imageOutput(host, await driver.inspectImage(image.id, signal)),
      reference,
      ...(before && before.id !== image.id ? { takenFrom: before.id } : {}),
    }
  },
  view(output, lang) {
    const view = imageView(output, `${WORDS.heading[lang]}: ${output.reference}`, 'tag', lang)
    if (output.takenFrom === undefined) return view
    const text = `${WORDS.moved[lang]} ${shortImageId(output.takenFrom)}`
    return { ...view, tone: 'warn', blocks: [...view.blocks, { kind: 'text', text }] }
  },
})
