import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { defineAction } from '../action.js'
import { AUDIT_FIELDS, auditFilter, auditRowOutput } from '../audit-views.js'
import { bytesOf } from '../bytes.js'
import type { AuditRecord } from '../guard/audit.js'
import { JobStarted, jobStartedView } from '../job-views.js'

async function* linesOf(pages: AsyncIterable<readonly AuditRecord[]>): AsyncGenerator<Buffer> {
  for await (const page of pages) {
    yield Buffer.from(page.map((row) => `${JSON.stringify(auditRowOutput(row))}\n`).join(''))
  }
}

export default defineAction({
  name: 'audit.export',
  summary: { en: 'Export the audit log as JSON lines, oldest first', zh: '将审计日志导出为 JSON Lines，最早的在前' },
  effect: 'disclose',
  target: 'none',
  administrative: true,
  startsJob: true,
  private: true,
  input: Type.Object(AUDIT_FIELDS),
  output: JobStarted,
  run(input, { audit, artifacts, principal, now, startJob }) {
    const filter = { ...auditFilter(input, now()), tenant: principal.tenant }
    const job = startJob(async (signal, progress) => {
      const lines = Readable.from(linesOf(audit.pages(filter, signal)), { objectMode: false })
      const artifact = await artifacts.create(bytesOf(lines), {
        owner: principal,
        name: 'audit.jsonl',
        mediaType: 'application/jsonl',
        signal,
        onBytes: progress.report,
      })
      return { artifact: artifact.id }
    })
    return { jobId: job.id, leftOut: [] }
  },
  view: jobStartedView,
})
