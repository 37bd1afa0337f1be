// How images look, for the verbs that show them.
import { type Static, Type } from 'typebox'
import type { Image } from './hosts/driver.js'
import { LATEST, shortImageId } from './hosts/image-reference.js'
import { formatBytes, formatTime, type Lang } from './text.js'
import type { Choice, View } from './view.js'

/** An image as every answer names it. */
export const ImageShape = Type.Object({
  host: Type.String(),
  id: Type.String(),
  tags: Type.Array(Type.String(), { description: 'None for one that is left over' }),
  digests: Type.Array(Type.String()),
  sizeBytes: Type.Integer(),
  createdAt: Type.String({ description: 'ISO 8601, UTC' }),
  labels: Type.Record(Type.String(), Type.String()),
})
export type ImageOutput = Static<typeof ImageShape>

export const imageOutput = (host: string, image: Image): ImageOutput => ({
  host,
  id: image.id,
  tags: [...image.tags],
  digests: [...image.digests],
  sizeBytes: image.sizeBytes,
  createdAt: formatTime(image.createdAt),
  labels: { ...image.labels },
})

/** @returns the tag that was meant, if the image was asked for by one and not by an id */
export const tagMeant = ({ tags }: Pick<Image, 'tags'>, asked: string): string | undefined =>
  tags.find((tag) => tag === asked || tag === `${asked}:${LATEST}`)

/** A wall of names would hide what else there is. */
const MOST_TAGS_SHOWN = 3

export const tagsText = (tags: readonly string[]): string =>
  tags.length <= MOST_TAGS_SHOWN
    ? tags.join(', ')
    : `${tags.slice(0, MOST_TAGS_SHOWN).join(', ')} … +${tags.length - MOST_TAGS_SHOWN}`

const WORDS = {
  image: { en: 'Image', zh: '镜像' },
  host: { en: 'Host', zh: '主机' },
  size: { en: 'Size', zh: '大小' },
  made: { en: 'Made', zh: '创建时间' },
  leftOver: { en: '(no tag)', zh: '（无标签）' },
  inspect: { en: 'Inspect', zh: '查看详情' },
  history: { en: 'History', zh: '构建历史' },
  save: { en: 'Save', zh: '保存为归档' },
} as const

export const imageFacts = (image: ImageOutput, lang: Lang) => [
  { label: WORDS.image[lang], value: tagsText(image.tags) || WORDS.leftOver[lang] },
  { label: 'ID', value: image.id },
  { label: WORDS.host[lang], value: image.host },
  { label: WORDS.size[lang], value: formatBytes(image.sizeBytes) },
  { label: WORDS.made[lang], value: image.createdAt },
]

const VERBS = ['inspect', 'history', 'save'] as const

/** What one may want to do next with an image. @param here the verb that was just used */
export const imageChoices = (image: Pick<ImageOutput, 'host' | 'id' | 'tags'>, here: string, lang: Lang): Choice[] =>
  VERBS.filter((verb) => verb !== here).map((verb) => ({
    label: WORDS[verb][lang],
    action: `image.${verb}`,
    input: { host: image.host, image: image.tags[0] ?? shortImageId(image.id) },
    style: 'secondary',
  }))

export const imageRow = (image: ImageOutput, lang: Lang): string[] => [
  image.host,
  tagsText(image.tags) || WORDS.leftOver[lang],
  shortImageId(image.id),
  formatBytes(image.sizeBytes),
  image.createdAt,
]

export const imageView = (image: ImageOutput, heading: string, verb: string, lang: Lang): View => ({
  tone: 'good',
  heading,
  blocks: [{ kind: 'facts', facts: imageFacts(image, lang) }],
  choices: imageChoices(image, verb, lang),
})
