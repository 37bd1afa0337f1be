import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { artifactField } from '../fields.js'

const WORDS = {
  heading: { en: 'A link for you alone', zh: '仅供您使用的链接' },
  note: {
    en: 'Whoever has it can download the artifact until it expires or is ended with /artifact revoke.',
    zh: '持有此链接的任何人都可下载该制品，直至其过期或被 /artifact revoke 撤销。',
  },
} as const

export default defineAction({
  name: 'artifact.link',
  summary: { en: 'Make a fresh download link to an artifact, for you alone', zh: '为您生成制品的全新下载链接' },
  effect: 'disclose',
  target: 'artifact',
  atOnce: true,
  private: true,
  input: Type.Object({ artifact: artifactField }),
  output: Type.Object({
    artifact: Type.String(),
    url: Type.String(),
  }),
  run: ({ artifact }, { artifacts, principal }) => ({ artifact, url: artifacts.freshLink(artifact, principal) }),
  view: ({ artifact, url }, lang) => ({
    tone: 'good',
    heading: WORDS.heading[lang],
    blocks: [
      { kind: 'link', label: artifact, url },
      { kind: 'text', text: WORDS.note[lang] },
    ],
  }),
})
