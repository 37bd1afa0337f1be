// What the whole bot holds while nothing happens: the server as it is started, connected to a Discord and to an engine that run
// here, with the cards that ship; once after its start, and once more after it was used.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PermissionFlagsBits } from 'discord-api-types/v10'
import { startDiscordDouble } from '../test/helpers/discord/double.js'
import { startEngine } from '../test/helpers/engine.js'

const BIN = join(process.cwd(), 'bin', 'hypercall.mjs')
const MOST_MB = 150
/** The threads of the knowledge base end after two minutes. */
const IDLE_MS = Number(process.env.BENCH_IDLE_SECONDS ?? 150) * 1000
const GUILD = '300000000000000001'
const USER = { id: '400000000000000001', username: 'ann' }

const MIB = 1024 * 1024
const mib = (bytes: number): string => (bytes / MIB).toFixed(1)

/** A field of a file of /proc, in bytes. */
function field(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? Number.NaN) * 1024
}

/** What a mapping is, by its line in /proc/PID/smaps. */
function kindOf(line: string): string {
  const [, mode = '', , , , path = ''] = line.split(/\s+/)
  if (path.endsWith('/node')) return 'node'
  if (/\.so[.\d]*$|\.node$/.test(path)) return 'libraries'
  if (path === '[heap]') return 'malloc'
  if (path.startsWith('/')) return 'other files'
  return mode.includes('x') ? 'code' : 'anonymous'
}

function print(pid: number, when: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kinds = new Map<string, number>()
  for (const mapping of readFileSync(`/proc/${pid}/smaps`, 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const kind = kindOf(mapping.slice(0, mapping.indexOf('\n')))
    kinds.set(kind, (kinds.get(kind) ?? 0) + field(mapping, 'Rss'))
  }
  const rss = field(status, 'VmRSS')
  const threads = /^Threads:\s+(\d+)$/m.exec(status)?.[1]
  console.log(
    `${when}: RSS ${(rss / 1e6).toFixed(0)} MB (${mib(rss)} MiB), PSS ${mib(field(rollup, 'Pss'))}, ` +
      `anonymous ${mib(field(status, 'RssAnon'))}, of files ${mib(field(status, 'RssFile'))} MiB, ${threads} threads`,
  )
  const parts = [...kinds].sort(([, a], [, b]) => b - a).map(([kind, bytes]) => `${kind} ${mib(bytes)}`)
  console.log(`  ${parts.join(', ')}`)
  return rss
}

const engine = await startEngine()
const folder = mkdtempSync(join(tmpdir(), 'hc-bench-idle-'))
const double = await startDiscordDouble({
  token: 'bench-token',
  applicationId: '200000000000000001',
  guilds: [{ id: GUILD, name: 'bench' }],
})
const server = spawn(process.execPath, [BIN, 'serve'], {
  env: {
    PATH: process.env.PATH,
    DOCKER_HOST: `unix://${engine.socketPath}`,
    HYPERCALL_STATE: join(folder, 'state'),
    HYPERCALL_PORT: '0',
    HYPERCALL_LOG_LEVEL: 'warn',
    DISCORD_TOKEN: 'bench-token',
    DISCORD_API: double.api,
    DISCORD_CDN: double.cdn,
    DISCORD_GUILDS: GUILD,
  },
  stdio: ['ignore', 'pipe', 'inherit'],
})

/** What people in Discord do, and how long they wait for it. */
async function use(command: string, options: Record<string, string> = {}): Promise<void> {
  const from = performance.now()
  const interaction = double.slash({
    guildId: GUILD,
    user: USER,
    permissions: PermissionFlagsBits.Administrator,
    command,
    options,
  })
  await interaction.firstAnswer()
  const acknowledged = performance.now() - from
  await interaction.waitFor(({ content, embeds }) => content !== '' || embeds.length > 0)
  console.log(
    `  /${command}: acknowledged after ${acknowledged.toFixed(0)} ms, answered after ${(performance.now() - from).toFixed(0)} ms`,
  )
}

try {
  const pid = server.pid ?? 0
  let said = ''
  for await (const chunk of server.stdout.iterator({ destroyOnReturn: false })) {
    said += String(chunk)
    if (said.includes('#login=')) break
  }
  await double.ready()
  await double.until(() => double.commands().length > 0)
  print(pid, 'started')
  await sleep(IDLE_MS)
  const idle = print(pid, `idle for ${IDLE_MS / 1000} s`)
  await use('ask', { question: 'What is the difference between Docker and a VM?' })
  await use('ask', { question: '什么是容器？' })
  await use('knowledge search', { q: 'live migration' })
  await use('container list')
  print(pid, 'used')
  await sleep(IDLE_MS)
  const again = print(pid, `idle again for ${IDLE_MS / 1000} s`)
  const isMet = Math.max(idle, again) < MOST_MB * 1e6
  console.log(`less than ${MOST_MB} MB: ${isMet ? 'met' : 'NOT met'}`)
  process.exitCode = isMet ? 0 : 1
} finally {
  server.kill('SIGTERM')
  await new Promise((resolve) => server.once('exit', resolve))
  await Promise.all([double.close(), engine.stop()])
  rmSync(folder, { recursive: true, force: true })
}
