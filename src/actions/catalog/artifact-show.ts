import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { ArtifactShape, artifactOutput, artifactView } from '../artifact-views.js'
import { AppError } from '../errors.js'
import { artifactField } from '../fields.js'

export default defineAction({
  name: 'artifact.show',
  summary: {
    en: 'Show an artifact: its size, its digest, who made it and how long it is kept',
    zh: '查看制品的大小、摘要、创建者与保留时间',
  },
  effect: 'read',
  target: 'none',
  private: true,
  input: Type.Object({ artifact: artifactField }),
  output: ArtifactShape,
  run({ artifact: id }, { artifacts, principal, now }) {
    const artifact = artifacts.get(id, principal.tenant)
    if (!artifact || artifact.expiresAt <= now()) throw new AppError('ARTIFACT_NOT_FOUND', { artifact: id })
    return artifactOutput(artifact)
  },
  view: artifactView,
})
