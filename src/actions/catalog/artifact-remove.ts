import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { artifactField } from '../fields.js'

const WORDS = {
  heading: { en: 'Removed', zh: '已删除' },
  text: { en: 'The artifact and every link to it are gone:', zh: '该制品及其所有链接已删除：' },
} as const

export default defineAction({
  name: 'artifact.remove',
  summary: { en: 'Remove an artifact, its file and every link to it', zh: '删除制品、其文件以及所有链接' },
  effect: 'destroy',
  target: 'artifact',
  private: true,
  input: Type.Object({ artifact: artifactField }),
  output: Type.Object({ artifact: Type.String() }),
  async run({ artifact }, { artifacts, principal }) {
    await artifacts.remove(artifact, principal.tenant)
    return { artifact }
  },
  view: ({ artifact }, lang) => ({
    tone: 'good',
    heading: WORDS.heading[lang],
    blocks: [{ kind: 'text', text: `${WORDS.text[lang]} ${artifact}` }],
  }),
})
