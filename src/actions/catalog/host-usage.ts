import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { onHost } from '../fields.js'
import { formatBytes } from '../text.js'

const WORDS = {
  columns: { en: ['', 'Count', 'In use', 'Size', 'Could be freed'], zh: ['', '数量', '使用中', '大小', '可释放'] },
  images: { en: 'Images', zh: '镜像' },
  instances: { en: 'Containers', zh: '容器' },
  volumes: { en: 'Volumes', zh: '卷' },
  buildCache: { en: 'Build cache', zh: '构建缓存' },
  heading: { en: 'Disk of', zh: '磁盘用量：' },
} as const

const KINDS = ['images', 'instances', 'volumes', 'buildCache'] as const

const KindShape = Type.Object({
  count: Type.Integer(),
  active: Type.Integer(),
  sizeBytes: Type.Integer(),
  reclaimableBytes: Type.Integer({ description: 'What would be free if what nobody uses were gone' }),
})

export default defineAction({
  name: 'host.usage',
  summary: { en: "Show what fills a host's disk, and what could be freed", zh: '查看主机的磁盘用量与可释放空间' },
  effect: 'read',
  target: 'host',
  needs: 'usage',
  input: Type.Object(onHost),
  output: Type.Object({
    host: Type.String(),
    images: KindShape,
    instances: KindShape,
    volumes: KindShape,
    buildCache: KindShape,
  }),
  run: async (_, { host, driver, signal }) => ({ host, ...(await driver.usage(signal)) }),
  view: (output, lang) => ({
    tone: 'info',
    heading: `${WORDS.heading[lang]} ${output.host}`,
    blocks: [
      {
        kind: 'table',
        columns: WORDS.columns[lang],
        rows: KINDS.map((kind) => {
          const { count, active, sizeBytes, reclaimableBytes } = output[kind]
          return [WORDS[kind][lang], `${count}`, `${active}`, formatBytes(sizeBytes), formatBytes(reclaimableBytes)]
        }),
      },
    ],
  }),
})
