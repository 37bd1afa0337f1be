// npm run mutate [PART …]: breaks the gate and the guard in every small way that Stryker knows, part by part, and sees whether
// the tests of that part notice. Fails under 85 %. docs/mutation.md says what survives, and why.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ensureInstalled, ROOT } from './ready.mjs'

const guard = (...names) => names.map((name) => `src/actions/guard/${name}.ts`)
/** What is broken, and the test files that judge it: those alone, so that a run takes seconds. */
const PARTS = {
  secrets: { mutate: guard('redact', 'seal', 'secrets'), tests: ['secrets'] },
  clicks: {
    mutate: guard('approval-notice-store', 'approval-store', 'approvals', 'confirmation-store', 'confirmations'),
    tests: ['approvals'],
  },
  audit: { mutate: guard('audit', 'audit-chain', 'audit-seal', 'audit-store'), tests: ['audit'] },
  rights: { mutate: guard('explain', 'limits', 'questions', 'rights'), tests: ['rights'] },
  gate: { mutate: ['src/actions/gate.ts'], tests: ['gate'] },
  policy: { mutate: guard('policy/cedar', 'policy/policy', 'policy/schema'), tests: ['policy'] },
  files: { mutate: guard('policy/file', 'policy/scope'), tests: ['policy', 'policy-file'] },
  cases: { mutate: guard('policy/cases'), tests: ['policy-cases'] },
}
const LEAST = 85

const chosen = process.argv.slice(2)
const unknown = chosen.filter((name) => !(name in PARTS))
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`)
  process.exit(2)
}

ensureInstalled()
const { Stryker } = await import('@stryker-mutator/core')
process.chdir(ROOT)
// The databases of the tests: thousands of runs need no disk.
if (process.env.TMPDIR === undefined && existsSync('/dev/shm')) process.env.TMPDIR = '/dev/shm'

/** @returns what became of each mutant of a part */
function run(name, { mutate, tests }) {
  process.env.MUTATE_TESTS = tests.join(',')
  return new Stryker({
    mutate,
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner', join(ROOT, 'scripts', 'mutate-ignore.mjs')],
    vitest: { configFile: 'test/mutate.config.ts', related: false },
    ignorers: ['words'],
    coverageAnalysis: 'perTest',
    concurrency: 2,
    // Cedar is compiled anew in every run, of which each asks it only a little.
    testRunnerNodeArgs: ['--wasm-lazy-compilation', '--liftoff-only'],
    timeoutMS: 20_000,
    dryRunTimeoutMinutes: 15,
    tempDirName: '.build/stryker',
    // tsconfig*.json too: Stryker would read it with an interface that TypeScript 7 no longer has.
    ignorePatterns: ['.build', 'bench', 'bin', 'dist', 'docs', 'state', 'tsconfig*.json'],
    disableTypeChecks: false,
    warnings: { slow: false },
    reporters: ['clear-text', 'progress-append-only', 'json', 'html'],
    jsonReporter: { fileName: `.build/mutation/${name}.json` },
    htmlReporter: { fileName: `.build/mutation/${name}.html` },
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: false },
  }).runMutationTest()
}

const NOTICED = new Set(['Killed', 'Timeout'])
const MISSED = new Set(['Survived', 'NoCoverage'])
const scores = new Map()
const add = (name, mutants) => {
  const noticed = mutants.filter(({ status }) => NOTICED.has(status)).length
  const missed = mutants.filter(({ status }) => MISSED.has(status)).length
  scores.set(name, { noticed, missed, score: (100 * noticed) / (noticed + missed) })
}

const all = []
for (const name of chosen.length > 0 ? chosen : Object.keys(PARTS)) all.push(...(await run(name, PARTS[name])))
for (const file of new Set(all.map(({ fileName }) => fileName))) {
  add(
    file.slice(file.indexOf('src/')),
    all.filter(({ fileName }) => fileName === file),
  )
}
add('all', all)
for (const [name, { noticed, missed, score }] of scores) {
  console.log(`${name.padEnd(48)} ${score.toFixed(1).padStart(5)} %  ${noticed} noticed, ${missed} not`)
}
if (scores.get('all').score < LEAST) {
  console.error(`less than ${LEAST} % were noticed`)
  process.exitCode = 1
}
