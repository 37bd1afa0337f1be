import { REST } from 'discord.js'
import {
  type APIApplicationCommandSubcommandOption,
  PermissionFlagsBits,
  type RESTPostAPIChatInputApplicationCommandsJSONBody,
  Routes,
} from 'discord-api-types/v10'
import { Converter } from 'opencc-js/cn2t'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loadRegistry, type Registry } from '../../../src/actions/index.js'
import { type CommandBody, commandsOf, readCommand } from '../../../src/bot/discord/commands.js'
import { deployCommands } from '../../../src/bot/discord/deploy.js'
import { readTraditional } from '../../../src/bot/discord/localize.js'
import type { DiscordDouble } from '../../helpers/discord/double.js'
import { type CommandBody as Checked, commandProblems } from '../../helpers/discord/limits.js'
import { APP, configFor, ELSEWHERE, LAB, startDouble, TOKEN } from './bot.js'

let registry: Registry
let commands: CommandBody[]
let double: DiscordDouble

beforeAll(async () => {
  registry = await loadRegistry()
  commands = commandsOf(registry, await readTraditional())
  double = await startDouble()
})
afterAll(() => double?.close())

const slash = () => commands.filter((command) => command.type === 1) as SlashBody[]
type SlashBody = RESTPostAPIChatInputApplicationCommandsJSONBody

const verb = (group: string, name: string) =>
  slash()
    .find((command) => command.name === group)
    ?.options?.find((option) => option.name === name) as APIApplicationCommandSubcommandOption | undefined

describe('the commands', () => {
  it('are all actions, one command a group and one subcommand a verb, within every limit', () => {
    const names = slash().flatMap((command) =>
      command.options?.some((option) => option.type === 1)
        ? command.options.map((option) => `${command.name}.${option.name}`)
        : [command.name],
    )
    expect(names.sort()).toEqual(registry.actions.map(({ name }) => name).sort())
    expect(commandProblems(commands as unknown as Checked[])).toEqual([])
  })

  it('have English names, and every name and description in both kinds of Chinese too', () => {
    type Texts = Record<string, string> | null | undefined
    interface Described {
      name: string
      type?: number
      name_localizations?: Texts
      description_localizations?: Texts
      options?: Described[]
    }
    const all = (one: Described): Described[] => [one, ...(one.options ?? []).flatMap(all)]
    const isMenu = ({ type }: Described) => commands.some((command) => command.type === 3 && type === 3)
    const inTraditional = Converter({ from: 'cn', to: 'tw' })
    for (const command of commands as Described[]) {
      for (const one of all(command)) {
        const texts = [
          one.name_localizations,
          ...(one === command && isMenu(one) ? [] : [one.description_localizations]),
        ]
        for (const text of texts) {
          expect(text?.['zh-CN'], one.name).toMatch(/[\u4e00-\u9fff]/)
          expect(text?.['zh-TW'], one.name).toBe(inTraditional(text?.['zh-CN'] ?? ''))
        }
      }
    }
    expect(commands.find(({ name }) => name === 'audit')?.name_localizations).toEqual({
      'zh-CN': '审计',
      'zh-TW': '審計',
    })
    expect(verb('host', 'link')).toMatchObject({ name_localizations: { 'zh-CN': '连接', 'zh-TW': '連接' } })
  })

  it('say choices in words where they are words', () => {
    expect(verb('container', 'list')?.options?.find(({ name }) => name === 'status')).toMatchObject({
      choices: expect.arrayContaining([
        { name: 'running', name_localizations: { 'zh-CN': '运行中', 'zh-TW': '運行中' }, value: 'running' },
      ]),
    })
    expect(verb('knowledge', 'export')?.options?.find(({ name }) => name === 'format')).toMatchObject({
      choices: expect.arrayContaining([{ name: 'jsonl', value: 'jsonl' }]),
    })
  })

  it('are on messages too, where a verb says so', () => {
    expect(commands.filter(({ type }) => type === 3)).toEqual([
      {
        type: 3,
        name: 'Ask about this',
        name_localizations: { 'zh-CN': '就此提问', 'zh-TW': '就此提問' },
        contexts: [0, 1, 2],
        integration_types: [0, 1],
      },
      {
        type: 3,
        name: 'Save to knowledge',
        name_localizations: { 'zh-CN': '存入知识库', 'zh-TW': '存入知識庫' },
        contexts: [0],
        integration_types: [0],
      },
    ])
  })

  it('are out of the sight of most where all their verbs are for administrators, and nowhere else', () => {
    const hidden = commands.filter((command) => command.default_member_permissions !== undefined)
    expect(hidden.map(({ name, default_member_permissions: needed }) => [name, needed])).toEqual([
      ['audit', String(PermissionFlagsBits.ManageGuild)],
      ['settings', String(PermissionFlagsBits.ManageGuild)],
    ])
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
      choices: expect.arrayContaining([expect.objectContaining({ name: 'running', value: 'running' })]),
    })
  })

  it('can be taken along by a person where they are of use without a guild, and live in guilds alone otherwise', () => {
    const along = commands.filter((command) => command.integration_types?.includes(1))
    expect(along.map(({ name }) => name)).toEqual(['ask', 'choose', 'compare', 'knowledge', 'Ask about this'])
    for (const command of along) expect(command).toMatchObject({ contexts: [0, 1, 2], integration_types: [0, 1] })
    for (const command of commands.filter((one) => !along.includes(one))) {
      expect(command).toMatchObject({ contexts: [0], integration_types: [0] })
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

  it('can be to the listed guilds alone, and goes from one to the other without leaving anything behind', async () => {
    const names = (guild?: string) => double.commands(guild).map(({ name }) => name)
    const inGuilds = { DISCORD_COMMANDS: 'guilds', DISCORD_GUILDS: `${LAB},${ELSEWHERE}` }
    await deploy()
    expect(await deploy(inGuilds)).toContain('deployed')
    expect([names().length, names(LAB).length, names(ELSEWHERE).length]).toEqual([0, commands.length, commands.length])
    const before = double.commands(LAB).map(({ version }) => version)
    expect(await deploy(inGuilds)).toContain('up to date')
    expect(double.commands(LAB).map(({ version }) => version)).toEqual(before)

    // A guild that the bot has left has nothing to be taken away.
    const left = '219999999999999999'
    expect(await deploy({ DISCORD_GUILDS: `${left},${LAB},${ELSEWHERE}` })).toContain('deployed')
    expect([names().length, names(LAB).length, names(ELSEWHERE).length]).toEqual([commands.length, 0, 0])
    expect(double.violations).toEqual([])
    await expect(deploy({ ...inGuilds, DISCORD_GUILDS: left })).rejects.toThrow(/could not be deployed/)
    expect(names().length).toBe(commands.length)
    await new REST({ api: double.api }).setToken(TOKEN).put(Routes.applicationCommands(APP), { body: [] })
    expect(() => configFor(double, { ...inGuilds, DISCORD_GUILDS: '' })).toThrow('DISCORD_COMMANDS: guilds needs')
  })

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
      commands.map((command) => (command.type === 3 ? command : { ...command, description_localizations: {} })),
      // Of subcommands, that is: an optional field before a required one would be refused.
      commands.map((command) =>
        'options' in command && command.options?.some(({ type }) => type === 1)
          ? { ...command, options: [...command.options].reverse() }
          : command,
      ),
      commands.map((command) => ({ ...command, name_localizations: {} })),
      commands.map((command) => ({ ...command, contexts: [0] })),
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
