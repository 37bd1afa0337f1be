import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Door, openDoor } from '../helpers/door.js'
import { makeContainer } from '../helpers/engine.js'
import { pdfOf, print } from '../helpers/pdf.js'

const BIN = fileURLToPath(new URL('../../bin/hypercall.mjs', import.meta.url))
const socketPath = inject('engineSocket')
const docker = new Docker({ socketPath })
const state = mkdtempSync(join(tmpdir(), 'hc-process-'))
afterAll(() => rmSync(state, { recursive: true, force: true }))

/** Nothing of this machine's own settings, and a state folder of the tests'. */
const settings = (more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  HYPERCALL_STATE: state,
  DOCKER_HOST: `unix://${socketPath}`,
  // Nobody else is here to agree to an export.
  HYPERCALL_POLICY: 'data/policy-small-team.cedar',
  ...more,
})

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function hypercall(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ran> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [BIN, ...args], { env: settings(more) })
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as Ran
    return { code, stdout, stderr }
  }
}

interface Served {
  readonly child: ChildProcess
  readonly url: string
  readonly loginUrl: string
  readonly ended: Promise<number | NodeJS.Signals | null>
}

async function served(more: Readonly<Record<string, string>> = {}): Promise<Served> {
  const child = spawn(process.execPath, [BIN, 'serve'], {
    env: settings({ HYPERCALL_PORT: '0', HYPERCALL_LOG_LEVEL: 'warn', ...more }),
  })
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code))
  })
  let said = ''
  for await (const chunk of child.stdout ?? []) {
    said += String(chunk)
    const login = /(http:\S+)\/#login=\S+/.exec(said)
    if (login) {
      child.stdout?.resume()
      return { child, url: login[1] ?? '', loginUrl: login[0], ended }
    }
  }
  throw new Error(`it did not come up: ${said}`)
}

let large: string
let door: Door
beforeAll(async () => {
  const made = await makeContainer(docker, { command: 'dd if=/dev/urandom of=/srv/large bs=1M count=200' })
  await made.wait()
  large = made.name
  door = await openDoor(socketPath, 16 * 1024)
}, 60_000)
afterAll(() => door.close())

/** Starts an export over REST and waits until bytes move. */
async function exporting(url: string, container: string): Promise<string> {
  const { stdout } = await hypercall(['token', 'create', '--name', `t${Date.now()}`, '--role', 'admin', '--json'])
  const { token } = JSON.parse(stdout) as { token: string }
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const post = async (body: object) =>
    (await (
      await fetch(`${url}/api/v1/container/export`, { method: 'POST', headers, body: JSON.stringify(body) })
    ).json()) as {
      jobId?: string
      error?: { details: { confirm: string } }
    }
  const asked = await post({ container })
  const accepted = await post({ container, confirm: asked.error?.details.confirm })
  if (accepted.jobId === undefined) throw new Error(JSON.stringify([asked, accepted]))
  const { jobId } = accepted
  for (;;) {
    const job = (await (await fetch(`${url}/api/v1/job/status?job=${jobId}`, { headers })).json()) as {
      progress: { bytes: number }
    }
    if (job.progress.bytes > 0) return jobId
  }
}

describe('the server', () => {
  it('prints its address and a login link, and ends with 0 on SIGTERM', async () => {
    const { child, url, ended } = await served()
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' })
    expect(await (await fetch(url)).text()).toContain('<title>')
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  })

  it('finishes what it can when it is told to stop, and says of the rest that it was interrupted', async () => {
    const { child, url, ended } = await served({ DOCKER_HOST: `unix://${door.path}` })
    const job = await exporting(url, large)
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
    const status = JSON.parse((await hypercall(['job', 'status', job, '--json'])).stdout) as {
      state: string
      error?: { code: string }
    }
    expect(status).toMatchObject({ state: 'failed', error: { code: 'INTERRUPTED' } })
  }, 90_000)

  it('that is killed in the middle of an export tells the truth about it when it is back', async () => {
    const { child, url, ended } = await served({ DOCKER_HOST: `unix://${door.path}` })
    const job = await exporting(url, large)
    const unfinished = () =>
      readdirSync(join(state, 'processes'), { recursive: true }).filter((name) => String(name).endsWith('.part'))
    expect(unfinished()).toHaveLength(1)
    child.kill('SIGKILL')
    expect(await ended).toBe('SIGKILL')

    const again = await served()
    const status = JSON.parse((await hypercall(['job', 'status', job, '--json'])).stdout) as object
    expect(status).toMatchObject({ state: 'failed', error: { code: 'INTERRUPTED' } })
    expect(unfinished()).toEqual([])
    expect(readdirSync(join(state, 'artifacts'))).toEqual([])
    const audit = JSON.parse(
      (await hypercall(['audit', 'list', '--action', 'container.export', '--limit', '2', '--json'])).stdout,
    ) as {
      rows: { phase: string; outcome?: string }[]
    }
    expect(audit.rows).toMatchObject([{ phase: 'outcome', outcome: 'INTERRUPTED' }, { phase: 'intent' }])
    again.child.kill('SIGTERM')
    expect(await again.ended).toBe(0)
  }, 90_000)

  it('does not start on settings that are wrong, and lists all of them', async () => {
    const { code, stderr } = await hypercall(['serve'], {
      HYPERCALL_NOPE: '1',
      HYPERCALL_PORT: 'abc',
      DISCORD_API: 'not a url',
    })
    expect(code).toBe(2)
    for (const name of ['HYPERCALL_NOPE', 'HYPERCALL_PORT', 'DISCORD_API']) expect(stderr).toContain(name)
  })

  it('does not start on a policy that is broken, and names the line', async () => {
    const policy = join(state, 'broken.cedar')
    writeFileSync(policy, '// fine\npermit (principal, action == Action::"container.strat", resource);\n')
    const { code, stderr } = await hypercall(['serve'], { HYPERCALL_POLICY: policy, HYPERCALL_PORT: '0' })
    expect(code).toBe(2)
    expect(stderr).toContain(`${policy}:2:`)
    expect(stderr).toContain('container.strat')
  })
})

describe('the command line', () => {
  it('asks in both languages and prints what REST answers', async () => {
    const { stdout } = await hypercall(['ask', 'KVM 是什么？', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ found: true, lang: 'zh' })
    expect((await hypercall(['ask', 'What is KVM?'])).stdout).toContain('[1]')
  })

  it('does nothing without a yes, and does it with one', async () => {
    const made = await makeContainer(docker, { start: false })
    const refused = await hypercall(['container', 'start', made.name])
    expect(refused.code).toBe(1)
    expect((await made.inspect()).State.Running).toBe(false)
    const done = await hypercall(['container', 'start', made.name, '--yes', '--json'])
    expect(JSON.parse(done.stdout)).toMatchObject({ name: made.name, state: 'running' })
  })

  it('copies a file of this machine in, and out again, byte for byte', async () => {
    const made = await makeContainer(docker, { start: false })
    const [source, back] = [join(state, 'source.bin'), join(state, 'back.bin')]
    writeFileSync(source, Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251)))
    const copied = await hypercall(['container', 'copy-in', made.name, '/srv/', '--file', source, '--yes'])
    expect(copied).toMatchObject({ code: 0 })
    const fetched = await hypercall(['container', 'copy-out', made.name, '/srv/source.bin', '--yes', '--output', back])
    expect(fetched).toMatchObject({ code: 0 })
    expect(readFileSync(back).equals(readFileSync(source))).toBe(true)
  })

  it('brings the documents of a folder into the knowledge base, and passes over everything else', async () => {
    const notes = join(state, 'notes')
    mkdirSync(join(notes, 'sea'), { recursive: true })
    writeFileSync(join(notes, 'sea', 'walrus.md'), '# The walrus\n\nA walrus has very long tusks.\n')
    writeFileSync(join(notes, 'heron.html'), '<title>The heron</title><p>A heron has remarkably long legs.</p>')
    writeFileSync(join(notes, 'eel.pdf'), pdfOf([print('An eel swims to the Sargasso.')], { title: 'The eel' }))
    // Nothing of this is a document.
    writeFileSync(join(notes, 'photo.jpg'), Buffer.alloc(1024))
    writeFileSync(join(notes, 'rows.jsonl'), '{"id": "row", "text": "A row."}\n')
    writeFileSync(join(notes, '.hidden.md'), '# Hidden\n\nNobody sees it.\n')
    symlinkSync(join(notes, 'sea', 'walrus.md'), join(notes, 'link.md'))
    for (const folder of ['.git', 'node_modules', join('sea', 'node_modules')]) {
      mkdirSync(join(notes, folder))
      writeFileSync(join(notes, folder, 'readme.md'), '# Not ours\n\nSomebody else wrote it.\n')
    }
    // And these are, but cannot be taken.
    writeFileSync(join(notes, 'binary.md'), Buffer.from([0xff, 0xfe, 0x00, 0x01]))
    writeFileSync(join(notes, 'huge.md'), Buffer.alloc(16 * 2 ** 20 + 1, 'x'))
    const tried = await hypercall(['knowledge', 'import', notes, '--dry-run', '--json'])
    expect(JSON.parse(tried.stdout)).toEqual({
      ...{ added: 3, changed: 0, unchanged: 0, removed: 0, rejected: 2, dryRun: true },
      problems: [
        { file: 'binary.md', line: 1, message: 'not valid UTF-8' },
        { file: 'huge.md', line: 1, message: 'larger than 16777216 bytes' },
      ],
    })
    const brought = await hypercall(['knowledge', 'import', notes])
    expect(brought.stdout).toMatch(/New +3/)
    // Where nobody watches there is no progress.
    expect(brought.stderr).toBe('')
    const { cards } = JSON.parse((await hypercall(['knowledge', 'list', '--json'])).stdout) as { cards: object[] }
    expect(cards).toHaveLength(3)
    expect(cards).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ card: 'sea/walrus', title: 'The walrus', collection: 'team' }),
        expect.objectContaining({ card: 'heron', title: 'The heron' }),
        expect.objectContaining({ card: 'eel', title: 'The eel' }),
      ]),
    )
  })

  it('brings a file into the knowledge base, as its owner and on the record', async () => {
    const file = join(state, 'birds.jsonl')
    writeFileSync(file, '{"id": "heron", "text": "苍鹭的腿很长。"}\n')
    const brought = await hypercall(['knowledge', 'import', file, '--collection', 'birds', '--lang', 'zh'])
    expect(brought).toMatchObject({ code: 0 })
    expect(brought.stdout).toContain('新增')
    const audit = JSON.parse((await hypercall(['audit', 'list', '--action', 'knowledge.import', '--json'])).stdout)
    expect((audit as { rows: object[] }).rows[0]).toMatchObject({ phase: 'outcome', outcome: 'OK' })
    expect((await hypercall(['knowledge', 'import'])).stderr).toContain('FILE_REQUIRED')
  })

  it('takes a no as well as a yes', async () => {
    const { asked } = JSON.parse((await hypercall(['ask', 'What is KVM?', '--json'])).stdout) as { asked: number }
    for (const [given, helpful] of [
      [['--asked', `${asked}`, '--helpful', 'false'], false],
      [['--helpful', '--asked', `${asked}`], true],
    ] as const) {
      const judged = await hypercall(['knowledge', 'feedback', ...given, '--json'])
      expect(JSON.parse(judged.stdout)).toEqual({ asked, helpful })
    }
  })

  it('asks what a choice depends on, with the command that each answer is', async () => {
    const { stdout } = await hypercall(['choose', '--answers', '1111'])
    expect(stdout).toContain('Question 5/5')
    const [, answer = ''] = /hypercall choose --answers (1111\d)/.exec(stdout) ?? []
    const chosen = await hypercall(['choose', '--answers', answer, '--lang', 'zh'])
    expect(chosen.stdout).toMatch(/推荐: \S/)
    expect(chosen.stdout).toContain('hypercall compare --a ')
    const unknown = await hypercall(['compare', 'kvm', 'nosuch'])
    expect(unknown.stderr).toMatch(/^SYSTEM_UNKNOWN: .*nosuch.*VirtualBox/)
  })

  it('says what was wrong with a code, in the language that was asked for', async () => {
    const { code, stderr } = await hypercall(['container', 'inspect', 'no-such', '--lang', 'zh'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^INSTANCE_NOT_FOUND: .*没有容器/)
    expect((await hypercall(['container', 'explode'])).code).toBe(2)
  })
})
