import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { onImage } from '../fields.js'
import { ImageShape, imageChoices, imageFacts, imageOutput } from '../image-views.js'

const WORDS = {
  platform: { en: 'Platform', zh: '平台' },
  entrypoint: { en: 'Entry point', zh: '入口' },
  command: { en: 'Command', zh: '命令' },
  user: { en: 'User', zh: '用户' },
  workingDir: { en: 'Working directory', zh: '工作目录' },
  environment: { en: 'Variables (names)', zh: '环境变量（仅名称）' },
  ports: { en: 'Ports', zh: '端口' },
  volumes: { en: 'Volumes', zh: '卷' },
  layers: { en: 'Layers', zh: '层数' },
} as const

export default defineAction({
  name: 'image.inspect',
  summary: {
    en: 'Show an image: what it runs, as whom, and what it is made of',
    zh: '查看镜像：运行什么、以何身份、由什么组成',
  },
  effect: 'read',
  target: 'image',
  needs: 'images',
  input: Type.Object(onImage),
  output: Type.Object({
    ...ImageShape.properties,
    os: Type.String(),
    arch: Type.String(),
    command: Type.Array(Type.String()),
    entrypoint: Type.Array(Type.String()),
    user: Type.String(),
    workingDir: Type.String(),
    environmentNames: Type.Array(Type.String(), { description: 'Names only; values may be secrets' }),
    ports: Type.Array(Type.String()),
    volumes: Type.Array(Type.String()),
    layers: Type.Array(Type.String(), { description: 'Digests, from the lowest' }),
  }),
  async run(_, { host, driver, image, signal }) {
    const detail = await driver.inspectImage(image.id, signal)
    const { os, arch, user, workingDir } = detail
    return {
      ...imageOutput(host, detail),
      ...{ os, arch, user, workingDir },
      command: [...detail.command],
      entrypoint: [...detail.entrypoint],
      environmentNames: [...detail.environmentNames],
      ports: [...detail.ports],
      volumes: [...detail.volumes],
      layers: [...detail.layers],
    }
  },
  view(output, lang) {
    const facts = [
      ...imageFacts(output, lang),
      { label: WORDS.platform[lang], value: `${output.os}/${output.arch}` },
      { label: WORDS.entrypoint[lang], value: output.entrypoint.join(' ') },
      { label: WORDS.command[lang], value: output.command.join(' ') },
      { label: WORDS.user[lang], value: output.user },
      { label: WORDS.workingDir[lang], value: output.workingDir },
      { label: WORDS.environment[lang], value: output.environmentNames.join(', ') },
      { label: WORDS.ports[lang], value: output.ports.join(', ') },
      { label: WORDS.volumes[lang], value: output.volumes.join(', ') },
      { label: WORDS.layers[lang], value: String(output.layers.length) },
    ].filter(({ value }) => value !== '')
    return {
      tone: 'info',
      heading: output.tags[0] ?? output.id,
      blocks: [{ kind: 'facts', facts }],
      choices: imageChoices(output, 'inspect', lang),
    }
  },
})
