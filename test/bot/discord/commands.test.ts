import { REST } from 'discord.js'
import { type APIApplicationCommandSubcommandOption, Routes } from 'discord-api-types/v10'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loadRegistry, type Registry } from '../../../src/actions/index.js'
import { type CommandBody, commandsOf, readCommand } from '../../../src/bot/discord/commands.js'
import { deployCommands } from '../../../src/bot/discord/deploy.js'
import type { DiscordDouble } from '../../helpers/discord/double.js'
import { type CommandBody as Checked, commandProblems } from '../../helpers/discord/limits.js'
import { APP, configFor, startDouble, TOKEN } from './bot.js'

let registry: Registry
let commands: CommandBody[]
let double: DiscordDouble

beforeAll(async () => {
  registry = await loadRegistry()
  commands = commandsOf(registry)
  double = await startDouble()
})
afterAll(() => double?.close())

const verb = (group: string, name: string) =>
  commands.find((command) => command.name === group)?.options?.find((option) => option.name === name) as
    | APIApplicationCommandSubcommandOption
    | undefined

describe('the commands', () => {
  it('are all actions, one command a group and one subcommand a verb, within every limit', () => {
    const names = commands.flatMap((command) =>
      command.options?.some((option) => option.type === 1)
        ? command.options.map((option) => `${command.name}.${option.name}`)
        : [command.name],
    )
    expect(names.sort()).toEqual(registry.actions.map(({ name }) => name).sort())
    expect(commandProblems(commands as unknown as Checked[])).toEqual([])
  })

  it('have English names, and every description in Chinese too', () => {
    type Described = Pick<CommandBody, 'name' | 'name_localizations' | 'description_localizations'> & {
      options?: Described[]
    }
    const all = (one: Described): Described[] => [one, ...(one.options ?? []).flatMap(all)]
    const described = (commands as Described[]).flatMap(all)
    for (const one of described) {
      expect(one.name_localizations, one.name).toBeUndefined()
      expect(one.description_localizations?.['zh-CN'], one.name).toMatch(/[\u4e00-\u9fff]/)
      expect(one.description_localizations?.['zh-TW'], one.name).toMatch(/[\u4e00-\u9fff]/)
    }
  })

  it('state what a field takes, so that Discord checks it while it is typed', () => {
    const options = verb('container', 'copy-in')?.options ?? []
    expect(options.map(({ name }) => name)).toEqual([
      'container',
      'path',
      'file',
      'host',
      'text',
      'url',
      'artifact',
      'mode',
      'uid',
      'gid',
      'reason',
    ])
    expect(options.find(({ name }) => name === 'container')).toMatchObject({
      type: 3,
      required: true,
      autocomplete: true,
      max_length: 128,
    })
    expect(options.find(({ name }) => name === 'file')).toMatchObject({ type: 11 })
    // Longer texts than Discord's own limit come as a file.
    expect(options.find(({ name }) => name === 'text')).toMatchObject({ type: 3, min_length: 0, max_length: 6000 })
    expect(options.find(({ name }) => name === 'uid')).toMatchObject({ type: 4, min_value: 0, max_value: 2147483647 })
    expect(verb('container', 'list')?.options?.find(({ name }) => name === 'status')).toMatchObject({
      choices: expect.arrayContaining([{ name: 'running', value: 'running' }]),
    })
  })

  it('live in guilds; only what needs no host is there in direct messages', () => {
    expect(commands.filter((command) => command.contexts?.includes(1)).map(({ name }) => name)).toEqual([
      'ask',
      'choose',
      'compare',
    ])
    for (const command of commands) {
      expect(command.contexts).toContain(0)
      expect(command.integration_types).toEqual([0])
    }
  })

  it('come back as the call they stand for', () => {
    const typed = readCommand({
      id: '1',
      type: 1,
      name: 'container',
      options: [
        {
          type: 1,
          name: 'copy-in',
          options: [
            { type: 3, name: 'container', value: 'web', focused: true },
            { type: 4, name: 'uid', value: 0 },
            { type: 11, name: 'file', value: '9' },
          ],
        },
      ],
      resolved: { attachments: { '9': { id: '9', filename: 'a', size: 1, url: 'u', proxy_url: 'p' } } },
    })
    expect(typed).toMatchObject({
      action: 'container.copy-in',
      input: { container: 'web', uid: 0 },
      attachment: { filename: 'a' },
      focused: 'container',
    })
    expect(Object.keys(typed.input)).not.toContain('file')
    expect(readCommand({ id: '1', type: 1, name: 'ask' })).toEqual({ action: 'ask', input: {} })
  })
})

describe('deploying them', () => {
  afterEach(() => {
    double.violations.length = 0
  })
  const deploy = (settings = {}) => deployCommands(configFor(double, settings), registry)
  const versions = () => double.commands().map(({ version }) => version)

  it('happens once, and again only when something differs', async () => {
    expect(await deploy()).toBe(`deployed ${commands.length} commands`)
    expect(
      double
        .commands()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(commands.map(({ name }) => name).sort())
    const before = versions()
    expect(await deploy()).toBe(`all ${commands.length} commands are up to date`)
    expect(await deploy({ DISCORD_APPLICATION_ID: APP })).toContain('up to date')
    expect(versions()).toEqual(before)
    expect(double.violations).toEqual([])

    const rest = new REST({ api: double.api }).setToken(TOKEN)
    for (const changed of [
      commands.slice(1),
      [...commands, { name: 'stray', description: 'of an older version' }],
      commands.map((command) => ({ ...command, default_member_permissions: '0' })),
      commands.map((command) => ({ ...command, description_localizations: {} })),
      // Of subcommands, that is: an optional field before a required one would be refused.
      commands.map((command) =>
        !command.options?.some(({ type }) => type === 1)
          ? command
          : { ...command, options: [...command.options].reverse() },
      ),
    ]) {
      await rest.put(Routes.applicationCommands(APP), { body: changed })
      expect(await deploy()).toContain('deployed')
    }
    expect(await deploy()).toContain('up to date')
  })

  it('that Discord refuses is an error that says why', async () => {
    await new REST({ api: double.api }).setToken(TOKEN).put(Routes.applicationCommands(APP), { body: [] })
    double.failNext({ method: 'PUT', status: 400 })
    await expect(deploy()).rejects.toThrow(/could not be deployed to Discord: .*400/)
    await expect(deploy({ DISCORD_TOKEN: 'another' })).rejects.toThrow(/could not be deployed to Discord: .*401/)
    expect(double.commands()).toEqual([])
    await expect(deployCommands({ ...configFor(double), DISCORD_TOKEN: '' }, registry)).rejects.toThrow()
  })
})
