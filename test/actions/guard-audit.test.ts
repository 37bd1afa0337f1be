// The audit log as its tables keep it: what a row says, what a look at it finds, and what goes for its age.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { type AuditEntry, type AuditLog, openAudit } from '../../src/actions/guard/audit.js'
import { BEGINNING, COLUMNS, createFollower, linkOf, type Said, START } from '../../src/actions/guard/audit-chain.js'
import { openSealer, type Seal, type Sealer } from '../../src/actions/guard/audit-seal.js'
import { type AuditRow, openAuditStore } from '../../src/actions/guard/audit-store.js'
import { principal } from '../helpers/caller.js'

const NOW = Date.UTC(2026, 10, 28)
const folders: string[] = []
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'hc-audit-'))
  folders.push(folder)
  return folder
}
afterAll(() => folders.forEach((folder) => void rmSync(folder, { recursive: true, force: true })))
const signal = new AbortController().signal

let sealer: Sealer
let db: Database
let clock: number
let audit: AuditLog
const open = (by = sealer, process = 'p1'): AuditLog =>
  openAudit({ store: openAuditStore(db), sealer: by, process, now: () => clock })
beforeEach(() => {
  sealer = openSealer(newFolder())
  db = new Sqlite(':memory:')
  clock = NOW
  audit = open()
})

const entry = (requestId: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  requestId,
  principal: principal(['ops', 'dev'], { kind: 'user', id: 'ann', name: 'Ann', tenant: '100' }),
  surface: 'discord',
  action: 'container.stop',
  effect: 'change',
  input: { container: 'web' },
  policies: ['a', 'b'],
  startedAt: NOW - 5,
  ...more,
})
const rows = () => db.prepare<[], AuditRow>('SELECT * FROM audit ORDER BY seq').all()
const call = (requestId: string, more: Partial<AuditEntry> = {}, outcome: object = {}): void => {
  audit.intent(entry(requestId, more))
  audit.outcome(entry(requestId, more), { code: 'OK', ...outcome })
}
const OPENED = `DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete;`
const tamper = (sql: string): void => void db.exec(OPENED + sql)
const named = async (known: Parameters<AuditLog['verify']>[0] = []) =>
  (await audit.verify(known, signal)).broken.map(({ what, from, to }) => `${what} ${from}-${to}`)

describe('a row', () => {
  it('says who did what, where, by which policy, and how it ended', () => {
    audit.intent(entry('r1', { host: 'box', instance: 'i1', approvals: ['100/user:bea'] }))
    clock += 20
    audit.outcome(entry('r1', { host: 'box', instance: 'i1', approvals: ['100/user:bea'] }), { code: 'OK', bytes: 7 })
    const said = {
      request_id: 'r1',
      process: 'p1',
      tenant: '100',
      principal: '100/user:ann',
      principal_name: 'Ann',
      roles: '["ops","dev"]',
      surface: 'discord',
      action: 'container.stop',
      effect: 'change',
      host: 'box',
      instance: 'i1',
      input: '{"container":"web"}',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      policies: '["a","b"]',
      approvals: '["100/user:bea"]',
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    }
    expect(rows()).toEqual([
      { ...said, seq: 1, phase: 'intent', at: NOW, outcome: null, bytes: null, duration_ms: null },
      { ...said, seq: 2, phase: 'outcome', at: NOW + 20, outcome: 'OK', bytes: 7, duration_ms: 25 },
    ])
    const record = {
      requestId: 'r1',
      principal: '100/user:ann',
      principalName: 'Ann',
      roles: ['ops', 'dev'],
      surface: 'discord',
      action: 'container.stop',
      effect: 'change',
      host: 'box',
      instance: 'i1',
      input: { container: 'web' },
      digest: rows()[0]?.digest,
      policies: ['a', 'b'],
      approvals: ['100/user:bea'],
    }
    expect(audit.list({ tenant: '100', limit: 9 })).toEqual([
      {
        ...record,
        seq: 2,
        at: NOW + 20,
        phase: 'outcome',
        outcome: 'OK',
        bytes: 7,
        durationMs: 25,
        hash: rows()[1]?.hash,
      },
      { ...record, seq: 1, at: NOW, phase: 'intent', hash: rows()[0]?.hash },
    ])
  })

  it('leaves out what there is none of', () => {
    audit.intent(entry('r1'))
    const [record] = audit.list({ tenant: '100', limit: 1 })
    expect(Object.keys(record ?? {})).toEqual(
      'seq at requestId phase principal principalName roles surface action effect input digest policies approvals hash'.split(
        ' ',
      ),
    )
    expect(record?.approvals).toEqual([])
  })

  it('keeps the digest of the whole input, and of a long text nothing else', () => {
    audit.intent(entry('r1', { input: { text: 'hunter2' } }))
    audit.intent(entry('r2', { input: { text: 'hunter3' } }))
    expect(JSON.stringify(rows())).not.toContain('hunter')
    expect(rows()[0]?.digest).not.toBe(rows()[1]?.digest)
  })

  it('of an intent names those who agreed to it', () => {
    audit.intent(entry('r1'), () => ['100/user:bea'])
    expect(rows()).toMatchObject([{ request_id: 'r1', phase: 'intent', approvals: '["100/user:bea"]' }])
  })

  it('of a refusal comes with its other one, or not at all', () => {
    audit.refused(entry('r1'), 'FORBIDDEN')
    expect(rows()).toMatchObject([
      { phase: 'intent', outcome: null, duration_ms: null },
      { phase: 'outcome', outcome: 'FORBIDDEN', bytes: null, duration_ms: 5 },
    ])
    db.exec(`CREATE TRIGGER jam BEFORE INSERT ON audit WHEN NEW.phase = 'outcome' BEGIN SELECT RAISE(ABORT, 'no'); END`)
    expect(() => audit.refused(entry('r2'), 'FORBIDDEN')).toThrow(
      expect.objectContaining({ code: 'AUDIT_UNAVAILABLE', cause: expect.objectContaining({ message: 'no' }) }),
    )
    expect(rows()).toHaveLength(2)
    expect(() => audit.outcome(entry('r1'), { code: 'OK' })).toThrow(
      expect.objectContaining({ code: 'AUDIT_UNAVAILABLE' }),
    )
    audit.intent(entry('r3'))
    db.exec(`CREATE TRIGGER jam2 BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END`)
    expect(() => audit.intent(entry('r4'))).toThrow(expect.objectContaining({ code: 'AUDIT_UNAVAILABLE' }))
  })

  it('is never changed, removed, or of a phase that is none', () => {
    call('r1')
    expect(() => db.exec(`UPDATE audit SET outcome = 'x'`)).toThrow('audit rows never change')
    expect(() => db.exec('DELETE FROM audit')).toThrow('audit rows never go')
    expect(() =>
      db.exec(`INSERT INTO audit SELECT 9, at, request_id, 'x', process, tenant, principal, principal_name,
      roles, surface, action, effect, host, instance, input, digest, policies, outcome, bytes, duration_ms, hash, approvals
      FROM audit LIMIT 1`),
    ).toThrow(/CHECK/)
  })

  it('comes with others or none of them', () => {
    expect(() =>
      audit.atomically(() => {
        call('r1')
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(rows()).toEqual([])
    expect(audit.atomically(() => 7)).toBe(7)
  })
})

describe('a list', () => {
  beforeEach(() => {
    for (const [n, action, id, code, tenant] of [
      [1, 'a', 'ann', 'OK', '100'],
      [2, 'b', 'bea', 'FORBIDDEN', '100'],
      [3, 'a', 'bea', 'OK', '200'],
    ] as const) {
      clock = NOW + n * 10
      const by = principal([], { kind: 'user', id, tenant })
      audit.refused(entry(`r${n}`, { action, principal: by }), code)
    }
  })
  const seqs = (filter: object) => audit.list({ tenant: '100', limit: 99, ...filter }).map(({ seq }) => seq)

  it.each([
    ['of its tenant, newest first', {}, [4, 3, 2, 1]],
    ['of another', { tenant: '200' }, [6, 5]],
    ['a limit', { limit: 1 }, [4]],
    ['before a row', { before: 3 }, [2, 1]],
    ['of an action', { action: 'a' }, [2, 1]],
    ['of somebody', { principal: '100/user:bea' }, [4, 3]],
    ['of an outcome', { outcome: 'FORBIDDEN' }, [4]],
    ['since a moment, included', { since: NOW + 20 }, [4, 3]],
    ['until a moment, not included', { until: NOW + 20 }, [2, 1]],
  ])('%s', (_, filter, expected) => {
    expect(seqs(filter)).toEqual(expected)
  })

  it('comes page by page, oldest first, and ends when asked to', async () => {
    for (let n = 0; n < 600; n += 1) audit.intent(entry(`x${n}`))
    const pages: number[][] = []
    for await (const page of audit.pages({ tenant: '100' }, signal)) pages.push(page.map(({ seq }) => seq))
    expect(pages.map((page) => page.length)).toEqual([500, 104])
    expect(pages.flat().slice(0, 5)).toEqual([1, 2, 3, 4, 7])
    const chosen: object[] = []
    for await (const page of audit.pages({ tenant: '100', outcome: 'OK' }, signal)) chosen.push(...page)
    expect(chosen).toMatchObject([{ seq: 2, requestId: 'r1' }])
    const none = audit.pages({ tenant: '300' }, signal)
    expect(await none.next()).toEqual({ done: true, value: undefined })
    await expect(audit.pages({ tenant: '100' }, AbortSignal.abort()).next()).rejects.toThrow()
  })
})

describe('the chain', () => {
  it('holds each row to all that it says and to the one before', () => {
    call('r1')
    const [first, second] = rows()
    if (!first || !second) throw new Error('no rows')
    expect(first.hash).toBe(linkOf(START, first))
    expect(second.hash).toBe(linkOf(first.hash, second))
    expect(START).toBe('0'.repeat(64))
    for (const column of COLUMNS) {
      expect(linkOf(START, { ...first, [column]: 'x' } as Said)).not.toBe(first.hash)
    }
    expect(linkOf(`1${START.slice(1)}`, first)).not.toBe(first.hash)
    expect(COLUMNS.length).toBe(21)
  })

  it('is checked from end to end, of every tenant, a page at a time', async () => {
    audit.atomically(() => {
      for (let n = 0; n < 600; n += 1) audit.intent(entry(`r${n}`))
    })
    const checked = await audit.verify([], signal)
    expect(checked).toEqual({
      rows: 600,
      last: 600,
      head: rows().at(-1)?.hash,
      sealed: 0,
      removed: 0,
      publicKey: sealer.publicKey,
      broken: [],
    })
    await expect(audit.verify([], AbortSignal.abort())).rejects.toThrow()
    tamper('UPDATE audit SET at = 1 WHERE seq IN (500, 501, 503)')
    expect(await named()).toEqual(['changed 500-501', 'changed 503-503'])
  })

  it('of no rows is whole', async () => {
    expect(await audit.verify([], signal)).toMatchObject({ rows: 0, last: 0, head: START, broken: [] })
  })

  it.each([
    ['a row changed', 'UPDATE audit SET input = 1 WHERE seq = 2', ['changed 2-2']],
    ['a row gone', 'DELETE FROM audit WHERE seq = 2', ['gone 2-2']],
    ['the first gone', 'DELETE FROM audit WHERE seq = 1', ['gone 1-1']],
    ['the last gone', 'DELETE FROM audit WHERE seq = 6', ['gone 6-6']],
    ['two gone', 'DELETE FROM audit WHERE seq IN (2, 3)', ['gone 2-3']],
    [
      'one gone, the next changed',
      'DELETE FROM audit WHERE seq = 2; UPDATE audit SET at = 1 WHERE seq = 4',
      ['gone 2-2', 'changed 4-4'],
    ],
    ['two apart', 'UPDATE audit SET at = 1 WHERE seq IN (2, 4)', ['changed 2-2', 'changed 4-4']],
    ['all gone', 'DELETE FROM audit', ['gone 1-6']],
  ])('names %s', async (_, sql, expected) => {
    for (let n = 0; n < 3; n += 1) call(`r${n}`)
    tamper(sql)
    expect(await named()).toEqual(expected)
  })

  it('gives no number twice', async () => {
    call('r1')
    tamper('DELETE FROM audit WHERE seq = 2')
    audit.intent(entry('r2'))
    expect(rows().map(({ seq }) => seq)).toEqual([1, 3])
    expect(await named()).toEqual(['gone 2-2'])
  })

  it('is held against rows that are known from elsewhere', async () => {
    call('r1')
    const [first, second] = rows()
    const hash = first?.hash ?? ''
    expect(await named([{ seq: 1, hash }])).toEqual([])
    expect(await named([{ seq: 1, hash: START }])).toEqual(['changed 1-1'])
    expect(await named([{ seq: 2, hash: second?.hash ?? '' }])).toEqual([])
    expect(await named([{ seq: 4, hash }])).toEqual(['gone 3-4'])
    expect(await named([{ seq: 0, hash: 'x' }])).toEqual([])
  })

  it('is followed from where it begins', () => {
    call('r1')
    const [first, second] = rows()
    if (!first || !second) throw new Error('no rows')
    const follower = createFollower({ seq: 1, hash: first.hash }, [])
    follower.next(second)
    expect(follower.end(2)).toEqual({ rows: 1, last: 2, head: second.hash, broken: [] })
    const empty = createFollower(BEGINNING, [])
    expect(empty.end(0)).toEqual({ rows: 0, last: 0, head: START, broken: [] })
    // What is unlike is not one, though it stands beside.
    const mixed = createFollower(BEGINNING, [])
    mixed.next({ ...first, hash: 'x' })
    mixed.next({ ...second, seq: 3 })
    expect(mixed.end(3).broken).toEqual([
      { what: 'changed', from: 1, to: 1 },
      { what: 'gone', from: 2, to: 2 },
    ])
  })
})

describe('a seal', () => {
  it('is signed once for each end of the log', async () => {
    expect(audit.seal()).toBeUndefined()
    call('r1')
    clock += 9
    const seal = audit.seal()
    expect(seal).toEqual({
      kind: 'head',
      seq: 2,
      hash: rows()[1]?.hash,
      at: NOW + 9,
      signature: expect.stringMatching(/^[\w-]{86}$/),
    })
    expect(audit.seal()).toBeUndefined()
    call('r2')
    expect(audit.seal()).toMatchObject({ seq: 4 })
    expect(db.prepare('SELECT * FROM audit_seals').all()).toHaveLength(1)
    expect(await audit.verify([], signal)).toMatchObject({ sealed: 4, removed: 0, broken: [] })
  })

  it('gives away what was cut off behind it, or made anew', async () => {
    call('r1')
    call('r2')
    audit.seal()
    tamper(`DELETE FROM audit WHERE seq > 3; UPDATE sqlite_sequence SET seq = 3`)
    expect(await named()).toEqual(['gone 4-4'])
    const third = rows()[2]
    if (!third) throw new Error('no row')
    db.prepare(`INSERT INTO audit (${[...COLUMNS, 'hash'].join(', ')})
      VALUES (${[...COLUMNS, 'hash'].map((column) => `@${column}`).join(', ')})`).run({
      ...third,
      seq: 4,
      hash: linkOf(third.hash, { ...third, seq: 4 }),
    })
    expect(await named()).toEqual(['changed 4-4'])
  })

  it('of another key is named', async () => {
    call('r1')
    audit.seal()
    audit = open(openSealer(newFolder()))
    expect(await named()).toEqual(['unsigned 2-2'])
    audit = open()
    db.exec('UPDATE audit_seals SET at = at + 1')
    expect(await named()).toEqual(['unsigned 2-2'])
  })

  it.each(['kind', 'seq', 'hash', 'at'] as const)('is over its %s', (field) => {
    const seal = sealer.seal({ kind: 'head', seq: 1, hash: 'ab', at: 5 })
    expect(sealer.isOurs(seal)).toBe(true)
    expect(sealer.isOurs({ ...seal, [field]: 'base' } as Seal)).toBe(false)
    expect(sealer.isOurs({ ...seal, signature: '' })).toBe(false)
  })

  it('is made by a key that is kept, for this user alone', () => {
    const folder = newFolder()
    const first = openSealer(folder)
    const file = join(folder, 'audit-key.pem')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).toContain('PRIVATE KEY')
    const again = openSealer(folder)
    expect(again.publicKey).toBe(first.publicKey)
    expect(first.publicKey).toMatch(/^[\w-]{43}$/)
    expect(again.isOurs(first.seal({ kind: 'base', seq: 1, hash: 'x', at: 1 }))).toBe(true)
    expect(openSealer(newFolder()).publicKey).not.toBe(first.publicKey)
  })

  it('is made by the key of whoever was there first, and none is written over', () => {
    const folder = newFolder()
    // To the look it is not there, and to the writing it is: as where another process has made it in between.
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'audit-key.pem'))
    expect(() => openSealer(folder)).toThrow(expect.objectContaining({ code: 'ENOENT' }))
    expect(readdirSync(folder)).toEqual(['audit-key.pem'])
  })

  it('is not made by a key that cannot be read', () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'audit-key.pem'), 'no key')
    expect(() => openSealer(folder)).toThrow('audit-key.pem of the state folder cannot be read')
    expect(() => openSealer(folder)).toThrow(expect.objectContaining({ cause: expect.any(Error) }))
    expect(() => openSealer(join(folder, 'no-such'))).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  })
})

describe('what is old', () => {
  const remove = (at: number) => audit.removeBefore(at, signal)

  it('goes behind a signed base, and nothing younger', async () => {
    for (let n = 0; n < 3; n += 1) {
      clock = NOW + n * 10
      call(`r${n}`)
    }
    const kept = rows()[3]
    clock = NOW + 99
    expect(await remove(NOW)).toBe(0)
    expect(await remove(NOW + 20)).toBe(4)
    expect(rows().map(({ seq }) => seq)).toEqual([5, 6])
    const base = db.prepare<[], Seal>('SELECT * FROM audit_seals').get()
    expect(base).toMatchObject({ kind: 'base', seq: 4, hash: kept?.hash, at: NOW + 99 })
    expect(base && sealer.isOurs(base)).toBe(true)
    expect(await audit.verify([], signal)).toMatchObject({ rows: 2, last: 6, removed: 4, broken: [] })
    // What was noted of rows that are gone for their age is no news of them.
    expect(await named([{ seq: 4, hash: 'x' }])).toEqual([])
    expect(() => db.exec('DELETE FROM audit WHERE seq = 5')).toThrow('audit rows never go')
    tamper('DELETE FROM audit WHERE seq = 5')
    expect(await named()).toEqual(['gone 5-5'])
  })

  it('goes to the last row, and the chain goes on', async () => {
    call('r1')
    clock = NOW + 5
    expect(await remove(NOW + 1)).toBe(2)
    expect(rows()).toEqual([])
    expect(await audit.verify([], signal)).toMatchObject({ rows: 0, last: 2, removed: 2, broken: [] })
    audit.intent(entry('r2'))
    expect(rows()).toMatchObject([{ seq: 3 }])
    expect(await named()).toEqual([])
  })

  it('goes in pages', async () => {
    audit.atomically(() => {
      for (let n = 0; n < 300; n += 1) call(`r${n}`)
    })
    expect(await remove(NOW + 1)).toBe(600)
    expect(await named()).toEqual([])
    call('x')
    await expect(audit.removeBefore(NOW + 1, AbortSignal.abort())).rejects.toThrow()
    expect(rows()).toHaveLength(2)
  })

  it('stays while what was begun before has not ended', async () => {
    call('r1')
    audit.intent(entry('r2'))
    call('r3')
    expect(await remove(NOW + 1)).toBe(2)
    expect(rows().map(({ seq }) => seq)).toEqual([3, 4, 5])
    audit.outcome(entry('r2'), { code: 'OK' })
    expect(await remove(NOW + 1)).toBe(4)
  })

  it('stays when it was touched, all of it', async () => {
    call('r1')
    call('r2')
    tamper(`UPDATE audit SET at = 1 WHERE seq = 2`)
    const failing = remove(NOW + 1)
    await expect(failing).rejects.toMatchObject({
      code: 'AUDIT_BROKEN',
      details: { rows: { en: 'No row was removed for its age.' } },
    })
    expect(rows()).toHaveLength(4)
    expect(db.prepare('SELECT * FROM audit_seals').all()).toEqual([])
  })
})

describe('what a process left unanswered', () => {
  it('is answered once the process is gone', () => {
    audit.intent(entry('r1', { host: 'box' }))
    call('r2')
    open(sealer, 'p2').intent(entry('r3'))
    clock += 30
    expect(audit.settleInterrupted((process) => process === 'p2')).toBe(1)
    expect(rows().slice(4)).toMatchObject([
      {
        seq: 5,
        request_id: 'r1',
        phase: 'outcome',
        process: 'p1',
        outcome: 'INTERRUPTED',
        at: NOW + 30,
        duration_ms: 30,
        host: 'box',
        principal: '100/user:ann',
      },
    ])
    expect(audit.settleInterrupted(() => true)).toBe(0)
    expect(audit.settleInterrupted(() => false)).toBe(1)
    expect(audit.settleInterrupted(() => false)).toBe(0)
  })
})

describe('a log of before', () => {
  /** As the tables were at a step: what came later is taken back. */
  const asOf = (version: 1 | 2 | 3): void => {
    db.exec('DROP TABLE audit_open; DROP TRIGGER audit_opened; DROP TRIGGER audit_closed')
    if (version < 3) {
      db.exec(`DROP TRIGGER audit_no_delete; DROP TABLE audit_seals;
        CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows never go'); END`)
    }
    if (version < 2) db.exec('ALTER TABLE audit DROP COLUMN hash; ALTER TABLE audit DROP COLUMN approvals')
    db.prepare(`UPDATE store_versions SET version = ? WHERE store = 'audit'`).run(version)
  }

  it.each([1, 2, 3] as const)('of step %i is brought up to date, and verifies', async (version) => {
    call('r1')
    audit.intent(entry('r2'))
    const before = rows()
    asOf(version)
    audit = open()
    expect(rows()).toEqual(before)
    expect(await named()).toEqual([])
    expect(() => db.exec(`UPDATE audit SET outcome = 'x'`)).toThrow('audit rows never change')
    expect(() => db.exec('DELETE FROM audit')).toThrow('audit rows never go')
    expect(db.prepare('SELECT * FROM audit_open').all()).toEqual([{ seq: 3, request_id: 'r2' }])
    audit.outcome(entry('r2'), { code: 'OK' })
    expect(db.prepare('SELECT * FROM audit_open').all()).toEqual([])
  })
})
