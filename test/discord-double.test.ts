import { once } from 'node:events'
import {
  ActionRowBuilder,
  type APIContainerComponent,
  ButtonBuilder,
  ButtonStyle,
  type ChatInputCommandInteraction,
  Client,
  EmbedBuilder,
  Events,
  GatewayIntentBits,
  type Interaction,
  MessageFlags,
  ModalBuilder,
  PermissionFlagsBits,
  SlashCommandBuilder,
  type TextChannel,
  TextInputBuilder,
  TextInputStyle,
} from 'discord.js'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type DiscordDouble, startDiscordDouble } from './helpers/discord/double.js'

const APP = '110000000000000001'
const GUILD = '210000000000000001'
const ADMINS = '310000000000000001'
const ada = { id: '410000000000000001', username: 'ada', globalName: 'Ada' }
const bob = { id: '410000000000000002', username: 'bob' }

const container = new SlashCommandBuilder()
  .setName('container')
  .setDescription('Containers')
  .setNameLocalizations({ 'zh-CN': '容器' })
  .setDefaultMemberPermissions(PermissionFlagsBits.ManageGuild)
  .addSubcommand((sub) =>
    sub
      .setName('start')
      .setDescription('Start a container')
      .addStringOption((o) =>
        o.setName('host').setDescription('Which host').setRequired(true).addChoices({ name: 'here', value: 'local' }),
      )
      .addStringOption((o) => o.setName('container').setDescription('Which').setAutocomplete(true))
      .addUserOption((o) => o.setName('for').setDescription('For whom'))
      .addAttachmentOption((o) => o.setName('file').setDescription('A file')),
  )

const buttons = (...ids: string[]) =>
  new ActionRowBuilder<ButtonBuilder>().addComponents(
    ids.map((id) => new ButtonBuilder().setCustomId(id).setLabel(id).setStyle(ButtonStyle.Primary)),
  )

let double: DiscordDouble
let client: Client<true>
/** What the bot does with the next interactions; its rejection is kept for the test to look at. */
let react: (interaction: Interaction) => Promise<unknown>
let failure: { code?: unknown; status?: unknown } | null

const onCommand = (handle: (interaction: ChatInputCommandInteraction) => Promise<unknown>) => {
  react = async (interaction) => {
    if (interaction.isChatInputCommand()) await handle(interaction)
  }
}
const start = (options = {}) =>
  double.slash({ user: ada, command: 'container start', options: { host: 'local', ...options } })
const rules = () => double.violations.map(({ rule }) => rule)
const failed = async () => {
  await expect.poll(() => failure).not.toBeNull()
  return failure
}

beforeAll(async () => {
  double = await startDiscordDouble({
    token: 'a-token',
    applicationId: APP,
    guilds: [
      { id: GUILD, name: 'Lab', locale: 'zh-CN', roles: [{ id: ADMINS, name: 'admins', permissions: 8n }] },
      { id: '210000000000000002', name: 'Elsewhere', installed: false },
    ],
  })
  client = new Client({
    intents: [GatewayIntentBits.Guilds],
    rest: { api: double.api },
    allowedMentions: { parse: [] },
  }) as Client<true>
  client.on(Events.InteractionCreate, (interaction) => {
    react(interaction).catch((error: object) => {
      failure = error
    })
  })
  const ready = new Promise((resolve) => client.once(Events.ClientReady, resolve))
  await client.login('a-token')
  await ready
  await client.application.commands.set([container])
})

afterEach(() => {
  failure = null
  double.now = Date.now
  double.violations.length = 0
})

afterAll(async () => {
  await client?.destroy()
  await double?.close()
})

describe('a bot on the double', () => {
  it('logs in, sees its guild and deploys commands without a violation', async () => {
    expect(client.guilds.cache.map(({ name }) => name)).toEqual(['Lab'])
    expect(client.guilds.cache.first()?.roles.cache.has(ADMINS)).toBe(true)
    expect(double.commands()).toMatchObject([{ name: 'container', default_member_permissions: '32' }])
    const before = double.commands()[0]?.id
    await client.application.commands.set([container])
    expect(double.commands()[0]?.id).toBe(before)
    const fetched = await client.application.commands.fetch({ guildId: GUILD })
    expect(fetched.size).toBe(0)
    expect((await client.application.fetch()).name).toBe('hypercall')
    expect(double.violations).toEqual([])
  })

  it('is refused with close code 4004 for a wrong token', async () => {
    const stranger = new Client({ intents: [], rest: { api: double.api } })
    await expect(stranger.login('another-token')).rejects.toThrow()
  })

  it('answers a command: deferred, then an embed with buttons and a file, then a click updates it', async () => {
    const bytes = Buffer.from('hello')
    react = async (interaction) => {
      if (interaction.isButton()) return interaction.update({ content: 'stopped', components: [] })
      if (!interaction.isChatInputCommand()) return
      const { resource } = await interaction.deferReply({ withResponse: true })
      expect(resource?.message?.flags.has(MessageFlags.Loading)).toBe(true)
      const file = interaction.options.getAttachment('file', true)
      expect(interaction.options.getUser('for')?.username).toBe('bob')
      expect(interaction.member?.permissions).toBeTruthy()
      expect([interaction.locale, interaction.guildLocale]).toEqual(['en-US', 'zh-CN'])
      const text = await (await fetch(file.url)).text()
      const embed = new EmbedBuilder().setTitle('web').setDescription(text).setImage('attachment://out.txt')
      const files = [{ attachment: bytes, name: 'out.txt' }]
      await interaction.editReply({ embeds: [embed], components: [buttons('stop', 'go')], files })
    }
    const file = double.attach({ filename: 'in.txt', content: 'from the CDN' })
    const asked = start({ file, for: bob })
    expect(await asked.firstAnswer()).toMatchObject({ type: 5 })
    expect(asked.deferred).toBe(true)
    expect(asked.firstAnswerMs).toBeLessThan(3000)
    const message = await asked.waitFor((one) => one.embeds.length > 0)
    expect(message.embeds[0]).toMatchObject({ title: 'web', description: 'from the CDN', type: 'rich' })
    expect(message.attachments[0]?.bytes).toEqual(bytes)
    expect(await (await fetch(message.embeds[0]?.image?.url ?? '')).text()).toBe('hello')

    const click = double.click({ user: bob, message: asked, label: 'stop' })
    expect(await click.firstAnswer()).toMatchObject({ type: 7 })
    await asked.waitFor((one) => one.content === 'stopped')
    expect(click.message()?.id).toBe(message.id)
    expect(asked.edits.map((edit) => edit.message.content)).toEqual(['', '', 'stopped'])
    expect(() => double.click({ user: ada, message: asked, label: 'stop' })).toThrow(/no component/)
    expect(double.violations).toEqual([])
  })

  it('keeps of a deferral only that it is ephemeral, and shows such a message to its owner alone', async () => {
    react = async (interaction) => {
      if (interaction.isButton()) {
        await interaction.deferUpdate()
        return interaction.editReply({ content: 'pressed' })
      }
      if (!interaction.isChatInputCommand()) return
      await interaction.deferReply({ flags: [MessageFlags.Ephemeral, MessageFlags.SuppressEmbeds] as never })
      await interaction.followUp({ content: 'the first follow-up is the answer', components: [buttons('ok')] })
      await interaction.followUp({ content: 'the second is its own', flags: MessageFlags.Ephemeral })
    }
    const asked = start()
    const message = await asked.waitFor((one) => one.content !== '')
    expect(message.flags).toBe(MessageFlags.Ephemeral)
    await double.until(() => asked.followUps.length === 1)
    expect(() => double.click({ user: bob, message: asked, customId: 'ok' })).toThrow(/ephemeral/)
    const click = double.click({ user: ada, message: asked, customId: 'ok' })
    await click.waitFor((one) => one.content === 'pressed')
    expect(click.deferred).toBe(true)
    expect(double.violations).toEqual([])
  })

  it('completes options, opens a form and answers what was typed there', async () => {
    react = async (interaction) => {
      if (interaction.isAutocomplete())
        return interaction.respond([{ name: interaction.options.getFocused(), value: 'x' }])
      if (interaction.isModalSubmit()) return interaction.reply(interaction.fields.getTextInputValue('name'))
      if (!interaction.isChatInputCommand()) return
      const field = new TextInputBuilder().setCustomId('name').setLabel('Name').setStyle(TextInputStyle.Short)
      const row = new ActionRowBuilder<TextInputBuilder>().addComponents(field)
      await interaction.showModal(new ModalBuilder().setCustomId('sure').setTitle('Sure?').addComponents(row))
    }
    const command = 'container start'
    const typing = double.autocomplete({ user: ada, command, focused: 'container', options: { container: 'we' } })
    await typing.firstAnswer()
    expect(typing.choices).toEqual([{ name: 'we', value: 'x' }])
    const asked = start()
    await asked.firstAnswer()
    const sent = double.submit({ user: ada, form: asked, fields: { name: 'web' } })
    expect((await sent.waitFor((one) => one.content !== '')).content).toBe('web')
    expect(double.violations).toEqual([])
  })

  it('sends, edits and deletes messages of its own in a channel', async () => {
    const channel = client.channels.cache.first() as TextChannel
    const message = await channel.send({ content: 'one', files: [{ attachment: Buffer.from('log'), name: 'a b.log' }] })
    expect(await (await fetch(message.attachments.first()?.url ?? '')).text()).toBe('log')
    const row = { type: 1, components: [{ type: 2, style: 5, label: 'Help', url: 'https://example.com' }] }
    const edited = await message.edit({ content: 'two', components: [row], attachments: [] })
    expect([edited.content, edited.attachments.size]).toEqual(['two', 0])
    await message.delete()
    await expect(channel.messages.fetch({ message: message.id, force: true })).rejects.toMatchObject({ code: 10008 })
    expect(double.violations).toEqual([])
  })

  it('may send Components V2', async () => {
    const text = { type: 10, content: 'hello' } as const
    const components = [{ type: 17, components: [text, { type: 14 }, buttons('a').toJSON()] } as APIContainerComponent]
    onCommand((interaction) => interaction.reply({ flags: MessageFlags.IsComponentsV2, components }))
    const message = await start().waitFor(() => true)
    expect(message.components?.[0]).toMatchObject({ type: 17, id: 1, spoiler: false })
    expect(double.violations).toEqual([])
  })

  it('works in a direct message and in a guild that it is no member of', async () => {
    onCommand((interaction) => interaction.reply({ content: `${interaction.guildId} ${interaction.inRawGuild()}` }))
    const options = { host: 'local' }
    const command = 'container start'
    const direct = double.slash({ user: ada, guildId: null, command, options })
    expect((await direct.waitFor(() => true)).content).toBe('null false')
    const raw = double.slash({ user: ada, guildId: '210000000000000002', command, options })
    expect((await raw.waitFor(() => true)).content).toBe('210000000000000002 true')
    expect(double.violations).toEqual([])
  })

  it('is sent nothing that its deployed commands rule out', () => {
    const user = ada
    expect(() => double.slash({ user, command: 'nothing' })).toThrow(/not deployed/)
    expect(() => double.slash({ user, command: 'container' })).toThrow(/subcommand must be named/)
    expect(() => double.slash({ user, command: 'container start' })).toThrow(/needs the option host/)
    expect(() => start({ host: 'mars' })).toThrow(/none of the choices/)
    expect(() => start({ colour: 'red' })).toThrow(/no option colour/)
    expect(() => start({ container: 7 })).toThrow(/is no String/)
  })
})

describe('the connection', () => {
  it('resumes after a dropped socket, and gets what was sent meanwhile', async () => {
    onCommand((interaction) => interaction.reply('late but here'))
    const session = double.gateway.sessions[0]
    const resumes = session?.resumes ?? 0
    double.gateway.drop()
    await double.until(() => !session?.connected)
    const asked = start()
    expect((await asked.waitFor(() => true)).content).toBe('late but here')
    expect(session?.resumes).toBe(resumes + 1)
    const resumed = once(client, Events.ShardResume)
    double.gateway.reconnect()
    await resumed
    expect(session?.resumes).toBe(resumes + 2)
    expect(double.gateway.sessions).toHaveLength(1)
  })

  it('identifies anew when its session is gone', async () => {
    double.gateway.invalidate()
    await double.until(() => double.gateway.sessions[1]?.connected)
    onCommand((interaction) => interaction.reply('back'))
    expect((await start().waitFor(() => true)).content).toBe('back')
  })

  it('acknowledges heartbeats, and closes on who does not identify or speaks another version', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${double.port}/?v=10&encoding=json`)
    const frames: { op: number }[] = []
    socket.on('message', (data) => frames.push(JSON.parse(String(data))))
    await once(socket, 'open')
    for (const frame of [{ op: 1, d: null }, { op: 6, d: { token: 'a-token', session_id: 'gone', seq: 1 } }, { op: 3 }])
      socket.send(JSON.stringify(frame))
    expect((await once(socket, 'close'))[0]).toBe(4003)
    expect(frames.map(({ op }) => op)).toEqual([10, 11, 9])
    const old = new WebSocket(`ws://127.0.0.1:${double.port}/?v=6&encoding=json`)
    expect((await once(old, 'close'))[0]).toBe(4012)
  })

  it('waits out a 429 and tries a 500 again', async () => {
    onCommand((interaction) => interaction.reply('at last'))
    double.failNext({ method: 'POST', path: /callback$/, status: 500 })
    double.failNext({ method: 'POST', path: /callback$/, status: 429, retryAfter: 1 })
    const asked = start()
    await asked.firstAnswer()
    expect(asked.firstAnswerMs).toBeGreaterThan(950)
    expect(double.violations).toEqual([])
  })
})

describe('the clocks', () => {
  it('refuse a first answer after 3 s, a second one, and an edit before any', async () => {
    onCommand((interaction) => {
      double.now = () => Date.now() + 3001
      return interaction.reply('too late')
    })
    start()
    expect(await failed()).toMatchObject({ code: 10062, status: 404 })
    failure = null
    onCommand(async (interaction) => {
      await interaction.reply('one')
      await client.rest.post(`/interactions/${interaction.id}/${interaction.token}/callback`, {
        auth: false,
        body: { type: 4, data: { content: 'two', allowed_mentions: { parse: [] } } },
      })
    })
    start()
    expect(await failed()).toMatchObject({ code: 40060, status: 400 })
    failure = null
    onCommand((interaction) => interaction.webhook.editMessage('@original', 'nothing there'))
    start()
    expect(await failed()).toMatchObject({ code: 10015, status: 404 })
    expect(double.violations).toEqual([])
  })

  it('expire the token after 15 minutes', async () => {
    onCommand(async (interaction) => {
      await interaction.reply('one')
      double.now = () => Date.now() + 15 * 60_000 + 1000
      await interaction.editReply('two')
    })
    start()
    expect(await failed()).toMatchObject({ code: 50027, status: 401 })
  })
})

describe('violations', () => {
  const long = { description: 'x'.repeat(3001) }
  const replies: [string, Parameters<ChatInputCommandInteraction['reply']>[0], number][] = [
    ['embeds_total', { embeds: [long, long] }, 50035],
    ['custom_id', { content: 'x', components: [buttons('a', 'a')] }, 50035],
    ['rows', { content: 'x', components: ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => buttons(id)) }, 50035],
    ['empty', { content: ' ' }, 50006],
    ['description', { embeds: [{ title: 'x'.repeat(257) }] }, 50035],
    ['description', { embeds: [{ title: 'x', colour: 5 } as object] }, 50035],
    ['description', { content: 'x'.repeat(2001) }, 50035],
    ['button', { components: [{ type: 1, components: [{ type: 2, style: 1, label: 'x' } as never] }] }, 50035],
    ['v2', { components: [{ type: 10, content: 'x' } as never] }, 50035],
    [
      'v2',
      { content: 'x', flags: MessageFlags.IsComponentsV2 as never, components: [{ type: 10, content: 'x' } as never] },
      50035,
    ],
    ['attachments', { content: 'x', attachments: [{ id: '7' }] } as never, 50035],
    ['embed_field', { embeds: [{ fields: [{ name: ' ', value: 'x' }] }] }, 50035],
    ['file_size', { files: [Buffer.alloc(10 * 1024 * 1024 + 1)] }, 40005],
  ]
  it.each(replies)('notice a reply that breaks the rule %s', async (rule, reply, code) => {
    onCommand((interaction) => interaction.reply(reply))
    start()
    expect(await failed()).toMatchObject({ code })
    expect(rules()).toEqual([rule])
  })

  const input = (custom_id: string, more = {}) => ({
    type: 18,
    label: 'x',
    component: { type: 4, custom_id, style: 1, ...more },
  })
  const modals: [string, object][] = [
    ['a long title', { title: 'x'.repeat(46), components: [input('a')] }],
    ['six parts', { title: 'x', components: [...'abcdef'].map((id) => input(id)) }],
    ['twins', { title: 'x', components: [input('a'), input('a')] }],
    ['a long label', { title: 'x', components: [{ ...input('a'), label: 'x'.repeat(46) }] }],
    ['a label within a label', { title: 'x', components: [input('a', { label: 'x' })] }],
    ['more than it takes', { title: 'x', components: [input('a', { max_length: 1, value: 'xx' })] }],
    ['too much', { title: 'x', components: [input('a', { max_length: 4001 })] }],
  ]
  it.each(modals)('notice a form with %s', async (_what, modal) => {
    onCommand((interaction) =>
      client.rest.post(`/interactions/${interaction.id}/${interaction.token}/callback`, {
        auth: false,
        body: { type: 9, data: { custom_id: 'form', ...modal } },
      }),
    )
    start()
    expect(await failed()).toMatchObject({ code: 50035 })
    expect(['modal', 'description']).toContain(rules()[0])
  })

  it('let nobody send a form that Discord would not', async () => {
    onCommand((interaction) =>
      client.rest.post(`/interactions/${interaction.id}/${interaction.token}/callback`, {
        auth: false,
        body: { type: 9, data: { custom_id: 'form', title: 'x', components: [input('a', { max_length: 2 })] } },
      }),
    )
    const form = start()
    await form.firstAnswer()
    expect(() => double.submit({ user: ada, form, fields: { a: 'xxx' } })).toThrow(/longer than 2/)
    expect(() => double.submit({ user: ada, form, fields: {} })).toThrow(/needed/)
  })

  it('notice a message without allowed_mentions, and let it pass as Discord does', async () => {
    onCommand((interaction) => interaction.reply({ content: '@everyone', allowedMentions: { parse: ['everyone'] } }))
    expect((await start().waitFor(() => true)).content).toBe('@everyone')
    await client.rest.post(`/channels/${client.channels.cache.firstKey()}/messages`, { body: { content: '@here' } })
    expect(rules()).toEqual(['allowed_mentions', 'allowed_mentions'])
  })

  const option = (name: string, more = {}) => ({ type: 3, name, description: 'x', ...more })
  const choices = [{ name: 'a', value: 'a' }]
  const zh = (text: string) => ({ 'zh-CN': text })
  const commands: [string, object[]][] = [
    ['option_order', [{ name: 'a', description: 'x', options: [option('b'), option('c', { required: true })] }]],
    ['name', [{ name: 'Upper', description: 'x' }]],
    ['description', [{ name: 'a' }]],
    ['autocomplete', [{ name: 'a', description: 'x', options: [option('b', { autocomplete: true, choices })] }]],
    ['commands', Array.from({ length: 101 }, (_, i) => ({ name: `c${i}`, description: 'x' }))],
    [
      'duplicate',
      [{ name: 'a', description: 'x', options: [option('b', { name_localizations: zh('c') }), option('c')] }],
    ],
    [
      'duplicate',
      [
        { name: 'a', description: 'x', name_localizations: zh('同') },
        { name: 'b', description: 'x', name_localizations: zh('同') },
      ],
    ],
    ['name', [{ name: 'a', description: 'x', name_localizations: zh('两 字') }]],
    ['description', [{ name: 'a', description: 'x', description_localizations: zh('长'.repeat(101)) }]],
    ['choices', [{ name: 'a', description: 'x', options: [option('b', { choices: [...choices, ...choices] })] }]],
    ['menu', [{ name: 'Save this', type: 3, description: 'x' }]],
    ['commands', Array.from({ length: 16 }, (_, i) => ({ name: `Do ${i}`, type: 3 }))],
    ['locale', [{ name: 'a', description: 'x', name_localizations: { xx: 'b' } }]],
    [
      'command_size',
      [
        {
          name: 'a',
          description: 'x',
          options: Array.from({ length: 25 }, (_, i) =>
            option(`o${i}`, {
              choices: Array.from({ length: 4 }, (_c, n) => ({ name: `${n}`, value: 'v'.repeat(90) })),
            }),
          ),
        },
      ],
    ],
  ]
  it('notice a command of one guild that says where it is there', async () => {
    const body = [{ name: 'a', description: 'x', contexts: [0] }]
    const put = client.rest.put(`/applications/${APP}/guilds/${GUILD}/commands`, { body })
    await expect(put).rejects.toMatchObject({ code: 50035 })
    expect(rules()).toEqual(['contexts'])
  })

  it.each(commands)('notice a command that breaks the rule %s', async (rule, bodies) => {
    const put = client.rest.put(`/applications/${APP}/commands`, { body: bodies })
    await expect(put).rejects.toMatchObject({ code: 50035 })
    expect(rules()).toEqual([rule])
    expect(double.commands()).toMatchObject([{ name: 'container' }])
  })

  it('notice a request that the double has no answer to', async () => {
    await expect(client.rest.get('/guilds/1/audit-logs')).rejects.toThrow()
    expect(rules()).toEqual(['route'])
  })
})

it('serves 100 MiB from its CDN without holding them', async () => {
  const { url, size } = double.attach({ filename: 'root fs.tar', content: 100 * 1024 * 1024 })
  const response = await fetch(url)
  let received = 0
  for await (const chunk of response.body ?? []) received += chunk.length
  expect(received).toBe(size)
})
