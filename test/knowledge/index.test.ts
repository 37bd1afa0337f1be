import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { pick, randomFrom } from '../../bench/search-random.js'
import { type KnowledgeBase, openKnowledge } from '../../src/knowledge/base.js'
import { buildDictionary, openDictionary } from '../../src/knowledge/dictionary.js'
import { cardOf } from '../../src/knowledge/document.js'
import type { Hit } from '../../src/knowledge/index.js'
import { BLOCK_SIZE, MOST_OF_FEW } from '../../src/knowledge/postings.js'
import { openStore } from '../../src/knowledge/store.js'
import { bytes, fileRow, jsonLines, makeBase } from './base.js'
import { dumpIndex } from './index-dump.js'

const SEED = 20261125
const WORDS = {
  en: `container image volume network bridge kernel hypervisor guest host memory disk snapshot migrate restart backup
    restore cluster node quota limit namespace cgroup overlay registry token proxy gateway firewall storage replica mount
    export import start stop attach detach build push pull docker.io vt-x --rm /dev/kvm v2.1 zygote quixotic`.split(
    /\s+/,
  ),
  zh: '容器 镜像 存储卷 网络 网桥 内核 虚拟机 宿主机 内存 磁盘 快照 迁移 重启 备份 恢复 集群 节点 配额 限制 命名空间 仓库 令牌 代理 网关 防火墙 副本 挂载 导出 导入 启动 停止'.split(
    ' ',
  ),
}
/**
 * Lets the next passage of anybody be the `left`th from the end of the first block: somebody who never changes anything
 * has the one before it.
 */
async function goOnNearTheEndOfABlock(knowledge: KnowledgeBase, db: Database.Database, left: number): Promise<void> {
  await bring(knowledge, 'gray', jsonLines({ id: 'first', text: 'A heron has legs.' }))
  const far = BLOCK_SIZE - left - 2
  db.prepare(
    `INSERT INTO knowledge_passages SELECT ?, card, ordinal + 1, heading, start, end, line, units, length, heading_tokens,
       body_tokens FROM knowledge_passages`,
  ).run(far)
  await bring(knowledge, 'gray', jsonLines({ id: 'last', text: 'A heron has wings.' }))
  db.prepare('DELETE FROM knowledge_passages WHERE id = ?').run(far)
}
type Lang = keyof typeof WORDS
const LANGS = ['en', 'zh'] as const

/** Texts of few words, the first of which stand nearly everywhere and the last nearly nowhere. */
function writer(random: () => number) {
  const word = (lang: Lang) => pick(WORDS[lang], random() ** 2)
  const some = <T>(most: number, make: () => T): T[] => Array.from({ length: 1 + Math.floor(random() * most) }, make)
  const words = (lang: Lang, most: number) => some(most, () => word(lang)).join(lang === 'en' ? ' ' : '的')
  const sentence = (lang: Lang) => (lang === 'en' ? `The ${words(lang, 9)} works.` : `这个${words(lang, 9)}。`)
  const text = (lang: Lang) =>
    some(3, () => `## ${words(lang, 2)}\n\n${some(3, () => sentence(lang)).join(lang === 'en' ? ' ' : '')}`).join(
      '\n\n',
    )
  return { words, some, text }
}

const questionsOf = (random: () => number, count: number): string[] => {
  const { words } = writer(random)
  return Array.from({ length: count }, () => {
    const [first, second] = [pick(LANGS, random()), pick(LANGS, random())]
    return random() < 0.8 ? words(first, 4) : `${words(first, 2)} ${words(second, 2)}`
  })
}

const hitsOf = (knowledge: KnowledgeBase, question: string, tenant: string): Omit<Hit, 'passage'>[] =>
  knowledge.search(question, { tenant, limit: 50 }).map(({ passage: _, ...hit }) => hit)

describe('the index', () => {
  it('is the same after thousands of changes as when it is built afresh from what is left', async () => {
    const { knowledge, db } = makeBase()
    db.pragma('synchronous = NORMAL')
    const random = randomFrom(SEED)
    const { words, some, text } = writer(random)
    const change = () => ({ author: pick(['ann', 'bob'], random()), at: 0, reason: '' })

    await goOnNearTheEndOfABlock(knowledge, db, 40)
    const lastPassage = db.prepare<[], number>('SELECT max(id) FROM knowledge_passages').pluck()
    expect(lastPassage.get()).toBeLessThan(BLOCK_SIZE)

    const idOf = () => `n${Math.floor(random() * 60)}`
    const last = new Map<string, string>()
    const hasBlocks = db
      .prepare<[], number>(
        `SELECT t.few IS NULL FROM knowledge_tokens t JOIN knowledge_shelves s ON s.id = t.shelf
         WHERE t.token = 'contain' AND s.tenant = 'blue' AND s.lang = 'en'`,
      )
      .pluck()
    const forms: (number | undefined)[] = []
    for (let step = 0; step < 5000; step += 1) {
      const tenant = random() < 0.7 ? 'blue' : 'red'
      const lang = pick(LANGS, random())
      const kind = random()
      if (step % 1000 === 500) {
        // Everything goes, so that common words become rare again.
        for (const { id, lang: its } of knowledge.list('blue', {})) knowledge.remove('blue', id, its, change())
      } else if (kind < 0.2) {
        const rows = some(3, () => ({ id: idOf(), title: words(lang, 3), text: text(lang), lang, tags: ['x'] }))
        last.set(tenant, jsonLines(...new Map(rows.map((row) => [row.id, row])).values()))
        await bring(knowledge, tenant, last.get(tenant) ?? '')
      } else if (kind < 0.25) {
        await bring(knowledge, tenant, last.get(tenant) ?? '')
      } else if (kind < 0.5) {
        const draft = {
          id: idOf(),
          title: words(lang, 3),
          text: text(lang),
          lang,
          aliases: some(2, () => words(lang, 3)),
        }
        expect(knowledge.save(draft, tenant, change(), true).saved).toBe(true)
      } else if (kind < 0.65) {
        knowledge.save({ id: idOf(), title: words(lang, 3), lang }, tenant, change(), true)
      } else if (kind < 0.85) {
        knowledge.remove(tenant, idOf(), undefined, change())
      } else {
        const id = idOf()
        const { versions = [] } = knowledge.history(tenant, id, lang) ?? {}
        const [version] = versions.filter((one) => one.text !== undefined && random() < 0.5)
        if (version) expect(knowledge.revert(tenant, id, lang, version.version, change())?.saved).toBe(true)
      }
      if (step % 10 === 0) {
        const [question = ''] = questionsOf(random, 1)
        for (const hit of knowledge.search(question, { tenant })) {
          expect(knowledge.show(tenant, hit.card, hit.lang)?.tenant).toBe(tenant)
        }
        knowledge.answer(question, { tenant })
        forms.push(hasBlocks.get())
      }
    }
    expect(lastPassage.get()).toBeGreaterThan(BLOCK_SIZE)
    // A common word came to have blocks, was all but gone, and came again.
    expect(forms.join('')).toMatch(/01+0+1/)

    const fresh = makeBase()
    await goOnNearTheEndOfABlock(fresh.knowledge, fresh.db, 40)
    for (const tenant of ['blue', 'red']) {
      // Of equally good passages the earlier one is found, so they are brought in the same order.
      const order = db
        .prepare<[string], string>(
          `SELECT s.lang || '/' || c.id FROM knowledge_cards c JOIN knowledge_shelves s ON s.id = c.shelf
           JOIN knowledge_passages p ON p.card = c.key WHERE s.tenant = ? GROUP BY c.key ORDER BY min(p.id)`,
        )
        .pluck()
        .all(tenant)
      const files = new Map(allFiles(knowledge, tenant).map((file) => [`${file.lang}/${file.id}`, file]))
      expect(files.size).toBe(order.length)
      expect(files.size).toBeGreaterThan(MOST_OF_FEW)
      const rows = order.map((key) => fileRow(`${files.get(key)?.id}.md`, files.get(key)?.markdown ?? ''))
      const report = await bring(fresh.knowledge, tenant, jsonLines(...rows))
      expect(report).toMatchObject({ added: order.length, rejected: 0 })
    }
    expect(dumpIndex(db)).toEqual(dumpIndex(fresh.db))
    for (const question of questionsOf(random, 100)) {
      for (const tenant of ['blue', 'red', '']) {
        expect(hitsOf(knowledge, question, tenant), question).toEqual(hitsOf(fresh.knowledge, question, tenant))
      }
    }
  }, 120_000)

  it('finds the same whether or not it passes over what cannot come among the best', async () => {
    const { knowledge, db } = makeBase()
    const random = randomFrom(SEED + 1)
    const { words, text } = writer(random)
    const rows = Array.from({ length: 1500 }, (_, n) => {
      const lang = pick(LANGS, random())
      return { id: `n${n}`, title: words(lang, 3), text: text(lang), lang }
    })
    // What is known of the first block is what the second one is passed over by.
    await goOnNearTheEndOfABlock(knowledge, db, 1500)
    await bring(knowledge, 'blue', jsonLines(...rows))
    await bring(knowledge, '', jsonLines(...rows.slice(0, 500).map((row) => ({ ...row, text: `${row.text}\n` }))))
    expect(db.prepare('SELECT max(id) FROM knowledge_passages').pluck().get()).toBeGreaterThan(BLOCK_SIZE + 1500)
    const terms = new Database(':memory:')
    const pairs = WORDS.zh.map((zh, n) => ({
      zh: [zh],
      en: [WORDS.en[n] ?? '', `${WORDS.en[n + 3]} ${WORDS.en[n + 7]}`],
    }))
    buildDictionary(terms, [], pairs)
    const dictionary = openDictionary(terms)
    const [pruned, exhaustive] = [openKnowledge(db, dictionary), openKnowledge(db, dictionary, { prune: false })]
    for (const [n, question] of questionsOf(random, 200).entries()) {
      const ask = (base: KnowledgeBase) => ({
        hits: base.search(question, { tenant: 'blue', limit: 50 }),
        ...(n % 4 === 0 ? { answer: base.answer(question, { tenant: 'blue' }) } : {}),
      })
      expect(ask(pruned), question).toEqual(ask(exhaustive))
    }
    terms.close()
  }, 60_000)

  it('is made again from the passages of a file whose postings were kept in another form', async () => {
    const { knowledge, db } = makeBase()
    await goOnNearTheEndOfABlock(knowledge, db, 10)
    const random = randomFrom(SEED + 2)
    const { words, text } = writer(random)
    const rows = Array.from({ length: 60 }, (_, n) => {
      const lang = pick(LANGS, random())
      return { id: `n${n}`, title: words(lang, 3), text: text(lang), lang }
    })
    await bring(knowledge, 'blue', jsonLines(...rows))
    const before = dumpIndex(db)
    db.exec('DELETE FROM knowledge_tokens; UPDATE knowledge_postings SET data = zeroblob(3); PRAGMA user_version = 1')
    openStore(db)
    expect(dumpIndex(db)).toEqual(before)
    expect(db.pragma('user_version', { simple: true })).toBe(3)
  })

  it('is as it was when a write fails, and the next one is whole', () => {
    const { db } = makeBase()
    const store = openStore(db)
    const owner = { tenant: 'blue', collection: 'notes' }
    const change = { author: 'ann', at: 0, reason: '' }
    const put = (id: string, text: string) =>
      store.put(cardOf({ id, title: id, text, head: {}, lang: 'en', file: id, line: 1 }), owner, change)
    store.atomically(() => put('walrus', 'A walrus has tusks.'))
    const before = dumpIndex(db)
    const failing = () =>
      store.atomically(() => {
        put('heron', 'A heron has legs.')
        put('walrus', 'A walrus has none.')
        throw new Error('enough')
      })
    expect(failing).toThrow('enough')
    expect(dumpIndex(db)).toEqual(before)
    store.atomically(() => put('seal', 'A seal barks.'))
    const { passages, postings } = dumpIndex(db)['blue/en'] ?? {}
    expect(passages).toBe(2)
    expect(Object.keys(postings ?? {})).toEqual(['bark', 'seal', 'tusk', 'walru'])
  })
})

const bring = (knowledge: KnowledgeBase, tenant: string, content: string) =>
  knowledge.import(bytes(content, 65_536), { tenant, collection: 'notes', file: 'notes.jsonl', author: 'ann' })

function allFiles(knowledge: KnowledgeBase, tenant: string): ReturnType<KnowledgeBase['files']> {
  const all: ReturnType<KnowledgeBase['files']> = []
  for (;;) {
    const page = knowledge.files(tenant, all.at(-1))
    if (page.length === 0) return all
    all.push(...page)
  }
}
