import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { flag, hostField, text } from '../fields.js'
import { askHosts } from '../hosts/ask-hosts.js'
import type { HostDriver, Image } from '../hosts/driver.js'
import { ImageShape, imageOutput, imageRow } from '../image-views.js'
import type { Block } from '../view.js'

const WORDS = {
  images: { en: 'Images', zh: '镜像' },
  none: { en: 'No image fits.', zh: '没有符合条件的镜像。' },
  unreachable: { en: 'Did not answer:', zh: '没有响应：' },
  columns: { en: ['Host', 'Tags', 'Id', 'Size', 'Made'], zh: ['主机', '标签', 'ID', '大小', '创建时间'] },
} as const

export default defineAction({
  name: 'image.list',
  summary: { en: 'List images on one host or on all', zh: '列出一台或所有主机上的镜像' },
  effect: 'read',
  target: 'none',
  input: Type.Object({
    host: Type.Optional(hostField),
    all: Type.Optional(
      flag({
        en: 'Also those without a tag: left over, or parts of others',
        zh: '同时列出没有标签的：残留镜像或中间层',
      }),
    ),
    name: Type.Optional(
      text(
        { en: 'Only those with a tag that holds this', zh: '仅列出标签包含此文本的' },
        { max: 255, complete: 'image' },
      ),
    ),
  }),
  output: Type.Object({
    images: Type.Array(ImageShape),
    unreachable: Type.Array(Type.String(), { description: 'The hosts that did not answer' }),
  }),
  async run({ host, all = false, name }, { hosts, principal, signal }) {
    const ask = (driver: HostDriver, until: AbortSignal) => driver.images(until)
    const { found, unreachable } = await askHosts(hosts, principal, { host, needs: 'images', ask }, signal)
    const fits = ({ tags }: Image) =>
      (all || tags.length > 0) && (name === undefined || tags.some((tag) => tag.includes(name)))
    const images = found.filter(({ item }) => fits(item)).map((one) => imageOutput(one.host, one.item))
    return { images, unreachable }
  },
  view({ images, unreachable }, lang) {
    const blocks: Block[] =
      images.length === 0
        ? [{ kind: 'text', text: WORDS.none[lang] }]
        : [{ kind: 'table', columns: WORDS.columns[lang], rows: images.map((image) => imageRow(image, lang)) }]
    if (unreachable.length > 0) {
      blocks.push({ kind: 'text', text: `${WORDS.unreachable[lang]} ${unreachable.join(', ')}` })
    }
    return {
      tone: unreachable.length > 0 ? 'warn' : 'info',
      heading: `${WORDS.images[lang]} (${images.length})`,
      blocks,
    }
  },
})
