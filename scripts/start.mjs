// npm start: from a fresh clone to a served page.
import { ensureBuilt } from './ready.mjs'

await ensureBuilt()
const { main } = await import('../dist/bot/cli.js')
process.exitCode = await main(['serve'])
