// Registry → argv, and the few commands that are about Hypercall itself.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Command, CommanderError, Option } from 'commander'
import { AppError, type Lang, loadRegistry, type RegisteredAction, type Registry } from '../actions/index.js'
import { addPolicyCommands } from './cli-policy.js'
import { renderError, renderText } from './cli-render.js'
import { type CommonOptions, complain, EXIT, inHouse, print, printJson, runAction } from './cli-run.js'
import { ConfigError, describeSettings, loadConfig } from './config.js'
import { reference } from './docs.js'
import { loginUrl, VERSION } from './main.js'
import { type WatchOptions, watchFolder } from './watch.js'

const REFERENCE = fileURLToPath(new URL('../../docs/reference.md', import.meta.url))

const defaultLang = (): Lang => (/^zh/i.test(Intl.DateTimeFormat().resolvedOptions().locale) ? 'zh' : 'en')

const langOption = (lang: Lang): Option =>
  new Option('--lang <lang>', { en: 'Language of the answer', zh: '回答的语言' }[lang])
    .choices(['en', 'zh'])
    .default(lang)

/** How the option parser names an option: `--dry-run` is `dryRun`. */
const camelCase = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())

function addAction(parent: Command, action: RegisteredAction, lang: Lang, done: (code: number) => void): void {
  const command = parent.command(action.verb).description(action.summary[lang])
  const positional = action.fields.filter((field) => field.required)
  // What is required may stand in its place or be named: `start web` and `start --container web`.
  for (const field of positional) command.argument(`[${field.name}]`, field.description[lang])
  for (const field of action.fields) {
    // A flag that must be given must be able to say no: `--helpful false`.
    const value = field.type !== 'boolean' ? ` <${field.type}>` : field.required ? ' [boolean]' : ''
    const option = new Option(`--${field.name}${value}`, field.description[lang])
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
    .option(
      '--confirm <token>',
      { en: 'Confirm what others have agreed to meanwhile', zh: '确认已获他人同意的请求' }[lang],
    )
    .addOption(langOption(lang))
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

function addWatch(parent: Command, action: RegisteredAction, lang: Lang, done: (code: number) => void): void {
  const collection = action.fields.find((field) => field.name === 'collection')
  parent
    .command('watch')
    .description(
      { en: 'Keep a collection equal to a folder until stopped', zh: '使集合与文件夹保持一致，直到停止' }[lang],
    )
    .argument('<folder>', { en: 'A folder of this machine', zh: '本机上的文件夹' }[lang])
    .option('--collection <string>', collection?.description[lang])
    .option('-y, --yes', { en: 'Confirm without asking', zh: '无需询问直接确认' }[lang])
    .addOption(langOption(lang))
    .action(async (folder: string, options: WatchOptions) => {
      try {
        await watchFolder(folder, options)
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        complain(renderError(error, options.lang))
        done(EXIT.failed)
      }
    })
}

function addOwnCommands(program: Command, lang: Lang, done: (code: number) => void, serve: () => void): void {
  program
    .command('serve')
    .description({ en: 'Serve the page, REST and Discord until stopped', zh: '运行网页、REST 与 Discord 服务' }[lang])
    .action(serve)
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
              columns: { en: ['NAME', 'VALUE', 'MEANING'], zh: ['名称', '值', '含义'] }[lang],
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
    .option('--days <count>', { en: 'How long it is good; for ever by default', zh: '有效天数，默认永久' }[lang])
    .option(
      '--guild <id>',
      { en: "A Discord server's, in place of this machine's", zh: '用于某个 Discord 服务器而非本机' }[lang],
    )
    .option('--json')
    .action((options: { name: string; role: string[]; days?: string; guild?: string; json?: boolean }) =>
      inHouse(async (house) => {
        const created = house.credentials.createToken(options.name, options.role, {
          ...(options.days === undefined ? {} : { days: Number(options.days) }),
          ...(options.guild === undefined ? {} : { guild: options.guild }),
        })
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
        for (const { name, roles, tenant, createdAt, expiresAt } of tokens) {
          print([name, roles.join(','), tenant, createdAt, expiresAt ?? ''].join('  ').trimEnd())
        }
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
    .action(async () => {
      const { deployCommands } = await import('./discord/deploy.js')
      print(await deployCommands(loadConfig(), await loadRegistry()))
    })
}

function buildProgram(registry: Registry, lang: Lang, done: (code: number) => void, serve: () => void): Command {
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
  addOwnCommands(program, lang, done, serve)
  const groups = new Map<string, Command>()
  for (const action of registry.actions) {
    if (action.group === undefined) {
      addAction(program, action, lang, done)
      continue
    }
    const group = groups.get(action.group) ?? program.command(action.group).description(action.group)
    groups.set(action.group, group)
    addAction(group, action, lang, done)
    if (action.name === 'knowledge.import') addWatch(group, action, lang, done)
    if (action.name === 'policy.explain') addPolicyCommands(group, lang, done)
  }
  return program
}

/** @returns the exit code */
async function serveUntilStopped(): Promise<number> {
  // Half of what is loaded is for the server alone: no other command waits for it.
  const { serve } = await import('./serve.js')
  const running = await serve(loadConfig())
  print(`Hypercall ${VERSION} at ${running.url}`)
  print(`Open once, within 15 minutes: ${running.loginUrl}`)
  const told = new Promise<undefined>((resolveStop) => {
    const stop = () => resolveStop(undefined)
    process.once('SIGTERM', stop).once('SIGINT', stop)
  })
  const reason = await Promise.race([told, running.ended])
  if (reason) complain(reason.message)
  await running.close()
  return reason ? EXIT.refused : EXIT.ok
}

/** Does what is asked, but for serving: a server stays, and the command line that was read need not stay with it. */
async function follow(args: readonly string[], lang: Lang): Promise<number | 'serve'> {
  let ended: number | 'serve' = EXIT.ok
  const program = buildProgram(
    await loadRegistry(),
    lang,
    (code) => {
      ended = code
    },
    () => {
      ended = 'serve'
    },
  )
  await program.parseAsync(args, { from: 'user' })
  return ended
}

/** @param args what stands after the program's name @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const lang = defaultLang()
  try {
    const ended = await follow(args, lang)
    return ended === 'serve' ? await serveUntilStopped() : ended
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
