import type { Database } from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
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
const ask = (n: number) => room.does('host.list', {}, { requestId: `r${n}` })

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
      `ALTER TABLE audit DROP COLUMN hash; ALTER TABLE audit DROP COLUMN approvals; UPDATE store_versions SET version = 1 WHERE store = 'audit'`,
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
