import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '../../../src/actions/index.js'
import { followJob } from '../../../src/bot/discord/follow.js'
import type { Messenger } from '../../../src/bot/discord/messenger.js'
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
  let report: (bytes: number, totalBytes?: number) => void = () => undefined
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
  return {
    id: job.id,
    end: (error?: AppError) => end(error),
    report: (bytes: number, totalBytes?: number) => report(bytes, totalBytes),
  }
}

/** Another transport than the gateway's, which remembers what it was given. */
function transport(failures: ReplyError[] = [], closed: ReplyError[] = []) {
  const edits: { at: number; text: string; labels: string[] }[] = []
  const posts: { channel: string; content: string | undefined; userIds: readonly string[] | undefined }[] = []
  const direct: { userId: string; text: string }[] = []
  const unused = () => Promise.reject(new Error('the first answer was given before'))
  const reply: Reply = {
    isAnswered: true,
    defer: unused,
    deferUpdate: unused,
    whisper: unused,
    update: unused,
    takeBack: unused,
    followUp: unused,
    openForm: unused,
    autocomplete: unused,
    async edit({ body }: Message) {
      const failure = failures.shift()
      if (failure) throw failure
      const labels = body.components.flatMap(({ components }) =>
        components.map((one) => ('label' in one ? one.label : '')),
      )
      edits.push({
        at: Date.now(),
        text: `${body.embeds[0]?.title}: ${body.embeds[0]?.description}`,
        labels: labels.map(String),
      })
    },
  }
  const messenger: Messenger = {
    async post(channel, { body }) {
      const failure = closed.shift()
      if (failure) throw failure
      posts.push({ channel, content: body.content, userIds: body.allowed_mentions.users })
      return '1'
    },
    async tell(userId, { body }) {
      const failure = closed.shift()
      if (failure) throw failure
      direct.push({ userId, text: `${body.embeds[0]?.title}: ${body.embeds[0]?.description}` })
    },
    edit: unused,
    guildOf: unused,
  }
  return { reply, messenger, edits, posts, direct }
}

const gone = () => new ReplyError('gone', '10003: Unknown Channel')

const follow = (
  jobId: string,
  { reply, messenger }: ReturnType<typeof transport>,
  stop = new AbortController().signal,
  lang: 'en' | 'zh' = 'en',
) =>
  followJob(
    {
      jobId,
      principal,
      lang,
      notes: [{ kind: 'text', text: 'without /data' }],
      reply,
      channel: '77',
      issuedAt: Date.now(),
    },
    { actions: room.actions, messenger, log: quiet.log, now: () => room.now(), stop },
  )

describe('a job that is followed', () => {
  it('is shown when it has moved, at most every two seconds, and at once when it ends', async () => {
    const wire = transport()
    const { edits, posts } = wire
    const job = startJob()
    const followed = follow(job.id, wire)
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

  it('is a bar, bytes, a rate, what is left of the time, and a way to cancel it', async () => {
    const wire = transport()
    const job = startJob()
    // So that there is a second to count by.
    await sleep(1100)
    job.report(5 * 2 ** 20, 10 * 2 ** 20)
    const followed = follow(job.id, wire)
    await expect.poll(() => wire.edits.length, { timeout: 6_000 }).toBe(1)
    expect(wire.edits[0]?.text).toMatch(/▰{10}▱{10} 50% 5\.0 MiB \/ ≈ 10\.0 MiB · \d\.\d MiB\/s · about \d+ s left/)
    expect(wire.edits[0]?.labels).toEqual(['Refresh', 'Cancel'])
    job.end()
    await followed
    expect(wire.edits.at(-1)?.labels).toEqual([])
  })

  it('that has not begun to move is shown once', async () => {
    const wire = transport()
    const { edits } = wire
    const job = startJob()
    const followed = follow(job.id, wire)
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
      const wire = transport()
      const { edits, posts } = wire
      const job = startJob()
      const followed = follow(job.id, wire, undefined, lang)
      room.now = () => Date.now() + 15 * 60_000
      await sleep(2300)
      expect(edits).toEqual([])
      job.end()
      await followed
      expect(posts).toMatchObject([{ channel: '77', userIds: [ada.id], content: expect.stringMatching(words) }])
      // In public: neither the link nor what came of it.
      expect(posts[0]?.content).not.toMatch(/http|done|SHA/i)
    },
  )

  it('whose reply was dismissed ends the same way', async () => {
    const wire = transport([new ReplyError('gone', '10008: Unknown Message')])
    const { edits, posts } = wire
    const job = startJob()
    const followed = follow(job.id, wire)
    await sleep(2300)
    job.end()
    await followed
    expect(edits).toEqual([])
    expect(posts).toHaveLength(1)
  })

  it('whose place and channel are gone ends with a direct message that has the result', async () => {
    const wire = transport([gone()], [gone()])
    const job = startJob()
    const followed = follow(job.id, wire)
    await sleep(2300)
    job.end()
    await followed
    expect([...wire.edits, ...wire.posts]).toEqual([])
    expect(wire.direct).toEqual([
      { userId: ada.id, text: expect.stringMatching(/^Done: container\.export .*without \/data/s) },
    ])
  })

  it('whose asker cannot be reached at all leaves a line in the log, and its result with the job', async () => {
    const refused = new ReplyError('gone', '50007: Cannot send messages to this user')
    const wire = transport([gone()], [gone(), refused])
    const job = startJob()
    const followed = follow(job.id, wire)
    await sleep(300)
    job.end()
    await followed
    expect([...wire.edits, ...wire.posts, ...wire.direct]).toEqual([])
    expect(quiet.lines.at(-1)).toMatchObject({ level: 40, msg: expect.stringContaining('direct message') })
    expect(room.actions.jobs.get(job.id, LAB).state).toBe('done')
  })

  it('whose last edit failed calls its asker', async () => {
    const failed = () => new ReplyError('failed', '502')
    const wire = transport([failed(), failed()])
    const job = startJob()
    const followed = follow(job.id, wire)
    await sleep(300)
    job.end()
    await followed
    expect(wire.edits).toEqual([])
    expect(wire.posts).toHaveLength(1)
  })

  it('whose edit failed is shown with the next one', async () => {
    const wire = transport([new ReplyError('failed', '502')])
    const { edits } = wire
    const job = startJob()
    const followed = follow(job.id, wire)
    await sleep(4600)
    expect(edits).toHaveLength(1)
    job.end()
    await followed
    expect(edits).toHaveLength(2)
  })

  it('goes on when the bot stops following', async () => {
    const wire = transport()
    const { edits, posts } = wire
    const job = startJob()
    const stop = new AbortController()
    const followed = follow(job.id, wire, stop.signal)
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
