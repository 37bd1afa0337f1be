/** A real SQLite file and a folder of cards, both in a temporary folder that goes away with the test. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { onTestFinished } from 'vitest'
import { type KnowledgeBase, openKnowledge } from '../../src/knowledge/base.js'

export const SHIPPED = join(import.meta.dirname, '../../data/knowledge')

export interface Base {
  knowledge: KnowledgeBase
  db: Database.Database
  /** The folder of cards. */
  dir: string
  /** Writes a file below the folder of cards. */
  write(file: string, content: string | Buffer): void
  remove(file: string): void
}

/** @param keep true for a base that outlives one test; then the caller closes it */
export function makeBase(keep = false): Base & { close(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'hypercall-knowledge-'))
  const db = new Database(join(folder, 'test.sqlite'))
  db.pragma('journal_mode = WAL')
  const dir = join(folder, 'cards')
  mkdirSync(dir)
  const close = () => {
    db.close()
    rmSync(folder, { recursive: true, force: true })
  }
  if (!keep) onTestFinished(close)
  return {
    knowledge: openKnowledge(db),
    db,
    dir,
    write(file, content) {
      const path = join(dir, file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
    },
    remove: (file) => rmSync(join(dir, file)),
    close,
  }
}

/** The text of a small, valid card. */
export function card(id: string, body: string, head: Record<string, string> = {}): string {
  const lines = Object.entries({ id, title: id, ...head }).map(([key, value]) => `${key}: ${value}`)
  return `---\n${lines.join('\n')}\n---\n\n${body}\n`
}

/** In pieces that cut lines and characters anywhere. */
export async function* bytes(content: string | Buffer, size = 7): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(content as string)
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size)
}

export const jsonLines = (...rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** A file as a line of an import. */
export const fileRow = (file: string, content: string | Buffer) => ({
  file,
  base64: Buffer.from(content as string).toString('base64'),
})
