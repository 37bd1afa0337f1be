// npm test: from a fresh clone to a verdict. Every check runs, and the last line counts them all.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureBuilt, ensureInstalled, ROOT } from './ready.mjs'

const bin = (name) => join(ROOT, 'node_modules', '.bin', name)

// Said again at the end: a check's own words are thousands of lines above the verdict by then.
const failures = []

/** @returns whether it succeeded */
function check(title, program, args) {
  console.log(`\n— ${title}`)
  const ok = spawnSync(program, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0
  if (!ok) failures.push(title)
  return ok
}

function runTests(filters) {
  const folder = mkdtempSync(join(tmpdir(), 'hypercall-test-'))
  const report = join(folder, 'report.json')
  const ok = check('tests', bin('vitest'), [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile=${report}`,
    ...filters,
  ])
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'))
    // A failure outside any test (a broken set-up, a file that does not load) has no count of its own.
    return { passed: numPassedTests, failed: ok ? numFailedTests : Math.max(1, numFailedTests) }
  } catch {
    return { passed: 0, failed: 1 }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

ensureInstalled()
const filters = process.argv.slice(2)
const checks = [
  // Formatter, linter and the direction of dependencies: biome.json says who may import whom.
  check('format, lint, dependency direction', bin('biome'), ['ci', '--error-on-warnings']),
  check('types', bin('tsc'), ['-p', 'tsconfig.json']),
  check('types of the page', bin('tsc'), ['-p', 'src/bot/web/client/tsconfig.json', '--noEmit']),
]
await ensureBuilt()
checks.push(check('reference is current', process.execPath, ['bin/hypercall.mjs', 'docs', '--check']))

const tests = runTests(filters)
const passed = tests.passed + checks.filter(Boolean).length
const failed = tests.failed + checks.filter((ok) => !ok).length
for (const title of failures) console.log(`\nfailed: ${title}`)
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
