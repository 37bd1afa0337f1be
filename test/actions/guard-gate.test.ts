// The gate step by step: what is asked in which order, what is written down of it, and what a call is run with.
import { afterEach, describe, expect, it } from 'vitest'
import type { FileSource } from '../../src/actions/action.js'
import { AppError, type ErrorCode } from '../../src/actions/errors.js'
import { type ConfirmFirst, confirmationError } from '../../src/actions/gate.js'
import { codeOf, principal } from '../helpers/caller.js'
import { ANN, openSmallGate, type SmallGate, type SmallGateOptions } from '../helpers/small-gate.js'
import { runs, verb } from '../helpers/verbs.js'
import { BOX, FAR, INSTANCE } from '../helpers/world.js'

let gate: SmallGate
const open = (options: SmallGateOptions = {}): SmallGate => {
  gate = openSmallGate(options)
  return gate
}
afterEach(() => gate.close())

const ran = async (work: () => Promise<unknown>): Promise<string[]> => {
  const before = runs.length
  await work()
  return runs.slice(before).map(({ name }) => name)
}
const failed = async (work: Promise<unknown>): Promise<AppError> => {
  const error: unknown = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  if (!(error instanceof AppError)) throw new Error(`no AppError, but ${String(error)}`)
  return error
}
const confirmed = async (work: ReturnType<SmallGate['call']>): Promise<ConfirmFirst> => {
  const outcome = await work
  if (outcome.status !== 'confirm') throw new Error('it did not ask')
  return outcome
}
const trace = () => gate.rows().map(({ phase, action, outcome }) => `${phase} ${action} ${outcome ?? '-'}`)
const ALL = '@id("all") permit (principal, action, resource);'
const ASKS = '@id("asks") @confirm("Sure?") @confirm_zh("确定？") permit (principal, action, resource);'
const START = ['container.start', { container: 'web' }] as const
const file = (more: Partial<FileSource> = {}): FileSource => ({
  name: 'app.conf',
  sizeBytes: 10,
  reference: { sha256: 'ab', address: 'https://x?signature=s' },
  open: () => Promise.reject(new Error('never read')),
  ...more,
})

describe('a call that is allowed', () => {
  it('runs once with what it acts on, between an intent and an outcome', async () => {
    open()
    expect(await ran(() => gate.call(...START, { channel: '42', lang: 'zh', surface: 'page' }))).toEqual([START[0]])
    expect(gate.rows()).toMatchObject([
      {
        phase: 'intent',
        request_id: 'r1',
        principal: '100/user:ann',
        surface: 'page',
        action: 'container.start',
        effect: 'change',
        host: 'box',
        instance: INSTANCE.id,
        input: '{"container":"web"}',
        policies: '["all"]',
        approvals: '[]',
      },
      { phase: 'outcome', outcome: 'OK', bytes: null, duration_ms: 0 },
    ])
    const { context } = runs.at(-1) ?? {}
    expect(context).toMatchObject({
      principal: ANN,
      surface: 'page',
      channel: '42',
      lang: 'zh',
      requestId: 'r1',
      host: 'box',
      driver: BOX.driver,
      instance: INSTANCE,
      signal: expect.any(AbortSignal),
      startJob: expect.any(Function),
      approvals: expect.any(Object),
    })
    expect(gate.bugs).toEqual([])
  })

  it('is given nothing that there is not', async () => {
    open()
    await gate.call('ask')
    const keys = Object.keys(runs.at(-1)?.context ?? {})
    for (const absent of ['channel', 'file', 'host', 'driver', 'instance', 'image', 'destination', 'artifact']) {
      expect(keys).not.toContain(absent)
    }
    expect(gate.rows()[0]).toMatchObject({ host: null, instance: null })
  })

  it('is given the image, the artifact, the destination and the file', async () => {
    open()
    await gate.call('image.inspect', { image: 'i' })
    expect(runs.at(-1)?.context).toMatchObject({ image: gate.world.image, host: 'box' })
    await gate.call('artifact.show', { artifact: 'a1' })
    expect(runs.at(-1)?.context).toMatchObject({ artifact: gate.world.artifact })
    gate.world.destination = FAR
    await gate.call('container.transfer', { container: 'web', to: 'far' })
    expect(runs.at(-1)?.context).toMatchObject({ destination: FAR })
    const given = file()
    await gate.call('container.copy-in', { container: 'web' }, { file: given })
    expect(runs.at(-1)?.context.file).toBe(given)
  })

  it('is answered from what is remembered of the hosts where it is to be at once', async () => {
    open()
    await gate.call('ask')
    const asked = runs.at(-1)?.context.hosts
    await gate.call('ask', {}, { fromMemory: true })
    expect(runs.at(-1)?.context.hosts).toBe(gate.remembered)
    expect(asked).not.toBe(gate.remembered)
  })

  it('gives back its output and its view', async () => {
    open()
    const outcome = await gate.call('ask')
    expect(outcome).toEqual({
      status: 'done',
      action: gate.gate.registry.get('ask'),
      output: { done: 'ask' },
      view: { tone: 'good', heading: '{"done":"ask"}', blocks: [] },
    })
  })

  it.each([
    ['a size', { sizeBytes: 5 }, 5],
    ['a size of none', { sizeBytes: 0 }, 0],
    ['a size that is none', { sizeBytes: '5' }, null],
    ['no size', { bytes: 5 }, null],
    ['nothing', null, null],
    ['a text', 'sizeBytes', null],
    ['undefined', undefined, null],
  ])('notes of an output with %s how much it was', async (_, output, bytes) => {
    open({ verbs: [verb('size', 'read', 'none', {}, { run: () => output })] })
    await gate.call('size')
    expect(gate.rows()[1]).toMatchObject({ outcome: 'OK', bytes })
  })

  it('has been done, also when its view cannot be drawn or its outcome not be written', async () => {
    const view = () => {
      throw new Error('no picture')
    }
    open({ verbs: [verb('ugly', 'change', 'none', {}, { view })] })
    const outcome = await gate.call('ugly', {}, { lang: 'zh', requestId: 'r7' })
    expect(outcome).toMatchObject({ status: 'done', view: { tone: 'good', heading: '执行 ugly', blocks: [] } })
    expect(gate.bugs).toEqual([{ error: expect.objectContaining({ message: 'no picture' }), requestId: 'r7' }])
    gate.db.exec(
      `CREATE TRIGGER jam BEFORE INSERT ON audit WHEN NEW.phase = 'outcome' BEGIN SELECT RAISE(ABORT, 'no'); END`,
    )
    expect(await gate.call('ask', {}, { requestId: 'r8' })).toMatchObject({ status: 'done' })
    expect(gate.bugs[1]).toMatchObject({ error: { code: 'AUDIT_UNAVAILABLE' }, requestId: 'r8' })
    expect(trace()).toEqual(['intent ugly -', 'outcome ugly OK', 'intent ask -'])
  })
})

describe('a verb that changes our own database alone', () => {
  const JAM = `CREATE TRIGGER jam BEFORE INSERT ON audit WHEN NEW.phase = 'outcome' BEGIN SELECT RAISE(ABORT, 'no'); END`
  const notes = () => gate.db.prepare('SELECT note FROM notes').pluck().all()
  /** @param then what it does once it has written */
  const openNotes = (then: () => unknown) => {
    const run = () => {
      gate.db.exec(`INSERT INTO notes VALUES ('one')`)
      return then()
    }
    open({ verbs: [verb('note', 'change', 'none', {}, { run, atOnce: true })] })
    gate.db.exec('CREATE TABLE notes (note TEXT)')
  }

  it('has changed it, and says so', async () => {
    openNotes(() => ({ sizeBytes: 3 }))
    expect(await gate.call('note')).toMatchObject({ status: 'done', output: { sizeBytes: 3 } })
    expect([notes(), trace()]).toEqual([['one'], ['intent note -', 'outcome note OK']])
    expect(gate.rows()[1]).toMatchObject({ bytes: 3 })
  })

  it('has changed nothing when its outcome cannot be written', async () => {
    openNotes(() => ({}))
    gate.db.exec(JAM)
    await expect(gate.call('note')).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
    expect([notes(), trace()]).toEqual([[], ['intent note -']])
  })

  it('has changed nothing when it fails', async () => {
    openNotes(() => {
      throw new AppError('JOB_FINISHED')
    })
    await expect(gate.call('note')).rejects.toMatchObject({ code: 'JOB_FINISHED' })
    expect([notes(), trace()]).toEqual([[], ['intent note -', 'outcome note JOB_FINISHED']])
  })

  it('has changed nothing when it is not done at once after all', async () => {
    openNotes(() => Promise.resolve({}))
    await expect(gate.call('note')).rejects.toMatchObject({ code: 'INTERNAL' })
    expect([notes(), trace()]).toEqual([[], ['intent note -', 'outcome note INTERNAL']])
  })
})

describe('a call that is refused', () => {
  it('leaves both rows, and says no more than it was', async () => {
    open({ policy: '' })
    expect(await ran(() => codeOf(gate.call(...START)))).toEqual([])
    expect(await codeOf(gate.call(...START))).toBe('FORBIDDEN')
    expect(trace().slice(2)).toEqual(['intent container.start -', 'outcome container.start FORBIDDEN'])
    expect(gate.rows()[0]).toMatchObject({ effect: 'change', input: '{"container":"web"}', host: 'box' })
    const name = 'x'.repeat(80)
    expect(await codeOf(gate.call(name))).toBe('ACTION_UNKNOWN')
    expect(gate.rows().at(-1)).toMatchObject({ action: name.slice(0, 64), effect: 'read', input: '{}', policies: '[]' })
  })

  it('was too often before anything else, and in the log as what it was', async () => {
    open({ rates: { change: 1 }, policy: ASKS })
    await gate.call(...START)
    expect(await codeOf(gate.call('container.start', { nonsense: 1 }))).toBe('RATE_LIMITED')
    expect(gate.rows().at(-1)).toMatchObject({ effect: 'change', input: '{}', outcome: 'RATE_LIMITED' })
  })

  it('is none of this input, nor with a file where none is taken, nor with two', async () => {
    open()
    expect(await codeOf(gate.call('container.start', { container: 5, more: 1 }))).toBe('INVALID_INPUT')
    const withFile = await failed(gate.call(...START, { file: file() }))
    expect(withFile).toMatchObject({
      code: 'INVALID_INPUT',
      details: { problem: { en: 'this command takes no file', zh: '该命令不接受文件' } },
    })
    expect(gate.rows().at(-1)?.input).toBe(
      '{"container":"web","file":{"name":"app.conf","sizeBytes":10,"sha256":"ab"}}',
    )
    const fetch = () => Promise.reject(new Error('never asked'))
    expect(await codeOf(gate.call('container.copy-in', { container: 'web' }, { file: file(), fetch }))).toBe(
      'CONTENT_REQUIRED',
    )
  })

  it('keeps its secrets, and a file without its address', async () => {
    open()
    await gate.call(
      'container.copy-in',
      { container: 'web', env: 'A=hunter2', text: 'hunter3' },
      { file: file({ reference: { address: 'https://x?signature=s' } }) },
    )
    expect(JSON.stringify(gate.rows())).not.toMatch(/hunter|signature/)
    expect(JSON.parse(gate.rows()[0]?.input ?? '')).toMatchObject({
      env: 'A=…',
      text: { characters: 7 },
      file: { name: 'app.conf', sizeBytes: 10 },
    })
    expect(gate.rows()[0]?.input).not.toContain('"sha256":null')
    expect(runs.at(-1)?.context).toBeDefined()
  })

  it('is a bug where it is one, told by its request alone', async () => {
    const bug = new Error('secret path')
    const run = () => {
      throw bug
    }
    open({ verbs: [verb('broken', 'change', 'none', {}, { run })] })
    const error = await failed(gate.call('broken', {}, { requestId: 'r9' }))
    expect(error).toMatchObject({ code: 'INTERNAL', details: { requestId: 'r9' }, cause: bug })
    expect(error.message).not.toContain('secret')
    expect(gate.bugs).toEqual([{ error: bug, requestId: 'r9' }])
    expect(trace()).toEqual(['intent broken -', 'outcome broken INTERNAL'])
  })

  it('is what the verb says, where it says it, and no bug', async () => {
    const run = () => {
      throw new AppError('JOB_FINISHED', { job: 'x' })
    }
    open({ verbs: [verb('late', 'change', 'none', {}, { run })] })
    expect(await codeOf(gate.call('late'))).toBe('JOB_FINISHED')
    expect(trace()).toEqual(['intent late -', 'outcome late JOB_FINISHED'])
    expect(gate.bugs).toEqual([])
  })

  it('is one that cannot be written down: nothing runs, and it is told where bugs are', async () => {
    open()
    gate.db.exec(`CREATE TRIGGER jam BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END`)
    const codes: string[] = []
    const names = await ran(async () => codes.push(await codeOf(gate.call(...START, { requestId: 'r5' }))))
    expect([names, codes]).toEqual([[], ['AUDIT_UNAVAILABLE']])
    expect(gate.bugs).toEqual([{ error: expect.objectContaining({ code: 'AUDIT_UNAVAILABLE' }), requestId: 'r5' }])
    expect(trace()).toEqual([])
  })
})

describe('what cannot be found', () => {
  const HIDDEN: readonly ErrorCode[] = [
    'HOST_NOT_FOUND',
    'HOST_REQUIRED',
    'NO_HOSTS',
    'HOST_UNREACHABLE',
    'INSTANCE_NOT_FOUND',
    'INSTANCE_AMBIGUOUS',
    'IMAGE_NOT_FOUND',
    'IMAGE_AMBIGUOUS',
    'NOT_SUPPORTED',
    'SAME_HOST',
    'ARTIFACT_NOT_FOUND',
  ]

  it.each(HIDDEN)('is not told to those who may do nothing here: %s', async (code) => {
    open({ policy: '' })
    gate.world.missing = code
    const error = await failed(gate.call(...START))
    expect(error).toMatchObject({ code: 'FORBIDDEN', details: { action: 'container.start' }, cause: { code } })
    gate.replacePolicy(ALL)
    expect(await codeOf(gate.call(...START))).toBe(code)
    expect(trace().filter((line) => line.startsWith('outcome'))).toEqual([
      'outcome container.start FORBIDDEN',
      `outcome container.start ${code}`,
    ])
  })

  it('is told where it is about the input, and a bug stays one', async () => {
    open({ policy: '' })
    gate.world.missing = 'PATH_INVALID'
    expect(await codeOf(gate.call(...START))).toBe('PATH_INVALID')
    gate.world.missing = new Error('engine')
    expect(await codeOf(gate.call(...START))).toBe('INTERNAL')
    expect(gate.bugs).toHaveLength(1)
  })

  const knows = async (condition: string, call: readonly [string, object] = START) => {
    gate.replacePolicy(`permit (principal, action, resource) when { ${condition} };`)
    return codeOf(gate.call(...call))
  }

  it('is told to those who could act on any host they know of, or on one they do not', async () => {
    open()
    gate.world.missing = 'INSTANCE_NOT_FOUND'
    expect(await knows('resource == Host::"far"')).toBe('INSTANCE_NOT_FOUND')
    expect(await knows('resource == Host::"box"')).toBe('INSTANCE_NOT_FOUND')
    expect(await knows('resource == Host::"other"')).toBe('FORBIDDEN')
    expect(await knows('resource is Host && resource.name == ""')).toBe('INSTANCE_NOT_FOUND')
    gate.see()
    expect(await knows('resource == Host::"far"')).toBe('FORBIDDEN')
    expect(await knows('resource is Host && resource.hasTag("env")')).toBe('FORBIDDEN')
    expect(await knows('resource is Artifact')).toBe('FORBIDDEN')
    expect(await knows('context.hour == 9 && context.surface == "rest"')).toBe('INSTANCE_NOT_FOUND')
    expect(await knows('action == Action::"container.stop"')).toBe('FORBIDDEN')
  })

  it('is an artifact of their own, of no name and no size, for what acts on one', async () => {
    open()
    gate.world.missing = 'ARTIFACT_NOT_FOUND'
    gate.see()
    const remove = ['artifact.remove', { artifact: 'x' }] as const
    const its = (condition: string) => knows(`resource is Artifact && ${condition}`, remove)
    expect(await its('resource.mine')).toBe('ARTIFACT_NOT_FOUND')
    expect(await its('!resource.mine')).toBe('FORBIDDEN')
    expect(await its('resource.name == "" && resource.mediaType == "" && resource.bytes == 0')).toBe(
      'ARTIFACT_NOT_FOUND',
    )
    expect(await its('resource == Artifact::""')).toBe('ARTIFACT_NOT_FOUND')
    expect(await knows('resource is Host', remove)).toBe('FORBIDDEN')
    expect(await knows('resource is Host', ['host.prune', {}])).toBe('ARTIFACT_NOT_FOUND')
  })
})

describe('policy', () => {
  it('decides by the one that was in force when the call came, to its end', async () => {
    open()
    const fetch = async () => {
      gate.replacePolicy('')
      return file()
    }
    expect(await codeOf(gate.call('container.copy-in', { container: 'web' }, { fetch }))).toBe('OK')
    expect(await codeOf(gate.call(...START))).toBe('FORBIDDEN')
  })

  it('is asked before anything is looked up, and again with what was found', async () => {
    open()
    let fetched = 0
    const { signal } = new AbortController()
    const fetch = async (given: AbortSignal) => {
      expect(given).toBe(signal)
      fetched += 1
      return file()
    }
    const copy = () => codeOf(gate.call('container.copy-in', { container: 'web' }, { fetch, signal }))
    const under = (condition: string) => {
      gate.replacePolicy(`@id("it") permit (principal, action, resource) when { ${condition} };`)
      return copy()
    }
    expect([await under('false'), fetched]).toEqual(['FORBIDDEN', 0])
    expect([await under('context has bytes && context.bytes == 10'), fetched]).toEqual(['FORBIDDEN', 0])
    expect([await under('context has bytes && context.bytes == 0'), fetched]).toEqual(['FORBIDDEN', 1])
    expect(gate.rows().at(-1)?.input).toContain('app.conf')
    expect([await under('context has bytes && context.bytes <= 10'), fetched]).toEqual(['OK', 2])
    expect(runs.at(-1)?.context.file).toMatchObject({ name: 'app.conf' })
    expect(gate.rows().at(-1)).toMatchObject({ policies: '["it"]', input: expect.stringContaining('app.conf') })
  })

  it('knows how much a file or an artifact is, and of no other how much', async () => {
    open()
    const under = (condition: string, input: object, more = {}) => {
      gate.replacePolicy(`permit (principal, action, resource) when { ${condition} };`)
      return codeOf(gate.call('container.copy-in', { container: 'web', ...input }, more))
    }
    expect(await under('context has bytes && context.bytes == 10', {}, { file: file() })).toBe('OK')
    expect(await under('context has bytes && context.bytes == 50', { artifact: 'a1' })).toBe('OK')
    expect(await under('context has bytes && context.bytes == 10', { artifact: 'a1' }, { file: file() })).toBe('OK')
    expect(await under('context has bytes', { artifact: 'nope' })).toBe('FORBIDDEN')
    expect(await under('context has bytes', {})).toBe('FORBIDDEN')
    const elsewhere = { principal: { ...ANN, tenant: '200' } }
    expect(await under('context has bytes', { artifact: 'a1' }, elsewhere)).toBe('FORBIDDEN')
  })

  it('has each that decided in the log, once', async () => {
    open({
      policy: `@id("in") permit (principal, action == Action::"container.copy-in", resource);
               @id("out") permit (principal, action == Action::"container.copy-out", resource);`,
    })
    await gate.call('container.copy-in', { container: 'web', also: 'container.copy-out' })
    expect(gate.rows()[0]).toMatchObject({ policies: '["in","out"]' })
    expect(await codeOf(gate.call('container.copy-in', { container: 'web', mode: '4755' }))).toBe('MODE_REFUSED')
    expect(gate.rows().at(-1)).toMatchObject({ policies: '["in"]', outcome: 'MODE_REFUSED' })
  })

  it('may want a reason, which is some text', async () => {
    open({ policy: '@reason("required") permit (principal, action in Action::"change", resource);' })
    expect(await codeOf(gate.call(...START))).toBe('REASON_REQUIRED')
    expect(await codeOf(gate.call('container.start', { container: 'web', reason: ' \n ' }))).toBe('REASON_REQUIRED')
    expect(await codeOf(gate.call('container.start', { container: 'web', reason: ' it hangs ' }))).toBe('OK')
    expect(trace().at(1)).toBe('outcome container.start REASON_REQUIRED')
  })
})

describe('a call that asks first', () => {
  it('runs nothing, says what would run, and leaves two rows', async () => {
    open({ policy: ASKS })
    let asked: ConfirmFirst | undefined
    expect(
      await ran(async () => {
        asked = await confirmed(gate.call(...START, { lang: 'zh' }))
      }),
    ).toEqual([])
    expect(asked).toEqual({
      status: 'confirm',
      action: gate.gate.registry.get('container.start'),
      token: expect.stringMatching(/^[\w-]{32}$/),
      expiresAt: Date.UTC(2026, 10, 28, 9, 2),
      why: { en: 'Sure?', zh: '确定？' },
      view: expect.objectContaining({ tone: 'warn', heading: '请确认' }),
    })
    expect(JSON.stringify(asked?.view)).toContain('web (aaaaaaaaaaaa')
    expect(trace()).toEqual(['intent container.start -', 'outcome container.start CONFIRMATION_REQUIRED'])
    const names = await ran(() => gate.call(...START, { confirm: asked?.token ?? '' }))
    expect(names).toEqual(['container.start'])
    expect(trace().slice(2)).toEqual(['intent container.start -', 'outcome container.start OK'])
    expect(await codeOf(gate.call(...START, { confirm: asked?.token ?? '' }))).toBe('CONFIRMATION_EXPIRED')
    expect(trace().slice(4)).toEqual(['intent container.start -', 'outcome container.start CONFIRMATION_EXPIRED'])
  })

  it('shows a file, and no secret', async () => {
    open({ policy: ASKS })
    const input = { container: 'web', env: 'A=hunter2' }
    const { view } = await confirmed(gate.call('container.copy-in', input, { file: file() }))
    expect(JSON.stringify(view)).toContain('A=…')
    expect(JSON.stringify(view)).toContain('← app.conf')
    expect(JSON.stringify(view)).not.toContain('hunter2')
  })

  it('takes a token that is empty for one', async () => {
    open({ policy: ASKS })
    expect(await codeOf(gate.call(...START, { confirm: '' }))).toBe('CONFIRMATION_EXPIRED')
  })

  type Change = (world: SmallGate['world']) => void
  const change = (of: string, call: readonly [string, object], make: Change) => [of, call, make] as const
  it.each([
    change('host', START, (world) => {
      world.host = { ...BOX, name: 'other' }
    }),
    change('container', START, (world) => {
      world.instance = { ...INSTANCE, id: 'b'.repeat(64) }
    }),
    change("container's image", START, (world) => {
      world.instance = { ...INSTANCE, imageId: 'sha256:2' }
    }),
    change("container's state", START, (world) => {
      world.instance = { ...INSTANCE, state: 'exited' }
    }),
    change('image', ['image.remove', { image: 'i' }], (world) => {
      world.image = { ...world.image, id: 'sha256:2' }
    }),
    change('artifact', ['artifact.remove', { artifact: 'a1' }], (world) => {
      world.artifact = { ...world.artifact, id: 'a2' }
    }),
    change('version of a card', ['knowledge.save', { card: 'x' }], (world) => {
      world.card = { version: 2 }
    }),
    change('card that is there', ['knowledge.save', { card: 'x' }], (world) => {
      world.card = undefined
    }),
  ])('is void once its %s is another one', async (_, call, make) => {
    open({ policy: ASKS })
    const { token } = await confirmed(gate.call(...call))
    const before = { ...gate.world }
    make(gate.world)
    expect(await codeOf(gate.call(...call, { confirm: token }))).toBe('TARGET_CHANGED')
    Object.assign(gate.world, before)
    expect(await codeOf(gate.call(...call, { confirm: token }))).toBe('OK')
  })

  it('is for that file, verb, input and person', async () => {
    open({ policy: ASKS })
    const copy = ['container.copy-in', { container: 'web' }] as const
    const { token } = await confirmed(gate.call(...copy, { file: file() }))
    const use = (more: object) => codeOf(gate.call(...copy, { file: file(), confirm: token, ...more }))
    expect(await use({ file: undefined })).toBe('CONFIRMATION_MISMATCH')
    expect(await use({ file: file({ reference: { sha256: 'cd' } }) })).toBe('CONFIRMATION_MISMATCH')
    expect(await use({ input: { container: 'web', path: '/x' } })).toBe('CONFIRMATION_MISMATCH')
    expect(await codeOf(gate.call('container.stop', { container: 'web' }, { confirm: token }))).toBe(
      'CONFIRMATION_MISMATCH',
    )
    expect(await use({ principal: { ...ANN, id: 'bea' } })).toBe('CONFIRMATION_NOT_YOURS')
    expect(await use({})).toBe('OK')
  })

  it('is looked at and taken back by its asker alone, and leaves its trace where it is refused', async () => {
    open({ policy: ASKS })
    const { token } = await confirmed(gate.call(...START))
    const [ann, bea] = ['ann', 'bea'].map(
      (id) => ({ principal: { ...ANN, id }, surface: 'page', requestId: id }) as const,
    )
    if (!ann || !bea) throw new Error('nobody')
    expect(gate.gate.recall(token, ann)).toEqual({ action: 'container.start', input: { container: 'web' } })
    expect(() => gate.gate.recall(token, bea)).toThrow(expect.objectContaining({ code: 'CONFIRMATION_NOT_YOURS' }))
    expect(() => gate.gate.withdraw(token, bea)).toThrow(expect.objectContaining({ code: 'CONFIRMATION_NOT_YOURS' }))
    gate.gate.withdraw(token, ann)
    expect(() => gate.gate.withdraw(token, ann)).toThrow(expect.objectContaining({ code: 'CONFIRMATION_EXPIRED' }))
    expect(gate.rows().slice(2)).toMatchObject([
      { phase: 'intent', action: 'confirm', effect: 'read', input: '{}', policies: '[]', principal: '100/user:bea' },
      { phase: 'outcome', outcome: 'CONFIRMATION_NOT_YOURS', request_id: 'bea', surface: 'page', duration_ms: 0 },
      { phase: 'intent', action: 'withdraw' },
      { phase: 'outcome', outcome: 'CONFIRMATION_NOT_YOURS' },
      { phase: 'intent', action: 'withdraw', principal: '100/user:ann' },
      { phase: 'outcome', outcome: 'CONFIRMATION_EXPIRED' },
    ])
  })

  it('is no row of the log where looking at it is a bug', async () => {
    open({ policy: ASKS })
    const { token } = await confirmed(gate.call(...START))
    gate.db.exec(`UPDATE confirmations SET input = 'x'`)
    const clicker = { principal: ANN, surface: 'page', requestId: 'r' } as const
    expect(() => gate.gate.recall(token, clicker)).toThrow()
    expect(gate.rows()).toHaveLength(2)
  })
})

describe('a call that others must agree to', () => {
  const POLICY = '@approve("role:ops:2") @confirm("Gone.") @confirm_zh("没了。") permit (principal, action, resource);'
  const bea = principal(['ops'], { kind: 'user', id: 'bea', name: 'Bea', tenant: '100' })

  it('is shown to them, and runs with their names', async () => {
    open({ policy: POLICY })
    const asked = await confirmed(gate.call('container.copy-in', { container: 'web', env: 'A=hunter2' }))
    expect(asked.expiresAt).toBe(Date.UTC(2026, 10, 28, 10))
    expect(asked.approval).toMatchObject({
      action: 'container.copy-in',
      asker: '100/user:ann',
      needed: [{ role: 'ops', count: 2 }],
      why: { en: 'Gone.', zh: '没了。' },
      facts: expect.arrayContaining([
        { label: { en: 'env', zh: '环境变量' }, value: 'A=…' },
        { label: { en: 'state', zh: '状态' }, value: 'running' },
      ]),
    })
    expect(JSON.stringify(asked.view)).toContain('ops')
    expect(trace()).toEqual(['intent container.copy-in -', 'outcome container.copy-in APPROVAL_REQUIRED'])
    const again = () => gate.call('container.copy-in', { container: 'web', env: 'A=hunter2' }, { confirm: asked.token })
    expect(await codeOf(again())).toBe('APPROVAL_PENDING')
    const { id = '' } = asked.approval ?? {}
    gate.approvals.decide(id, bea, { agrees: true })
    gate.approvals.decide(id, { ...bea, id: 'cem' }, { agrees: true })
    expect(await codeOf(again())).toBe('OK')
    expect(gate.rows().slice(-2)).toMatchObject([
      { phase: 'intent', approvals: '["100/user:bea","100/user:cem"]' },
      { phase: 'outcome', approvals: '["100/user:bea","100/user:cem"]', outcome: 'OK' },
    ])
  })

  it('is an error where a surface can only answer or fail', async () => {
    open({ policy: POLICY })
    const asked = await confirmed(gate.call(...START))
    const error = confirmationError(asked)
    expect(error.code).toBe('APPROVAL_REQUIRED')
    expect(error.details).toEqual({
      confirm: asked.token,
      why: asked.why,
      expiresAt: '2026-11-28T10:00:00Z',
      approval: asked.approval?.id,
      needed: '2 × ops',
    })
    gate.replacePolicy(ASKS)
    const click = confirmationError(await confirmed(gate.call(...START)))
    expect(click.code).toBe('CONFIRMATION_REQUIRED')
    expect(Object.keys(click.details)).toEqual(['confirm', 'why', 'expiresAt'])
  })
})

describe('a call that starts a job', () => {
  interface Starting {
    startJob(work: () => Promise<object>, release?: () => void): { readonly id: string }
  }
  let released = 0
  let work: () => Promise<object>
  const job = (target: 'none' | 'instance', fields: object = {}, more: object = {}) =>
    verb('job.make', 'disclose', target, fields, {
      startsJob: true,
      run: (_: unknown, context: Starting) => ({
        jobId: context.startJob(work, () => {
          released += 1
        }).id,
        sizeBytes: 9,
      }),
      ...more,
    })
  const inBox = () => gate.gate.registry.get('container.transfer').input.properties
  const idOf = (outcome: Awaited<ReturnType<SmallGate['call']>>) =>
    outcome.status === 'done' ? (outcome.output as { jobId: string }).jobId : ''
  const end = (id: string) => gate.jobs.wait(id, '100', AbortSignal.timeout(10_000))

  it('has its outcome when the job has ended, once, and what it was given is let go of', async () => {
    open()
    const fields = inBox()
    await gate.close()
    open({ verbs: [job('instance', fields, { sendsTo: 'import' })] })
    gate.world.destination = FAR
    released = 0
    let finish: (result: object) => void = () => undefined
    work = () =>
      new Promise((resolve) => {
        finish = resolve
      })
    const id = idOf(await gate.call('job.make', { container: 'web', to: 'far' }))
    expect(trace()).toEqual(['intent job.make -'])
    expect(gate.jobs.get(id, '100')).toMatchObject({
      principal: '100/user:ann',
      action: 'job.make',
      host: 'box',
      instance: INSTANCE.id,
    })
    expect(() => gate.jobs.get(id, '200')).toThrow(expect.objectContaining({ code: 'JOB_NOT_FOUND' }))
    await expect.poll(() => gate.jobs.get(id, '100').state).toBe('running')
    finish({})
    await end(id)
    expect(trace()).toEqual(['intent job.make -', 'outcome job.make OK'])
    expect(gate.rows()[1]).toMatchObject({ host: 'box', instance: INSTANCE.id, policies: '["all"]', bytes: 0 })
    expect(released).toBe(1)
  })

  it('keeps both of its hosts busy', async () => {
    open()
    const fields = inBox()
    await gate.close()
    open({ verbs: [job('instance', fields, { sendsTo: 'import' })], jobs: { running: 9, perHost: 1, perPrincipal: 9 } })
    let finish: (result: object) => void = () => undefined
    work = () =>
      new Promise((resolve) => {
        finish = resolve
      })
    gate.world.destination = FAR
    const first = idOf(await gate.call('job.make', { container: 'web', to: 'far' }))
    await expect.poll(() => gate.jobs.get(first, '100').state).toBe('running')
    gate.world.host = FAR
    gate.world.destination = undefined
    const second = idOf(await gate.call('job.make', { container: 'web', to: 'far' }))
    expect(gate.jobs.get(second, '100').state).toBe('queued')
    finish({})
    await end(first)
    await expect.poll(() => gate.jobs.get(second, '100').state).toBe('running')
    finish({})
    await end(second)
  })

  it('that is about no host says so, and a job that is a bug is told as one', async () => {
    open({ verbs: [job('none')] })
    const bug = new Error('in the job')
    work = () => Promise.reject(bug)
    const id = idOf(await gate.call('job.make', {}, { requestId: 'r3' }))
    const ended = await end(id)
    expect(Object.keys(ended)).not.toContain('host')
    expect(Object.keys(ended)).not.toContain('instance')
    expect(gate.bugs).toEqual([{ error: bug, requestId: 'r3' }])
    expect(trace()).toEqual(['intent job.make -', 'outcome job.make INTERNAL'])
  })

  it('lets go of what it was given where none can be started, and has failed', async () => {
    open({ verbs: [job('none')], jobs: { perPrincipal: 0 } })
    released = 0
    work = async () => ({})
    expect(await codeOf(gate.call('job.make'))).toBe('JOBS_LIMIT')
    expect(released).toBe(1)
    expect(trace()).toEqual(['intent job.make -', 'outcome job.make JOBS_LIMIT'])
  })

  it('need not have been given anything', async () => {
    const bare = { run: (_: unknown, context: Starting) => ({ jobId: context.startJob(work).id }) }
    open({ verbs: [job('none', {}, bare)] })
    work = async () => ({})
    const id = idOf(await gate.call('job.make'))
    expect((await end(id)).state).toBe('done')
    await gate.close()
    open({ verbs: [job('none', {}, bare)], jobs: { perPrincipal: 0 } })
    expect(await codeOf(gate.call('job.make'))).toBe('JOBS_LIMIT')
  })

  it('that fails after it has started it is answered by the job', async () => {
    const run = (_: unknown, context: Starting) => {
      context.startJob(work)
      throw new AppError('CANCELLED')
    }
    open({ verbs: [job('none', {}, { run })] })
    work = async () => ({})
    expect(await codeOf(gate.call('job.make'))).toBe('CANCELLED')
    await expect.poll(trace).toEqual(['intent job.make -', 'outcome job.make OK'])
  })
})
