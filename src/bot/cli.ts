// Registry → argv, and the few commands that are about Hypercall itself.
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, readFile, stat, writeFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { fileURLToPath } from 'node:url'
import { Command, CommanderError, Option } from 'commander'
import {
  AppError,
  type Call,
  type FileSource,
  formatBytes,
  type Lang,
  loadRegistry,
  type RegisteredAction,
  type Registry,
} from '../actions/index.js'
import { renderError, renderText } from './cli-render.js'
import { ConfigError, describeSettings, loadConfig } from './config.js'
import { deployCommands } from './discord/deploy.js'
import { reference } from './docs.js'
import { folderSource } from './folder-source.js'
import { OWNER } from './http/credentials.js'
import { type House, loginUrl, openHouse, serve, VERSION } from './main.js'

const EXIT = { ok: 0, failed: 1, usage: 2 } as const

const REFERENCE = fileURLToPath(new URL('../../docs/reference.md', import.meta.url))

/** How a shell says that it was interrupted. */
const INTERRUPTED_EXIT = 130

const print = (text: string): void => void process.stdout.write(`${text}\n`)
const complain = (text: string): void => void process.stderr.write(`${text}\n`)
const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2))

const defaultLang = (): Lang => (/^zh/i.test(Intl.DateTimeFormat().resolvedOptions().locale) ? 'zh' : 'en')

interface CommonOptions {
  readonly json?: boolean
  readonly yes?: boolean
  readonly lang: Lang
  file?: string
  readonly output?: string
}

/** Opens the house for one command, and closes it however that ended. */
async function inHouse<T>(work: (house: House, signal: AbortSignal) => Promise<T>): Promise<T> {
  const config = loadConfig()
  // A command's own words are its answer; the log would only talk over them.
  const house = await openHouse({
    ...config,
    HYPERCALL_LOG_LEVEL: config.HYPERCALL_LOG_LEVEL === 'info' ? 'warn' : config.HYPERCALL_LOG_LEVEL,
  })
  const stop = new AbortController()
  const interrupt = () => stop.abort(new AppError('CANCELLED'))
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    return await work(house, stop.signal)
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    await house.close(0)
  }
}

async function fileSource(path: string): Promise<FileSource> {
  const info = await stat(path).catch(() => undefined)
  if (!info?.isFile()) {
    throw new AppError('INVALID_INPUT', { problem: { en: `${path} is not a file`, zh: `${path} 不是文件` } })
  }
  const name = basename(path)
  return {
    name,
    sizeBytes: info.size,
    reference: { path: resolve(path), name, sizeBytes: info.size },
    open: async () => createReadStream(path, { highWaterMark: 256 * 1024 }),
  }
}

/** How the option parser names an option: `--dry-run` is `dryRun`. */
const camelCase = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())

/** What a path leads to, as the action takes it. */
async function sourceOf(path: string, action: RegisteredAction): Promise<FileSource> {
  const info = await stat(path).catch(() => undefined)
  return action.acceptsFolder && info?.isDirectory() ? folderSource(path) : fileSource(path)
}

async function agrees(question: string, lang: Lang): Promise<boolean> {
  if (!process.stdin.isTTY) return false
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`${question} ${{ en: 'Go on? [y/N] ', zh: '继续？[y/N] ' }[lang]}`)
  terminal.close()
  return /^(y|yes|是|好)$/i.test(answer.trim())
}

/** Waits for a job with its progress beside the answer. @returns whether it succeeded */
async function follow(house: House, jobId: string, options: CommonOptions, signal: AbortSignal): Promise<boolean> {
  const { actions } = house
  const cancel = () => {
    try {
      actions.jobs.cancel(jobId, OWNER.tenant)
    } catch (error) {
      // It ended at the very moment it was to be cancelled, which is just as well.
      if (!(error instanceof AppError && error.code === 'JOB_FINISHED')) throw error
    }
  }
  signal.addEventListener('abort', cancel, { once: true })
  for (;;) {
    const job = await actions.jobs.wait(jobId, OWNER.tenant, AbortSignal.timeout(500))
    if (process.stderr.isTTY) process.stderr.write(`\r${formatBytes(job.bytes)}   `)
    if (job.finishedAt === undefined) continue
    if (process.stderr.isTTY) process.stderr.write('\n')
    signal.removeEventListener('abort', cancel)
    if (job.error) {
      complain(renderError(new AppError(job.error.code, job.error.details), options.lang))
      return false
    }
    const artifact = job.artifact === undefined ? undefined : actions.artifacts.get(job.artifact, OWNER.tenant)
    if (artifact && options.output !== undefined) await copyFile(artifact.path, options.output)
    return true
  }
}

async function runAction(
  action: RegisteredAction,
  input: Record<string, unknown>,
  options: CommonOptions,
): Promise<number> {
  return inHouse(async (house, signal) => {
    const { gate } = house.actions
    const file = options.file === undefined ? undefined : await sourceOf(options.file, action)
    const call = (name: string, given: Record<string, unknown>, confirm?: string): Call => ({
      principal: OWNER,
      surface: 'cli',
      lang: options.lang,
      requestId: randomUUID(),
      action: name,
      input: given,
      ...(file && name === action.name ? { file } : {}),
      ...(confirm === undefined ? {} : { confirm }),
      signal,
    })
    let outcome = await gate.call(call(action.name, input))
    if (outcome.status === 'confirm') {
      if (!options.yes) {
        complain(renderText(outcome.view))
        if (!(await agrees('', options.lang))) {
          gate.withdraw(outcome.token, { principal: OWNER, surface: 'cli', requestId: randomUUID() })
          complain(
            { en: 'Nothing was done. Say yes, or give --yes.', zh: '未执行任何操作。请确认，或使用 --yes。' }[
              options.lang
            ],
          )
          return EXIT.failed
        }
      }
      outcome = await gate.call(call(action.name, input, outcome.token))
    }
    if (outcome.status === 'confirm') throw new AppError('CONFIRMATION_EXPIRED')
    if (options.json) printJson(outcome.output)
    else print(renderText(outcome.view))
    if (!action.startsJob) return EXIT.ok
    const { jobId } = outcome.output as { jobId: string }
    if (!(await follow(house, jobId, options, signal))) return signal.aborted ? INTERRUPTED_EXIT : EXIT.failed
    const status = await gate.call({ ...call('job.status', { job: jobId }), signal: new AbortController().signal })
    if (!options.json && status.status === 'done') print(`\n${renderText(status.view)}`)
    return EXIT.ok
  })
}

function addAction(parent: Command, action: RegisteredAction, lang: Lang, done: (code: number) => void): void {
  const command = parent.command(action.verb).description(action.summary[lang])
  const positional = action.fields.filter((field) => field.required)
  // What is required may stand in its place or be named: `start web` and `start --container web`.
  for (const field of positional) command.argument(`[${field.name}]`, field.description[lang])
  for (const field of action.fields) {
    const flags = field.type === 'boolean' ? `--${field.name}` : `--${field.name} <${field.type}>`
    const option = new Option(flags, field.description[lang])
    if (field.choices) option.choices([...field.choices])
    command.addOption(option)
  }
  if (action.acceptsFile) command.option('--file <path>', { en: 'A file of this machine', zh: '本机上的文件' }[lang])
  // Where nothing else is required, what is brought is what the command is about: `import ./notes`.
  const takesPath = action.acceptsFile && positional.length === 0
  if (takesPath)
    command.argument('[path]', { en: 'A file or folder of this machine', zh: '本机上的文件或文件夹' }[lang])
  if (action.startsJob)
    command.option('-o, --output <path>', { en: 'Copy the result here', zh: '将结果复制到此处' }[lang])
  command
    .option('--json', { en: 'Print what REST answers', zh: '输出与 REST 相同的 JSON' }[lang])
    .option('-y, --yes', { en: 'Confirm without asking', zh: '无需询问直接确认' }[lang])
    .addOption(
      new Option('--lang <lang>', { en: 'Language of the answer', zh: '回答的语言' }[lang])
        .choices(['en', 'zh'])
        .default(lang),
    )
  command.action(async (...given: unknown[]) => {
    const { ...options } = command.opts<CommonOptions & Record<string, unknown>>()
    if (takesPath && typeof given[0] === 'string') options.file = given[0]
    const input: Record<string, unknown> = {}
    for (const field of action.fields) {
      const value = options[camelCase(field.name)]
      if (value !== undefined) input[field.name] = value
    }
    positional.forEach((field, index) => {
      if (typeof given[index] === 'string') input[field.name] = given[index]
    })
    try {
      done(await runAction(action, input, options))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      complain(renderError(error, options.lang))
      done(EXIT.failed)
    }
  })
}

function addOwnCommands(program: Command, lang: Lang, done: (code: number) => void): void {
  program
    .command('serve')
    .description({ en: 'Serve the page, REST and Discord until stopped', zh: '运行网页、REST 与 Discord 服务' }[lang])
    .action(async () => {
      const running = await serve(loadConfig())
      print(`Hypercall ${VERSION} at ${running.url}`)
      print(`Open once, within 15 minutes: ${running.loginUrl}`)
      await new Promise<void>((resolveStop) => {
        process.once('SIGTERM', () => resolveStop()).once('SIGINT', () => resolveStop())
      })
      await running.close()
      done(EXIT.ok)
    })
  program
    .command('login')
    .description({ en: 'Print a fresh one-time link to the page', zh: '打印新的一次性网页登录链接' }[lang])
    .action(() => inHouse(async (house) => print(loginUrl(house))))
  program
    .command('config')
    .description({ en: 'List every setting, its value and its default', zh: '列出所有设置及其当前值与默认值' }[lang])
    .option('--json')
    .action((options: { json?: boolean }) => {
      const config: Readonly<Record<string, unknown>> = loadConfig()
      const rows = describeSettings().map((setting) => ({
        name: setting.name,
        value: setting.secret && config[setting.name] !== undefined ? '(set)' : (config[setting.name] ?? null),
        default: setting.byDefault ?? null,
        description: setting.description[lang],
      }))
      if (options.json) return printJson(rows)
      print(
        renderText({
          tone: 'info',
          blocks: [
            {
              kind: 'table',
              columns: ['NAME', 'VALUE', 'MEANING'],
              rows: rows.map((row) => [row.name, row.value === null ? '-' : String(row.value), row.description]),
            },
          ],
        }),
      )
    })

  program
    .command('docs')
    .description({ en: 'Write docs/reference.md anew', zh: '重新生成 docs/reference.md' }[lang])
    .option('--check', { en: 'Only say whether it is current', zh: '仅检查是否为最新' }[lang])
    .action(async (options: { check?: boolean }) => {
      const current = reference(await loadRegistry())
      if (!options.check) return writeFile(REFERENCE, current)
      if ((await readFile(REFERENCE, 'utf8').catch(() => '')) === current) return
      complain('docs/reference.md is not current: run `hypercall docs`')
      done(EXIT.failed)
    })

  const token = program.command('token').description({ en: 'Tokens for REST', zh: 'REST 令牌' }[lang])
  token
    .command('create')
    .description({ en: 'Make a token; it is shown this once', zh: '创建令牌，仅显示一次' }[lang])
    .requiredOption('--name <name>')
    .requiredOption('--role <role...>')
    .option('--json')
    .action((options: { name: string; role: string[]; json?: boolean }) =>
      inHouse(async (house) => {
        const created = house.credentials.createToken(options.name, options.role)
        if (options.json) printJson(created)
        else print(created.token)
      }),
    )
  token
    .command('list')
    .option('--json')
    .action((options: { json?: boolean }) =>
      inHouse(async (house) => {
        const tokens = house.credentials.tokens()
        if (options.json) return printJson({ tokens })
        for (const row of tokens) print(`${row.name}  ${row.roles.join(',')}  ${row.createdAt}`)
      }),
    )
  token
    .command('revoke')
    .requiredOption('--name <name>')
    .action((options: { name: string }) =>
      inHouse(async (house) => {
        if (house.credentials.revokeToken(options.name)) return
        complain(`there is no token called "${options.name}"`)
        done(EXIT.failed)
      }),
    )

  const discord = program.command('discord').description('Discord')
  discord
    .command('deploy')
    .description({ en: 'Tell Discord of the commands, if they changed', zh: '命令有变化时向 Discord 部署' }[lang])
    .action(async () => print(await deployCommands(loadConfig(), await loadRegistry())))
}

export function buildProgram(registry: Registry, lang: Lang, done: (code: number) => void): Command {
  const program = new Command('hypercall')
    .description(
      {
        en: 'Ask about virtualization; act on containers through one guarded gate',
        zh: '询问虚拟化知识；通过受控入口操作容器',
      }[lang],
    )
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError()
  addOwnCommands(program, lang, done)
  const groups = new Map<string, Command>()
  for (const action of registry.actions) {
    if (action.group === undefined) {
      addAction(program, action, lang, done)
      continue
    }
    const group = groups.get(action.group) ?? program.command(action.group).description(action.group)
    groups.set(action.group, group)
    addAction(group, action, lang, done)
  }
  return program
}

/** @param args what stands after the program's name @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const lang = defaultLang()
  let code: number = EXIT.ok
  try {
    const program = buildProgram(await loadRegistry(), lang, (ended) => {
      code = ended
    })
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    if (error instanceof ConfigError) {
      complain(error.problems.join('\n'))
      return EXIT.usage
    }
    if (error instanceof AppError) {
      complain(renderError(error, lang))
      return EXIT.failed
    }
    complain(error instanceof Error ? error.message : String(error))
    return EXIT.failed
  }
}
