import Docker from 'dockerode'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { makeContainer, TEST_IMAGE } from '../helpers/engine.js'
import { codeOf, dockerHost, openRoom, POLICY, principal, type Room } from '../helpers/room.js'

const GUILD = '100'
const person = (id: string, ...roles: string[]) => principal(roles, { kind: 'user', id, name: id, tenant: GUILD })
const ann = person('ann', 'operator')
const ops = [person('bea', 'ops'), person('cem', 'ops'), person('dov', 'ops')] as const
const [bea, cem] = ops

/** Removing a card takes two people of `ops`. */
const TWO = `
  permit (principal, action in [Action::"read", Action::"approval.give", Action::"approval.decline"], resource);
  permit (principal, action == Action::"knowledge.save", resource);
  @confirm("It is gone for all.") @confirm_zh("将对所有人删除。") @approve("role:ops:2")
  permit (principal in Role::"operator", action == Action::"knowledge.remove", resource);`

let room: Room
beforeEach(async () => {
  room = await openRoom({ policy: TWO })
  await room.does('knowledge.save', { card: 'walrus', text: 'A walrus has tusks.' }, { principal: ann })
})
afterEach(() => room.close())

const REMOVE = { card: 'walrus' }
const remove = (more: object = {}, from = room) => from.call('knowledge.remove', REMOVE, { principal: ann, ...more })
const isThere = async () => (await codeOf(room.call('knowledge.show', REMOVE, { principal: ann }))) === 'OK'

async function ask(from = room) {
  const outcome = await remove({}, from)
  if (outcome.status !== 'confirm' || outcome.approval === undefined) throw new Error('it was not held back')
  return { confirm: outcome.token, approval: outcome.approval.id, outcome }
}
const give = (approval: string, by: object, from = room) =>
  from.call('approval.give', { approval }, { principal: by as typeof ann })
const decline = (approval: string, by: object, reason: string) =>
  room.call('approval.decline', { approval, reason }, { principal: by as typeof ann })

interface Shown {
  readonly state: string
  readonly what: string
  readonly facts: readonly { readonly label: string; readonly value: string }[]
  readonly missing: readonly { readonly role: string; readonly count: number }[]
  readonly givenBy: readonly string[]
}
const show = (approval: string, by = ann) => room.does<Shown>('approval.show', { approval }, { principal: by })

describe('a call that others must agree to', () => {
  it('runs once as many have as policy wants, at the word of its asker, once, and with their names on the record', async () => {
    const { confirm, approval } = await ask()
    expect(await show(approval)).toMatchObject({ state: 'open', missing: [{ role: 'ops', count: 2 }], givenBy: [] })
    expect(await codeOf(remove({ confirm }))).toBe('APPROVAL_PENDING')
    await give(approval, bea)
    expect(await show(approval, cem)).toMatchObject({ state: 'open', missing: [{ role: 'ops', count: 1 }] })
    expect(await codeOf(remove({ confirm }))).toBe('APPROVAL_PENDING')
    await give(approval, cem)
    expect(await show(approval)).toMatchObject({ state: 'given', missing: [], givenBy: ['bea', 'cem'] })
    expect(await isThere()).toBe(true)

    const both = await Promise.all([codeOf(remove({ confirm })), codeOf(remove({ confirm }))])
    expect(both.sort()).toEqual(['CONFIRMATION_EXPIRED', 'OK'])
    expect(await isThere()).toBe(false)
    expect((await show(approval)).state).toBe('over')
    const { rows } = await room.does<{ rows: object[] }>(
      'audit.list',
      { action: 'knowledge.remove' },
      { principal: ann },
    )
    expect(rows.find((row) => 'outcome' in row && row.outcome === 'OK')).toMatchObject({
      approvals: [`${GUILD}/user:bea`, `${GUILD}/user:cem`],
    })
  })

  it('counts nobody twice, no token, not its asker, and nobody without the role of that moment', async () => {
    const asker = person('ann', 'operator', 'ops')
    const outcome = await room.call('knowledge.remove', REMOVE, { principal: asker })
    if (outcome.status !== 'confirm' || outcome.approval === undefined) throw new Error('it was not held back')
    const { id } = outcome.approval
    expect(await codeOf(give(id, asker))).toBe('APPROVAL_NOT_YOURS')
    await give(id, bea)
    await give(id, { ...bea, name: 'another name' })
    expect(await codeOf(give(id, { ...bea, kind: 'token' }))).toBe('APPROVAL_NOT_FOUND')
    expect(await codeOf(give(id, person('eve', 'operator')))).toBe('APPROVAL_NOT_FOUND')
    expect(await codeOf(give(id, { ...cem, roles: [] }))).toBe('APPROVAL_NOT_FOUND')
    expect((await show(id, asker)).missing).toEqual([{ role: 'ops', count: 1 }])
  })

  it('is there for its own tenant alone', async () => {
    const { approval } = await ask()
    const stranger = { ...bea, tenant: '200' }
    for (const verb of ['approval.show', 'approval.give', 'approval.decline']) {
      expect(await codeOf(room.call(verb, { approval }, { principal: stranger }))).toBe('APPROVAL_NOT_FOUND')
    }
    const lists = [bea, ann, stranger, person('eve', 'operator')].map((who) =>
      room.does<{ approvals: object[] }>('approval.list', {}, { principal: who }),
    )
    expect((await Promise.all(lists)).map(({ approvals }) => approvals.length)).toEqual([1, 1, 0, 0])
  })

  it('is void once somebody says no, and says who and why', async () => {
    const { confirm, approval } = await ask()
    await give(approval, bea)
    await decline(approval, cem, 'we still need it')
    expect(await show(approval)).toMatchObject({
      state: 'declined',
      declined: { by: 'cem', reason: 'we still need it' },
    })
    const failing = remove({ confirm })
    expect(await codeOf(failing)).toBe('APPROVAL_DECLINED')
    const error = (await failing.catch((caught: unknown) => caught)) as { describe(lang: string): string }
    expect(error.describe('en')).toContain('cem said no: we still need it. Nothing')
    // A no stays one.
    expect(await codeOf(give(approval, cem))).toBe('APPROVAL_OVER')
    await give(approval, ops[2])
    expect(await codeOf(remove({ confirm }))).toBe('APPROVAL_DECLINED')
    expect(await isThere()).toBe(true)
  })

  it('can be declined without a reason', async () => {
    const { confirm, approval } = await ask()
    await room.call('approval.decline', { approval }, { principal: bea })
    const error = (await remove({ confirm }).catch((caught: unknown) => caught)) as { describe(lang: string): string }
    expect(error.describe('en')).toBe('bea said no. Nothing was done.')
    expect(error.describe('zh')).toBe('bea 已拒绝。未执行任何操作。')
  })

  it('ends after an hour, and when its asker takes it back', async () => {
    const withdrawn = await ask()
    room.actions.gate.withdraw(withdrawn.confirm, { principal: ann, surface: 'rest', requestId: 'r' })
    expect(await codeOf(give(withdrawn.approval, bea))).toBe('APPROVAL_OVER')
    const late = await ask()
    await give(late.approval, bea)
    await give(late.approval, cem)
    const start = Date.now()
    room.now = () => start + 61 * 60_000
    expect(await codeOf(give(late.approval, ops[2]))).toBe('APPROVAL_OVER')
    expect(await codeOf(remove({ confirm: late.confirm }))).toBe('CONFIRMATION_EXPIRED')
    expect(await isThere()).toBe(true)
    room.now = () => start + 26 * 60 * 60_000
    await ask()
    expect(await codeOf(show(late.approval))).toBe('APPROVAL_NOT_FOUND')
  })

  it('survives a restart', async () => {
    const { confirm, approval } = await ask()
    await give(approval, bea)
    const again = await openRoom({ policy: TWO, stateFolder: room.stateFolder })
    await give(approval, cem, again)
    expect(await codeOf(remove({ confirm }, again))).toBe('OK')
    await again.close()
  })

  it('is asked of policy again when it runs, with the roles of then', async () => {
    const { confirm, approval } = await ask()
    await give(approval, bea)
    await give(approval, cem)
    expect(await codeOf(remove({ confirm, principal: { ...ann, roles: [] } }))).toBe('FORBIDDEN')
    const stricter = await openRoom({ policy: TWO.replace('role:ops:2', 'role:ops:3'), stateFolder: room.stateFolder })
    expect(await codeOf(remove({ confirm }, stricter))).toBe('APPROVAL_PENDING')
    await give(approval, ops[2], stricter)
    expect(await codeOf(remove({ confirm }, stricter))).toBe('OK')
    await stricter.close()
  })

  it('does not run on a click that was asked for before others had to agree', async () => {
    const lax = await openRoom({ policy: TWO.replace('@approve("role:ops:2")', ''), stateFolder: room.stateFolder })
    const asked = await remove({}, lax)
    if (asked.status !== 'confirm') throw new Error('it was not held back')
    expect(asked.approval).toBeUndefined()
    expect(await codeOf(remove({ confirm: asked.token }))).toBe('CONFIRMATION_EXPIRED')
    await lax.close()
    expect(await isThere()).toBe(true)
  })

  it('is for exactly the input that was shown', async () => {
    const { confirm, approval } = await ask()
    await give(approval, bea)
    await give(approval, cem)
    const other = room.call('knowledge.remove', { card: 'heron' }, { principal: ann, confirm })
    expect(await codeOf(other)).toBe('CONFIRMATION_MISMATCH')
    expect(await codeOf(remove({ confirm }))).toBe('OK')
  })

  it('leaves an error over REST that says what to do', async () => {
    const { outcome } = await ask()
    const { confirmationError } = await import('../../src/actions/index.js')
    const error = confirmationError(outcome)
    expect(error.code).toBe('APPROVAL_REQUIRED')
    expect(error.describe('en')).toMatch(
      /^It is gone for all\. It takes 2 × ops to agree with \/approval give [0-9a-f]{12}/,
    )
    expect(error.describe('zh')).toContain('将对所有人删除')
  })
})

describe('policy', () => {
  const among = (...permits: string[]) =>
    openRoom({ policy: permits.map((text) => `${text} permit (principal, action, resource);`).join('\n') })
  const demanded = async (...permits: string[]) => {
    const open = await among(...permits)
    const outcome = await open.call('knowledge.remove', REMOVE, { principal: ann }).catch(() => undefined)
    await open.close()
    if (outcome?.status !== 'confirm') return 'nothing'
    return outcome.approval === undefined ? outcome.why.en : outcome.approval.needed
  }

  it('takes the least demanding of the permits that apply', async () => {
    const two = '@approve("role:ops:2")'
    const one = '@approve("role:owner")'
    expect(await demanded(two)).toEqual([{ role: 'ops', count: 2 }])
    expect(await demanded(one, two)).toEqual([{ role: 'owner', count: 1 }])
    expect(await demanded(two, '@confirm("a")', one, '@confirm("b")')).toBe('b')
    expect(await demanded(two, '', one)).toBe('nothing')
  })

  it.each([
    ['@approve("ops")', /@approve wants/],
    ['@approve("role:ops:0")', /@approve wants/],
    ['@approve("role:")', /@approve wants/],
    ['@aprove("role:ops")', /unknown annotation @aprove/],
  ])('refuses %s', async (annotation, message) => {
    await expect(among(annotation)).rejects.toThrow(message)
  })

  it('has no approval on a forbid', async () => {
    const policy = '@approve("role:ops") forbid (principal, action, resource);'
    await expect(openRoom({ policy })).rejects.toThrow(/@approve stands on a forbid/)
  })
})

describe('on a container', () => {
  const socketPath = inject('engineSocket')
  const docker = new Docker({ socketPath })
  const policy = `${POLICY}
    @approve("role:ops") permit (principal in Role::"stopper", action == Action::"container.stop", resource);
    @approve("role:ops") permit (principal in Role::"stopper", action == Action::"container.run", resource);`
  const stopper = person('sam', 'stopper')

  it('shows what would be acted on, and is void when that has changed', async () => {
    const open = await openRoom({ policy, hosts: [dockerHost('local', socketPath, [GUILD])] })
    const made = await makeContainer(docker, { binds: ['/tmp:/data:ro'] })
    const stop = (more: object = {}) =>
      open.call('container.stop', { container: made.name, grace: 0 }, { principal: stopper, ...more })
    const asked = await stop()
    if (asked.status !== 'confirm' || asked.approval === undefined) throw new Error('it was not held back')
    const { id } = asked.approval
    const shown = await open.does<Shown>('approval.show', { approval: id }, { principal: bea })
    expect(shown.what).toContain(`${made.name} (${made.id.slice(0, 12)}`)
    expect(shown.facts).toEqual(
      expect.arrayContaining([
        { label: 'grace', value: '0' },
        { label: 'state', value: 'running' },
        { label: 'mounts', value: '/tmp → /data (ro)' },
      ]),
    )
    await give(id, bea, open)
    await made.kill()
    await made.wait()
    expect(await codeOf(stop({ confirm: asked.token }))).toBe('TARGET_CHANGED')
    await made.start()
    expect(await codeOf(stop({ confirm: asked.token }))).toBe('OK')
    await open.close()
  })

  it('shows every input in full, but no secret', async () => {
    const open = await openRoom({ policy, hosts: [dockerHost('local', socketPath, [GUILD])] })
    const command = `echo ${'x'.repeat(500)}`
    const input = { image: TEST_IMAGE, command, env: 'TOKEN=hunter2' }
    const asked = await open.call('container.run', input, { principal: stopper })
    if (asked.status !== 'confirm' || asked.approval === undefined) throw new Error('it was not held back')
    const { facts } = asked.approval
    expect(facts).toEqual(
      expect.arrayContaining([
        { label: { en: 'command', zh: '命令' }, value: command },
        { label: { en: 'env', zh: '环境变量' }, value: 'TOKEN=…' },
      ]),
    )
    expect(JSON.stringify(open.db.prepare('SELECT * FROM approvals').all())).not.toContain('hunter2')
    await open.close()
  })
})
