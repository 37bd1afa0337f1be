import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { ArtifactShape, artifactOutput } from '../artifact-views.js'
import { formatBytes } from '../text.js'

const WORDS = {
  heading: { en: 'Artifacts', zh: '制品' },
  none: {
    en: 'There is none: `container export`, `copy-out` and `image save` make some.',
    zh: '暂无制品：可由 container export、copy-out 或 image save 生成。',
  },
  columns: { en: ['Id', 'Name', 'Size', 'Made by', 'Kept until'], zh: ['ID', '名称', '大小', '创建者', '保留至'] },
} as const

export default defineAction({
  name: 'artifact.list',
  summary: { en: 'List the artifacts that were made here, newest first', zh: '列出此处生成的制品，最新的在前' },
  effect: 'read',
  target: 'none',
  private: true,
  input: Type.Object({}),
  output: Type.Object({
    artifacts: Type.Array(ArtifactShape),
    sizeBytes: Type.Integer({ description: 'All together' }),
  }),
  run(_, { artifacts, principal }) {
    const listed = artifacts.list(principal.tenant).map(artifactOutput)
    return { artifacts: listed, sizeBytes: listed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }
  },
  view: ({ artifacts, sizeBytes }, lang) => ({
    tone: 'info',
    heading: `${WORDS.heading[lang]} (${artifacts.length}, ${formatBytes(sizeBytes)})`,
    blocks: [
      artifacts.length === 0
        ? { kind: 'text', text: WORDS.none[lang] }
        : {
            kind: 'table',
            columns: WORDS.columns[lang],
            rows: artifacts.map((one) => [one.id, one.name, formatBytes(one.sizeBytes), one.madeBy, one.expiresAt]),
          },
    ],
  }),
})
