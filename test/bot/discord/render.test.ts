import { describe, expect, it } from 'vitest'
import type { Block, View } from '../../../src/actions/index.js'
import { choiceId, noteId, readCustomId } from '../../../src/bot/discord/custom-id.js'
import { cut, escapeMoments, escapeText, neutralise } from '../../../src/bot/discord/markdown.js'
import { type Card, type Message, render } from '../../../src/bot/discord/render.js'
import { displayWidth, tableText } from '../../../src/bot/table.js'
import { type MessageBody, messageProblems } from '../../helpers/discord/limits.js'

const card = (blocks: Block[], more: Partial<View> = {}, rest: Partial<Card> = {}): Card => ({
  view: { tone: 'info', blocks, ...more },
  lang: 'en',
  ...rest,
})

const text = ({ body }: Message): string => body.embeds[0]?.description ?? ''
const attached = ({ files }: Message): string => files[0]?.data.toString('utf8') ?? ''

/** What Discord would say against a message; its description checks the rest end to end. */
function problems({ body, files }: Message): string[] {
  const found = messageProblems(body as unknown as MessageBody, 0).map(({ message }) => message)
  const [embed] = body.embeds
  if ((embed?.description?.length ?? 0) > 4096) found.push('a description of more than 4096')
  if ((embed?.title?.length ?? 0) > 256) found.push('a title of more than 256')
  if (embed?.description?.trim() === '') found.push('an empty description')
  if (!embed?.description && !embed?.title) found.push('an empty embed')
  for (const button of body.components.flatMap((row) => row.components)) {
    if ('label' in button && ((button.label?.length ?? 0) < 1 || (button.label?.length ?? 0) > 80))
      found.push('a label')
    if ('custom_id' in button && (button.custom_id.length < 1 || button.custom_id.length > 100))
      found.push('a custom_id')
  }
  if (body.allowed_mentions.parse.length !== 0 || body.allowed_mentions.users) found.push('mentions')
  if (body.attachments.length !== files.length) found.push('attachments')
  if ((text({ body, files }).split('```').length - 1) % 2 !== 0) found.push('an open code block')
  return found
}

const containers = (count: number, name = (n: number) => `web-${n}`) =>
  card(
    [
      {
        kind: 'table',
        columns: ['Host', 'Name', 'Id', 'Image', 'Status'],
        rows: Array.from({ length: count }, (_, n) => [
          'local',
          name(n),
          `${n}`.padStart(12, 'a'),
          'nginx:1.29',
          'Up 2 hours',
        ]),
      },
    ],
    { heading: `Containers (${count})` },
  )

describe('a table', () => {
  it('is aligned in a code block, a Chinese character counting as two columns', () => {
    const message = render(
      card([
        {
          kind: 'table',
          columns: ['名称', '状态'],
          rows: [
            ['数据库', '运行中'],
            ['web', 'exited'],
            ['ｗｅｂ😀', 'x'],
          ],
        },
      ]),
    )
    expect(text(message)).toBe(
      [
        '```',
        '名称　　     状态',
        '-------------------------',
        '数据库　     运行中',
        'web　　　　  exited',
        'ｗｅｂ😀     x',
        '```',
      ].join('\n'),
    )
    expect(problems(message)).toEqual([])
  })

  it('is aligned in any font: every cell of a column has as many wide characters, and as many others', () => {
    const { head, rows } = tableText(
      ['主机', 'Name', '状态'],
      [
        ['build', '网站', 'running'],
        ['生产', 'db-1', '已停止'],
      ],
      { most: 56, isLenient: true },
    )
    const upToLast = (line: string) =>
      line.slice(0, Math.max(...['状态', 'running', '已停止'].map((cell) => line.indexOf(cell))))
    const counts = [head.split('\n')[0] ?? '', ...rows]
      .map(upToLast)
      .map((line) => [displayWidth(line) - [...line].length, [...line].length])
    expect(new Set(counts.map(String)).size).toBe(1)
  })

  it('folds what is wider than a Discord code block, and loses nothing', () => {
    const message = render(containers(2, (n) => `a-rather-long-container-name-${n}`))
    const lines = text(message).split('\n')
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(56)
    for (const part of ['local', 'a-rather-long-container-name-1', 'aaaaaaaaaaa1', 'nginx:1.29', 'Up 2 hours']) {
      expect(text(message)).toContain(part)
    }
    expect(message.files).toEqual([])
  })

  it('that would fold into more than two lines, or in the middle of a cell, is a list that any screen can break', () => {
    const long = 'Namespaces, cgroups, capabilities and seccomp, all of them of the one kernel'
    const compared = render(
      card([
        {
          kind: 'table',
          columns: ['', 'Docker', 'KVM'],
          rows: [
            ['Isolation', long, 'The *hardware*'],
            ['Since', '2013', '2007'],
            ['Licence', '', 'GPL-2.0'],
          ],
        },
      ]),
    )
    expect(text(compared)).toBe(
      [
        ...['**Isolation**', `Docker: ${long}`, 'KVM: The \\*hardware\\*'],
        ...['**Since**', 'Docker: 2013 · KVM: 2007', '**Licence**', 'KVM: GPL-2.0'],
      ].join('\n'),
    )
    const alone = render(card([{ kind: 'table', columns: ['Line'], rows: [[long], ['b']] }]))
    expect(text(alone)).toBe(`Line: **${long}**\nLine: **b**`)
  })

  it('leaves out a column in which nothing stands, and lines in which nothing stands', () => {
    const rows = [
      ['local', '', 'x'.repeat(50), 'y'],
      ['other', '', 'z', ''],
    ]
    expect(tableText(['Host', 'Labels', 'Detail', 'Note'], rows, { most: 60 })).toMatchObject({
      head: `Host   Detail\n  Note\n${'-'.repeat(57)}`,
      rows: [`local  ${'x'.repeat(50)}\n  y`, 'other  z'],
    })
    expect(tableText(['a', 'b'], [], { most: 60 })).toMatchObject({ head: 'a  b\n----', rows: [] })
  })

  it('of 1,000 containers shows whole rows, says how many, and attaches them all', () => {
    const message = render(containers(1000))
    expect(problems(message)).toEqual([])
    const shown = Number(/(\d+) of 1000 rows; all of it is in full\.txt/.exec(text(message))?.[1])
    expect(shown).toBeGreaterThan(30)
    expect(text(message)).toContain(`web-${shown - 1} `)
    expect(text(message)).not.toContain(`web-${shown} `)
    expect(
      attached(message)
        .split('\n')
        .filter((line) => line.includes('nginx')),
    ).toHaveLength(1000)
    expect(attached(message)).toContain('web-999')
    expect(message.body.attachments).toEqual([{ id: 0, filename: 'full.txt' }])
  })

  it('says so in Chinese to who reads Chinese', () => {
    expect(text(render({ ...containers(1000), lang: 'zh' }))).toMatch(/显示 \d+ \/ 1000 行；完整内容见 full\.txt/)
  })

  it('with one endless cell neither pads the others nor breaks a limit', () => {
    const { rows } = tableText(
      ['a', 'b'],
      [
        ['x'.repeat(5000), '1'],
        ['y', '2'],
      ],
      { most: 60 },
    )
    expect(rows[1]?.length).toBeLessThan(70)
    expect(problems(render(card([{ kind: 'table', columns: ['a'], rows: [['x'.repeat(9000)]] }])))).toEqual([])
  })
})

describe('hostile text', () => {
  const hostile =
    '``` @everyone <@410000000000000001> **b** [x](https://evil.example) \u202egnp.exe ```\n# h\n- l\n1. n\n> q'

  it.each<Block>([
    { kind: 'text', text: hostile },
    { kind: 'prose', markdown: hostile },
    { kind: 'code', code: hostile, language: 'sh\n```' },
    { kind: 'facts', facts: [{ label: hostile, value: hostile }] },
    { kind: 'table', columns: [hostile], rows: [[hostile]] },
    { kind: 'progress', label: hostile, ratio: 7 },
    { kind: 'link', label: hostile, url: 'javascript:alert(1)' },
  ])('in a $kind block stays text', (block) => {
    const message = render(card([block, { kind: 'text', text: 'after' }], { heading: hostile }))
    expect(problems(message)).toEqual([])
    expect(JSON.stringify(message.body)).not.toMatch(/@everyone|\u202e/)
    expect(text(message).endsWith('after')).toBe(true)
    // Inside a code block a mention is only text; outside of one it must not be one.
    expect(text(message).replaceAll(/```.*?```/gs, '')).not.toMatch(/(?<!\\)<@\d/)
  })

  it('is shown character for character where it is plain', () => {
    expect(escapeText('a_b **c** [d](e) __f__ ~~g~~ `h` ||i||')).toBe(
      'a_b \\*\\*c\\*\\* \\[d\\](e) \\_\\_f\\_\\_ \\~\\~g\\~\\~ \\`h\\` \\|\\|i\\|\\|',
    )
    expect(escapeText('# a\n- b\n-# c\n1. d\n  + e')).toBe('\\# a\n\\- b\n\\-# c\n1\\. d\n  \\+ e')
    expect(escapeText('5.0 MiB\n-1\n#3\n--force')).toBe('5.0 MiB\n-1\n#3\n--force')
  })

  it('as prose keeps its markdown and its XML, and points at nobody', () => {
    expect(neutralise('**a** </domain> <b>')).toBe('**a** </domain> <b>')
    expect(neutralise('<@1> <@!1> <@&1> <#1> <:a:1> <a:b:1> <t:1:R> </ask:1> <id:home>')).not.toMatch(/<[@#:at/i]/)
  })

  it('tells moments by the clock of each reader, but not in code', () => {
    expect(escapeMoments('until 2026-11-28T08:48:35Z, 2026-11-28T08:48:35.123Z*')).toBe(
      'until <t:1795855715:f>, <t:1795855715:f>\\*',
    )
    expect(escapeMoments('2026-99-99T08:48:35Z')).toBe('2026-99-99T08:48:35Z')
    const code = render(card([{ kind: 'code', code: '2026-11-28T08:48:35Z' }]))
    expect(text(code)).toContain('2026-11-28T08:48:35Z')
  })

  it('without halves of characters or control characters', () => {
    expect(escapeText('a\ud800b\u0000c\u001bd\r\ne')).toBe('a\ufffdb\ufffdc\ufffdd\ne')
  })
})

describe('a long text', () => {
  it('is cut, says so, and comes whole as a file', () => {
    const long = Array.from({ length: 400 }, (_, n) => `Sentence number ${n} of a long answer.`).join('\n')
    const message = render(
      card([
        { kind: 'prose', markdown: long },
        { kind: 'text', text: 'the end' },
      ]),
    )
    expect(problems(message)).toEqual([])
    expect(text(message)).toMatch(/Shortened; all of it is in full\.txt\.\*$/)
    expect(attached(message)).toBe(`${long}\n\nthe end\n`)
  })

  it('that fits exactly is left alone, and one more character is not', () => {
    expect(text(render(card([{ kind: 'text', text: 'x'.repeat(4096 - 4) }])))).toHaveLength(4092)
    expect(render(card([{ kind: 'text', text: 'x'.repeat(4097) }])).files).toHaveLength(1)
  })

  it('cut inside a code block closes it', () => {
    const message = render(card([{ kind: 'prose', markdown: `\`\`\`sh\n${'echo hello\n'.repeat(900)}\`\`\`` }]))
    expect(problems(message)).toEqual([])
  })

  it('is never cut within a character or an escape', () => {
    for (const size of [2040, 2041]) {
      const message = render(card([{ kind: 'text', text: '*'.repeat(size) + '😀'.repeat(2000) }]))
      expect(problems(message)).toEqual([])
      expect(text(message)).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])/)
      expect(text(message)).not.toMatch(/(?<!\\)\\…/)
    }
  })

  it('is cut between words rather than within one', () => {
    expect(cut('one two three', 10)).toBe('one two…')
    expect(cut('one two three', 8)).toBe('one two…')
    expect(cut('容器与虚拟机', 4)).toBe('容器与…')
    expect(cut('x'.repeat(50), 10)).toBe(`${'x'.repeat(9)}…`)
  })

  it('of many megabytes becomes a file that Discord takes', () => {
    const message = render(card([{ kind: 'code', code: '容器\n'.repeat(3_000_000) }]))
    expect(message.files[0]?.data.length).toBeLessThan(10 * 1024 ** 2)
    expect(attached(message)).toMatch(/the rest exceeds what Discord takes\.\n$/)
  })
})

describe('buttons', () => {
  const choice = (n: number, input: object = { n }) =>
    ({ label: `Choice ${n}`, action: 'container.start', input: { ...input }, style: 'primary' }) as const

  it('are at most five a row and five rows, each custom_id once', () => {
    const choices = Array.from({ length: 40 }, (_, n) => choice(n % 30))
    const { body } = render(
      card([], { choices }, { buttons: [{ label: 'Yes', customId: 'confirm:x', style: 'danger' }] }),
    )
    expect(body.components.map((row) => row.components.length)).toEqual([5, 5, 5, 5, 5])
    expect(problems(render(card([], { choices })))).toEqual([])
  })

  it('carry their call, and are left off where it does not fit', () => {
    const { body } = render(card([], { choices: [choice(1), choice(2, { container: 'x'.repeat(100) })] }))
    const [button] = body.components[0]?.components ?? []
    expect(body.components).toHaveLength(1)
    expect(button).toMatchObject({ custom_id: 'do:container.start:{"n":1}' })
    expect(readCustomId('do:container.start:{"n":1}')).toEqual({
      kind: 'do',
      action: 'container.start',
      input: { n: 1 },
    })
  })

  it('that find no place are counted, and come as commands in a file', () => {
    const choices = [choice(1), choice(2, { container: 'x'.repeat(100) })]
    const message = render(card([{ kind: 'text', text: 'Done.' }], { choices }))
    expect(text(message)).toBe('Done.\n\n*Next steps without a button here: 1; full.txt has them as commands.*')
    expect(attached(message)).toContain(`Choice 2: /container start container:${'x'.repeat(100)}`)
    const many = Array.from({ length: 30 }, (_, n) => choice(n))
    const crowd = render({ ...card([], { choices: many }), lang: 'zh' })
    expect(text(crowd)).toBe('*5 个后续操作没有按钮；其命令见 full.txt。*')
    expect(attached(crowd)).toContain('Choice 29: /container start n:29')
  })

  it.each(['do:x', 'do:a.b:[1]', 'do:a.b:null', 'do:a.b:{', 'do:A:{}', 'other:1', '', 'confirm:', 'do::{}'])(
    'with the custom_id %j are not ours',
    (id) => expect(readCustomId(id)).toBeUndefined(),
  )

  it('survive any text in their input', () => {
    const input = { question: '类型 1 与 2: "a\\b"?' }
    expect(readCustomId(choiceId({ action: 'ask', input }) ?? '')).toEqual({ kind: 'do', action: 'ask', input })
  })

  it('cuts a draft to the room that there is, and nothing else', () => {
    const input = { card: 'gap-17', gap: 17 }
    for (const title of ['short', '"quoted"', '长'.repeat(300), '🦄'.repeat(300), '\\'.repeat(300)]) {
      const id = choiceId({ action: 'knowledge.save', input, draft: { title } }) ?? ''
      expect(id.length).toBeLessThanOrEqual(100)
      const press = readCustomId(id)
      expect(press).toMatchObject({ kind: 'do', action: 'knowledge.save', input })
      const kept = String((press as Extract<typeof press, { kind: 'do' }>).input.title)
      expect(title.startsWith(kept.replace(/…$/, ''))).toBe(true)
      expect(() => encodeURIComponent(kept)).not.toThrow()
    }
    expect(choiceId({ action: 'ask', input: { question: 'x'.repeat(100) }, draft: { title: 'x' } })).toBeUndefined()
  })

  it('says in a form which message it is about, whoever wrote that', () => {
    for (const author of ['ada', 'a:b c', '名'.repeat(80)]) {
      const id = noteId('knowledge.save', '12345678901234567890', author)
      expect(id.length).toBeLessThanOrEqual(100)
      const press = readCustomId(id)
      expect(press).toMatchObject({ kind: 'note', action: 'knowledge.save', message: '12345678901234567890' })
      expect(author.startsWith((press as { author: string }).author.replace(/…$/, ''))).toBe(true)
    }
    expect(readCustomId('note:knowledge.save:x:ada')).toBeUndefined()
  })

  it('lead to public links; a local one is a line of text', () => {
    const links: Block[] = [
      { kind: 'link', label: 'web.tar', url: 'https://bot.example.org/d/abc/web.tar' },
      { kind: 'link', label: 'here', url: 'http://127.0.0.1:7070/d/abc/web.tar' },
    ]
    const message = render(card(links))
    expect(message.body.components[0]?.components).toMatchObject([{ style: 5, label: 'web.tar' }])
    expect(text(message)).toBe('here: http://127.0.0.1:7070/d/abc/web.tar')
    const plain = render(card(links, {}, { plain: true }))
    expect(plain.body.components).toEqual([])
    expect(text(plain)).toContain('https://bot.example.org/d/abc/web.tar')
  })
})

describe('facts', () => {
  it('stand behind their names, with a colon of the same script', () => {
    const facts = [
      { label: '大小', value: '26.0 MiB' },
      { label: 'SHA-256', value: 'abc' },
    ]
    expect(text(render(card([{ kind: 'facts', facts }])))).toBe('**大小：** 26.0 MiB\n**SHA-256:** abc')
  })
})

describe('a picture', () => {
  const picture: Block = { kind: 'picture', caption: 'Type 1 and 2', alt: 'Two towers.', drawing: { svg: '<svg/>' } }

  it('is attached, described to who does not see it, and captioned', () => {
    const { body, files } = render(card([picture], {}, { picture: { png: Buffer.from('png'), alt: 'Two towers.' } }))
    expect(body.embeds).toMatchObject([
      { image: { url: 'attachment://picture.png' }, footer: { text: 'Type 1 and 2' } },
    ])
    expect(body.attachments).toEqual([{ id: 0, filename: 'picture.png', description: 'Two towers.' }])
    expect(files).toMatchObject([{ name: 'picture.png', contentType: 'image/png' }])
  })

  it('does not say twice what the heading says', () => {
    const shown = { picture: { png: Buffer.from('png'), alt: 'Two towers.' } }
    expect(render(card([picture], { heading: 'Type 1 and 2' }, shown)).body.embeds[0]?.footer).toBeUndefined()
  })

  it('that could not be drawn is told', () => {
    expect(text(render(card([picture])))).toBe('Type 1 and 2\nTwo towers.')
  })
})

describe('any view', () => {
  it('has something to show, and lets go of the files of the message before', () => {
    const { body } = render(card([]))
    expect(body).toMatchObject({ embeds: [{ description: '—' }], attachments: [], allowed_mentions: { parse: [] } })
  })

  it('shows progress as a bar where the end is known', () => {
    expect(text(render(card([{ kind: 'progress', label: '1 MiB', ratio: 0.5 }])))).toBe(
      '▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱▱▱ 50% 1 MiB',
    )
    expect(text(render(card([{ kind: 'progress', label: '1 MiB' }])))).toBe('1 MiB')
    expect(problems(render(card([{ kind: 'progress', label: '', ratio: Number.NaN }])))).toEqual([])
  })
})
