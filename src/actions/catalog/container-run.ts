import { type Static, Type } from 'typebox'
import { defineAction, principalKey } from '../action.js'
import { newNameField, oneOf, onImage, text } from '../fields.js'
import { InstanceDetailShape, instanceDetailOutput, instanceView } from '../host-views.js'
import { type Image, RESTART_POLICIES, type RunRequest } from '../hosts/driver.js'
import type { Host } from '../hosts/hosts.js'
import { commandOf, cpusOf, environmentOf, memoryOf, mountsOf, portsOf } from '../hosts/run-fields.js'

const WORDS = {
  runs: { en: 'Running', zh: '已运行' },
  ended: { en: 'Ran, and has ended already', zh: '已运行并已结束' },
} as const

/** So that whoever finds it knows whom to ask. */
const MADE_BY = 'hypercall.made-by'

const Input = Type.Object({
  ...onImage,
  command: Type.Optional(
    text(
      { en: "A program and its arguments, in place of the image's own", zh: '程序及其参数，用于代替镜像默认命令' },
      { max: 4000 },
    ),
  ),
  name: Type.Optional(newNameField),
  env: Type.Optional(
    text({ en: "Environment: A=1 B='two words'", zh: "环境变量：A=1 B='两个 词'" }, { max: 4000, secret: true }),
  ),
  ports: Type.Optional(
    text(
      { en: 'Ports to publish: 8080:80, 127.0.0.1:53:53/udp', zh: '要发布的端口：8080:80, 127.0.0.1:53:53/udp' },
      { max: 1000 },
    ),
  ),
  volumes: Type.Optional(
    text(
      { en: 'Volumes and folders of the host: data:/data, /srv/x:/x:ro', zh: '卷与主机目录：data:/data, /srv/x:/x:ro' },
      { max: 2000 },
    ),
  ),
  memory: Type.Optional(
    text({ en: 'The most memory it may use, such as 512m', zh: '内存上限，例如 512m' }, { max: 20 }),
  ),
  cpus: Type.Optional(
    text({ en: 'The most processors it may use, such as 0.5', zh: '处理器上限，例如 0.5' }, { max: 8 }),
  ),
  restart: Type.Optional(oneOf({ en: 'When to start it again', zh: '何时自动重启' }, [...RESTART_POLICIES])),
})

const requestOf = (input: Static<typeof Input>, image: Image, host: Host, madeBy: string): RunRequest => ({
  imageId: image.id,
  ...(image.tags[0] === undefined ? {} : { imageTag: image.tags[0] }),
  ...(input.name === undefined ? {} : { name: input.name }),
  ...(input.command === undefined ? {} : { command: commandOf(input.command) }),
  environment: environmentOf(input.env ?? ''),
  ports: portsOf(input.ports ?? ''),
  mounts: mountsOf(input.volumes ?? '', host),
  labels: { [MADE_BY]: madeBy },
  ...(input.memory === undefined ? {} : { memoryBytes: memoryOf(input.memory) }),
  ...(input.cpus === undefined ? {} : { cpus: cpusOf(input.cpus) }),
  restart: input.restart ?? 'no',
})

export default defineAction({
  name: 'container.run',
  summary: { en: 'Make a container of an image and start it', zh: '用镜像创建并启动容器' },
  effect: 'change',
  target: 'image',
  needs: 'run',
  // A chat shows everyone what was typed, the environment too, where its answer is for everyone.
  private: true,
  input: Input,
  output: InstanceDetailShape,
  async run(input, { driver, host, hosts, image, principal, signal }) {
    const request = requestOf(input, image, hosts.get(host, principal), principalKey(principal))
    const id = await driver.run(request, signal)
    return instanceDetailOutput(host, await driver.inspect(id, signal))
  },
  view(output, lang) {
    const hasFailed = output.exitCode !== undefined && output.exitCode !== 0
    const heading = output.exitCode === undefined ? WORDS.runs[lang] : `${WORDS.ended[lang]} (${output.exitCode})`
    return { ...instanceView(output, heading, lang), tone: hasFailed ? 'warn' : 'good' }
  },
})
