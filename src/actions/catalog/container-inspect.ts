import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { onContainer } from '../fields.js'
import { InstanceDetailShape, instanceChoices, instanceDetailOutput, mountsBlock, shortId } from '../host-views.js'

const WORDS = {
  id: { en: 'Id', zh: 'ID' },
  host: { en: 'Host', zh: '主机' },
  image: { en: 'Image', zh: '镜像' },
  state: { en: 'State', zh: '状态' },
  command: { en: 'Command', zh: '命令' },
  user: { en: 'User', zh: '用户' },
  workingDir: { en: 'Working directory', zh: '工作目录' },
  ports: { en: 'Ports', zh: '端口' },
  networks: { en: 'Networks', zh: '网络' },
  environment: { en: 'Environment (names)', zh: '环境变量（仅名称）' },
  created: { en: 'Created', zh: '创建时间' },
  exitCode: { en: 'Exit code', zh: '退出码' },
  privileged: { en: 'Privileged', zh: '特权模式' },
  yes: { en: 'yes', zh: '是' },
} as const

export default defineAction({
  name: 'container.inspect',
  summary: { en: 'Show a container in full, with its mounts', zh: '查看容器的完整信息及其挂载' },
  effect: 'read',
  target: 'instance',
  input: Type.Object(onContainer),
  output: InstanceDetailShape,
  run: (_, { host, instance }) => instanceDetailOutput(host, instance),
  view(output, lang) {
    const facts = [
      { label: WORDS.id[lang], value: shortId(output.id) },
      { label: WORDS.host[lang], value: output.host },
      { label: WORDS.image[lang], value: output.image },
      { label: WORDS.state[lang], value: output.state },
      { label: WORDS.command[lang], value: output.command.join(' ') },
      { label: WORDS.user[lang], value: output.user },
      { label: WORDS.workingDir[lang], value: output.workingDir },
      { label: WORDS.ports[lang], value: output.ports.join(', ') },
      { label: WORDS.networks[lang], value: output.networks.join(', ') },
      { label: WORDS.environment[lang], value: output.environmentNames.join(', ') },
      { label: WORDS.created[lang], value: output.createdAt },
      { label: WORDS.exitCode[lang], value: output.exitCode === undefined ? '' : String(output.exitCode) },
      { label: WORDS.privileged[lang], value: output.privileged ? WORDS.yes[lang] : '' },
    ].filter((fact) => fact.value !== '')
    return {
      tone: 'info',
      heading: output.name,
      blocks: [{ kind: 'facts', facts }, mountsBlock(output.mounts, lang)],
      choices: instanceChoices(output, lang).filter((choice) => choice.action !== 'container.inspect'),
    }
  },
})
