// Nothing that looks like a secret gets out by the way.
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { AppError, scrub, scrubLine } from '../../src/actions/index.js'
import { makeContainer } from '../helpers/engine.js'
import { dockerHost, openRoom, POLICY, principal, type Room } from '../helpers/room.js'

const socketPath = inject('engineSocket')

describe('a text', () => {
  const TOKEN = `hc_${'a1B2'.repeat(10)}`
  it.each([
    ['git clone https://joe:s3cret@git.example/x', 'git clone https://…@git.example/x'],
    ['https://ghp_16charsandmore@github.com/x', 'https://…@github.com/x'],
    ['ssh://deploy:pw@far.example', 'ssh://…@far.example'],
    ['Authorization: Bearer abc.def.ghi', 'Authorization: …'],
    ['{"X-Registry-Auth":"eyJ1c2VyIn0="}', '{"X-Registry-Auth":"…"}'],
    [`curl -H "Bearer ${'x'.repeat(20)}"`, 'curl -H "Bearer …"'],
    [`token ${TOKEN} was used`, 'token hc_… was used'],
    ['http://h:1/#login=Abc_def-123', 'http://h:1/#login=…'],
    [`http://h:1/d/${'k'.repeat(32)}/web.tar`, 'http://h:1/d/…/web.tar'],
    [`MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.${'Z'.repeat(27)}`, '…'],
    ['PGPASSWORD=hunter2 psql', 'PGPASSWORD=… psql'],
    ['mysql --password hunter2 -u joe', 'mysql --password … -u joe'],
    [`export API_KEY='two words' B=2`, 'export API_KEY=… B=2'],
    ['{"client_secret": "x y", "id": 1}', '{"client_secret": …, "id": 1}'],
    [
      '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\nrest',
      '-----BEGIN OPENSSH PRIVATE KEY-----…\nrest',
    ],
    ['-----BEGIN PRIVATE KEY-----\nabc', '-----BEGIN PRIVATE KEY-----…'],
  ])('%s', (text, without) => {
    expect(scrub(text)).toBe(without)
  })

  it.each([
    'ssh://deploy@far.example:2222',
    'There already is a token called "ci"',
    'nobody@example.org wrote to root@localhost',
    'sha256:5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8',
    'registry.example.org:5000/team/app:1.2',
    '镜像 hello-world 的令牌说明',
    'docker run --rm -it -v /srv:/srv busybox sh -c "ls -la"',
  ])('is left alone: %s', (text) => {
    expect(scrub(text)).toBe(text)
  })
})

describe('a line of the log', () => {
  it('stays one, whatever is cut out of it', () => {
    const line = {
      level: 30,
      token: 'a"b',
      msg: 'said {"token": "x\\"y"} and PASSWORD="two words", "level":60',
      err: { cookie: 'c=1' },
    }
    const written = scrubLine(`${JSON.stringify(line)}\n`)
    expect(written.match(/\n/g)).toHaveLength(1)
    const read = JSON.parse(written) as typeof line
    expect(read).toMatchObject({ level: 30, token: '…', err: { cookie: '…' } })
    expect(written).not.toMatch(/two words|a\\"b/)
  })
})

describe('a call with a secret in it', () => {
  let room: Room
  let name: string
  beforeAll(async () => {
    room = await openRoom({
      hosts: [dockerHost('local', socketPath)],
      policy: `${POLICY}\n@approve("role:ops") permit (principal in Role::"dev", action == Action::"container.exec", resource);`,
    })
    ;({ name } = await makeContainer(new Docker({ socketPath })))
  })
  afterAll(() => room.close())

  it('A77: is shown to who confirms and who agrees, and kept, without it', async () => {
    const input = {
      container: name,
      command: 'env DB_PASSWORD=hunter2 true',
      reason: 'see https://joe:hunter2@wiki.example/1',
    }
    const dev = principal(['dev'], { kind: 'user', id: 'dev' })
    const asked = await room.call('container.exec', input, { principal: dev })
    expect(asked.status).toBe('confirm')
    expect(JSON.stringify(asked.status === 'confirm' && [asked.view, asked.approval])).not.toContain('hunter2')
    expect(JSON.stringify(asked.status === 'confirm' && asked.approval)).toContain('DB_PASSWORD=…')
    await room.does('container.exec', input)
    const rows = room.db.prepare('SELECT * FROM audit').all()
    expect(JSON.stringify(rows)).toContain('DB_PASSWORD=…')
    expect(JSON.stringify(rows)).not.toContain('hunter2')
    expect(JSON.stringify(room.db.prepare('SELECT * FROM approvals').all())).not.toContain('hunter2')
    expect(JSON.stringify(room.db.prepare('SELECT * FROM confirmations').all())).not.toContain('hunter2')
  })

  it('is no part of an error', () => {
    const error = new AppError('INVALID_INPUT', { problem: 'no such host: https://joe:hunter2@registry.example' })
    expect(error.message).not.toContain('hunter2')
    expect(error.describe('zh')).not.toContain('hunter2')
  })
})
