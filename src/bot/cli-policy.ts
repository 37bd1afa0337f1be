// What a policy's author runs before anybody else does: is the file right, and does it still mean what it is meant to.
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import {
  type CaseResult,
  fill,
  type Lang,
  loadPolicy,
  loadRegistry,
  PolicyCasesError,
  PolicyError,
  type PolicyProblem,
  policySchema,
  readPolicyCases,
  runPolicyCase,
  say,
} from '../actions/index.js'
import { complain, EXIT, print } from './cli-run.js'
import { loadConfig } from './config.js'
import { readPolicy } from './main.js'

const WORDS = {
  check: { en: 'Check a policy file; by default the one in use', zh: '检查策略文件，默认为当前使用的文件' },
  test: { en: 'Run the cases of a file against a policy', zh: '用文件中的用例测试策略' },
  file: { en: 'A Cedar file of this machine', zh: '本机上的 Cedar 文件' },
  cases: { en: 'A YAML file of cases', zh: 'YAML 用例文件' },
  policy: { en: 'The policy; by default the one in use', zh: '策略文件，默认为当前使用的文件' },
  right: { en: '{file}: nothing is wrong with it', zh: '{file}：没有问题' },
  passed: { en: '{count} cases, all as expected', zh: '{count} 个用例，全部符合预期' },
  failed: { en: '{failed} of {count} cases are not as expected', zh: '{count} 个用例中有 {failed} 个不符合预期' },
} as const

const told = (file: string, problems: readonly PolicyProblem[]): void => {
  for (const { line, message } of problems) complain(`${file}:${line}: ${message}`)
}

async function policyOf(file: string) {
  const registry = await loadRegistry()
  return { registry, policy: loadPolicy(readPolicy(file), policySchema(registry.actions)) }
}

async function check(file: string, lang: Lang): Promise<number> {
  const { policy } = await policyOf(file)
  if (policy.unreachable.length > 0) {
    told(file, policy.unreachable)
    return EXIT.failed
  }
  print(say(lang, WORDS.right, { file }))
  return EXIT.ok
}

async function test(casesFile: string, file: string, lang: Lang): Promise<number> {
  const cases = readPolicyCases(await readFile(casesFile, 'utf8'))
  const { registry, policy } = await policyOf(file)
  const results: CaseResult[] = cases.map((one) => runPolicyCase(one, policy, registry))
  const wrong = results.filter((result) => result.wrong !== undefined)
  for (const { line, name, wrong: why } of wrong) complain(`${casesFile}:${line}: ${name}: ${why}`)
  if (wrong.length === 0) print(say(lang, WORDS.passed, { count: cases.length }))
  else complain(fill(WORDS.failed, { failed: wrong.length, count: cases.length })[lang])
  return wrong.length === 0 ? EXIT.ok : EXIT.failed
}

export function addPolicyCommands(group: Command, lang: Lang, done: (code: number) => void): void {
  const orTold = (file: string, work: Promise<number>): Promise<void> =>
    work.then(done, (error: unknown) => {
      if (error instanceof PolicyError) told(file, error.problems)
      else if (error instanceof PolicyCasesError) complain(error.message)
      else throw error
      done(EXIT.failed)
    })
  group
    .command('check')
    .description(WORDS.check[lang])
    .argument('[file]', WORDS.file[lang])
    .action((given: string | undefined) => {
      const file = given ?? loadConfig().HYPERCALL_POLICY
      return orTold(file, check(file, lang))
    })
  group
    .command('test')
    .description(WORDS.test[lang])
    .argument('<file>', WORDS.cases[lang])
    .option('--policy <file>', WORDS.policy[lang])
    .action((cases: string, options: { policy?: string }) => {
      const file = options.policy ?? loadConfig().HYPERCALL_POLICY
      return orTold(file, test(cases, file, lang))
    })
}
