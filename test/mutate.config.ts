// For `npm run mutate`: the tests that judge one part of the guard. They need no engine and open no catalog, so that some
// thousand runs of them end within the hour.
import { defineConfig } from 'vitest/config'

const tests = (process.env.MUTATE_TESTS ?? '*').split(',')

export default defineConfig({
  test: {
    include: ['loads', ...tests].map((name) => `test/actions/guard-${name}.test.ts`),
    // One thread a mutant, which ends with it, so that what is loaded once is changed as well.
    isolate: false,
    maxWorkers: 1,
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
})
