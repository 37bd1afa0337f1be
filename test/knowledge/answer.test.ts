import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type EvalQuestion, readEvalSet } from '../../bench/eval-set.js'
import type { Answer, KnowledgeBase } from '../../src/knowledge/index.js'
import { card, makeBase, SHIPPED } from './base.js'

let knowledge: KnowledgeBase
beforeAll(async () => {
  const base = makeBase(true)
  knowledge = base.knowledge
  await knowledge.ingest(SHIPPED)
  return base.close
})

/** The same questions, and the same floor, as `npm run eval`, which prints what was missed. */
const { questions, refused } = readEvalSet(join(import.meta.dirname, '../../data/eval/questions.yaml'))

/** Right means: found, and quoted first from a card that may answer. */
const isRight = ({ q, cards }: EvalQuestion): boolean => {
  const { found, citations } = knowledge.answer(q)
  return found && cards.includes(citations[0]?.card ?? '')
}

it('questions of the field are answered rightly at least 92 times in 100', () => {
  const wrong = questions.filter((asked) => !isRight(asked)).map(({ q }) => q)
  expect(wrong.length / questions.length, wrong.join('\n')).toBeLessThanOrEqual(0.08)
})

describe('everything else', () => {
  it('is refused at least 95 times in 100', () => {
    const answered = refused.filter((question) => knowledge.answer(question).found)
    expect(answered.length / refused.length, answered.join('\n')).toBeLessThanOrEqual(0.05)
  })

  it.each(['price of milk', '一升牛奶多少钱', 'asdfgh', '你好', '你是谁', ''])(
    '%j is refused with nothing made up',
    (question) => {
      const { found, answer, citations, confidence, nearest } = knowledge.answer(question)
      expect({ found, answer, citations }).toEqual({ found: false, answer: '', citations: [] })
      expect(confidence).toBeLessThan(0.5)
      expect(nearest).toHaveLength(3)
    },
  )
})

/** The sentences of an answer: text without its code block, split after each mark. */
const marked = ({ answer }: Answer): string[] =>
  answer
    .replace(/\n\n(`{3,})[\s\S]*?\n\1\n(?=\[\d+\]$)/, ' ')
    .split(/(?<=\[\d+\])\s*/)
    .filter((part) => part !== '')

describe('an answer', () => {
  it('quotes its cards character for character, and every sentence carries the mark of its own quote', () => {
    for (const { q: question } of questions) {
      const given = knowledge.answer(question)
      for (const { card: id, lang, quote } of given.citations) {
        expect(quote.length).toBeGreaterThan(0)
        expect(readFileSync(join(SHIPPED, lang, `${id}.md`), 'utf8')).toContain(quote)
      }
      const parts = marked(given)
      expect(
        parts.map((part) => /\[(\d+)\]$/.exec(part)?.[1]),
        question,
      ).toEqual(given.citations.map((_, i) => String(i + 1)))
      for (const part of parts) {
        const [, said = '', mark = ''] = /^([\s\S]*?)\s*\[(\d+)\]$/.exec(part) ?? []
        if (said !== '') expect(given.citations[Number(mark) - 1]?.quote.replace(/\s+/g, ' ')).toBe(said)
      }
    }
  })

  it('is short: at most two sentences and one code block', () => {
    for (const { q: question } of questions) {
      const { citations, answer } = knowledge.answer(question)
      expect(citations.length, question).toBeLessThanOrEqual(3)
      expect(answer.length, question).toBeLessThan(1500)
    }
  })

  it('is in the language of the question, and says where and as of when it was checked', () => {
    expect(knowledge.answer('what is kvm')).toMatchObject({
      lang: 'en',
      citations: [{ lang: 'en', asOf: '2026-11' }, {}],
    })
    const chinese = knowledge.answer('kvm 是什么')
    expect(chinese.lang).toBe('zh')
    expect(chinese.citations[0]?.sources[0]?.url).toMatch(/^https:/)
  })

  it('can be asked for in the other language, as far as its words reach', () => {
    expect(knowledge.answer('kvm', { lang: 'zh' })).toMatchObject({ found: true, lang: 'zh' })
  })

  it('holds the command when one asks how', () => {
    expect(knowledge.answer('how do I copy a file out of a container').answer).toContain('docker cp box:')
    expect(knowledge.answer('怎么查看容器映射的目录').answer).toContain("docker inspect -f '{{json .Mounts}}'")
    expect(knowledge.answer('what is docker').answer).not.toContain('```')
  })

  it('repairs what the source document has wrong', () => {
    expect(knowledge.answer('qemu是解释执行吗').answer).toMatch(/不是逐条解释执行|不准确/)
    expect(knowledge.answer('can vmware player create virtual machines').answer).toMatch(/discontinued|wrong/)
    expect(knowledge.answer('vmware要钱吗').answer).toMatch(/不用花钱|免费/)
    expect(knowledge.answer('apt install docker').answer).toMatch(/transitional|never Docker/)
  })

  it('names three other topics that are near', () => {
    const { nearest, citations } = knowledge.answer('docker save')
    expect(nearest).toHaveLength(3)
    expect(nearest.map((topic) => topic.card)).not.toContain(citations[0]?.card)
  })
})

describe('an answer from a small base', () => {
  it('comes from the other language when only that one knows', async () => {
    const base = makeBase()
    base.write('en/walrus.md', card('walrus', 'A Zorblax is a machine that sorts walrus tusks.', { title: 'Zorblax' }))
    base.write('zh/other.md', card('other', '这里讲的是别的事情。'))
    await base.knowledge.ingest(base.dir)
    expect(base.knowledge.answer('Zorblax 是什么')).toMatchObject({ found: true, lang: 'en' })
  })

  it('quotes a table or a command when the card has no sentence', async () => {
    const base = makeBase()
    base.write(
      'en/t.md',
      card('t', '| tusk | length |\n|---|---|\n| left tusk | 50 cm |', { title: 'Walrus tusk length' }),
    )
    base.write('en/c.md', card('c', '```sh\nfrobnicate --now\n```', { title: 'How to frobnicate' }))
    await base.knowledge.ingest(base.dir)
    expect(base.knowledge.answer('walrus tusk length').citations[0]?.quote).toMatch(/tusk/)
    expect(base.knowledge.answer('how to frobnicate').answer).toContain('frobnicate --now')
  })

  it('never carries an HTML tag out of a card', async () => {
    const base = makeBase()
    const body = 'A walrus <img src=x onerror="alert(1)"> has tusks and `<b>` is code.\n\n<script>alert(2)</script>'
    base.write('en/walrus.md', card('walrus', body))
    await base.knowledge.ingest(base.dir)
    const { answer } = base.knowledge.answer('what is a walrus')
    expect(answer).toContain('&lt;img')
    expect(answer).toContain('`<b>`')
    expect(answer).not.toContain('<img')
    expect(answer).not.toContain('script')
  })
})
