// How artifacts look, for the verbs that show them.
import { type Static, Type } from 'typebox'
import { shownPrincipal } from './job-views.js'
import type { Artifact } from './jobs/artifacts.js'
import { formatBytes, formatTime, type Lang } from './text.js'
import type { Choice, View } from './view.js'

export const ArtifactShape = Type.Object({
  id: Type.String(),
  name: Type.String({ description: 'What a download is called' }),
  mediaType: Type.String(),
  sizeBytes: Type.Integer(),
  sha256: Type.String(),
  madeBy: Type.String(),
  createdAt: Type.String({ description: 'ISO 8601, UTC' }),
  expiresAt: Type.String({ description: 'ISO 8601, UTC' }),
})
export type ArtifactOutput = Static<typeof ArtifactShape>

export const artifactOutput = (artifact: Artifact): ArtifactOutput => ({
  id: artifact.id,
  name: artifact.name,
  mediaType: artifact.mediaType,
  sizeBytes: artifact.sizeBytes,
  sha256: artifact.sha256,
  madeBy: shownPrincipal(artifact.principal),
  createdAt: formatTime(artifact.createdAt),
  expiresAt: formatTime(artifact.expiresAt),
})

const WORDS = {
  name: { en: 'Name', zh: '名称' },
  size: { en: 'Size', zh: '大小' },
  madeBy: { en: 'Made by', zh: '创建者' },
  made: { en: 'Made', zh: '创建时间' },
  expires: { en: 'Kept until', zh: '保留至' },
  link: { en: 'Link', zh: '获取链接' },
  revoke: { en: 'End its links', zh: '撤销链接' },
  remove: { en: 'Remove', zh: '删除' },
} as const

const artifactChoices = ({ id }: ArtifactOutput, lang: Lang): Choice[] => [
  { label: WORDS.link[lang], action: 'artifact.link', input: { artifact: id }, style: 'primary' },
  { label: WORDS.revoke[lang], action: 'artifact.revoke', input: { artifact: id }, style: 'secondary' },
  { label: WORDS.remove[lang], action: 'artifact.remove', input: { artifact: id }, style: 'danger' },
]

export const artifactView = (artifact: ArtifactOutput, lang: Lang): View => ({
  tone: 'info',
  heading: artifact.name,
  blocks: [
    {
      kind: 'facts',
      facts: [
        { label: 'ID', value: artifact.id },
        { label: WORDS.size[lang], value: formatBytes(artifact.sizeBytes) },
        { label: 'SHA-256', value: artifact.sha256 },
        { label: WORDS.madeBy[lang], value: artifact.madeBy },
        { label: WORDS.made[lang], value: artifact.createdAt },
        { label: WORDS.expires[lang], value: artifact.expiresAt },
      ],
    },
  ],
  choices: artifactChoices(artifact, lang),
})
