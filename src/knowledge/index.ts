/**
 * The public face of what is known. Nothing in this room knows a user, a host or a transport, and no other file of it is
 * imported from outside; here nothing is loaded but the way to the threads, for what they work with would lie in the caller's
 * memory a second time.
 */
export type { CardFile, Knowledge, KnowledgeBase } from './base.js'
export type { ImportOptions, ImportReport } from './import.js'
export {
  type Answer,
  BY_HAND,
  type Citation,
  type Comparison,
  type Diagram,
  type Hit,
  type IngestReport,
  type Lang,
  type Problem,
  type Source,
  type Topic,
} from './model.js'
export { spareMemory } from './spare-memory.js'
export type { Choice } from './systems.js'
export type { CardSummary, Draft, Saved } from './team.js'
export { type StartedKnowledge, startKnowledge } from './thread.js'
