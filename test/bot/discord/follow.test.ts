import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '../../../src/actions/index.js'
import { followJob } from '../../../src/bot/discord/follow.js'
import type { Message } from '../../../src/bot/discord/render.js'
import { type Reply, ReplyError, replyWindowMs } from '../../../src/bot/discord/reply.js'
import { openRoom, type Room } from '../../helpers/room.js'
import { ada, LAB, type TestLog, testLog } from './bot.js'

let room: Room
let quiet: TestLog
beforeAll(async () => {
  room = await openRoom()
  quiet = testLog()
})
afterAll(() => room?.close())
afterEach(() => {
  room.now = Date.now
})

const principal = { kind: 'user', id: ada.id, name: ada.username, tenant: LAB, roles: [] } as const

/** A job that moves and ends when the test says so. */
function startJob() {
  let end: (error?: AppError) => void = () => undefined
  let report: (bytes: number) => void = () => undefined
  const job = room.actions.jobs.start(
    {
      tenant: LAB,
      principal: `${LAB}/user:${ada.id}`,
      action: 'container.export',
      settle: () => undefined,
      onBug: (error) => room.bugs.push(error),
    },
    (signal, progress) => {
      report = progress.report
      return new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        end = (error) => (error ? reject(error) : resolve({}))
      })
    },
  )
  return { id: job.id, end: (error?: AppError) => end(error), report: (bytes: number) => report(bytes) }
}

/** Another transport than the gateway's, which remembers what it was given. */
function transport(failures: ReplyError[] = []) {
  const edits: { at: number; text: string }[] = []
  const posts: { content: string; userId: string }[] = []
  const unused = () => Promise.reject(new Error('the first answer was given before'))
  const reply: Reply = {
    isAnswered: true,
    defer: unused,
    deferUpdate: unused,
    whisper: unused,
    update: unused,
    followUp: unused,
    openForm: unused,
    autocomplete: unused,
    async edit({ body }: Message) {
      const failure = failures.shift()
      if (failure) throw failure
      edits.push({ at: Date.now(), text: `${body.embeds[0]?.title}: ${body.embeds[0]?.description}` })
    },
    async post(content, userId) {
      posts.push({ content, userId })
    },
  }
  return { reply, edits, posts }
}

const follow = (jobId: string, reply: Reply, stop = new AbortController().signal, lang: 'en' | 'zh' = 'en') =>
  followJob(
    { jobId, principal, lang, notes: [{ kind: 'text', text: 'without /data' }], reply, issuedAt: Date.now() },
    { actions: room.actions, log: quiet.log, now: () => room.now(), stop },
  )

describe('a job that is followed', () => {
  it('is shown when it has moved, at most every two seconds, and at once when it ends', async () => {
    const { reply, edits, posts } = transport()
    const job = startJob()
    const followed = follow(job.id, reply)
    job.report(5 * 2 ** 20)
    await sleep(4600)
    const endedAt = Date.now()
    job.end()
    await followed
    expect(edits.length).toBe(3)
    expect(edits[0]?.text).toMatch(/Running: .*5\.0 MiB/s)
    expect((edits[1]?.at ?? 0) - (edits[0]?.at ?? 0)).toBeGreaterThan(1900)
    expect(edits[2]?.text).toMatch(/Done: .*without \/data/s)
    expect((edits[2]?.at ?? 0) - endedAt).toBeLessThan(1000)
    expect(posts).toEqual([])
  })

  it('that has not begun to move is shown once', async () => {
    const { reply, edits } = transport()
    const job = startJob()
    const followed = follow(job.id, reply)
    await sleep(4600)
    expect(edits).toHaveLength(1)
    job.end(new AppError('ENGINE_LOST', { host: 'local' }))
    await followed
    expect(edits[1]?.text).toMatch(/Failed: .*broke off in the middle/s)
  })

  it.each([
    ['en', /^<@410000000000000001> Your job \S+ \(container\.export\) has ended\. `\/job status/],
    ['zh', /^<@410000000000000001> 您的任务 \S+（container\.export）已结束/],
  ] as const)(
    'for longer than 15 minutes ends with a message that mentions only its asker, in %s',
    async (lang, words) => {
      const { reply, edits, posts } = transport()
      const job = startJob()
      const followed = follow(job.id, reply, undefined, lang)
      room.now = () => Date.now() + 15 * 60_000
      await sleep(2300)
      expect(edits).toEqual([])
      job.end()
      await followed
      expect(posts).toMatchObject([{ userId: ada.id, content: expect.stringMatching(words) }])
      // In public: neither the link nor what came of it.
      expect(posts[0]?.content).not.toMatch(/http|done|SHA/i)
    },
  )

  it('whose reply was dismissed ends the same way', async () => {
    const { reply, edits, posts } = transport([new ReplyError('gone', '10008: Unknown Message')])
    const job = startJob()
    const followed = follow(job.id, reply)
    await sleep(2300)
    job.end()
    await followed
    expect(edits).toEqual([])
    expect(posts).toHaveLength(1)
  })

  it('whose edit failed is shown with the next one', async () => {
    const { reply, edits } = transport([new ReplyError('failed', '502')])
    const job = startJob()
    const followed = follow(job.id, reply)
    await sleep(4600)
    expect(edits).toHaveLength(1)
    job.end()
    await followed
    expect(edits).toHaveLength(2)
  })

  it('goes on when the bot stops following', async () => {
    const { reply, edits, posts } = transport()
    const job = startJob()
    const stop = new AbortController()
    const followed = follow(job.id, reply, stop.signal)
    await sleep(100)
    stop.abort()
    await followed
    expect([...edits, ...posts]).toEqual([])
    expect(room.actions.jobs.get(job.id, LAB).state).toBe('running')
    job.end()
  })
})

it('a reply can be edited for 15 minutes', () => {
  expect(replyWindowMs(1000, 1000)).toBe(900_000)
  expect(replyWindowMs(1000, 901_000)).toBe(0)
  expect(replyWindowMs(1000, 9_000_000)).toBe(0)
})
