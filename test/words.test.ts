// Every word for people exists in English and Chinese: a rule of the sources, checked.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { wordProblems } from './helpers/words.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const sources = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
  .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))

/** What is about Chinese text says nothing to people. */
const OTHERWISE = [
  'src/knowledge/formats/pdf-layout.ts',
  'src/knowledge/language.ts',
  'src/knowledge/query.ts',
  'src/knowledge/systems.ts',
  'src/bot/ranking.ts',
  // These have their English beside them in another way: as the key, and as a column.
  'src/actions/names.ts',
  'src/bot/completion-lists.ts',
  'src/bot/docs.ts',
]

describe('every word for people', () => {
  it('exists in both languages, side by side', () => {
    const problems = sources
      .filter((path) => !OTHERWISE.includes(path))
      .flatMap((path) => wordProblems(path, readFileSync(join(ROOT, path), 'utf8')))
    expect(problems).toEqual([])
  })

  it.each([
    ["const text = '确认'", 'Chinese without English'],
    [`const text = \`\${count} 个\``, 'Chinese without English'],
    ['const yes = /^是$/', 'Chinese without English'],
    ["const words = { zh: '确认' }", 'one language without the other'],
    ["const words = { en: 'Confirm', zh: '' }", 'says nothing in one language'],
    ["const words = { en: 'by {name}', zh: '由 {who}' } as const", 'has other {placeholders}'],
    [`const words = { en: \`\${a} of \${b}\`, zh: \`\${a}\` }`, 'fills in more'],
    ["const word = kind(404, false, 'There is no {card}.', '没有卡片。')", 'has other {placeholders}'],
    ["const view = { kind: 'text', text: 'Done' }", 'words in one language'],
    ["const fact = { label: isOpen ? 'State' : '', value }", 'words in one language'],
    ["const table = { columns: ['Name', 'Value'] }", 'words in one language'],
    [`const button = { label: \`\${name} again\` }`, 'words in one language'],
    ["throw new AppError('INVALID_INPUT', { problem: 'too long' })", 'words in one language'],
    ['const part = <b>Done</b>', 'words in one language'],
  ])('is missed where it is not: %s', (source, problem) => {
    expect(wordProblems('planted.tsx', source).join()).toContain(problem)
  })

  it.each([
    "const words = { en: 'Confirm', zh: '确认' }",
    "const word = kind(404, false, 'There is no {card}.', '没有卡片 {card}。')",
    "const because = { en: '', zh: '' }",
    `const view = { text: say(lang, WORDS.done), label: WORDS.job[lang], heading: \`\${id} · \${name}\` }`,
    "const key = { label: 'SHA-256' }",
    '// 注释 says nothing to people',
  ])('is found where it is: %s', (source) => {
    expect(wordProblems('planted.tsx', source)).toEqual([])
  })
})
