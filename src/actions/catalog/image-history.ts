import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { onImage } from '../fields.js'
import { shortImageId } from '../hosts/image-reference.js'
import { imageChoices } from '../image-views.js'
import { formatBytes, formatTime } from '../text.js'

/** Enough to see what a step did; the answer itself has all of it. */
const LONGEST_SHOWN = 120

const WORDS = {
  heading: { en: 'History of', zh: '构建历史：' },
  columns: { en: ['Id', 'Made', 'By', 'Size'], zh: ['ID', '创建时间', '创建命令', '大小'] },
} as const

const cut = (text: string): string => (text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}…`)

export default defineAction({
  name: 'image.history',
  summary: { en: 'Show the steps that made an image, newest first', zh: '查看镜像的构建步骤，最新的在前' },
  effect: 'read',
  target: 'image',
  needs: 'images',
  input: Type.Object(onImage),
  output: Type.Object({
    host: Type.String(),
    id: Type.String(),
    tags: Type.Array(Type.String()),
    steps: Type.Array(
      Type.Object({
        id: Type.Optional(Type.String({ description: 'Absent where the step came with the image' })),
        createdAt: Type.String({ description: 'ISO 8601, UTC' }),
        createdBy: Type.String(),
        sizeBytes: Type.Integer(),
        comment: Type.String(),
      }),
    ),
  }),
  async run(_, { host, driver, image, signal }) {
    const steps = await driver.history(image.id, signal)
    return {
      host,
      id: image.id,
      tags: [...image.tags],
      steps: steps.map((step) => ({ ...step, createdAt: formatTime(step.createdAt) })),
    }
  },
  view: (output, lang) => ({
    tone: 'info',
    heading: `${WORDS.heading[lang]} ${output.tags[0] ?? shortImageId(output.id)}`,
    blocks: [
      {
        kind: 'table',
        columns: WORDS.columns[lang],
        rows: output.steps.map(({ id, createdAt, createdBy, sizeBytes, comment }) => [
          id === undefined ? '' : shortImageId(id),
          createdAt,
          cut(createdBy || comment),
          formatBytes(sizeBytes),
        ]),
      },
    ],
    choices: imageChoices(output, 'history', lang),
  }),
})
