import { posix } from 'node:path'
import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { defineAction, type FileSource, type InstanceContext } from '../action.js'
import { bytesOf } from '../bytes.js'
import { AppError } from '../errors.js'
import { artifactField, integer, onContainer, text } from '../fields.js'
import { locate, packFile } from '../hosts/archives.js'
import type { Entry } from '../hosts/driver.js'
import { entryName, formatMode, instancePath, modeOf } from '../hosts/paths.js'
import { formatBytes } from '../text.js'

const DEFAULT_MODE = 0o644
/** Larger than any numeric id that Linux hands out. */
const LARGEST_ID = 2 ** 31 - 1

const WORDS = {
  heading: { en: 'Copied in', zh: '已复制到容器' },
  container: { en: 'Container', zh: '容器' },
  path: { en: 'Path', zh: '路径' },
  size: { en: 'Size', zh: '大小' },
  owner: { en: 'Owner and mode', zh: '属主与权限' },
} as const

const textSource = (content: string): FileSource => {
  const bytes = Buffer.from(content)
  return {
    name: '',
    sizeBytes: bytes.length,
    reference: {},
    open: async () => bytesOf(Readable.from([bytes], { objectMode: false })),
  }
}

function artifactSource(id: string, { artifacts, principal }: InstanceContext): FileSource {
  const artifact = artifacts.get(id, principal.tenant)
  if (!artifact) throw new AppError('ARTIFACT_NOT_FOUND', { artifact: id })
  const { name, sizeBytes, sha256 } = artifact
  const open = async () => (await artifacts.open(id, principal.tenant)).bytes
  return { name, sizeBytes, reference: { sha256 }, open }
}

function sourceOf(input: { readonly text?: string; readonly artifact?: string }, context: InstanceContext): FileSource {
  const sources = [
    context.file,
    input.text === undefined ? undefined : textSource(input.text),
    input.artifact === undefined ? undefined : artifactSource(input.artifact, context),
  ].filter((source) => source !== undefined)
  const [only, second] = sources
  if (!only || second) throw new AppError('CONTENT_REQUIRED')
  return only
}

const invalid = (en: string, zh: string): never => {
  throw new AppError('PATH_INVALID', { problem: { en, zh } })
}

interface Place {
  readonly directory: string
  readonly name: string
  /** The file that will be replaced. */
  readonly replaces?: Entry
}

async function placeWithin(
  directory: string,
  source: FileSource,
  { driver, instance, signal }: InstanceContext,
): Promise<Place> {
  if (source.name === '') {
    invalid(`${directory} is a directory, and a text needs a file name`, `${directory} 是目录，文本需要指定文件名`)
  }
  const name = entryName(source.name)
  const there = await driver.stat(instance.id, posix.join(directory, name), signal)
  if (there?.kind === 'directory') {
    invalid(`${directory} already holds a directory called ${name}`, `${directory} 中已有名为 ${name} 的目录`)
  }
  return { directory, name, ...(there?.kind === 'file' ? { replaces: there } : {}) }
}

/** An existing directory takes the file under its own name; anything else is the file's new name in an existing directory. */
async function placeOf(path: string, source: FileSource, context: InstanceContext): Promise<Place> {
  const { driver, instance, signal } = context
  const wanted = instancePath(path)
  const { path: real, entry } = await locate(driver, instance.id, wanted, signal)
  if (entry?.kind === 'directory') return placeWithin(real, source, context)
  if (wanted.endsWith('/')) throw new AppError('DESTINATION_NOT_FOUND', { path: wanted })
  const name = posix.basename(real)
  if (entry) {
    if (entry.kind !== 'file') invalid(`${real} is neither a file nor a directory`, `${real} 既不是文件也不是目录`)
    return { directory: posix.dirname(real), name, replaces: entry }
  }
  const parent = await locate(driver, instance.id, posix.dirname(real), signal)
  if (parent.entry?.kind !== 'directory') throw new AppError('DESTINATION_NOT_FOUND', { path: posix.dirname(real) })
  return { directory: parent.path, name }
}

export default defineAction({
  name: 'container.copy-in',
  summary: { en: 'Copy a file, a text or an artifact into a container', zh: '将文件、文本或制品复制到容器中' },
  effect: 'change',
  target: 'instance',
  acceptsFile: true,
  input: Type.Object({
    ...onContainer,
    path: text(
      { en: 'Where to: an existing directory, or a new name in one', zh: '目标位置：已有目录，或其中的新文件名' },
      { max: 4096 },
    ),
    text: Type.Optional(
      text({ en: 'A text to write, instead of a file', zh: '要写入的文本，用于代替文件' }, { min: 0, max: 100_000 }),
    ),
    url: Type.Optional(
      text(
        {
          en: 'The address of a file, instead of a file; its host must be allowed',
          zh: '文件网址，用于代替文件；其主机须被允许',
        },
        { max: 2000, pattern: '^https?://' },
      ),
    ),
    artifact: Type.Optional(artifactField),
    mode: Type.Optional(
      text(
        { en: 'Permissions in octal, such as 644', zh: '八进制权限，例如 644' },
        { max: 4, pattern: '^[0-7]{3,4}$' },
      ),
    ),
    uid: Type.Optional(
      integer(
        { en: "The owner's id; by default the directory's owner", zh: '属主 ID；默认与目录相同' },
        { min: 0, max: LARGEST_ID },
      ),
    ),
    gid: Type.Optional(
      integer(
        { en: "The group's id; by default the directory's group", zh: '属组 ID；默认与目录相同' },
        { min: 0, max: LARGEST_ID },
      ),
    ),
  }),
  output: Type.Object({
    host: Type.String(),
    container: Type.String(),
    path: Type.String(),
    sizeBytes: Type.Integer(),
    sha256: Type.String(),
    mode: Type.String(),
    uid: Type.Integer(),
    gid: Type.Integer(),
  }),
  async run(input, context) {
    const { driver, host, instance, signal, now } = context
    const source = sourceOf(input, context)
    const place = await placeOf(input.path, source, context)
    const path = posix.join(place.directory, place.name)
    const owner = await driver.owner(instance.id, place.replaces ? path : place.directory, signal)
    const uid = input.uid ?? owner.uid
    const gid = input.gid ?? owner.gid
    const mode = input.mode === undefined ? (place.replaces?.mode ?? DEFAULT_MODE) : modeOf(input.mode)
    const packed = await packFile(source, { name: place.name, mode, uid, gid, mtime: new Date(now()) }, signal)
    await driver.putArchive(instance.id, place.directory, packed.tar, signal)
    return {
      host,
      container: instance.name,
      path,
      sizeBytes: source.sizeBytes,
      sha256: packed.digest(),
      mode: formatMode(mode),
      uid,
      gid,
    }
  },
  view: (output, lang) => ({
    tone: 'good',
    heading: WORDS.heading[lang],
    blocks: [
      {
        kind: 'facts',
        facts: [
          { label: WORDS.container[lang], value: `${output.container} @ ${output.host}` },
          { label: WORDS.path[lang], value: output.path },
          { label: WORDS.size[lang], value: formatBytes(output.sizeBytes) },
          { label: WORDS.owner[lang], value: `${output.uid}:${output.gid} ${output.mode}` },
          { label: 'SHA-256', value: output.sha256 },
        ],
      },
    ],
  }),
})
