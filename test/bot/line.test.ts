import { describe, expect, it } from 'vitest'
import { AppError, loadRegistry } from '../../src/actions/index.js'
import { type LineCall, quote, readLine, tokensOf, writeLine } from '../../src/bot/line.js'

const { actions } = await loadRegistry()
const read = (line: string): LineCall => readLine(line, actions)

const start = (input: object): LineCall => ({ action: 'container.start', input: { ...input } })

/** The code of the refusal, and what it says in English. */
function refusal(line: string): { code: string; message: string } {
  try {
    return { code: 'OK', message: JSON.stringify(read(line)) }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { code: error.code, message: error.message }
  }
}

describe('a line without a slash', () => {
  it.each(['What is KVM?', '什么是半虚拟化？', 'host:local is how fields look', '  padded  '])(
    'is a question: %s',
    (line) => {
      expect(read(line)).toEqual({ action: 'ask', input: { question: line.trim() } })
    },
  )
})

describe('a command', () => {
  it.each([
    ['/container start host:local container:web', { host: 'local', container: 'web' }],
    ['/container start host=local container=web', { host: 'local', container: 'web' }],
    ['/container start --host local --container web', { host: 'local', container: 'web' }],
    ['/container start --host=local --container:web', { host: 'local', container: 'web' }],
    ['/container start host: local web', { host: 'local', container: 'web' }],
    ['/container start host：local container＝web', { host: 'local', container: 'web' }],
    ['/container start web', { container: 'web' }],
    ['/container start web host:local', { host: 'local', container: 'web' }],
    ['/container start "web" host:"local"', { host: 'local', container: 'web' }],
    ["/container start 'web'", { container: 'web' }],
    ['/container start “web”', { container: 'web' }],
    ['  /container   start   web  ', { container: 'web' }],
    ['/Container START web', { container: 'web' }],
    ['/container.start web', { container: 'web' }],
  ])('is read from %s', (line, input) => {
    expect(read(line)).toEqual(start(input))
  })

  it('takes its required fields in order, the container first', () => {
    expect(read('/container copy-in web /srv/file mode:600')).toEqual({
      action: 'container.copy-in',
      input: { container: 'web', path: '/srv/file', mode: '600' },
    })
    expect(read('/container copy-in container:web /srv/file')).toEqual({
      action: 'container.copy-in',
      input: { container: 'web', path: '/srv/file' },
    })
  })

  it('takes the only field there is without its name', () => {
    expect(read('/host status local')).toEqual({ action: 'host.status', input: { host: 'local' } })
    expect(read('/job status abc')).toEqual({ action: 'job.status', input: { job: 'abc' } })
  })

  it.each([
    ['/container list running', { running: true }],
    ['/container list --running', { running: true }],
    ['/container list running:false name:web', { running: 'false', name: 'web' }],
    ['/container list --running --name web', { running: true, name: 'web' }],
    ['/container list label:tier=front', { label: 'tier=front' }],
    ['/container list label=tier=front', { label: 'tier=front' }],
    ['/container list --label tier=front', { label: 'tier=front' }],
    ['/container list --name running', { name: 'running' }],
  ])('knows flags and values apart: %s', (line, input) => {
    expect(read(line)).toEqual({ action: 'container.list', input })
  })

  it('keeps spaces, quotation marks and line breaks of a quoted value', () => {
    expect(read('/container copy-in web "/srv/my file" text:"say \\"hi\\"\n\\\\ there"')).toEqual({
      action: 'container.copy-in',
      input: { container: 'web', path: '/srv/my file', text: 'say "hi"\n\\ there' },
    })
    expect(read('/container copy-in web /srv/empty text:""').input).toMatchObject({ text: '' })
  })

  it('takes a quoted word for a value, never for a flag or a name', () => {
    expect(read('/container export "gzip"')).toEqual({ action: 'container.export', input: { container: 'gzip' } })
    expect(read('/container export gzip web').input).toEqual({ gzip: true, container: 'web' })
  })
})

describe('a command that wants a sentence', () => {
  it.each([
    ['/ask What is KVM?', 'What is KVM?'],
    ["/ask what's a hypercall", "what's a hypercall"],
    ['/ask what does "full virtualization" mean', 'what does "full virtualization" mean'],
    ['/ask "What is KVM?"', 'What is KVM?'],
    ['/ask question:What is KVM?', 'What is KVM?'],
    ['/ask question: What is KVM?', 'What is KVM?'],
    ['/ask --question What is KVM?', 'What is KVM?'],
    ['/ask why is a:b wrong', 'why is a:b wrong'],
    ['/ask is https://kernel.org right', 'is https://kernel.org right'],
    ['/ask https://kernel.org', 'https://kernel.org'],
  ])('needs no quotation marks: %s', (line, question) => {
    expect(read(line)).toEqual({ action: 'ask', input: { question } })
  })

  it('still has its other fields', () => {
    expect(read('/knowledge search limit:5 full virtualization')).toEqual({
      action: 'knowledge.search',
      input: { q: 'full virtualization', limit: '5' },
    })
  })
})

describe('a refusal', () => {
  it.each(['/', '/frobnicate', '/container', '/container frobnicate web', '/ container list'])(
    'names no command for %s',
    (line) => {
      expect(refusal(line).code).toBe('ACTION_UNKNOWN')
    },
  )

  it('names the fields a command has', () => {
    const { code, message } = refusal('/container start hots:local web')
    expect(code).toBe('INVALID_INPUT')
    expect(message).toContain('"hots" is not a field of /container start, which takes: container, host')
    expect(refusal('/container list --runing').message).toContain('host, running, name, label, status')
  })

  it.each([
    ['/container start web other', '"other" is one value too many'],
    ['/container start web container:other', '"web" is one value too many'],
    ['/container start host:a host:b web', '"host" is given twice'],
    ['/container start web --host', '"host" lacks a value'],
    ['/container start web host:', '"host" lacks a value'],
    ['/container copy-in web "/srv/my file', 'a quotation mark is not closed'],
    ['/host list local', '"local" is one value too many'],
  ])('says what is wrong with %s', (line, problem) => {
    const { code, message } = refusal(line)
    expect(code).toBe('INVALID_INPUT')
    expect(message).toContain(problem)
  })

  it('is told in Chinese too', () => {
    try {
      read('/container start hots:local web')
      expect.unreachable()
    } catch (error) {
      expect((error as AppError).describe('zh')).toContain('“hots”不是 /container start 的字段')
    }
  })
})

describe('a call as a line', () => {
  it.each<LineCall>([
    { action: 'container.start', input: { host: 'local', container: 'web' } },
    { action: 'container.list', input: { running: true, label: 'a=b c' } },
    { action: 'container.copy-in', input: { container: 'w', path: '/a "b"\\', text: 'one\ntwo  three' } },
    { action: 'container.copy-in', input: { container: 'w', path: "'/odd", text: '' } },
    { action: 'knowledge.search', input: { q: 'a "quoted" word: here', limit: '3' } },
    { action: 'ask', input: { question: 'What is KVM?' } },
    { action: 'ask', input: { question: '/etc/hosts: what is it?' } },
    { action: 'host.list', input: {} },
  ])('means that call again: $action', (call) => {
    expect(read(writeLine(call))).toEqual(call)
  })

  it('is what a person would have typed', () => {
    expect(writeLine({ action: 'container.start', input: { host: 'local', container: 'web' } })).toBe(
      '/container start host:local container:web',
    )
    expect(writeLine({ action: 'ask', input: { question: 'What is KVM?' } })).toBe('What is KVM?')
    expect(writeLine({ action: 'container.list', input: { running: true } })).toBe('/container list running')
  })
})

describe('a half-typed line', () => {
  it('says where its last word stands, and whether it is still open', () => {
    const line = '/container start host:"lo'
    const last = tokensOf(line).at(-1)
    expect(last).toMatchObject({
      name: 'host',
      text: 'lo',
      open: true,
      valueStart: line.indexOf('"'),
      end: line.length,
    })
  })

  it('quotes only what would be misread', () => {
    expect(quote('web')).toBe('web')
    expect(quote('a b')).toBe('"a b"')
    expect(quote('')).toBe('""')
  })
})
