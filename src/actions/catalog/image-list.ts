import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { AppError } from '../errors.js'
import { flag, hostField, text } from '../fields.js'
import type { Image } from '../hosts/driver.js'
import { ImageShape, imageOutput, imageRow } from '../image-views.js'
import type { Block } from '../view.js'
import { within } from '../within.js'

/** A host that has not answered by then is named instead of waited for. */
const DEADLINE_MS = 5_000

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
      text({ en: 'Only those with a tag that holds this', zh: '仅列出标签包含此文本的' }, { max: 255 }),
    ),
  }),
  output: Type.Object({
    images: Type.Array(ImageShape),
    unreachable: Type.Array(Type.String(), { description: 'The hosts that did not answer' }),
  }),
  async run({ host, all = false, name }, { hosts, principal, signal }) {
    const asked = (host === undefined ? hosts.visible(principal) : [hosts.get(host, principal)]).filter(
      ({ driver }) => driver.can.images,
    )
    const answers = await within(signal, DEADLINE_MS, (inTime) =>
      Promise.allSettled(asked.map(({ driver }) => driver.images(inTime))),
    )
    signal.throwIfAborted()
    const fits = ({ tags }: Image) =>
      (all || tags.length > 0) && (name === undefined || tags.some((tag) => tag.includes(name)))
    const images = answers.flatMap((answer, index) =>
      answer.status === 'fulfilled'
        ? answer.value.filter(fits).map((image) => imageOutput(asked[index]?.name ?? '', image))
        : [],
    )
    const unreachable = asked.filter((_, index) => answers[index]?.status === 'rejected').map((one) => one.name)
    // One named host that is down is an error to be acted on; one of several is a note beside the others' answers.
    if (host !== undefined && unreachable.length > 0) throw new AppError('HOST_UNREACHABLE', { host })
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
