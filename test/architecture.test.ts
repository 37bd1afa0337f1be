import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const biome = join(ROOT, 'node_modules', '.bin', 'biome')

const planted = mkdtempSync(join(tmpdir(), 'hc-architecture-'))
const { vcs: _, ...rules } = JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8')) as Record<string, unknown>
writeFileSync(join(planted, 'biome.json'), JSON.stringify(rules))
afterAll(() => rmSync(planted, { recursive: true, force: true }))

/** What our linter, with our rules, says of this source in this place. */
function lint(path: string, source: string): string {
  const file = join(planted, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, source)
  const { stdout, stderr } = spawnSync(biome, ['lint', path], { cwd: planted, encoding: 'utf8' })
  return stdout + stderr
}

describe('the direction of dependencies', () => {
  it.each([
    ['src/knowledge/planted.ts', '../actions/index.js'],
    ['src/knowledge/planted.ts', '../bot/config.js'],
    ['src/actions/planted.ts', '../bot/config.js'],
    ['src/actions/planted.ts', '../knowledge/store.js'],
    ['src/actions/gate.ts', './catalog/ask.js'],
    ['src/bot/planted.ts', '../actions/gate.js'],
    ['src/bot/http/planted.ts', '../../knowledge/search.js'],
    ['src/actions/hosts/planted.ts', 'dockerode'],
    ['src/bot/planted.ts', 'dockerode'],
    ['src/actions/hosts/planted.ts', 'ssh2'],
    ['src/actions/planted.ts', '@cedar-policy/cedar-wasm/nodejs'],
    ['src/actions/planted.ts', 'fastify'],
    ['src/bot/http/planted.ts', 'discord.js'],
    ['src/bot/http/planted.ts', '@discordjs/rest'],
  ])('is kept: %s may not import %s', (path, from) => {
    expect(lint(path, `import { thing } from '${from}'\n\nexport const used = thing\n`)).toContain(
      'noRestrictedImports',
    )
  })

  it.each([
    ['src/actions/planted.ts', '../knowledge/index.js'],
    ['src/bot/planted.ts', '../actions/index.js'],
    ['src/actions/hosts/docker/client.ts', 'dockerode'],
    ['src/actions/hosts/ssh.ts', 'ssh2'],
    ['src/bot/discord/planted.ts', 'discord.js'],
  ])('allows %s to import %s', (path, from) => {
    expect(lint(path, `import { thing } from '${from}'\n\nexport const used = thing\n`)).not.toContain(
      'noRestrictedImports',
    )
  })

  it('lets config.ts alone read the environment', () => {
    const source = 'export const home = process.env.HOME\n'
    expect(lint('src/bot/planted.ts', source)).toContain('noProcessEnv')
    expect(lint('src/bot/config.ts', source)).not.toContain('noProcessEnv')
  })
})

const sources = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name))

describe('the sources', () => {
  const OPENS = ['src/bot/database.ts', 'src/actions/migrate-store.ts']

  it('have SQL in stores alone', () => {
    const withSql = sources
      .filter((file) => /\.prepare\b|\b(db|own)\.exec\(/.test(readFileSync(file, 'utf8')))
      .map((file) => relative(ROOT, file))
    expect(withSql.filter((file) => !/store\.ts$/.test(file) && !OPENS.includes(file))).toEqual([])
    expect(withSql).toContain('src/actions/guard/audit-store.ts')
  })

  it('have no centre: no file is longer than 400 lines', () => {
    const long = sources.filter((file) => readFileSync(file, 'utf8').split('\n').length > 400)
    expect(long.map((file) => relative(ROOT, file))).toEqual([])
  })
})

describe('docs/security.md', () => {
  const sources = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? sources(path) : entry.name.endsWith('.test.ts') ? [readFileSync(path, 'utf8')] : []
    })

  it('has a test for each attack that it names, and names each that is tested', () => {
    const told = readFileSync(join(ROOT, 'docs', 'security.md'), 'utf8')
    const rows = [...told.matchAll(/^\| (A\d\d(?:, A\d\d)*) \|/gm)].flatMap(([, numbers]) => numbers?.split(', ') ?? [])
    const tested = sources(join(ROOT, 'test')).flatMap((text) =>
      [...text.matchAll(/(['"`])(A\d\d): /g)].map(([, , number]) => number),
    )
    expect(rows.length).toBeGreaterThanOrEqual(40)
    expect([...tested].sort()).toEqual([...rows].sort())
  })
})
