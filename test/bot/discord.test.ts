// The whole way: a person in Discord, the bot on its gateway, the gate, a real engine, and back.
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { MessageFlags } from 'discord-api-types/v10'
import Docker from 'dockerode'
import { extract } from 'tar-stream'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { bytesOf } from '../../src/actions/index.js'
import type { SlashRequest } from '../helpers/discord/driver.js'
import { makeContainer, TEST_IMAGE } from '../helpers/engine.js'
import {
  ada,
  answered,
  type Bot,
  bob,
  buttonsOf,
  ELSEWHERE,
  ELSEWHERE_ADMINS,
  IMPOSTORS,
  LAB,
  labelsOf,
  OPERATORS,
  shown,
  startBot,
  VIEWERS,
} from './discord/bot.js'

const NOWHERE = '/nowhere/docker.sock'
const docker = new Docker({ socketPath: inject('engineSocket') })
let bot: Bot

beforeAll(async () => {
  bot = await startBot({ hosts: { local: inject('engineSocket') } })
})
afterAll(() => bot?.close())
afterEach(() => {
  bot.room.now = Date.now
  expect(bot.double.violations).toEqual([])
  expect(bot.room.bugs).toEqual([])
})

/** Ada is an operator unless a test says otherwise. */
const run = (command: string, options: SlashRequest['options'] = {}, more: Partial<SlashRequest> = {}) =>
  bot.double.slash({ user: ada, roles: [OPERATORS], command, options, ...more })
const press = (message: Parameters<typeof bot.double.click>[0]['message'], label: string, more: object = {}) =>
  bot.double.click({ user: ada, roles: [OPERATORS], message, label, ...more })
const typing = (command: string, focused: string, options: SlashRequest['options'] = {}, more: object = {}) =>
  bot.double.autocomplete({ user: ada, roles: [OPERATORS], command, focused, options, ...more })

const isPrivate = (message: { flags?: number }) => ((message.flags ?? 0) & MessageFlags.Ephemeral) !== 0
const isRunning = async (container: Docker.Container) => (await container.inspect()).State.Running

async function audited(action: string): Promise<string[]> {
  const owner = { kind: 'local', id: 'owner', name: 'owner', tenant: LAB, roles: ['admin'] } as const
  const { rows } = await bot.room.does<{ rows: { outcome?: string; surface: string; principal: string }[] }>(
    'audit.list',
    { action },
    { principal: owner },
  )
  expect(new Set(rows.map(({ surface }) => surface))).toEqual(new Set(['discord']))
  return rows.map(({ outcome }) => outcome ?? 'intent')
}

async function fileInside(container: Docker.Container, path: string): Promise<{ bytes: Buffer; mode: number }> {
  const entries = extract()
  const archive = await container.getArchive({ path })
  archive.pipe(entries)
  for await (const entry of entries) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    return { bytes: Buffer.concat(chunks), mode: entry.header.mode ?? 0 }
  }
  throw new Error(`nothing at ${path}`)
}

describe('asking', () => {
  it.each([
    ['en-US', 'What is a type 1 hypervisor?', /hypervisor/i],
    ['zh-CN', '什么是一型虚拟机监控程序？', /[\u4e00-\u9fff]/],
    ['zh-TW', '虛擬化有哪些類型？', /[\u4e00-\u9fff]/],
  ] as const)('in %s gives a cited answer in public', async (locale, question, expected) => {
    const asked = run('ask', { question }, { user: bob, roles: [], locale })
    expect(await asked.firstAnswer()).toMatchObject({ type: 5 })
    expect(asked.firstAnswerMs).toBeLessThan(1000)
    const message = await answered(asked)
    expect(shown(message)).toMatch(expected)
    expect(shown(message)).toContain('[1]')
    expect(isPrivate(message)).toBe(false)
  })

  it('compares systems in plain words and by command, and chooses by buttons', async () => {
    const asked = run('ask', { question: 'kvm 和 xen 的区别' }, { user: bob, roles: [], locale: 'zh-CN' })
    const compared = await answered(asked)
    expect(shown(compared)).toMatch(/\[1\][\s\S]*KVM[\s\S]*GPL-2\.0/)
    // The same as a picture, which no phone breaks.
    expect(compared.attachments).toMatchObject([{ filename: 'picture.png', content_type: 'image/png' }])
    const four = { a: 'kvm', b: 'xen', c: 'virtualbox', d: 'hyper-v' }
    expect(shown(await answered(run('compare', four, { user: bob, roles: [] })))).toContain('VBoxManage')

    const choosing = run('choose', {}, { user: bob, roles: [] })
    for (let number = 1; number <= 5; number++) {
      const card = await choosing.waitFor((now) => shown(now).includes(`Question ${number}/5`))
      press(card, labelsOf(card)[0] ?? '', { user: bob, roles: [] })
    }
    const chosen = await choosing.waitFor((now) => shown(now).includes('Recommended'))
    expect(labelsOf(chosen)).toContain('Compare these')
  })

  it('shows the diagram of what it explains, and tells it to those who do not see it', async () => {
    const asked = run('ask', { question: '什么是一型虚拟机监控程序？' }, { user: bob, roles: [], locale: 'zh-CN' })
    const { embeds, attachments } = await answered(asked)
    expect(embeds[0]?.image?.url).toContain('picture.png')
    // Discord shows others only that somebody used the command.
    expect(embeds[0]?.author).toEqual({ name: '什么是一型虚拟机监控程序？' })
    expect(attachments).toMatchObject([{ filename: 'picture.png', description: expect.stringContaining('硬件') }])
  })

  it('collects whether an answer helped, from the buttons below it', async () => {
    const asked = await answered(run('ask', { question: 'What is a container?' }, { user: bob, roles: [] }))
    const judged = press(asked, 'Not helpful', { user: bob, roles: [] })
    expect(shown(await answered(judged))).toContain('Noted')
    const gaps = run('knowledge gaps', {}, { user: ada, roles: [OPERATORS] })
    expect(shown(await answered(gaps))).toMatch(/What is a container\?/)
  })

  it('what the base does not know gets an honest answer in the language of the asker', async () => {
    const asked = run('ask', { question: '一升牛奶多少钱？' }, { user: bob, roles: [], locale: 'zh-CN' })
    expect(shown(await answered(asked))).toContain('我不知道')
  })

  it('works in a direct message and in a guild that nobody listed, where nothing else does', async () => {
    const direct = run('ask', { question: '什么是容器？' }, { user: bob, guildId: null, roles: [], locale: 'zh-CN' })
    expect(shown(await answered(direct))).toContain('[1]')

    const elsewhere = { user: bob, guildId: ELSEWHERE, roles: [ELSEWHERE_ADMINS] }
    expect(shown(await answered(run('ask', { question: 'What is a container?' }, elsewhere)))).toContain('[1]')
    // An administrator there, with a role called `operator`; neither means anything here.
    for (const [command, options] of [
      ['container list', {}],
      ['host list', {}],
      ['container start', { container: 'web' }],
      ['audit list', {}],
    ] as const) {
      const refused = await answered(run(command, options, elsewhere))
      expect(shown(refused), command).toContain('FORBIDDEN')
    }
  })

  it('tells the operator once which guild is not listed, and how to list it', () => {
    const told = bot.lines.filter((line) => line.msg.includes('DISCORD_GUILDS'))
    expect(told).toMatchObject([{ guild: ELSEWHERE }])
  })
})

describe('looking at containers', () => {
  it('lists them as an aligned table', async () => {
    const container = await makeContainer(docker)
    const message = await answered(run('container list', { name: container.name }, { roles: [VIEWERS] }))
    expect(shown(message)).toContain('Containers (1)')
    expect(shown(message)).toMatch(new RegExp(`\`\`\`\nHost +Name[^]*local +${container.name}`))
    expect(isPrivate(message)).toBe(false)
  })

  it('shows one, with buttons for what can be done next', async () => {
    const container = await makeContainer(docker, { env: ['SECRET=swordfish'] })
    const message = await answered(run('container inspect', { container: container.name }, { locale: 'zh-CN' }))
    expect(shown(message)).toContain('SECRET')
    expect(shown(message)).not.toContain('swordfish')
    expect(labelsOf(message)).toEqual(['停止', '重启', '日志'])
  })

  it.each([
    ['nobody in particular', []],
    ['someone whose role is only called admin', [IMPOSTORS]],
  ])('is refused to %s, missing or not', async (_, roles) => {
    const container = await makeContainer(docker, { start: false })
    for (const name of [container.name, 'no-such-container']) {
      const refused = await answered(run('container inspect', { container: name }, { user: bob, roles }))
      expect(shown(refused)).toContain('FORBIDDEN')
      expect(shown(refused)).toMatch(/You may not do this/)
    }
    expect(
      shown(await answered(run('container start', { container: container.name }, { user: bob, roles }))),
    ).toContain('FORBIDDEN')
    expect(await isRunning(container)).toBe(false)
  })

  it('is allowed to an administrator of a listed guild', async () => {
    const message = await answered(run('container list', {}, { user: bob, roles: [], permissions: 8n }))
    expect(shown(message)).toContain('Containers')
  })

  it.each([
    ['en-US', /There is no container "no-such-container" on host "local"/],
    ['zh-CN', /没有容器“no-such-container”/],
  ] as const)('says in %s that there is no such container', async (locale, words) => {
    const message = await answered(run('container inspect', { container: 'no-such-container' }, { locale }))
    expect(shown(message)).toMatch(words)
    expect(shown(message)).toContain('INSTANCE_NOT_FOUND')
  })
})

describe('starting a container', () => {
  it('waits for a click of the asker, and then does it once', async () => {
    const container = await makeContainer(docker, { start: false })
    const asked = run('container start', { container: container.name })
    const card = await answered(asked)
    expect(shown(card)).toContain('Please confirm')
    expect(shown(card)).toContain(container.name)
    expect(shown(card)).toMatch(/within 1(19|20) s/)
    expect(labelsOf(card)).toEqual(['Confirm', 'Cancel'])
    expect(await isRunning(container)).toBe(false)

    const first = press(card, 'Confirm')
    const second = press(card, 'Confirm')
    const done = await asked.waitFor((message) => shown(message).includes('Started'))
    expect(await isRunning(container)).toBe(true)
    expect(labelsOf(done)).toEqual(['Stop', 'Restart', 'Logs', 'Inspect'])
    await Promise.all([first.firstAnswer(), second.firstAnswer()])
    await sleep(300)
    // The second click was taken in silence: it neither ran anything nor wrote over the result.
    expect(shown(asked.message() ?? done)).toContain('Started')
    expect((await audited('container.start')).slice(0, 3)).toEqual(['OK', 'intent', 'CONFIRMATION_REQUIRED'])
  })

  it('is not done when cancelled', async () => {
    const container = await makeContainer(docker, { start: false })
    const asked = run('container start', { container: container.name }, { locale: 'zh-CN' })
    const card = await answered(asked)
    expect(labelsOf(card)).toEqual(['确认', '取消'])
    press(card, '取消', { locale: 'zh-CN' })
    const message = await asked.waitFor((now) => shown(now).includes('已取消'))
    expect(buttonsOf(message)).toEqual([])
    expect(await isRunning(container)).toBe(false)
  })

  it('A69: is not done by a click of someone else, who is told alone, and the card stays', async () => {
    const container = await makeContainer(docker, { start: false })
    const asked = run('container start', { container: container.name })
    const card = await answered(asked)
    for (const label of ['Confirm', 'Cancel']) {
      const clicked = press(card, label, { user: bob, locale: 'zh-CN' })
      const told = await answered(clicked)
      expect(told.id).not.toBe(card.id)
      expect(isPrivate(told)).toBe(true)
      expect(shown(told)).toContain('只有发起人本人可以确认此操作')
    }
    expect(asked.message()).toEqual(card)
    expect(await isRunning(container)).toBe(false)
    press(card, 'Confirm')
    await asked.waitFor((message) => shown(message).includes('Started'))
  })

  it('is not done when the asker clicks too late', async () => {
    const container = await makeContainer(docker, { start: false })
    const asked = run('container start', { container: container.name })
    const card = await answered(asked)
    bot.room.now = () => Date.now() + 121_000
    press(card, 'Confirm')
    const message = await asked.waitFor((now) => shown(now).includes('CONFIRMATION_EXPIRED'))
    expect(buttonsOf(message)).toEqual([])
    expect(await isRunning(container)).toBe(false)
  })

  it('is not done once the role is gone, however the card came to be', async () => {
    const container = await makeContainer(docker, { start: false })
    const asked = run('container start', { container: container.name })
    press(await answered(asked), 'Confirm', { roles: [] })
    await asked.waitFor((message) => shown(message).includes('FORBIDDEN'))
    expect(await isRunning(container)).toBe(false)
  })

  it('is refused for a protected container', async () => {
    const container = await makeContainer(docker, { start: false, labels: { 'hypercall.protected': 'true' } })
    const message = await answered(run('container start', { container: container.name }))
    expect(shown(message)).toContain('FORBIDDEN')
  })

  it('is refused for the asker alone: nobody else sees that it was tried', async () => {
    const before = bot.double.channel(LAB).length
    const refused = run('container start', { container: 'no-such-container' }, { locale: 'zh-CN' })
    const message = await answered(refused)
    expect(shown(message)).toMatch(/找不到|没有/)
    expect(isPrivate(message)).toBe(true)
    expect(refused.message()).toBeNull()
    expect(bot.double.channel(LAB)).toHaveLength(before)
  })
})

describe('a next step on a message', () => {
  it('changes it for its asker, and answers others alone, each by their own rights', async () => {
    const container = await makeContainer(docker)
    const asked = run('container inspect', { container: container.name })
    const message = await answered(asked)

    const viewer = await answered(press(message, 'Stop', { user: bob, roles: [VIEWERS] }))
    expect(viewer.id).not.toBe(message.id)
    expect(isPrivate(viewer)).toBe(true)
    expect(shown(viewer)).toContain('FORBIDDEN')

    const other = press(message, 'Stop', { user: bob })
    const card = await answered(other)
    expect(isPrivate(card)).toBe(true)
    expect(labelsOf(card)).toEqual(['Confirm', 'Cancel'])
    expect(asked.message()).toEqual(message)

    press(message, 'Stop')
    await asked.waitFor((now) => shown(now).includes('Please confirm'))
    bot.double.click({ user: bob, roles: [OPERATORS], message: other, label: 'Confirm' })
    await other.waitFor((now) => shown(now).includes('Stopped'), 20_000)
    expect(await isRunning(container)).toBe(false)
    // The target is no longer what ada was asked about.
    press(message, 'Confirm')
    await asked.waitFor((now) => shown(now).includes('TARGET_CHANGED'))
  })
})

describe('copying a file in', () => {
  it('takes the attachment from the CDN, after the click, to the byte', async () => {
    const container = await makeContainer(docker)
    const bytes = randomBytes(300_000)
    const file = bot.double.attach({ filename: 'data.bin', content: bytes })
    const asked = run('container copy-in', { container: container.name, path: '/srv/', file, mode: '600' })
    const card = await answered(asked)
    expect(shown(card)).toContain('data.bin')
    press(card, 'Confirm')
    const message = await asked.waitFor((now) => shown(now).includes('Copied in'))
    expect(shown(message)).toContain('/srv/data.bin')
    expect(shown(message)).toContain(createHash('sha256').update(bytes).digest('hex'))
    const inside = await fileInside(container, '/srv/data.bin')
    expect(inside.bytes.equals(bytes)).toBe(true)
    expect(inside.mode & 0o777).toBe(0o600)
  })

  it('takes a text just as well', async () => {
    const container = await makeContainer(docker)
    const asked = run('container copy-in', { container: container.name, path: '/srv/你好.txt', text: '你好，容器' })
    press(await answered(asked), 'Confirm')
    await asked.waitFor((now) => shown(now).includes('Copied in'))
    expect((await fileInside(container, '/srv/你好.txt')).bytes.toString()).toBe('你好，容器')
  })

  it.each([
    ['that is on another server', 'ATTACHMENT_REFUSED', (url: string) => url.replace('127.0.0.1', 'localhost')],
    ['that is elsewhere on the CDN', 'ATTACHMENT_REFUSED', (url: string) => url.replace('/ephemeral-', '/')],
    [
      'that only looks as if',
      'ATTACHMENT_REFUSED',
      (url: string) => url.replace('/ephemeral-', '/ephemeral-attachments/../'),
    ],
    ['that the CDN no longer has', 'ATTACHMENT_UNAVAILABLE', (url: string) => url.replace('data.bin', 'gone.bin')],
  ])('refuses one %s', async (_, code, elsewhere) => {
    const container = await makeContainer(docker)
    const file = bot.double.attach({ filename: 'data.bin', content: 'x' })
    const asked = run('container copy-in', {
      container: container.name,
      path: '/srv/',
      file: { ...file, url: elsewhere(file.url) },
    })
    const card = await answered(asked)
    if (code === 'ATTACHMENT_UNAVAILABLE') press(card, 'Confirm')
    const message = await asked.waitFor((now) => shown(now).includes(code))
    expect(buttonsOf(message)).toEqual([])
    await expect(fileInside(container, '/srv/data.bin')).rejects.toThrow()
  })

  it('refuses one whose bytes are not as many as was said, and leaves nothing half', async () => {
    const container = await makeContainer(docker)
    const file = bot.double.attach({ filename: 'short.bin', content: 'short' })
    const asked = run('container copy-in', { container: container.name, path: '/srv/', file: { ...file, size: 100 } })
    press(await answered(asked), 'Confirm')
    await asked.waitFor((now) => shown(now).includes('UPLOAD_INCOMPLETE'))
    await expect(fileInside(container, '/srv/short.bin')).rejects.toThrow()
  })

  it('that breaks off on its way is an error of its own', async () => {
    const container = await makeContainer(docker)
    async function* broken() {
      yield Buffer.alloc(1000)
      await sleep(50)
      throw new Error('the CDN went away')
    }
    const file = bot.double.attach({
      filename: 'broken.bin',
      content: () => Readable.from(broken()),
      sizeBytes: 100_000,
    })
    const asked = run('container copy-in', { container: container.name, path: '/srv/', file })
    press(await answered(asked), 'Confirm')
    const message = await asked.waitFor((now) => buttonsOf(now).length === 0)
    expect(shown(message)).toMatch(/ATTACHMENT_UNAVAILABLE|UPLOAD_INCOMPLETE/)
  })
})

describe('exporting', () => {
  const BLOB_BYTES = 160 * 2 ** 20
  /** Incompressible, so that packing it takes a few seconds. */
  async function withBlob() {
    const container = await makeContainer(docker, {
      command: `dd if=/dev/urandom of=/part bs=1M count=${BLOB_BYTES / 2 ** 20} && mv /part /blob; sleep 600`,
    })
    await expect
      .poll(
        () =>
          container.infoArchive({ path: '/blob' }).then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true)
    return container
  }

  it('shows progress to the asker alone, and ends with a link to the right bytes', async () => {
    const container = await withBlob()
    const asked = run('container export', { container: container.name, gzip: true })
    expect(await asked.firstAnswer()).toMatchObject({ type: 5, data: { flags: MessageFlags.Ephemeral } })
    const card = await answered(asked)
    expect(shown(card)).toContain('Please confirm')
    const clicked = press(card, 'Confirm')
    await clicked.waitFor((now) => labelsOf(now).includes('Cancel'))

    const done = await asked.waitFor((now) => shown(now).includes('Done'), 60_000)
    expect(isPrivate(done)).toBe(true)
    const progress = asked.edits.filter(({ message }) => /\d MiB · .*MiB\/s/.test(shown(message)))
    expect(progress.length).toBeGreaterThan(0)
    const gaps = progress.slice(1).map(({ at }, n) => at - (progress[n]?.at ?? 0))
    for (const gap of gaps) expect(gap).toBeGreaterThan(1900)

    const [link] = buttonsOf(done)
    expect(link).toMatchObject({ label: `${container.name}.tar.gz` })
    expect(link?.url).toMatch(/^http:\/\/hypercall\.test\/d\/[\w-]+\/.*\.tar\.gz$/)
    const artifact = bot.room.actions.artifacts.resolve(new URL(link?.url ?? '').pathname.split('/')[2] ?? '')
    const hash = createHash('sha256')
    await pipeline(createReadStream(artifact?.path ?? ''), hash)
    expect(artifact?.path.startsWith(join(bot.room.stateFolder, 'artifacts'))).toBe(true)
    expect(hash.digest('hex')).toBe(artifact?.sha256)
    expect(shown(done)).toContain(artifact?.sha256)
    expect((await audited('container.export')).slice(0, 3)).toEqual(['OK', 'intent', 'CONFIRMATION_REQUIRED'])
  }, 120_000)

  it('is cancelled by the button on its progress', async () => {
    const container = await withBlob()
    const asked = run('container export', { container: container.name, gzip: true }, { locale: 'zh-CN' })
    press(await answered(asked), '确认', { locale: 'zh-CN' })
    const started = await asked.waitFor((now) => labelsOf(now).includes('取消') && labelsOf(now).includes('刷新'))
    press(started, '取消', { locale: 'zh-CN' })
    const message = await asked.waitFor((now) => shown(now).includes('已取消'), 15_000)
    expect(buttonsOf(message)).toEqual([])
    expect(isPrivate(message)).toBe(true)
  }, 60_000)

  it('says what an archive will not hold, to the end', async () => {
    const container = await makeContainer(docker, { binds: ['/tmp:/mnt/outside'] })
    const asked = run('container export', { container: container.name })
    press(await answered(asked), 'Confirm')
    const done = await asked.waitFor((now) => shown(now).includes('Done'), 30_000)
    expect(shown(done)).toContain('/mnt/outside')
  })

  it('tells another who asks for the job no link', async () => {
    const container = await makeContainer(docker)
    const asked = run('container copy-out', { container: container.name, path: '/etc/passwd' })
    press(await answered(asked), 'Confirm')
    const done = await asked.waitFor((now) => shown(now).includes('Done'), 30_000)
    const job = /Job ([\w\\-]+)/.exec(shown(done))?.[1]?.replaceAll('\\', '') ?? ''
    const other = await answered(run('job status', { job }, { user: bob }))
    expect(shown(other)).toContain('SHA-256')
    expect(buttonsOf(other)).toEqual([])
    expect(isPrivate(other)).toBe(true)
  })
})

describe('completing what is typed', () => {
  const namesOf = async (interaction: ReturnType<typeof typing>) => {
    await interaction.firstAnswer()
    return interaction.choices?.map(({ value }) => value) ?? []
  }
  /** As somebody sees it who types on: what was not known in time is, a moment later. */
  const offered = (...request: Parameters<typeof typing>) =>
    expect.poll(() => namesOf(typing(...request)), { timeout: 15_000, interval: 300 })

  it('offers containers, also by a part of their name and whatever its case', async () => {
    const container = await makeContainer(docker)
    const part = container.name.slice(3).toUpperCase()
    await offered('container start', 'container', { container: part }).toEqual([container.name])
    const again = typing('container start', 'container', { container: part })
    await again.firstAnswer()
    expect(again.choices?.[0]?.name).toBe(`${container.name} · running · ${TEST_IMAGE} · local`)
    await offered('container start', 'container', { container: part }, { locale: 'zh-CN' }).toEqual([container.name])
    const inChinese = typing('container start', 'container', { container: part }, { locale: 'zh-CN' })
    await inChinese.firstAnswer()
    expect(inChinese.choices?.[0]?.name).toBe(`${container.name} · 运行中 · ${TEST_IMAGE} · local`)
  })

  it('asks the engine once for a name that is being typed', async () => {
    const before = (await audited('container.list')).length
    for (const container of ['h', 'hc', 'hc-'])
      await namesOf(typing('container start', 'container', { container }, { user: bob }))
    expect((await audited('container.list')).length).toBeLessThanOrEqual(before + 2)
  })

  it('offers images by their tags and artifacts by their names, to those who may list them', async () => {
    await offered('image inspect', 'image', { image: 'test/base' }).toEqual([TEST_IMAGE])
    const owner = { kind: 'user', id: ada.id, name: ada.username, tenant: LAB, roles: [] } as const
    const { id } = await bot.room.actions.artifacts.create(bytesOf(Readable.from([Buffer.from('x')])), {
      owner,
      name: 'completed.tar',
      mediaType: 'application/x-tar',
      signal: new AbortController().signal,
    })
    await offered('artifact show', 'artifact', { artifact: 'PLETED' }, { user: bob }).toEqual([id])
    const shownAs = typing('artifact show', 'artifact', { artifact: 'PLETED' }, { user: bob })
    await shownAs.firstAnswer()
    expect(shownAs.choices?.[0]?.name).toBe(`${id} · completed.tar · 1 B · user:${ada.id}`)
    for (const command of ['image inspect', 'artifact show'] as const) {
      const focused = command.slice(0, command.indexOf(' '))
      expect(await namesOf(typing(command, focused, {}, { user: bob, roles: [] }))).toEqual([])
    }
  })

  it('offers hosts, and the jobs that one started', async () => {
    await offered('host status', 'host', {}).toEqual(['local'])
    expect(await namesOf(typing('policy explain', 'action', { action: 'container.st' }))).toEqual([
      'container.start',
      'container.stats',
      'container.stop',
    ])
    const { jobs } = bot.room.actions
    const own = jobs.recent(LAB, 25).filter((job) => job.principal.endsWith(ada.id))
    await offered('job status', 'job', { job: 'export' }).toEqual(
      own.filter((job) => job.action === 'container.export').map((job) => job.id),
    )
    expect(await namesOf(typing('job status', 'job', {}, { user: bob }))).toEqual([])
  })

  it('offers cards by their titles in either language, and by the initials of the Chinese one', async () => {
    const zh = { locale: 'zh-CN', user: bob, roles: [] }
    const asked = (card: string) => typing('knowledge show', 'card', { card }, zh)
    await expect.poll(async () => (await namesOf(asked('rq'))).length, { timeout: 15_000 }).toBeGreaterThan(0)
    const offered = asked('rq')
    await offered.firstAnswer()
    expect(offered.choices?.[0]?.name).toMatch(/容器/)
    expect(offered.choices?.length).toBeLessThanOrEqual(25)
  })

  it('offers nothing that one may not list, and no error', async () => {
    expect(await namesOf(typing('container start', 'container', {}, { user: bob, roles: [] }))).toEqual([])
    expect(await namesOf(typing('host status', 'host', {}, { user: bob, roles: [IMPOSTORS] }))).toEqual([])
    const elsewhere = { guildId: ELSEWHERE, roles: [ELSEWHERE_ADMINS] }
    expect(await namesOf(typing('container start', 'container', {}, elsewhere))).toEqual([])
  })
})

describe('an engine that is down', () => {
  let dark: Bot
  beforeAll(async () => {
    dark = await startBot({ hosts: { dark: NOWHERE, light: inject('engineSocket') } })
  })
  afterAll(async () => {
    expect(dark.double.violations).toEqual([])
    await dark?.close()
  })

  it.each([
    ['en-US', /The engine on host "dark" does not answer/],
    ['zh-CN', /主机“dark”上的引擎没有响应/],
  ] as const)('is named in %s, with its code', async (locale, words) => {
    const who = { user: ada, roles: [OPERATORS], locale }
    for (const command of ['container start', 'container export']) {
      const asked = dark.double.slash({ ...who, command, options: { host: 'dark', container: 'web' } })
      const message = await answered(asked)
      expect(shown(message)).toMatch(words)
      expect(shown(message)).toContain('HOST_UNREACHABLE')
    }
  })

  it('does not hide what the others hold, nor keep completions waiting', async () => {
    const who = { user: ada, roles: [OPERATORS] }
    const container = await makeContainer(docker)
    const listed = await answered(
      dark.double.slash({ ...who, command: 'container list', options: { name: container.name } }),
    )
    expect(shown(listed)).toContain('Did not answer: dark')
    expect(shown(listed)).toContain(container.name)
    const offered = async (command: string, focused: string, typed: string) => {
      const asked = dark.double.autocomplete({ ...who, command, focused, options: { [focused]: typed } })
      await asked.firstAnswer()
      return asked.choices?.map(({ value }) => value)
    }
    await expect.poll(() => offered('host status', 'host', 'd'), { timeout: 15_000 }).toEqual(['dark'])
    await expect
      .poll(() => offered('container start', 'container', container.name), { timeout: 15_000 })
      .toEqual([container.name])
    const named = await answered(
      dark.double.slash({ ...who, command: 'container inspect', options: { container: 'x' } }),
    )
    expect(shown(named)).toContain('HOST_REQUIRED')
  })
})

describe('an engine that says nothing', () => {
  const server = createServer(() => undefined)
  const folder = mkdtempSync(join(tmpdir(), 'hc-silent-'))
  let silent: Bot
  beforeAll(async () => {
    const socketPath = join(folder, 'docker.sock')
    await new Promise<void>((resolve) => server.listen(socketPath, resolve))
    silent = await startBot({ hosts: { silent: socketPath } })
  })
  afterAll(async () => {
    expect(silent.double.violations).toEqual([])
    await silent?.close()
    server.close()
    rmSync(folder, { recursive: true })
  })

  it('keeps nobody waiting: completions are empty in time, and the command says who was silent', async () => {
    const who = { user: ada, roles: [OPERATORS] }
    const offered = silent.double.autocomplete({ ...who, command: 'container start', focused: 'container' })
    const asked = silent.double.slash({ ...who, command: 'container list', options: { host: 'silent' } })
    await offered.firstAnswer()
    expect(offered.choices).toEqual([])
    expect(offered.firstAnswerMs).toBeLessThan(2800)
    expect(asked.firstAnswerMs).toBeLessThan(1000)
    expect(shown(await answered(asked, 12_000))).toContain('HOST_UNREACHABLE')
  })
})

describe('when Discord fails', () => {
  it('does nothing at all for a command whose first answer was not taken', async () => {
    const container = await makeContainer(docker)
    const before = (await audited('container.list')).length
    bot.double.failNext({ method: 'POST', path: /callback/, status: 404 })
    const late = run('container list', { name: container.name })
    await expect.poll(() => bot.lines.some((line) => line.msg.includes('did not reach Discord'))).toBe(true)
    expect(late.callback).toBeNull()
    expect((await audited('container.list')).length).toBe(before)
  })

  it('waits out a rate limit on the edit', async () => {
    bot.double.failNext({ method: 'PATCH', path: /webhooks/, status: 429, retryAfter: 1 })
    expect(shown(await answered(run('host list')))).toContain('local')
  })

  it('shows a reply that was refused without its buttons', async () => {
    const container = await makeContainer(docker)
    bot.double.failNext({ method: 'PATCH', path: /webhooks/, status: 400 })
    const message = await answered(run('container inspect', { container: container.name }))
    expect(shown(message)).toContain(container.name)
    expect(buttonsOf(message)).toEqual([])
  })

  it('answers what came while the connection was cut', async () => {
    bot.double.gateway.drop()
    const asked = run('ask', { question: 'What is a container?' })
    expect(shown(await answered(asked, 15_000))).toContain('[1]')
  })

  it('never writes a token into its log', () => {
    const log = JSON.stringify(bot.lines)
    expect(log).not.toContain('a-token')
    expect(log).not.toMatch(/\/webhooks\/|\/interactions\/|aW50ZXJhY3Rpb24/)
  })
})
