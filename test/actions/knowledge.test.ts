import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bytesOf, type FileSource } from '../../src/actions/index.js'
import { codeOf, openRoom, principal, type Room } from '../helpers/room.js'

let room: Room
beforeAll(async () => {
  room = await openRoom()
  await room.knowledge.ingest('data/knowledge')
})
afterAll(() => room.close())

const TEXT = 'Our build box is called Otter. It has 64 cores and stands in Rack 7.'
const as = (roles: readonly string[], tenant = 'local') => ({ principal: principal(roles, { tenant, name: 'ann' }) })
const file = (name: string, content: Buffer): FileSource => ({
  name,
  sizeBytes: content.length,
  reference: { name },
  open: async () => bytesOf(Readable.from([content], { objectMode: false })),
})

interface Asked {
  found: boolean
  answer: string
  asked?: number
  citations: { card: string; line: number; overdue?: string }[]
}
interface Gap {
  gap: number
  question: string
  asked: number
  unhelpful: number
  assignedTo?: string
}
const ask = (question: string) => room.does<Asked>('ask', { question })
const gaps = async () => (await room.does<{ gaps: Gap[] }>('knowledge.gaps', {})).gaps

describe('teaching', () => {
  it('collects what it could not answer, and is taught the answer', async () => {
    const first = await ask('In which rack does Otter stand?')
    expect(first.found).toBe(false)
    await ask('in which rack stands Otter')
    const [gap] = await gaps()
    expect(gap).toMatchObject({ question: 'in which rack stands Otter', asked: 2, unhelpful: 0 })
    await room.does('knowledge.assign', { gap: gap?.gap, to: 'bob' })
    expect((await gaps())[0]).toMatchObject({ assignedTo: 'bob' })

    const card = { card: 'build-box', title: 'Our build box', text: TEXT, gap: gap?.gap, tags: 'lab, machines' }
    expect(await room.does('knowledge.save', card)).toMatchObject({ saved: true, version: 1, isNew: true })
    expect(await gaps()).toEqual([])
    const answer = await ask('In which rack does Otter stand?')
    expect(answer.citations[0]).toMatchObject({ card: 'build-box', line: 1 })

    await room.does('knowledge.feedback', { asked: answer.asked, helpful: false })
    expect(await gaps()).toMatchObject([{ asked: 1, unhelpful: 1 }])
  })

  it('answers a greeting kindly, and keeps no question of it', async () => {
    const before = await gaps()
    for (const question of ['', 'hello!', '你好', '???']) {
      const outcome = await room.call('ask', { question })
      if (outcome.status !== 'done') throw new Error('asked for a confirmation')
      expect(outcome.output).toMatchObject({ found: false })
      expect(outcome.output).not.toHaveProperty('asked')
      expect(JSON.stringify(outcome.view)).toMatch(/Ask me anything|都可以问我/)
    }
    expect(await gaps()).toEqual(before)
  })

  it('keeps every version with who and why, and brings one back', async () => {
    await room.does('knowledge.save', { card: 'vpn', text: 'The VPN is reached at port 1194.' })
    await room.does(
      'knowledge.save',
      { card: 'vpn', text: 'The VPN is reached at port 51820.', reason: 'WireGuard' },
      as(['admin']),
    )
    await room.does('knowledge.remove', { card: 'vpn', reason: 'a mistake' })
    expect(await codeOf(room.call('knowledge.remove', { card: 'vpn' }))).toBe('CARD_NOT_FOUND')
    const { versions } = await room.does<{ versions: object[] }>('knowledge.history', { card: 'vpn' })
    expect(versions).toMatchObject([
      { version: 3, reason: 'a mistake', current: false },
      { version: 2, reason: 'WireGuard', author: 'ann', text: 'The VPN is reached at port 51820.' },
      { version: 1, text: 'The VPN is reached at port 1194.' },
    ])
    expect(await room.does('knowledge.revert', { card: 'vpn', version: 2 })).toMatchObject({ saved: true, version: 4 })
    expect((await ask('at which port is the VPN reached')).answer).toContain('51820')
    expect(await codeOf(room.call('knowledge.revert', { card: 'vpn', version: 3 }))).toBe('VERSION_NOT_FOUND')
  })

  it('points out a card that says nearly the same, and saves when it is told to', async () => {
    const copy = { card: 'other-box', title: 'The box', text: TEXT }
    expect(await room.does('knowledge.save', copy)).toMatchObject({ saved: false, similar: [{ card: 'build-box' }] })
    expect(await codeOf(room.call('knowledge.history', { card: 'other-box' }))).toBe('CARD_NOT_FOUND')
    expect(await room.does('knowledge.save', { ...copy, anyway: true })).toMatchObject({ saved: true })
    await room.does('knowledge.remove', { card: 'other-box' })
  })

  it('marks what should have been looked at again', async () => {
    await room.does('knowledge.save', { card: 'build-box', review: '2020-01-31' })
    const list = await room.does<{ cards: object[] }>('knowledge.list', { overdue: true })
    expect(list.cards).toMatchObject([
      { card: 'build-box', review: '2020-01-31', overdue: true, tags: ['lab', 'machines'] },
    ])
    expect((await ask('In which rack does Otter stand?')).citations[0]).toMatchObject({ overdue: '2020-01-31' })
    expect(await codeOf(room.call('knowledge.save', { card: 'build-box', review: '2020-02-31' }))).toBe(
      'CARD_NOT_SAVED',
    )
  })

  it('lets people ask and say whether it helped, and no more', async () => {
    const asked = await room.does<Asked>('ask', { question: 'what is kvm' }, as([]))
    await room.does('knowledge.feedback', { asked: asked.asked, helpful: true }, as([]))
    for (const [action, input] of [
      ['knowledge.save', { card: 'x', text: 'x' }],
      ['knowledge.gaps', {}],
      ['knowledge.export', {}],
    ] as const) {
      expect(await codeOf(room.call(action, input, as([])))).toBe('FORBIDDEN')
    }
    // Another team's question is nobody's business.
    const other = as(['admin'], 'guild-2')
    expect(await codeOf(room.call('knowledge.feedback', { asked: asked.asked, helpful: true }, other))).toBe(
      'QUESTION_UNKNOWN',
    )
    expect(await room.does('knowledge.gaps', {}, other)).toEqual({ gaps: [] })
    expect(await room.does('knowledge.list', {}, other)).toEqual({ cards: [] })
  })

  it.each(['markdown', 'jsonl'])('exports its cards as %s, which another team imports again', async (format) => {
    const { jobId } = await room.does<{ jobId: string }>('knowledge.export', { format })
    const job = await room.actions.jobs.wait(jobId, 'local', new AbortController().signal)
    expect(job.state).toBe('done')
    const artifact = room.actions.artifacts.get(job.artifact ?? '', 'local')
    const content = await readFile(artifact?.path ?? '')
    if (format === 'markdown') {
      // The list of another program is the better judge of a zip.
      const zip = join(mkdtempSync(join(tmpdir(), 'hc-zip-')), 'k.zip')
      writeFileSync(zip, content)
      expect(execFileSync('python3', ['-m', 'zipfile', '-l', zip], { encoding: 'utf8' })).toContain('en/build-box.md')
    }
    const other = as(['admin'], `guild-${format}`)
    const report = await room.does('knowledge.import', {}, { ...other, file: file(artifact?.name ?? '', content) })
    expect(report).toMatchObject({ added: 2, rejected: 0 })
    const answer = await room.does<Asked>('ask', { question: 'In which rack does Otter stand?' }, other)
    expect(answer.citations[0]).toMatchObject({ card: 'build-box' })
  })
})
