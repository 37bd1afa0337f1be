// A process that imports many documents and says after each write what is safe; it is there to be killed.
// node importer.mjs <folder of the built knowledge room, absolute> <database> <number of documents>
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [folder, file, count] = process.argv.slice(2)
const { startKnowledge } = await import(pathToFileURL(join(folder, 'index.js')).href)
const knowledge = startKnowledge(join(folder, 'worker.js'), { file })
await knowledge.import(
  documents(Number(count)),
  { tenant: 'blue', collection: 'notes', file: 'notes.jsonl', author: 'ann' },
  (report) => process.stdout.write(`${JSON.stringify(report)}\n`),
)
await knowledge.close()

async function* documents(count) {
  for (let n = 0; n < count; n += 1) {
    const text = `Walrus ${n} weighs ${n * 7} kilograms. It rests. ${'x'.repeat(4000)}`
    yield Buffer.from(`${JSON.stringify({ id: `walrus-${n}`, text })}\n`)
  }
}
