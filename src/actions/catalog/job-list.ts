import { Type } from 'typebox'
import { defineAction, principalKey } from '../action.js'
import { flag, integer } from '../fields.js'
import { shownPrincipal } from '../job-views.js'
import { formatBytes, formatTime } from '../text.js'

const LIMIT = 20

const WORDS = {
  heading: { en: 'Jobs', zh: '任务' },
  none: { en: 'There is none.', zh: '暂无任务。' },
  columns: {
    en: ['Job', 'What', 'Where', 'State', 'Moved', 'Begun', 'By'],
    zh: ['任务', '操作', '主机', '状态', '已传输', '开始时间', '发起人'],
  },
} as const

/**
 * One's own by default, which is what one looks for. `all` shows those of the tenant and needs no right of its own: it says
 * less of a job than job.status does to whoever may use it and has its id, and the link stays with the one who began it.
 */
export default defineAction({
  name: 'job.list',
  summary: {
    en: 'List your jobs, newest first, or those of everyone here',
    zh: '列出您的任务或此处所有人的任务，最新的在前',
  },
  effect: 'read',
  target: 'none',
  private: true,
  input: Type.Object({
    all: Type.Optional(flag({ en: 'Those of everyone here', zh: '列出此处所有人的任务' })),
    limit: Type.Optional(
      integer({ en: 'How many at most', zh: '最多返回多少条' }, { min: 1, max: 200, byDefault: LIMIT }),
    ),
  }),
  output: Type.Object({
    jobs: Type.Array(
      Type.Object({
        job: Type.String(),
        action: Type.String(),
        host: Type.Optional(Type.String()),
        state: Type.String({ description: 'queued, running, done, failed or cancelled' }),
        bytes: Type.Integer(),
        startedBy: Type.String(),
        error: Type.Optional(Type.String({ description: "An error's code" })),
        createdAt: Type.String({ description: 'ISO 8601, UTC' }),
        finishedAt: Type.Optional(Type.String({ description: 'ISO 8601, UTC' })),
      }),
    ),
  }),
  run: ({ all = false, limit = LIMIT }, { jobs, principal }) => ({
    jobs: jobs.recent(principal.tenant, limit, all ? undefined : principalKey(principal)).map((job) => ({
      job: job.id,
      action: job.action,
      ...(job.host === undefined ? {} : { host: job.host }),
      state: job.state,
      bytes: job.bytes,
      startedBy: shownPrincipal(job.principal),
      ...(job.error ? { error: job.error.code } : {}),
      createdAt: formatTime(job.createdAt),
      ...(job.finishedAt === undefined ? {} : { finishedAt: formatTime(job.finishedAt) }),
    })),
  }),
  view: ({ jobs }, lang) => ({
    tone: 'info',
    heading: `${WORDS.heading[lang]} (${jobs.length})`,
    blocks: [
      jobs.length === 0
        ? { kind: 'text', text: WORDS.none[lang] }
        : {
            kind: 'table',
            columns: WORDS.columns[lang],
            rows: jobs.map((job) => [
              job.job,
              job.action,
              job.host ?? '',
              job.error ? `${job.state} (${job.error})` : job.state,
              formatBytes(job.bytes),
              job.createdAt,
              job.startedBy,
            ]),
          },
    ],
  }),
})
