// The page in a real browser, against the whole product and a real engine.
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import Docker from 'dockerode'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { extract } from 'tar-stream'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { loadRegistry } from '../../src/actions/index.js'
import { openDatabase } from '../../src/bot/database.js'
import { openCredentialStore } from '../../src/bot/http/credential-store.js'
import { openCredentials } from '../../src/bot/http/credentials.js'
import { openKnowledge } from '../../src/knowledge/base.js'
import { type Door, openDoor } from '../helpers/door.js'
import { makeContainer, TEST_IMAGE } from '../helpers/engine.js'
import { requireProgram } from '../helpers/packages.js'
import { startServer, type TestServer } from '../helpers/server.js'

const socketPath = inject('engineSocket')
const docker = new Docker({ socketPath })
const BUILD = new URL('../../scripts/build-page.mjs', import.meta.url).href
const CARDS = new URL('../../data/knowledge', import.meta.url).pathname

let webFolder: string
let door: Door
let server: TestServer
let browser: Browser
let cookies: Awaited<ReturnType<BrowserContext['cookies']>>
const contexts: BrowserContext[] = []
/** Whatever a browser complains about that is no answer of ours. */
const complaints: string[] = []

beforeAll(async () => {
  webFolder = mkdtempSync(join(tmpdir(), 'hc-page-'))
  const { buildPage } = (await import(BUILD)) as { buildPage(outFolder: string): Promise<void> }
  await buildPage(webFolder)
  // An export through it takes long enough to be watched.
  door = await openDoor(socketPath, 16 * 1024)
  server = await startServer({ DOCKER_HOST: `unix://${door.path}` }, webFolder)
  browser = await chromium.launch({
    executablePath: requireProgram('chromium'),
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  })
  const page = await visit(server.loginUrl, {}, [])
  await box(page).waitFor()
  cookies = await page.context().cookies()
})

afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close()
  expect(complaints.splice(0)).toEqual([])
})

afterAll(async () => {
  await browser.close()
  await server.close()
  await door.close()
  rmSync(webFolder, { recursive: true, force: true })
})

async function visit(url: string, options: BrowserContextOptions, signedInBy = cookies): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-US', ...options })
  contexts.push(context)
  context.setDefaultTimeout(10_000)
  await context.addCookies(signedInBy)
  const page = await context.newPage()
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    // A refused call is an answer; the browser reports its status as an error all the same.
    if (message.type() === 'error' && !/^Failed to load resource/.test(message.text())) complaints.push(message.text())
  })
  await page.goto(url)
  return page
}

/** A fresh page of someone who is signed in. */
async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const page = await visit(server.url, options)
  await box(page).waitFor()
  return page
}

const box = (page: Page) => page.getByRole('textbox', { name: /Ask a question|提问/ })
const log = (page: Page) => page.getByRole('log')
const last = (page: Page) => page.locator('.exchange').last()
const button = (page: Page, name: string) => last(page).getByRole('button', { name, exact: true })

const hasFocus = async (page: Page): Promise<boolean> => (await page.locator('textarea:focus').count()) === 1

// What runs in the browser is text here: this side knows no DOM.
const TOO_WIDE = `[document.documentElement, ...document.querySelectorAll('body *')]
  .filter((element) => element.getBoundingClientRect().right > 360.5 && !element.closest('.unseen, thead, pre'))
  .map((element) => element.tagName + '.' + element.className)`
const DROPPED = `(() => {
  const data = new DataTransfer()
  data.items.add(new File(['x'], 'dropped.txt', { type: 'text/plain' }))
  return data
})()`

async function say(page: Page, line: string): Promise<void> {
  await box(page).fill(line)
  await page.getByRole('button', { name: /^(Send|发送)$/ }).click()
}

const codeOf = async (response: Response) => ((await response.json()) as { error?: { code: string } }).error?.code

/** A link that works once, as `hypercall login` makes it. */
function freshLogin({ stateFolder, url } = server): string {
  const db = openDatabase(stateFolder)
  try {
    return `${url}/#login=${openCredentials(openCredentialStore(db), Date.now).createLogin()}`
  } finally {
    db.close()
  }
}

const stateOf = async (container: Docker.Container): Promise<string> => (await container.inspect()).State.Status

/** A container whose export takes seconds. */
async function makeBig() {
  const container = await makeContainer(docker)
  const exec = await container.exec({ Cmd: ['/bin/sh', '-c', 'dd if=/dev/urandom of=/srv/big bs=1M count=48'] })
  const output = await exec.start({})
  await new Promise((resolve) => output.on('end', resolve).resume())
  return container
}

describe('signing in', () => {
  it('takes the token out of the address bar, and the link works once', async () => {
    const link = freshLogin()
    const page = await visit(link, {}, [])
    await box(page).waitFor()
    expect(page.url()).toBe(`${server.url}/`)
    await page.reload()
    await box(page).waitFor()

    const other = await visit(link, {}, [])
    await other.getByRole('alert').filter({ hasText: 'already used' }).waitFor()
    expect(other.url()).toBe(`${server.url}/`)
  })

  it('says how to get a link, and takes one that is pasted', async () => {
    const page = await visit(server.url, {}, [])
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect(await page.locator('.sign-in-card pre').textContent()).toBe('hypercall login')
    await page.getByRole('textbox').fill('nonsense')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'Get a fresh one' }).waitFor()
    await page.getByRole('textbox').fill(freshLogin())
    await page.keyboard.press('Enter')
    await box(page).waitFor()
  })

  it('asks again when the session ends, and keeps what was said', async () => {
    const page = await visit(freshLogin(), {}, [])
    await say(page, '/host list')
    await last(page).getByRole('table').waitFor()
    await page.context().clearCookies()
    await say(page, '/host list')
    await page.getByRole('alert').filter({ hasText: 'session has ended' }).waitFor()
    await page.getByRole('textbox').fill(freshLogin())
    await page.keyboard.press('Enter')
    await box(page).waitFor()
    expect(await log(page).getByRole('table').count()).toBe(1)
  })

  it('is over when the person leaves', async () => {
    const page = await visit(freshLogin(), {}, [])
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  })
})

describe('a question', () => {
  it('is answered in English with its sources', async () => {
    const page = await open()
    await say(page, 'How does Docker differ from a virtual machine?')
    await last(page).locator('.sources li').first().waitFor()
    expect(await last(page).locator('.citation').count()).toBeGreaterThan(0)
    expect(await last(page).locator('.prose').textContent()).toMatch(/kernel/i)
  })

  it('is answered in Chinese with its sources', async () => {
    const page = await open({ locale: 'zh-CN' })
    await say(page, 'Docker 和虚拟机有什么区别？')
    await last(page).locator('.sources li').first().waitFor()
    expect(await last(page).locator('.prose').textContent()).toContain('内核')
  })

  it('gets an honest "I do not know" with the nearest topics to click', async () => {
    const page = await open()
    await say(page, 'What is the best recipe for pancakes?')
    await last(page).getByRole('heading', { name: "I don't know" }).waitFor()
  })

  it('can be one of the examples', async () => {
    const page = await open()
    await page.getByRole('button', { name: 'How do I copy a file into a container?' }).click()
    await last(page).locator('.sources li').first().waitFor()
  })
})

describe('a command', () => {
  it('lists containers as a table', async () => {
    const { name } = await makeContainer(docker)
    const page = await open()
    await say(page, `/container list name:${name}`)
    const table = last(page).getByRole('table')
    await table.waitFor()
    expect(await table.getByRole('columnheader').allInnerTexts()).toEqual(['Host', 'Name', 'Id', 'Image', 'Status'])
    expect(await table.getByRole('cell', { name, exact: true }).count()).toBe(1)
  })

  it('is asked about before it changes anything, and runs when it is confirmed', async () => {
    const container = await makeContainer(docker, { start: false })
    const page = await open()
    await say(page, `/container start ${container.name}`)
    await last(page).getByRole('heading', { name: 'Please confirm' }).waitFor()
    expect(await last(page).getByRole('timer').textContent()).toMatch(/^Expires in (2:00|1:5\d)$/)
    expect(await stateOf(container)).toBe('created')
    await button(page, 'Confirm').click()
    await last(page).getByRole('heading', { name: 'Started' }).waitFor()
    expect(await stateOf(container)).toBe('running')

    // The view's own buttons make further calls, and show which.
    await button(page, 'Inspect').click()
    await last(page).getByText('No mounts').waitFor()
    expect(await last(page).locator('.said').textContent()).toMatch(
      /^\/container inspect host:local container:[0-9a-f]{12}$/,
    )
  })

  it('does nothing when it is cancelled', async () => {
    const container = await makeContainer(docker, { start: false })
    const page = await open()
    await say(page, `/container start ${container.name}`)
    const withdrawn = page.waitForResponse('**/page/withdraw')
    await button(page, 'Cancel').click()
    await last(page).getByText('Cancelled; nothing was done.').waitFor()
    expect((await withdrawn).status()).toBe(200)
    expect(await stateOf(container)).toBe('created')
  })

  it('offers to ask again when the time for a yes is over', async () => {
    const container = await makeContainer(docker, { start: false })
    const page = await open()
    await page.clock.install()
    await say(page, `/container start ${container.name}`)
    await button(page, 'Confirm').waitFor()
    await page.clock.fastForward('02:01')
    await last(page).getByText('Expired; nothing was done.').waitFor()
    await button(page, 'Ask again').click()
    await page.clock.runFor(1000)
    await button(page, 'Confirm').waitFor()
    expect(await log(page).locator('.exchange').count()).toBe(2)
  })

  it('leads through a choice with buttons, to a recommendation and a comparison', async () => {
    const page = await open()
    await box(page).fill('/choose')
    await page.getByRole('button', { name: 'Send' }).click()
    for (let number = 1; number <= 5; number++) {
      await last(page)
        .getByRole('heading', { name: `Question ${number}/5` })
        .waitFor()
      await last(page).getByRole('button').first().click()
    }
    await last(page).getByRole('heading', { name: 'Recommended:' }).waitFor()
    await last(page).getByRole('button', { name: 'Compare these' }).click()
    await last(page).getByRole('table').waitFor()
    expect(await last(page).getByRole('row').count()).toBeGreaterThan(8)
  })

  it('begins with the command that a file is for', async () => {
    const page = await open()
    const attached = {
      name: 'Notes.MD',
      mimeType: 'text/markdown',
      buffer: Buffer.from('# Kelp\n\nKelp is seaweed.\n'),
    }
    await page.locator('input[type=file]').setInputFiles(attached)
    await expect.poll(() => box(page).inputValue()).toBe('/knowledge import ')
    await page.getByRole('button', { name: 'Send' }).click()
    await last(page).getByRole('heading', { name: 'Imported' }).waitFor()
    await box(page).fill('What is kelp?')
    await page.getByRole('button', { name: 'Send' }).click()
    await last(page).getByText('Kelp is seaweed.').waitFor()
  })

  it('takes the file that was attached', async () => {
    const container = await makeContainer(docker)
    const page = await open()
    const content = Buffer.from('key: 值\n')
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'settings.yaml', mimeType: 'text/yaml', buffer: content })
    // The one command that is for such a file is already begun.
    await expect.poll(() => box(page).inputValue()).toBe('/container copy-in ')
    await box(page).pressSequentially(`${container.name} /srv/`)
    await page.getByRole('button', { name: 'Send' }).click()
    await button(page, 'Confirm').click()
    await last(page).getByRole('heading', { name: 'Copied in' }).waitFor()
    const sha256 = createHash('sha256').update(content).digest('hex')
    expect(await last(page).getByText(sha256).count()).toBe(1)

    const tar = await container.getArchive({ path: '/srv/settings.yaml' })
    const entries = tar.pipe(extract())
    let found = Buffer.alloc(0)
    for await (const entry of entries) for await (const chunk of entry) found = Buffer.concat([found, chunk as Buffer])
    expect(found).toEqual(content)
  })

  it('takes a file that is dropped on the page, and lets go of it again', async () => {
    const page = await open()
    const transfer = await page.evaluateHandle(DROPPED)
    await page.locator('main').dispatchEvent('dragenter', { dataTransfer: transfer })
    await page.getByText('Drop the file to attach it').waitFor()
    await page.locator('main').dispatchEvent('drop', { dataTransfer: transfer })
    await page.getByText('dropped.txt').waitFor()
    await page.getByRole('button', { name: 'Remove dropped.txt' }).click()
    expect(await page.getByText('dropped.txt').count()).toBe(0)
  })

  it('that is unknown gets a card with the code, what to do, and the line back', async () => {
    const page = await open()
    await say(page, '/container frobnicate')
    await last(page).getByText('ACTION_UNKNOWN').waitFor()
    await last(page).getByText('There is no command "/container frobnicate". Type / to see what there is.').waitFor()
    await button(page, 'Edit').click()
    expect(await box(page).inputValue()).toBe('/container frobnicate')
  })

  it('that cannot reach the server says so, and is tried again', async () => {
    const page = await open()
    await page.context().setOffline(true)
    await say(page, '/host list')
    await last(page).getByText('Hypercall does not answer').waitFor()
    await page.context().setOffline(false)
    await button(page, 'Try again').click()
    await last(page).getByRole('table').waitFor()
  })

  it('that takes too long is stopped, and can be tried again', async () => {
    const page = await open()
    await page.route('**/page/call', () => undefined)
    await say(page, '/host list')
    await button(page, 'Stop').click()
    await last(page).getByText('Stopped before an answer came').waitFor()
    await page.unroute('**/page/call')
    await button(page, 'Try again').click()
    await last(page).getByRole('table').waitFor()
  })

  it('is explained by /help, with every field', async () => {
    const page = await open()
    await say(page, '/help')
    const { actions } = await loadRegistry()
    const names = await last(page).locator('.command-name').allInnerTexts()
    expect(names).toEqual(actions.map(({ name }) => `/${name.replace('.', ' ')}`))
    const fields = await last(page).locator('.command-fields dt > code').allInnerTexts()
    expect(fields).toEqual(actions.flatMap((action) => action.fields.map((field) => field.name)))
    await say(page, '/help container start')
    expect(await last(page).locator('.command-name').allInnerTexts()).toEqual(['/container start'])
  })
})

describe('a job', () => {
  it('is followed by itself, from progress to a link that downloads the right bytes', async () => {
    const { name } = await makeBig()
    const page = await open()
    await say(page, `/container export ${name}`)
    await button(page, 'Confirm').click()
    const bar = last(page).getByRole('progressbar')
    await bar.waitFor()
    const first = await bar.getAttribute('aria-valuetext')
    await expect.poll(() => bar.getAttribute('aria-valuetext'), { timeout: 10_000 }).not.toBe(first)
    await last(page).getByRole('heading', { name: 'Done' }).waitFor({ timeout: 20_000 })
    const downloading = page.waitForEvent('download')
    await last(page)
      .getByRole('link', { name: `${name}.tar` })
      .click()
    const path = await (await downloading).path()
    const sha256 = createHash('sha256')
      .update(await readFile(path))
      .digest('hex')
    expect(await last(page).locator('.literal').textContent()).toBe(sha256)
  })

  it('is cancelled where its card stands', async () => {
    const { name } = await makeBig()
    const page = await open()
    await say(page, `/container export ${name}`)
    await button(page, 'Confirm').click()
    await last(page).getByRole('progressbar').waitFor()
    await button(page, 'Cancel').click()
    await last(page).getByRole('heading', { name: 'Cancelled' }).waitFor()
    expect(await log(page).locator('.exchange').count()).toBe(1)
  })

  it('is found again after the page was reloaded', async () => {
    const { name } = await makeBig()
    const page = await open()
    await say(page, `/container export ${name}`)
    await button(page, 'Confirm').click()
    await last(page).getByRole('progressbar').waitFor()
    await page.reload()
    await last(page)
      .getByRole('link', { name: `${name}.tar` })
      .waitFor({ timeout: 20_000 })
    await page.reload()
    await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor()
  })
})

describe('the keyboard', () => {
  it('is enough: complete, send, confirm, and be back in the box', async () => {
    const container = await makeContainer(docker, { start: false })
    const page = await open()
    expect(await hasFocus(page)).toBe(true)
    await page.keyboard.type('/container sta')
    await page.getByRole('option', { name: '/container start', selected: true }).waitFor()
    await page.keyboard.press('Enter')
    expect(await box(page).inputValue()).toBe('/container start ')
    await page.keyboard.type(container.name.slice(0, -1))
    await page.getByRole('option', { name: container.name }).waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Tab')
    expect(await box(page).inputValue()).toBe(`/container start ${container.name} `)
    await page.keyboard.press('Escape')
    await page.keyboard.press('Enter')
    await button(page, 'Confirm').waitFor()
    await page.keyboard.press('Tab')
    await expect.poll(() => page.locator(':focus').textContent()).toBe('Confirm')
    await page.keyboard.press('Enter')
    await last(page).getByRole('heading', { name: 'Started' }).waitFor()
    expect(await stateOf(container)).toBe('running')
    expect(await hasFocus(page)).toBe(true)
  })

  it('breaks lines, brings earlier ones back, and closes the list', async () => {
    const page = await open()
    await say(page, '/host list')
    await box(page).focus()
    await page.keyboard.type('one')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('two')
    expect(await box(page).inputValue()).toBe('one\ntwo')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Home')
    await page.keyboard.press('ArrowUp')
    expect(await box(page).inputValue()).toBe('/host list')
    await page.keyboard.press('ArrowDown')
    expect(await box(page).inputValue()).toBe('one\ntwo')
    await box(page).fill('')
    await page.keyboard.type('/')
    await page.getByRole('listbox').waitFor()
    await page.keyboard.press('Escape')
    expect(await page.getByRole('listbox').count()).toBe(0)
    expect(await box(page).inputValue()).toBe('/')
  })

  it('completes fields and their fixed values', async () => {
    const page = await open()
    await page.keyboard.type('/container list st')
    await page.getByRole('option', { name: 'status:' }).waitFor()
    await page.keyboard.press('Tab')
    expect(await box(page).inputValue()).toBe('/container list status:')
    await page.keyboard.type('ex')
    await page.getByRole('option', { name: 'exited' }).waitFor()
    await page.keyboard.press('Tab')
    expect(await box(page).inputValue()).toBe('/container list status:exited ')
    await page.keyboard.type('host:')
    await page.getByRole('option', { name: 'local' }).waitFor()
    await box(page).fill('')
    await page.keyboard.type('/image inspect test/b')
    await page.getByRole('option', { name: TEST_IMAGE }).waitFor()
  })

  it('does not send the Enter that ends a word in an input method', async () => {
    const page = await open()
    await box(page).fill('什么是')
    await box(page).dispatchEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true })
    expect(await box(page).inputValue()).toBe('什么是')
    expect(await log(page).locator('.exchange').count()).toBe(0)
  })

  it('reaches the box from anywhere by a slash', async () => {
    const page = await open()
    await page.getByRole('button', { name: 'Sign out' }).focus()
    await page.keyboard.press('/')
    expect(await box(page).inputValue()).toBe('/')
    await page.getByRole('listbox').waitFor()
  })
})

describe('the looks', () => {
  it('fit 360 pixels without scrolling sideways', async () => {
    const { name } = await makeContainer(docker)
    for (const locale of ['en-US', 'zh-CN']) {
      const page = await open({ locale, viewport: { width: 360, height: 640 } })
      const tooWide = () => page.evaluate<string[]>(TOO_WIDE)
      expect(await tooWide()).toEqual([])
      await say(page, `/container list name:${name}`)
      await last(page).getByText(name, { exact: true }).waitFor()
      await say(page, `/container inspect ${name}`)
      await last(page).getByRole('heading', { name }).waitFor()
      await say(page, '/help')
      await say(page, `/container export ${name}`)
      await button(page, locale === 'en-US' ? 'Confirm' : '确认').waitFor()
      await say(page, '/container frobnicate-with-a-very-long-name-that-has-no-place-to-break-anywhere-in-it')
      await last(page).getByText('ACTION_UNKNOWN').waitFor()
      await box(page).pressSequentially('/container ')
      await page.getByRole('listbox').waitFor()
      expect(await tooWide()).toEqual([])
    }
  })

  const groundOf = (page: Page) => page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor')

  it('follow the system, until the person chooses', async () => {
    const page = await open({ colorScheme: 'dark' })
    const dark = await groundOf(page)
    await page.getByRole('button', { name: 'Light colours' }).click()
    await expect.poll(() => groundOf(page)).not.toBe(dark)
    const light = await groundOf(page)
    await page.reload()
    await box(page).waitFor()
    expect(await groundOf(page)).toBe(light)

    const follower = await open({ colorScheme: 'light' })
    expect(await groundOf(follower)).toBe(light)
    await follower.emulateMedia({ colorScheme: 'dark' })
    await expect.poll(() => groundOf(follower)).toBe(dark)
  })

  it('speak the language of the browser, until the person chooses; so do commands and errors', async () => {
    const page = await open({ locale: 'zh-CN' })
    expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN')
    await say(page, '/host list')
    await last(page).getByRole('columnheader', { name: '主机' }).waitFor()
    await say(page, '/frobnicate')
    await last(page).getByText('没有名为“/frobnicate”的命令').waitFor()
    await page.getByRole('button', { name: 'Switch to English' }).click()
    expect(await page.locator('html').getAttribute('lang')).toBe('en')
    await say(page, '/host list')
    await last(page).getByRole('columnheader', { name: 'Host' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor()
  })

  it('stay still for those who asked for less motion', async () => {
    const page = await open({ reducedMotion: 'reduce' })
    await say(page, '/help')
    expect(await page.evaluate(`getComputedStyle(document.querySelector('.exchange')).animationName`)).toBe('none')
  })
})

describe('hostile text', () => {
  const IMAGE = '<img src=x onerror="window.hacked=1">'
  const isHacked = (page: Page) => page.evaluate<boolean>(`'hacked' in window`)

  it('in a container or in what is typed is shown, not run', async () => {
    const { name } = await makeContainer(docker, { command: `sleep 60 '${IMAGE}'`, env: [`${IMAGE}=1`] })
    const page = await open()
    await say(page, `/container inspect ${name}`)
    await last(page).getByText('onerror').first().waitFor()
    await say(page, `/${IMAGE}`)
    await last(page).getByText('ACTION_UNKNOWN').waitFor()
    expect(await log(page).locator('img[src="x"]').count()).toBe(0)
    expect(await isHacked(page)).toBe(false)
  })

  it('A73: in an answer, had it come so far, is shown, not run', async () => {
    const page = await open()
    await page.route('**/page/call', async (route) => {
      const response = await route.fetch()
      const markdown = [
        `Before ${IMAGE} <b>bold</b> [trap](javascript:window.hacked=1) [place](/d/x) ![spy](https://spy.invalid/p.png)`,
        '<script>window.hacked = 1</script>',
        '| a |\n|---|\n| [web](https://kernel.org) |',
      ].join('\n\n')
      const blocks = [
        { kind: 'prose', markdown },
        { kind: 'link', label: 'lure', url: 'javascript:window.hacked=1' },
      ]
      const answer = (await response.json()) as { view: object }
      await route.fulfill({ response, json: { ...answer, view: { ...answer.view, blocks } } })
    })
    await say(page, 'What is KVM?')
    const prose = last(page).locator('.prose')
    await prose.getByText('Before').waitFor()
    expect(await prose.locator('img, script, b').count()).toBe(0)
    await prose.getByText('trap').click()
    await last(page).getByText('lure').click()
    expect(await isHacked(page)).toBe(false)
    // What leads out of the page opens beside it, and nothing else is a link.
    const links = prose.getByRole('link')
    expect(await links.allTextContents()).toEqual(['spy', 'web'])
    expect(await links.last().getAttribute('rel')).toBe('noopener noreferrer')
    expect(await last(page).getByRole('link', { name: 'lure' }).count()).toBe(0)
  })

  it('in a knowledge card is shown, not run, and its links and images lead nowhere', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hc-cards-'))
    const db = new Sqlite(join(server.stateFolder, 'knowledge.db'), { timeout: 5_000 })
    try {
      const card = [
        ...['---', 'id: zorblax', 'title: "Zorblax"', 'aliases: ["zorblax"]', 'tags: [test]', 'systems: []'],
        ...['level: intro', '---', ''],
        `Zorblax is ${IMAGE} a [trap](javascript:window.hacked=1) and ![spy](https://spy.invalid/pixel.png) for readers.`,
        '',
      ].join('\n')
      for (const lang of ['en', 'zh']) mkdirSync(join(folder, lang))
      writeFileSync(join(folder, 'en', 'zorblax.md'), card)
      const knowledge = openKnowledge(db)
      expect((await knowledge.ingest(folder)).problems).toEqual([])
      const page = await open()
      await say(page, 'What is Zorblax?')
      const prose = last(page).locator('.prose')
      await prose.getByText('for readers').waitFor()
      expect(await prose.locator('img').count()).toBe(0)
      expect(await prose.locator('a[href^="javascript"]').count()).toBe(0)
      await prose.getByText('trap').click()
      expect(await isHacked(page)).toBe(false)
    } finally {
      await openKnowledge(db).ingest(CARDS)
      db.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe("the page's own routes", () => {
  const post = (body: object): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  it('are closed to who is not signed in, but for the files', async () => {
    expect((await fetch(`${server.url}/`)).status).toBe(200)
    expect((await fetch(`${server.url}/page/commands`)).status).toBe(401)
    for (const path of ['call', 'withdraw', 'complete']) {
      expect((await fetch(`${server.url}/page/${path}`, post({}))).status).toBe(401)
    }
  })

  it('serve files that are checked for news at every visit, and nothing beside them', async () => {
    const first = await fetch(`${server.url}/page/page.js`)
    expect(first.headers.get('cache-control')).toBe('no-cache')
    const etag = first.headers.get('etag') ?? ''
    expect(etag).not.toBe('')
    await first.text()
    expect((await fetch(`${server.url}/page/..%2fpackage.json`)).status).toBe(404)
    expect((await fetch(`${server.url}/page/nothing.js`)).status).toBe(404)
  })

  it('complete with the rights of who asks', async () => {
    const { name } = await makeContainer(docker)
    const question = post({ action: 'container.start', field: 'container', typed: name, input: {} })
    interface Completed {
      readonly choices: readonly { value: string; label: string }[]
    }
    const asViewer = async (asked: RequestInit): Promise<Completed['choices']> =>
      ((await (await server.as('viewer')('/page/complete', asked)).json()) as Completed).choices
    const soon = { timeout: 15_000, interval: 300 }
    await expect.poll(async () => (await asViewer(question)).map(({ value }) => value), soon).toEqual([name])
    const asNobody = await server.as('nobody')('/page/complete', question)
    expect(await asNobody.json()).toEqual({ choices: [] })
    const image = post({ action: 'image.inspect', field: 'image', typed: 'TEST/base', input: { host: 'local' } })
    const shown = { value: TEST_IMAGE, label: expect.stringMatching(/^[0-9a-f]{12} · .* · local$/) }
    await expect.poll(() => asViewer(image), soon).toEqual([shown])
    expect(await (await server.as('nobody')('/page/complete', image)).json()).toEqual({ choices: [] })
  })

  it('refuse what is no call', async () => {
    const call = server.as('admin')
    expect(await codeOf(await call('/page/call', post({})))).toBe('INVALID_INPUT')
    expect(await codeOf(await call('/page/call', post({ line: 'a', action: 'ask' })))).toBe('INVALID_INPUT')
    expect(await codeOf(await call('/page/call', post({ line: 7 })))).toBe('INVALID_INPUT')
    expect(await codeOf(await call('/page/call', post({ line: 'a', also: 1 })))).toBe('INVALID_INPUT')
    const form = new FormData()
    form.set('call', 'not JSON')
    expect(await codeOf(await call('/page/call', { method: 'POST', body: form }))).toBe('INVALID_INPUT')
    expect(await codeOf(await call('/page/withdraw', post({ token: 'nonsense' })))).toBe('CONFIRMATION_EXPIRED')
    expect(
      await codeOf(await call('/page/complete', post({ action: 'no.such', field: 'x', typed: '', input: {} }))),
    ).toBe('ACTION_UNKNOWN')
  })
})

describe('a call that waits for others', () => {
  const POLICY = `
    permit (principal, action in Action::"read", resource);
    permit (principal, action in [Action::"approval.give", Action::"approval.decline"], resource);
    @confirm("It costs money.") @approve("role:boss") permit (principal is Local, action == Action::"container.start", resource);
    @confirm("It ends the day.") @approve("role:admin") permit (principal is Token, action == Action::"container.start", resource);`
  let folder: string
  let strict: TestServer
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hc-policy-'))
    writeFileSync(join(folder, 'policy.cedar'), POLICY)
    const settings = { DOCKER_HOST: `unix://${socketPath}`, HYPERCALL_POLICY: join(folder, 'policy.cedar') }
    strict = await startServer(settings, webFolder)
  })
  afterAll(async () => {
    await strict.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('can be agreed to on the page, and is then confirmed over REST', async () => {
    const { name } = await makeContainer(docker, { start: false })
    const call = strict.as('anything')
    const start = (more: object = {}) =>
      call('/api/v1/container/start', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ container: name, ...more }),
      })
    const held = await start()
    expect(held.status).toBe(409)
    const { error } = (await held.json()) as {
      error: { code: string; message: string; details: { confirm: string; approval: string; needed: string } }
    }
    const { confirm, approval } = error.details
    expect(error).toMatchObject({ code: 'APPROVAL_REQUIRED', details: { needed: '1 × admin' } })
    expect(error.message).toContain(`/approval give ${approval}`)
    expect(await codeOf(await start({ confirm }))).toBe('APPROVAL_PENDING')
    expect((await call(`/api/v1/approval/show?approval=${approval}`)).status).toBe(200)

    const page = await visit(strict.loginUrl, {}, [])
    await box(page).waitFor()
    await say(page, '/approval list')
    await last(page).getByText('1 × admin').waitFor()
    await last(page)
      .getByRole('button', { name: /^[0-9a-f]{6} / })
      .click()
    await last(page).getByText('It ends the day.').waitFor()
    await button(page, 'Approve').click()
    await last(page)
      .getByText(/approved; .* can confirm it now/)
      .waitFor()
    expect((await start({ confirm })).status).toBe(200)
  })

  it('is told to be early on the page, where it can still be confirmed', async () => {
    const { name } = await makeContainer(docker, { start: false })
    const page = await visit(freshLogin(strict), {}, [])
    await box(page).waitFor()
    await say(page, `/container start ${name}`)
    await last(page)
      .getByText(/Others must agree first: 1 × boss/)
      .waitFor()
    await button(page, 'Confirm').click()
    await last(page).getByRole('alert').filter({ hasText: 'Not yet: 1 × boss must still agree' }).waitFor()
    await button(page, 'Confirm').waitFor()
    await button(page, 'Cancel').click()
    await last(page).getByText('nothing was done').waitFor()
  })
})
