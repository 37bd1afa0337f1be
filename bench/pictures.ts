// Pictures of the real replies, for docs/discord: the real bot on real engines, asked through the Discord double, and what
// the double then holds drawn by web components that look like Discord, in Chromium.
//
// Their code blocks are set in Noto Sans Mono CJK, in which a Chinese character is exactly two columns wide.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import { build } from 'esbuild'
import { type Browser, chromium } from 'playwright-core'
import type { Lang } from '../src/actions/index.js'
import { ada, type Bot, bob, LAB, OPERATORS, startBot, VIEWERS } from '../test/bot/discord/bot.js'
import type { Interaction } from '../test/helpers/discord/interaction.js'
import type { Message } from '../test/helpers/discord/messages.js'
import { openDoor } from '../test/helpers/door.js'
import { makeImage, startEngine, TEST_IMAGE } from '../test/helpers/engine.js'
import { requireProgram } from '../test/helpers/packages.js'
import { DEFAULT_POLICY, dockerHost } from '../test/helpers/room.js'
import { type Face, messageHtml, type Shown } from './discord-html.js'

const OUT = join(process.cwd(), 'docs', 'discord')
const SLEEPS = ['/bin/sh', '-c', 'trap exit TERM; while :; do sleep 1 & wait; done']
/** The first picture that is drawn needs its fonts read. */
const PATIENCE_MS = 60_000
const LOCALES = { en: 'en-US', zh: 'zh-CN' } as const

const avatar = (letter: string, color: string): string =>
  `data:image/svg+xml,${encodeURIComponent(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 80"><rect width="80" height="80" fill="${color}"/>` +
      `<text x="40" y="54" font-family="sans-serif" font-size="40" fill="#fff" text-anchor="middle">${letter}</text></svg>`,
  )}`
const cyd = { id: '410000000000000003', username: 'cyd' }
const FACES: Readonly<Record<string, Face>> = {
  [ada.id]: { name: 'Ada', avatar: avatar('A', '#b8336a') },
  [bob.id]: { name: 'Bob', avatar: avatar('B', '#2274a5') },
  [cyd.id]: { name: 'Cyd', avatar: avatar('C', '#6a994e') },
}
const HYPERCALL: Face = {
  name: 'Hypercall',
  avatar: `data:image/svg+xml,${encodeURIComponent(readFileSync('src/bot/web/favicon.svg', 'utf8'))}`,
}

/** Ada administers the server, Bob is an operator, Cyd may look. */
const admin = { user: ada, permissions: 8n }
const operator = { user: bob, roles: [OPERATORS] }
const viewer = { user: cyd, roles: [VIEWERS] }
type Person = typeof admin | typeof operator | typeof viewer

async function contain(docker: Docker, name: string, image: string, command: string[] | false = SLEEPS): Promise<void> {
  const [repo, tag] = image.split(/:(?=[^:]*$)/)
  await docker.getImage(TEST_IMAGE).tag({ repo: repo ?? '', tag: tag ?? '' })
  const made = await docker.createContainer({
    name,
    Image: image,
    Cmd: command === false ? SLEEPS : command,
    NetworkDisabled: true,
    HostConfig: { NetworkMode: 'none' },
  })
  if (command !== false) await made.start()
}

const isShown = (message: Message) => message.embeds.length > 0
const titled = (pattern: RegExp) => (message: Message) => pattern.test(message.embeds[0]?.title ?? '')
/** A progress of which something can be seen. */
const isMoving = ({ embeds }: Message) => /MiB\/s/.test(embeds[0]?.description ?? '')

/** All that is asked, one after the other, as people would. */
async function scenes(bot: Bot, lang: Lang): Promise<Shown[][]> {
  const { double } = bot
  const locale = LOCALES[lang]
  const ask = (who: Person, command: string, options: Record<string, string> = {}): Interaction =>
    double.slash({ ...who, command, options, locale })
  const shownOf = (who: Person, command: string, message: Message): Shown => ({
    message,
    asked: { by: FACES[who.user.id] as Face, command },
  })
  const scene = async (who: Person, command: string, options: Record<string, string> = {}): Promise<Shown[]> => [
    shownOf(who, command, await ask(who, command, options).waitFor(isShown, PATIENCE_MS)),
  ]

  const asked = await scene(operator, 'ask', {
    question: lang === 'zh' ? 'Docker 和虚拟机有什么区别？' : 'How does Docker differ from a virtual machine?',
  })
  const listed = await scene(operator, 'container list')
  const compared = await scene(operator, 'compare', { a: 'docker', b: 'kvm' })
  const refused = await scene(viewer, 'container stop', { host: 'build', container: 'web' })
  const confirming = await scene(operator, 'container start', { host: 'build', container: 'nightly-report' })

  // Production changes when another agrees: the request, and its asker called once Ada has agreed.
  const before = double.channel(LAB).length
  const held = ask(operator, 'container restart', { host: 'prod', container: 'shop', reason: 'a new certificate' })
  const announced = await double.until(() => held.followUps[0])
  const card = await held.waitFor(isShown, PATIENCE_MS)
  const approvals: Shown[] = [shownOf(operator, 'container restart', card), { message: announced }]
  double.click({ ...admin, message: announced, label: lang === 'zh' ? '同意' : 'Approve', locale })
  const called = await double.until(() =>
    double
      .channel(LAB)
      .slice(before)
      .find(({ content }) => content.startsWith(`<@${bob.id}>`)),
  )
  approvals.push({ message: called })

  const exporting = ask(operator, 'container export', { host: 'build', container: 'web', reason: 'backup' })
  const asking = await double.until(() => exporting.followUps[0])
  double.click({ ...admin, message: asking, label: lang === 'zh' ? '同意' : 'Approve', locale })
  await exporting.waitFor(({ embeds }) => /Approved by|已同意/.test(embeds[0]?.description ?? ''), PATIENCE_MS)
  const confirmed = double.click({ ...operator, message: exporting, label: lang === 'zh' ? '确认' : 'Confirm', locale })
  const progress = shownOf(operator, 'container export', await confirmed.waitFor(isMoving, PATIENCE_MS))
  const done = shownOf(operator, 'container export', await exporting.waitFor(titled(/Done|已完成/), 120_000))
  return [asked, listed, compared, confirming, [progress], [done], approvals, refused]
}

const STYLE = `
  body { margin: 0; font-family: 'Noto Sans CJK SC', sans-serif }
  #sheet { display: inline-flex; align-items: flex-start; padding: 8px; background: #36393e }
  #sheet.light { background: #fff }
  .column { width: 640px }
  discord-messages { border: 0 }
  .title { font-size: 16px; font-weight: 600; margin-bottom: 8px; color: #fff }
  .light .title { color: #060607 }
  .blank { height: 10px }
  .item b { display: inline-block; min-width: 16px }
  discord-embed-description, discord-message { overflow-wrap: anywhere }`

/** Their own style leaves the font of code to the browser. */
const SET_IN_MONO = `(() => {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync("code, pre { font-family: 'Noto Sans Mono CJK SC' !important }")
  const into = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (!element.shadowRoot) continue
      element.shadowRoot.adoptedStyleSheets = [...element.shadowRoot.adoptedStyleSheets, sheet]
      into(element.shadowRoot)
    }
  }
  into(document)
})()`

const names = new Map(Object.entries(FACES).map(([id, { name }]) => [id, name]))

async function draw(browser: Browser, program: string, columns: readonly Shown[][][], file: string): Promise<void> {
  const lang = file.startsWith('zh') ? 'zh' : 'en'
  const isLight = !file.includes('dark')
  const messages = (scene: Shown[]) =>
    `<discord-messages${isLight ? ' light-theme' : ''}>${scene
      .map((shown) => messageHtml(shown, HYPERCALL, { names, lang }))
      .join('')}</discord-messages>`
  const body = columns.map((column) => `<div class="column">${column.map(messages).join('')}</div>`).join('')
  const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } })
  // Nothing that is drawn comes from elsewhere.
  await page.route(/^https?:/, (route) => route.abort())
  await page.setContent(
    `<!doctype html><html lang="${LOCALES[lang]}"><style>${STYLE}</style>` +
      `<body><div id="sheet" class="${isLight ? 'light' : 'dark'}">${body}</div></body></html>`,
  )
  await page.addScriptTag({ content: program })
  await sleep(300)
  await page.evaluate(SET_IN_MONO)
  writeFileSync(join(OUT, file), await page.locator('#sheet').screenshot())
  await page.close()
}

const { outputFiles } = await build({
  stdin: { contents: `import '@skyra/discord-components-core'`, resolveDir: process.cwd() },
  bundle: true,
  write: false,
  format: 'iife',
})
const program = outputFiles[0]?.text ?? ''
mkdirSync(OUT, { recursive: true })

const engines = [await startEngine(), await startEngine()] as const
const door = await openDoor(engines[0].socketPath, 16 * 1024)
const browser = await chromium.launch({
  executablePath: requireProgram('chromium'),
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--font-render-hinting=none'],
})
try {
  const [build, prod] = engines
  for (const { docker } of engines) await makeImage(docker)
  await contain(build.docker, 'web', 'nginx:1.29', [
    '/bin/sh',
    '-c',
    `dd if=/dev/urandom of=/srv/site bs=1M count=24; ${SLEEPS[2]}`,
  ])
  await contain(build.docker, 'web-cache', 'redis:8')
  await contain(build.docker, 'nightly-report', 'ghcr.io/team/report:2.4', false)
  await contain(prod.docker, 'shop', 'ghcr.io/team/shop:7.0.3')
  await contain(prod.docker, 'shop-db', 'postgres:17')
  await sleep(3_000)
  for (const lang of ['en', 'zh'] as const) {
    const bot = await startBot({
      hosts: [
        { ...dockerHost('build', door.path, [LAB]), labels: { env: 'dev' } },
        { ...dockerHost('prod', prod.socketPath, [LAB]), labels: { env: 'prod' } },
      ],
      policy: DEFAULT_POLICY,
    })
    try {
      const all = await scenes(bot, lang)
      const [asked = [], listed = [], , confirming = []] = all
      for (const theme of ['light', 'dark']) {
        await draw(browser, program, [all.slice(0, 3), all.slice(3)], `${lang}-${theme}.png`)
      }
      // For the README: an answer, and how an action is asked about.
      if (lang === 'en') await draw(browser, program, [[asked], [listed, confirming]], 'replies.png')
      if (bot.double.violations.length > 0) throw new Error(JSON.stringify(bot.double.violations))
    } finally {
      await bot.close()
    }
  }
} finally {
  await browser.close()
  await door.close()
  for (const engine of engines) await engine.stop()
}
