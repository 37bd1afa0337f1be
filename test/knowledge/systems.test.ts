import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { KnowledgeBase } from '../../src/knowledge/index.js'
import { comparedIn, readSystems, type SystemTable, systemNamed } from '../../src/knowledge/systems.js'
import { makeBase, SHIPPED } from './base.js'

let table: SystemTable
let knowledge: KnowledgeBase
beforeAll(async () => {
  const read = await readSystems(join(SHIPPED, 'systems.yaml'))
  if (!read) throw new Error('the facts table is missing')
  table = read
  const base = makeBase(true)
  knowledge = base.knowledge
  await knowledge.ingest(SHIPPED)
  return base.close
})

describe('the facts table', () => {
  it('has each fact in both languages, and a source for it or the mark that there is none', () => {
    const cards = readdirSync(join(SHIPPED, 'en')).map((file) => file.replace('.md', ''))
    expect(table.systems.length).toBeGreaterThanOrEqual(18)
    for (const system of table.systems) {
      expect(cards, system.id).toContain(system.card)
      const backed = new Set([...system.sources.flatMap((source) => source.facts), ...system.unconfirmed])
      for (const [fact, words] of Object.entries(system.facts)) {
        expect(Object.keys(table.labels), `${system.id}.${fact}`).toContain(fact)
        expect(backed, `${system.id}.${fact}`).toContain(fact)
        expect(words.en, `${system.id}.${fact}`).not.toBe('')
        expect(words.zh, `${system.id}.${fact}`).not.toBe('')
      }
      for (const { url, facts } of system.sources) {
        expect(url, system.id).toMatch(/^https:\/\//)
        for (const fact of facts) expect(Object.keys(system.facts), `${system.id}.${fact}`).toContain(fact)
      }
    }
  })

  it('gives no name to two systems', () => {
    const names = table.systems.flatMap((system) => system.names)
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
    expect(systemNamed('  KVM ', table)?.id).toBe('kvm')
    expect(systemNamed('kvmm', table)).toBeUndefined()
  })

  it('weighs only options and systems that there are', () => {
    expect(table.questions.length).toBeLessThanOrEqual(5)
    for (const { question, option, system } of table.rules) {
      const asked = table.questions.find(({ id }) => id === question)
      expect(
        asked?.options.map(({ id }) => id),
        `${question}/${option}`,
      ).toContain(option)
      expect(table.systems.map(({ id }) => id)).toContain(system)
    }
  })
})

describe('a comparison', () => {
  it.each([
    ['KVM vs Xen', ['kvm', 'xen']],
    ['what is the difference between docker and lxc?', ['docker', 'lxc']],
    ['kvm和xen的区别', ['kvm', 'xen']],
    ['VirtualBox 與 KVM 的區別', ['virtualbox', 'kvm']],
    ['docker 还是 podman', ['docker', 'podman']],
    ['firecracker or qemu microvm or cloud hypervisor', ['firecracker', 'qemu-microvm', 'cloud-hypervisor']],
    ['what is kvm', []],
    ['how does docker differ', []],
    ['is xenial better than kvmtool', []],
    ['docker container vs image', []],
  ])('is what %j asks for: %j', (question, ids) => {
    expect(comparedIn(question, table).map(({ id }) => id)).toEqual(ids)
  })

  it('has a row for each fact and a cell for each system', () => {
    const comparison = knowledge.compare(['kvm', '内核虚拟机', 'bochs'], 'zh')
    if ('unknown' in comparison) throw new Error(comparison.unknown)
    expect(comparison.systems.map(({ name }) => name)).toEqual(['KVM', 'Bochs'])
    expect(comparison.rows.length).toBeGreaterThan(8)
    for (const { label, values } of comparison.rows) {
      expect(label).toMatch(/[\u4e00-\u9fff]/)
      expect(values).toHaveLength(2)
    }
    expect(comparison.sources.length).toBeGreaterThan(1)
    expect(knowledge.compare(['kvm', 'nosuch'], 'en')).toEqual({ unknown: 'nosuch' })
  })

  it('asked in plain words brings the table, and cited sentences about each system', () => {
    for (const question of ['proxmox vs bochs', 'Proxmox 和 Bochs 有什么区别']) {
      const answer = knowledge.answer(question)
      expect(answer.found).toBe(true)
      expect(answer.comparison?.systems.map(({ id }) => id)).toEqual(['proxmox', 'bochs'])
      expect(answer.citations.map(({ card }) => card)).toEqual(['proxmox', 'bochs'])
      expect(answer.answer).toContain('[2]')
    }
    const own = knowledge.answer('kvm vs qemu')
    expect(own.citations.map(({ card }) => card)).toContain('kvm-qemu')
    expect(own.comparison).toBeDefined()
    expect(knowledge.answer('what is kvm').comparison).toBeUndefined()
  })
})

describe('choosing', () => {
  it('asks each question once, and then recommends with reasons', () => {
    let answers = ''
    for (let number = 1; number <= table.questions.length; number++) {
      const { question, recommended } = knowledge.choose(answers, 'en')
      expect(question).toMatchObject({ number, of: table.questions.length })
      expect(recommended).toEqual([])
      answers += '1'
    }
    const { question, recommended } = knowledge.choose(answers, 'zh')
    expect(question).toBeUndefined()
    expect(recommended.length).toBeGreaterThan(0)
    for (const { reasons } of recommended) expect(reasons.length).toBeGreaterThan(0)
  })

  it('never recommends what an answer rules out, whatever else is asked for', () => {
    const digits = (n: number) =>
      table.questions.map(({ options }, i) => Math.floor(n / 5 ** i) % (options.length + 1)).join('')
    let recommendations = 0
    for (let n = 0; n < 5 ** table.questions.length; n++) {
      const answers = digits(n)
      const picked = table.questions.map(({ id, options }, i) => `${id}/${options[Number(answers[i]) - 1]?.id}`)
      const ruledOut = table.rules
        .filter(({ question, option, points }) => points <= -5 && picked.includes(`${question}/${option}`))
        .map(({ system }) => system)
      for (const { id } of knowledge.choose(answers, 'en').recommended) {
        recommendations += 1
        expect(ruledOut, answers).not.toContain(id)
      }
    }
    expect(recommendations).toBeGreaterThan(1000)
  })

  it('is not confused by digits that stand for no option', () => {
    expect(knowledge.choose('44444', 'en').recommended.length).toBeLessThanOrEqual(3)
    expect(knowledge.choose('00000', 'en')).toMatchObject({ recommended: [] })
  })
})
