import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { ArtifactShape, artifactOutput, artifactView } from '../artifact-views.js'
import { artifactField } from '../fields.js'

export default defineAction({
  name: 'artifact.show',
  summary: {
    en: 'Show an artifact: its size, its digest, who made it and how long it is kept',
    zh: '查看制品的大小、摘要、创建者与保留时间',
  },
  effect: 'read',
  target: 'artifact',
  private: true,
  input: Type.Object({ artifact: artifactField }),
  output: ArtifactShape,
  run: (_input, { artifact }) => artifactOutput(artifact),
  view: artifactView,
})
