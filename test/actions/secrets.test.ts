// Nothing that looks like a secret gets out by the way.
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { AppError } from '../../src/actions/index.js'
import { makeContainer } from '../helpers/engine.js'
import { dockerHost, openRoom, POLICY, principal, type Room } from '../helpers/room.js'

const socketPath = inject('engineSocket')

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
