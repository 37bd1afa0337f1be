import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { flag, onImage } from '../fields.js'
import { tagMeant } from '../image-views.js'

const WORDS = {
  removed: { en: 'Removed', zh: '已删除' },
  untagged: { en: 'Name taken off; the image is still there', zh: '已移除名称；镜像仍然存在' },
  names: { en: 'Names taken off', zh: '移除的名称' },
  layers: { en: 'Deleted', zh: '删除的镜像与层' },
} as const

export default defineAction({
  name: 'image.remove',
  summary: {
    en: 'Remove an image: by a tag only that name, by its id all of it',
    zh: '删除镜像：按标签仅移除该名称，按 ID 删除整个镜像',
  },
  effect: 'destroy',
  target: 'image',
  needs: 'images',
  input: Type.Object({
    ...onImage,
    force: Type.Optional(
      flag({
        en: 'Even if it has several names, or a stopped container was made of it',
        zh: '即使它有多个名称，或有已停止的容器使用它',
      }),
    ),
  }),
  output: Type.Object({
    host: Type.String(),
    id: Type.String(),
    untagged: Type.Array(Type.String()),
    deleted: Type.Array(Type.String()),
  }),
  async run({ image: asked, force = false }, { host, driver, image, signal }) {
    const { untagged, deleted } = await driver.removeImage(tagMeant(image, asked) ?? image.id, force, signal)
    return { host, id: image.id, untagged: [...untagged], deleted: [...deleted] }
  },
  view: ({ host, id, untagged, deleted }, lang) => ({
    tone: 'good',
    heading: deleted.length > 0 ? WORDS.removed[lang] : WORDS.untagged[lang],
    blocks: [
      {
        kind: 'facts',
        facts: [
          { label: 'ID', value: `${id} @ ${host}` },
          { label: WORDS.names[lang], value: untagged.join(', ') },
          { label: WORDS.layers[lang], value: String(deleted.length) },
        ].filter(({ value }) => value !== ''),
      },
    ],
  }),
})
