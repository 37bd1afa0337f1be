// Thousands of calls in one process: V8 has optimized everything by then, and must not give the process up over it.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

it('the gate is still there after some thousand calls', async () => {
  const env = { PATH: process.env.PATH, BENCH_CALLS: '2000', BENCH_ROWS: '10000' }
  const { stdout } = await promisify(execFile)(process.execPath, ['scripts/bench.mjs', 'gate'], { cwd: ROOT, env })
  expect(stdout).toContain('verifying them')
})
