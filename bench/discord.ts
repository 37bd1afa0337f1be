// How the bot stands up to a busy Discord: a hundred interactions a second for a minute, mixed, alone and then beside an
// export and an import. The whole server, against the double that the tests use; every answer is checked as Discord would.
// BENCH_SECONDS, BENCH_RATE and BENCH_TRANSPORT (gateway, http) change what is offered.
import { execFile } from 'node:child_process'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Locale } from 'discord-api-types/v10'
import type { Interaction, Message } from '../test/helpers/discord/double.js'
import { startDiscordDouble } from '../test/helpers/discord/double.js'
import { makeImage, startEngine, TEST_IMAGE } from '../test/helpers/engine.js'
import { makeCorpus } from './search-corpus.js'
import { readVocabulary } from './search-words.js'
import { serve } from './served.js'

const SECONDS = Number(process.env.BENCH_SECONDS ?? 60)
const RATE = Number(process.env.BENCH_RATE ?? 100)
const TRANSPORT = process.env.BENCH_TRANSPORT ?? 'gateway'
const EXPORT_MIB = Number(process.env.BENCH_MIB ?? 2048)
const PASSAGES = Number(process.env.BENCH_PASSAGES ?? 100_000)
const CONTAINERS = 20
/** So many that nobody of them meets a person's own limits. */
const PEOPLE = 2_000
const BARS = { alone: 250, busy: 1_000 } as const
/** Discord takes no first answer after this. */
const TOO_LATE_MS = 3_000

const APP = '110000000000000001'
const GUILD = '210000000000000001'
const OPERATORS = '310000000000000001'
const TOKEN = 'a-token'

const QUESTIONS = [
  'What is a type 1 hypervisor?',
  '什么是容器',
  'docker save 和 docker export 的区别',
  'how do I copy a file into a container',
  'KVM vs Xen',
  'what is virtio',
  '半虚拟化是什么意思',
  'who won the world cup in 1998',
] as const

const folder = mkdtempSync(join(tmpdir(), 'hc-bench-discord-'))
const engine = await startEngine()
await makeImage(engine.docker)
const double = await startDiscordDouble({
  token: TOKEN,
  applicationId: APP,
  guilds: [{ id: GUILD, name: 'Bench', roles: [{ id: OPERATORS, name: 'operators' }] }],
})
const served = await serve(
  folder,
  { here: `unix://${engine.socketPath}` },
  {
    guilds: [GUILD],
    settings: {
      // What was lost is counted here; a line for each would be most of the work.
      HYPERCALL_LOG_LEVEL: 'error',
      DISCORD_TOKEN: TOKEN,
      DISCORD_API: double.api,
      DISCORD_TRANSPORT: TRANSPORT,
      DISCORD_PUBLIC_KEY: double.http.publicKey,
      DISCORD_GUILDS: GUILD,
      DISCORD_ROLES: `operator=${OPERATORS}`,
    },
  },
)
if (TRANSPORT === 'http') double.http.to(`${served.url}/discord/interactions`)
await double.until(() => double.commands().length > 0, 60_000)
if (TRANSPORT === 'gateway') await double.ready(60_000)

async function containerOf(command: string) {
  const container = await engine.docker.createContainer({
    Image: TEST_IMAGE,
    Cmd: ['/bin/sh', '-c', command],
    HostConfig: { NetworkMode: 'none' },
  })
  await container.start()
  return container
}
console.log(`making ${CONTAINERS} containers and one of ${EXPORT_MIB} MiB …`)
for (let made = 0; made < CONTAINERS; made++) await containerOf('true')
const large = await containerOf(`dd if=/dev/urandom of=/srv/large bs=1M count=${EXPORT_MIB}`)
await large.wait()
console.log(`idle, the server holds ${Math.round(served.resident() / 1e6)} MB`)

const person = (n: number) => ({ id: String(410000000000000000n + BigInt(n % PEOPLE)), username: `p${n % PEOPLE}` })
const asked = (n: number) => ({
  user: person(n),
  guildId: GUILD,
  roles: [OPERATORS],
  locale: n % 2 ? Locale.ChineseCN : Locale.EnglishUS,
})

/** Cards whose buttons lead on. */
const cards: Message[] = []
for (let n = 0; n < 20; n++) {
  const choosing = double.slash({ ...asked(n), command: 'choose' })
  cards.push(await choosing.waitFor((message) => (message.components ?? []).length > 0))
}
const labelOf = (message: Message): string =>
  (message.components as { components: { label: string }[] }[])[0]?.components[0]?.label ?? ''

/** Of ten: five questions, two lists, two completions, one click. */
function offer(n: number): Interaction {
  const kind = n % 10
  if (kind < 5) {
    const question = QUESTIONS[Math.floor(n / 10) % QUESTIONS.length] ?? ''
    return double.slash({ ...asked(n), command: 'ask', options: { question } })
  }
  if (kind < 7) return double.slash({ ...asked(n), command: 'container list' })
  if (kind < 9) {
    const request = { ...asked(n), command: 'container start', focused: 'container', options: { container: '' } }
    return double.autocomplete(request)
  }
  const message = cards[Math.floor(n / 10) % cards.length] as Message
  return double.click({ ...asked(n), message, label: labelOf(message) })
}

/** Captions of pictures stand where codes do. */
const codeIn = (interaction: Interaction): string | undefined =>
  /^[A-Z_]+$/.exec(interaction.answer()?.embeds[0]?.footer?.text ?? '')?.[0]
const isFilled = (interaction: Interaction): boolean => {
  const message = interaction.answer()
  return interaction.choices !== null || (message !== null && message.embeds.length > 0)
}

async function offerAll(name: keyof typeof BARS): Promise<boolean> {
  const before = double.violations.length
  const offered: Interaction[] = []
  const from = performance.now()
  for (let n = 0; n < SECONDS * RATE; n++) {
    const due = from + (n * 1_000) / RATE
    if (performance.now() < due) await sleep(due - performance.now())
    offered.push(offer(n))
  }
  const late = performance.now() - from - SECONDS * 1_000
  await sleep(TOO_LATE_MS)
  for (let waited = 0; waited < 30 && !offered.every(isFilled); waited++) await sleep(1_000)
  const lost = offered.filter(({ callback }) => callback === null)
  const unfilled = offered.filter((one) => one.callback !== null && !isFilled(one))
  const times = offered.flatMap(({ firstAnswerMs }) => firstAnswerMs ?? []).sort((a, b) => a - b)
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
  const refused = new Map<string, number>()
  for (const one of offered) {
    const code = codeIn(one)
    if (code !== undefined) refused.set(code, (refused.get(code) ?? 0) + 1)
  }
  const violations = double.violations.slice(before)
  const p99 = at(0.99)
  const isGood = lost.length + unfilled.length + violations.length === 0 && p99 < BARS[name]
  console.log(
    `${name}: ${offered.length} offered in ${SECONDS} s (the last ${Math.max(0, Math.round(late))} ms late), ` +
      `${lost.length} lost, ${unfilled.length} begun and never filled, ${violations.length} that Discord would refuse\n` +
      `${name}: first answer p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${p99} ms (bar ${BARS[name]} ms), ` +
      `most ${times.at(-1)} ms; refusals shown: ${JSON.stringify(Object.fromEntries(refused))}; ` +
      `${isGood ? 'holds' : 'DOES NOT HOLD'}`,
  )
  for (const { where, rule, message } of violations.slice(0, 5)) console.log(`  ${where}: ${rule}: ${message}`)
  return isGood
}

/** A hundred thousand passages for the bot to take in meanwhile. @returns when they are in */
async function importing(file: string): Promise<void> {
  const args = ['-sS', '-H', `authorization: Bearer ${served.token}`, '-F', 'collection=bench', '-F', `file=@${file}`]
  const { stdout } = await promisify(execFile)('curl', [...args, `${served.url}/api/v1/knowledge/import`])
  const { added } = JSON.parse(stdout) as { added?: number }
  console.log(`imported ${added ?? stdout} passages meanwhile`)
}

const results = [await offerAll('alone')]
const corpus = join(folder, 'passages.jsonl')
const vocabulary = await readVocabulary()
await pipeline(
  Readable.from(
    (function* () {
      for (const passage of makeCorpus(PASSAGES, vocabulary).passages()) yield `${JSON.stringify(passage)}\n`
    })(),
  ),
  createWriteStream(corpus),
)
const beside = [
  importing(corpus),
  served.job('container.export', { host: 'here', container: large.id }).then(({ seconds }) => {
    console.log(`exported ${EXPORT_MIB} MiB meanwhile, in ${seconds.toFixed(1)} s`)
  }),
]
results.push(await offerAll('busy'))
await Promise.all(beside)
served.stop()
await double.close()
await engine.stop()
rmSync(folder, { recursive: true, force: true })
process.exit(results.every(Boolean) ? 0 : 1)
