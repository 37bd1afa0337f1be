import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { artifactField } from '../fields.js'

const WORDS = {
  heading: { en: 'Its links are ended', zh: '链接已撤销' },
  artifact: { en: 'Artifact', zh: '制品' },
  links: { en: 'Links that were ended', zh: '已撤销的链接数' },
} as const

export default defineAction({
  name: 'artifact.revoke',
  summary: {
    en: 'End every download link to an artifact, and keep the artifact',
    zh: '撤销制品的所有下载链接，但保留制品',
  },
  effect: 'change',
  target: 'artifact',
  atOnce: true,
  private: true,
  input: Type.Object({ artifact: artifactField }),
  output: Type.Object({ artifact: Type.String(), links: Type.Integer() }),
  run: ({ artifact }, { artifacts, principal }) => ({ artifact, links: artifacts.revoke(artifact, principal.tenant) }),
  view: ({ artifact, links }, lang) => ({
    tone: 'good',
    heading: WORDS.heading[lang],
    blocks: [
      {
        kind: 'facts',
        facts: [
          { label: WORDS.artifact[lang], value: artifact },
          { label: WORDS.links[lang], value: String(links) },
        ],
      },
    ],
  }),
})
