// How work that goes on looks, for the verbs that start it and the ones that watch it.
import { type Static, Type } from 'typebox'
import { type Principal, principalKey } from './action.js'
import { describeError } from './errors.js'
import type { Artifact, Artifacts } from './jobs/artifacts.js'
import { isPhase, type Job, type JobResult } from './jobs/jobs.js'
import { formatBytes, formatTime, type Lang, say } from './text.js'
import type { Block, View } from './view.js'

export const JobStarted = Type.Object({
  jobId: Type.String(),
  leftOut: Type.Array(Type.String(), { description: 'Mounts inside the container that the archive does not hold' }),
})

const ArtifactShape = Type.Object({
  id: Type.String(),
  name: Type.String(),
  sizeBytes: Type.Integer(),
  sha256: Type.String(),
  expiresAt: Type.String(),
  url: Type.Optional(Type.String({ description: 'Only for the one who started the job' })),
})

export const JobShape = Type.Object({
  job: Type.String(),
  action: Type.String(),
  host: Type.Optional(Type.String()),
  state: Type.String({ description: 'queued, running, done, failed or cancelled' }),
  progress: Type.Object({
    phase: Type.Optional(Type.String({ description: 'unpacking or checking, where it is not moving bytes' })),
    bytes: Type.Integer(),
    totalBytes: Type.Optional(Type.Integer({ description: 'About how many there will be, where that is known' })),
    bytesPerSecond: Type.Integer(),
    secondsLeft: Type.Optional(Type.Integer()),
  }),
  error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
  artifact: Type.Optional(ArtifactShape),
  result: Type.Optional(
    Type.Object({
      images: Type.Optional(
        Type.Array(Type.Object({ id: Type.String(), tags: Type.Array(Type.String()) }), {
          description: 'The images that the engine has now',
        }),
      ),
      leftOut: Type.Optional(
        Type.Array(Type.String(), { description: 'Mounts inside the container that the archive does not hold' }),
      ),
      volumes: Type.Optional(
        Type.Array(Type.Object({ path: Type.String(), artifact: ArtifactShape }), {
          description: 'Mounts inside the container, and what holds their content',
        }),
      ),
    }),
  ),
  createdAt: Type.String(),
  finishedAt: Type.Optional(Type.String()),
})
export type JobOutput = Static<typeof JobShape>

/** Who it was, as its own tenant needs to be told. */
export const shownPrincipal = (key: string): string => key.slice(key.indexOf('/') + 1)

type ArtifactOutput = Static<typeof ArtifactShape>

/** How a job's reader is shown an artifact; undefined for one that is there no more. */
type Show = (artifact: string) => ArtifactOutput | undefined

function artifactOutput(artifact: Artifact, url: string | undefined): ArtifactOutput {
  const { id, name, sizeBytes, sha256, expiresAt } = artifact
  return { id, name, sizeBytes, sha256, expiresAt: formatTime(expiresAt), ...(url === undefined ? {} : { url }) }
}

const resultOutput = ({ images, leftOut, volumes }: JobResult, show: Show) => ({
  ...(images ? { images: images.map(({ id, tags }) => ({ id, tags: [...tags] })) } : {}),
  ...(leftOut ? { leftOut: [...leftOut] } : {}),
  ...(volumes
    ? {
        volumes: volumes.flatMap(({ path, artifact }) => {
          const shown = show(artifact)
          return shown ? [{ path, artifact: shown }] : []
        }),
      }
    : {}),
})

function progressOutput({ startedAt, finishedAt, phase, bytes, totalBytes }: Job, now: number): JobOutput['progress'] {
  const seconds = startedAt === undefined ? 0 : ((finishedAt ?? now) - startedAt) / 1000
  const bytesPerSecond = seconds > 0 ? Math.round(bytes / seconds) : 0
  const isCopying = finishedAt === undefined && phase === undefined && bytesPerSecond > 0
  return {
    ...(phase === undefined ? {} : { phase }),
    bytes,
    ...(totalBytes === undefined ? {} : { totalBytes }),
    bytesPerSecond,
    ...(isCopying && totalBytes !== undefined
      ? { secondsLeft: Math.max(0, Math.ceil((totalBytes - bytes) / bytesPerSecond)) }
      : {}),
  }
}

interface JobReader {
  readonly artifacts: Artifacts
  readonly principal: Principal
  readonly lang: Lang
  readonly now: () => number
}

/** A job as its reader may see it: the link to what it made is for the one who started it alone. */
export function jobOutput(job: Job, { artifacts, principal, lang, now }: JobReader): JobOutput {
  const isOwn = job.principal === principalKey(principal)
  const show: Show = (id) => {
    const artifact = artifacts.get(id, principal.tenant)
    return artifact && artifactOutput(artifact, isOwn ? artifacts.link(id, principal) : undefined)
  }
  const artifact = job.artifact === undefined ? undefined : show(job.artifact)
  return {
    job: job.id,
    action: job.action,
    ...(job.host === undefined ? {} : { host: job.host }),
    state: job.state,
    progress: progressOutput(job, now()),
    ...(job.error
      ? { error: { code: job.error.code, message: describeError(job.error.code, job.error.details, lang) } }
      : {}),
    ...(artifact ? { artifact } : {}),
    ...(job.result ? { result: resultOutput(job.result, show) } : {}),
    createdAt: formatTime(job.createdAt),
    ...(job.finishedAt === undefined ? {} : { finishedAt: formatTime(job.finishedAt) }),
  }
}

const WORDS = {
  states: {
    queued: { en: 'Waiting', zh: '等待中' },
    running: { en: 'Running', zh: '运行中' },
    done: { en: 'Done', zh: '已完成' },
    failed: { en: 'Failed', zh: '失败' },
    cancelled: { en: 'Cancelled', zh: '已取消' },
  },
  phases: {
    unpacking: { en: 'The engine unpacks it', zh: '引擎正在解包' },
    checking: { en: 'Checking what arrived', zh: '正在校验结果' },
  },
  left: { en: 'about {seconds} s left', zh: '约剩 {seconds} 秒' },
  job: { en: 'Job', zh: '任务' },
  cancel: { en: 'Cancel', zh: '取消' },
  refresh: { en: 'Refresh', zh: '刷新' },
  size: { en: 'Size', zh: '大小' },
  expires: { en: 'Kept until', zh: '保留至' },
  image: { en: 'Image', zh: '镜像' },
  volumes: { en: 'Its mounts, each as an archive of its own:', zh: '各挂载的内容，分别归档：' },
  leftOut: {
    en: 'Not in the archive, because these are mounts:',
    zh: '归档不包含以下挂载：',
  },
} as const

const TONES = { queued: 'info', running: 'info', done: 'good', failed: 'bad', cancelled: 'warn' } as const
const isState = (state: string): state is keyof typeof TONES => Object.hasOwn(TONES, state)

const leftOutBlock = (leftOut: readonly string[], lang: Lang): Block => ({
  kind: 'text',
  text: `${WORDS.leftOut[lang]} ${leftOut.join(', ')}`,
})

function progressBlock(progress: JobOutput['progress'], lang: Lang): Block {
  const { phase, bytes, totalBytes, bytesPerSecond, secondsLeft } = progress
  const total = totalBytes === undefined ? '' : ` / ≈ ${formatBytes(totalBytes)}`
  const label = [
    ...(phase !== undefined && isPhase(phase) ? [WORDS.phases[phase][lang]] : []),
    `${formatBytes(bytes)}${total}`,
    `${formatBytes(bytesPerSecond)}/s`,
    ...(secondsLeft === undefined ? [] : [say(lang, WORDS.left, { seconds: secondsLeft })]),
  ].join(' · ')
  return totalBytes === undefined
    ? { kind: 'progress', label }
    : { kind: 'progress', label, ratio: Math.min(1, bytes / Math.max(1, totalBytes)) }
}

const linkBlocks = ({ name, url }: ArtifactOutput): Block[] =>
  url === undefined ? [] : [{ kind: 'link', label: name, url }]

function volumeBlocks(volumes: NonNullable<NonNullable<JobOutput['result']>['volumes']>, lang: Lang): Block[] {
  if (volumes.length === 0) return []
  const facts = volumes.map(({ path, artifact }) => ({
    label: path,
    value: `${artifact.name} · ${formatBytes(artifact.sizeBytes)}`,
  }))
  return [
    { kind: 'text', text: WORDS.volumes[lang] },
    { kind: 'facts', facts },
    ...volumes.flatMap(({ artifact }) => linkBlocks(artifact)),
  ]
}

function resultBlocks(
  { images = [], leftOut = [], volumes = [] }: NonNullable<JobOutput['result']>,
  lang: Lang,
): Block[] {
  const facts = images.map(({ id, tags }) => ({ label: WORDS.image[lang], value: [...tags, id].join(' · ') }))
  return [
    ...volumeBlocks(volumes, lang),
    ...(facts.length === 0 ? [] : [{ kind: 'facts', facts } as const]),
    ...(leftOut.length === 0 ? [] : [leftOutBlock(leftOut, lang)]),
  ]
}

export function jobView(output: JobOutput, lang: Lang): View {
  const state = isState(output.state) ? output.state : 'failed'
  const unfinished = state === 'queued' || state === 'running'
  const blocks: Block[] = [{ kind: 'text', text: `${output.action} · ${WORDS.job[lang]} ${output.job}` }]
  if (unfinished) {
    blocks.push(progressBlock(output.progress, lang))
  }
  if (output.error) blocks.push({ kind: 'text', text: output.error.message })
  if (output.artifact) {
    blocks.push({
      kind: 'facts',
      facts: [
        { label: WORDS.size[lang], value: formatBytes(output.artifact.sizeBytes) },
        { label: 'SHA-256', value: output.artifact.sha256 },
        { label: WORDS.expires[lang], value: output.artifact.expiresAt },
      ],
    })
    blocks.push(...linkBlocks(output.artifact))
  }
  if (output.result) blocks.push(...resultBlocks(output.result, lang))
  return {
    tone: TONES[state],
    heading: WORDS.states[state][lang],
    blocks,
    ...(unfinished
      ? {
          choices: [
            { label: WORDS.refresh[lang], action: 'job.status', input: { job: output.job }, style: 'secondary' },
            { label: WORDS.cancel[lang], action: 'job.cancel', input: { job: output.job }, style: 'danger' },
          ],
        }
      : {}),
  }
}

/** The first answer of a verb that goes on: which job, and what its result will not hold. */
export function jobStartedView(output: Static<typeof JobStarted>, lang: Lang): View {
  const blocks: Block[] = [{ kind: 'text', text: `${WORDS.job[lang]} ${output.jobId}` }]
  if (output.leftOut.length > 0) blocks.push(leftOutBlock(output.leftOut, lang))
  return {
    tone: 'info',
    heading: WORDS.states.running[lang],
    blocks,
    choices: [
      { label: WORDS.refresh[lang], action: 'job.status', input: { job: output.jobId }, style: 'secondary' },
      { label: WORDS.cancel[lang], action: 'job.cancel', input: { job: output.jobId }, style: 'danger' },
    ],
  }
}
