import { readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Database } from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { linkOf, START } from '../../src/actions/guard/audit-chain.js'
import type { AuditRow } from '../../src/actions/guard/audit-store.js'
import { bytesOf } from '../../src/actions/index.js'
import { codeOf, openRoom, type Room } from '../helpers/room.js'

let room: Room
beforeEach(async () => {
  room = await openRoom()
})
afterEach(() => room.close())

interface Checked {
  readonly rows: number
  readonly last: number
  readonly head: string
}
const verified = () => room.does<Checked>('audit.verify', {})
const ask = (n: number, from = room) => from.does('host.list', {}, { requestId: `r${n}` })

/** What somebody does who has the file and knows its triggers. */
function tamper(sql: string): void {
  room.db.exec(`DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; ${sql}`)
}

describe('the audit chain', () => {
  it('verifies as long as nobody touched it', async () => {
    for (let n = 0; n < 3; n += 1) await ask(n)
    expect(await verified()).toMatchObject({ rows: 7, last: 7, head: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect((await verified()).rows).toBe(9)
  })

  it('holds also where several processes write at once', async () => {
    const other = await openRoom({ stateFolder: room.stateFolder })
    const calls = Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? room : other).does('host.list', {}))
    await Promise.all(calls)
    await other.close()
    expect((await verified()).rows).toBe(81)
  })

  it('is made for a log that was written before there was one', async () => {
    for (let n = 0; n < 3; n += 1) await ask(n)
    const hashes = (db: Database) => db.prepare('SELECT hash FROM audit WHERE seq <= 6').pluck().all()
    const before = hashes(room.db)
    room.db.exec(
      `DROP TABLE audit_seals; DROP TABLE audit_open; DROP TRIGGER audit_opened; DROP TRIGGER audit_closed;
       DROP TRIGGER audit_no_delete;
       CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows never go'); END;
       ALTER TABLE audit DROP COLUMN hash; ALTER TABLE audit DROP COLUMN approvals; UPDATE store_versions SET version = 1 WHERE store = 'audit'`,
    )
    const upgraded = await openRoom({ stateFolder: room.stateFolder })
    expect(hashes(upgraded.db)).toEqual(before)
    expect(await upgraded.does('audit.verify', {})).toMatchObject({ rows: 7 })
    expect(() => upgraded.db.prepare("UPDATE audit SET outcome = 'OK'").run()).toThrow(/audit rows never change/)
    await upgraded.close()
  })

  const ROW = `seq, at, request_id, phase, process, tenant, principal, principal_name, roles, surface, action, effect,
               host, instance, input, digest, policies, outcome, bytes, duration_ms, hash`
  it.each([
    ['a changed row', `UPDATE audit SET principal_name = 'somebody else' WHERE seq = 4`, '4 changed'],
    ['a changed hash', `UPDATE audit SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE seq = 4`, '4–5 changed'],
    ['a row that is gone', 'DELETE FROM audit WHERE seq = 4', '4 gone'],
    ['the first rows gone', 'DELETE FROM audit WHERE seq < 4', '1–3 gone'],
    ['the last rows gone', 'DELETE FROM audit WHERE seq > 6', '7–8 gone'],
    [
      'two rows that changed places',
      'UPDATE audit SET seq = 99 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 99',
      '3–5 changed',
    ],
    [
      'a row put in where one was removed',
      `CREATE TABLE kept AS SELECT * FROM audit WHERE seq = 4; DELETE FROM audit WHERE seq = 4;
       INSERT INTO audit (${ROW}) SELECT ${ROW.replace('outcome', "'FORBIDDEN'")} FROM kept`,
      '4 changed',
    ],
    [
      'several at once',
      `UPDATE audit SET outcome = 'OK' WHERE seq = 3; DELETE FROM audit WHERE seq IN (5, 6)`,
      '3 changed, 5–6 gone',
    ],
  ])('names %s', async (_what, sql, named) => {
    for (let n = 0; n < 4; n += 1) await ask(n)
    tamper(sql)
    const failing = room.call('audit.verify', {})
    expect(await codeOf(failing)).toBe('AUDIT_BROKEN')
    const error = (await failing.catch((caught: unknown) => caught)) as { describe(lang: string): string }
    expect(error.describe('en')).toContain(`Rows: ${named}`)
    expect(error.describe('zh')).toContain('涉及的行')
  })
})

const KEY = 'audit-key.pem'

/** Somebody who knows how the chain is made, and has the file but not the key: from this row on it is made anew. */
function rewrite(from: number, change: string): void {
  tamper(change)
  const rows = room.db.prepare<[], AuditRow>('SELECT * FROM audit ORDER BY seq').all()
  const write = room.db.prepare('UPDATE audit SET hash = ? WHERE seq = ?')
  let before = START
  for (const row of rows) {
    before = row.seq < from ? row.hash : linkOf(before, row)
    write.run(before, row.seq)
  }
}

/** The same state, opened again: what was there is signed by then. */
async function reopened(more: Parameters<typeof openRoom>[0] = {}): Promise<Room> {
  await room.actions.close(0)
  return openRoom({ stateFolder: room.stateFolder, ...more })
}
const brokenIn = async (opened: Room): Promise<string> => {
  const failing = opened.call('audit.verify', {})
  await codeOf(failing)
  const error = (await failing.catch((caught: unknown) => caught)) as { describe?(lang: string): string }
  return /Rows: ([^.]*)\./.exec(error.describe?.('en') ?? '')?.[1] ?? ''
}

describe('the signature under it', () => {
  it('is made by a key that is for this user alone, and told outside', async () => {
    await ask(1)
    const again = await reopened()
    expect(statSync(join(room.stateFolder, KEY)).mode & 0o777).toBe(0o600)
    expect(room.seals).toEqual([expect.objectContaining({ kind: 'head', seq: 2 })])
    const checked = await again.does<{ publicKey: string; sealed: number }>('audit.verify', {})
    expect(checked).toMatchObject({ sealed: 2, publicKey: expect.stringMatching(/^[\w-]{43}$/) })
    await again.actions.close(0)
    // Nothing more than what `audit.verify` wrote is to be signed, and by the same key.
    expect(again.seals).toEqual([expect.objectContaining({ seq: 4 })])
    expect(readFileSync(join(room.stateFolder, KEY), 'utf8')).toContain('PRIVATE KEY')
  })

  it.each([
    ['a chain made anew', 3, `UPDATE audit SET principal_name = 'x' WHERE seq = 3`, '8 changed'],
    [
      'a tail cut off with its trace',
      7,
      `DELETE FROM audit WHERE seq > 6; UPDATE sqlite_sequence SET seq = 6`,
      '8 gone',
    ],
  ])('A74: gives away %s', async (_, from, sql, named) => {
    for (let n = 0; n < 4; n += 1) await ask(n)
    const again = await reopened()
    rewrite(from, sql)
    // The look itself adds a row where the cut ones were.
    expect(await brokenIn(again)).toBe(named)
    await again.actions.close(0)
  })

  it('gives away one that was made with another key', async () => {
    await ask(1)
    await room.actions.close(0)
    rmSync(join(room.stateFolder, KEY))
    const again = await openRoom({ stateFolder: room.stateFolder })
    expect(await brokenIn(again)).toBe('2 not signed by the key of this Hypercall')
    await again.actions.close(0)
  })

  it('can be held against what was noted elsewhere', async () => {
    await ask(1)
    const { last, head } = await verified()
    expect(await codeOf(room.call('audit.verify', { head: `${last}:${head}` }))).toBe('OK')
    expect(await codeOf(room.call('audit.verify', { head: `${last}:${'0'.repeat(64)}` }))).toBe('AUDIT_BROKEN')
    expect(await codeOf(room.call('audit.verify', { head: `99:${head}` }))).toBe('AUDIT_BROKEN')
    expect(await codeOf(room.call('audit.verify', { head }))).toBe('INVALID_INPUT')
  })
})

describe('rows that are old', () => {
  it('go behind a signed base, and what is left verifies', async () => {
    for (let n = 0; n < 3; n += 1) await ask(n)
    const again = await reopened({ auditKeptMs: -1 })
    expect(await again.does('audit.verify', {})).toMatchObject({ removed: 6, rows: 1, last: 7 })
    expect(() => again.db.prepare('DELETE FROM audit').run()).toThrow(/audit rows never go/)
    again.db.exec('DROP TRIGGER audit_no_delete; DELETE FROM audit WHERE seq = 8')
    expect(await brokenIn(again)).toBe('8 gone')
    await again.actions.close(0)
  })

  it('stay while what they began has not ended', async () => {
    const again = await reopened({ auditKeptMs: -1 })
    const text = new Readable({ read() {} })
    const file = { name: 'late.md', sizeBytes: 10, reference: {}, open: async () => bytesOf(text) }
    await ask(1, again)
    const importing = codeOf(again.call('knowledge.import', {}, { file }))
    const actions = again.db.prepare('SELECT action FROM audit ORDER BY seq').pluck()
    await expect.poll(() => actions.all()).toContain('knowledge.import')
    await ask(2, again)
    await again.actions.sweep()
    expect(actions.all()).toEqual(['knowledge.import', 'host.list', 'host.list'])
    text.push('# Late\n\nBut here.\n')
    text.push(null)
    expect(await importing).toBe('OK')
    await again.actions.sweep()
    expect(actions.all()).toEqual([])
    expect(await again.does('audit.verify', {})).toMatchObject({ rows: 1 })
    await again.actions.close(0)
  })

  it('stay when they were touched', async () => {
    await ask(1)
    await ask(2)
    room.db.exec(`DROP TRIGGER audit_no_delete; DELETE FROM audit WHERE seq = 2`)
    room.db.exec(
      `CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
       WHEN OLD.seq > coalesce((SELECT seq FROM audit_seals WHERE kind = 'base'), 0)
       BEGIN SELECT RAISE(ABORT, 'audit rows never go'); END`,
    )
    await expect(reopened({ auditKeptMs: -1 })).rejects.toMatchObject({ code: 'AUDIT_BROKEN' })
    expect(room.db.prepare('SELECT count(*) FROM audit').pluck().get()).toBe(3)
  })
})

it('exports as lines, oldest first, what was chosen', async () => {
  for (let n = 0; n < 3; n += 1) await ask(n)
  await codeOf(room.call('host.list', { nonsense: true }))
  const { jobId } = await room.does<{ jobId: string }>('audit.export', {
    outcome: 'OK',
    action: 'host.list',
    since: '1h',
  })
  const job = await room.actions.jobs.wait(jobId, 'local', AbortSignal.timeout(10_000))
  const lines = readFileSync(room.actions.artifacts.get(job.artifact ?? '', 'local')?.path ?? '', 'utf8')
    .trim()
    .split('\n')
  const rows = lines.map((line) => JSON.parse(line) as { seq: number; requestId: string; hash: string })
  expect(rows.map(({ seq, requestId }) => [seq, requestId])).toEqual([
    [2, 'r0'],
    [4, 'r1'],
    [6, 'r2'],
  ])
  expect(rows.every(({ hash }) => /^[0-9a-f]{64}$/.test(hash))).toBe(true)
})
