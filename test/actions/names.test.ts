import { beforeAll, describe, expect, it } from 'vitest'
import { loadRegistry, type Registry, zhName } from '../../src/actions/index.js'

/** Discord's rule for names, which is the tightest of all surfaces. */
const NAME = /^[-_'\p{L}\p{N}]{1,32}$/u

let registry: Registry
beforeAll(async () => {
  registry = await loadRegistry()
})

/** What is at fault: without a name, with one that a surface would refuse, or with one that a neighbour has. */
function faults(named: readonly (readonly [english: string, chinese: string | undefined])[]): string[] {
  const seen = new Map<string, string>()
  return named.flatMap(([english, chinese]) => {
    if (chinese === undefined) return [`${english} has no Chinese name`]
    if (!NAME.test(chinese) || chinese !== chinese.toLowerCase()) return [`${english}: ${chinese} is no name`]
    const other = seen.get(chinese)
    seen.set(chinese, english)
    return other === undefined ? [] : [`${other} and ${english} are both ${chinese}`]
  })
}

describe('Chinese names', () => {
  it('tell every command from its neighbours', () => {
    const groups = new Set(registry.actions.flatMap(({ group }) => group ?? []))
    const alone = registry.actions.filter(({ group }) => group === undefined)
    expect(
      faults([
        ...[...groups].map((group) => [group, zhName.group(group)] as const),
        ...alone.map(({ name }) => [name, zhName.verb(name)] as const),
      ]),
    ).toEqual([])
    for (const group of groups) {
      const verbs = registry.actions.filter((action) => action.group === group)
      expect(faults(verbs.map(({ name }) => [name, zhName.verb(name)]))).toEqual([])
    }
  })

  it('tell every field of a command from the others', () => {
    for (const { name, fields, acceptsFile } of registry.actions) {
      const all = [...fields.map((field) => field.name), ...(acceptsFile ? ['file'] : [])]
      expect(faults(all.map((field) => [`${name} ${field}`, zhName.field(name, field)]))).toEqual([])
    }
  })

  it('are found by what a name means where it stands, and not by what an object happens to have', () => {
    expect([zhName.verb('artifact.link'), zhName.verb('host.link')]).toEqual(['链接', '连接'])
    expect([zhName.field('image.transfer', 'to'), zhName.field('knowledge.assign', 'to')]).toEqual(['目标主机', '交给'])
    expect(zhName.field('ask', 'constructor')).toBeUndefined()
    expect(
      faults([
        ['a', '甲'],
        ['b', '甲'],
        ['c', undefined],
        ['d', 'TLS'],
      ]),
    ).toEqual(['a and b are both 甲', 'c has no Chinese name', 'd: TLS is no name'])
  })
})
