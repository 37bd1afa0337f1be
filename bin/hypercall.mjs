#!/usr/bin/env node
// The command line. Builds first when the sources are newer than what was built, so a clone is ready at once.
import { ensureBuilt } from '../scripts/ready.mjs'

await ensureBuilt()
const { main } = await import('../dist/bot/cli.js')
process.exitCode = await main(process.argv.slice(2))
