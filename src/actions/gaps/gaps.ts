// What people asked and nobody had written down: unanswered questions and unhelpful answers, grouped by what they are about.
import { AppError } from '../errors.js'
import type { GapStore } from './gap-store.js'

export interface Gap {
  /** Names it from here on: the id of the question that was asked last. */
  readonly gap: number
  readonly question: string
  readonly lang: string
  /** How many times it was asked without an answer that helped. */
  readonly asked: number
  /** How many of them were answered and called unhelpful. */
  readonly unhelpful: number
  /** Epoch ms. */
  readonly lastAt: number
  readonly assignedTo?: string
}

export interface Gaps {
  /** @param card what it was answered from, if it was @returns the id by which people can say whether it helped */
  asked(tenant: string, question: { gist: string; lang: string; text: string; card: string | undefined }): number
  /** @throws AppError QUESTION_UNKNOWN */
  judge(tenant: string, question: number, helpful: boolean): void
  list(tenant: string, most: number): Gap[]
  /** @throws AppError QUESTION_UNKNOWN */
  assign(tenant: string, gap: number, to: string): void
  /** @throws AppError QUESTION_UNKNOWN */
  gist(tenant: string, gap: number): string
  /** Questions of this gist are answered from now on. */
  close(tenant: string, gist: string, card: string): void
  /** Forgets what was asked long ago. */
  sweep(): void
}

const KEPT_MS = 180 * 24 * 60 * 60_000

export function openGaps(store: GapStore, now: () => number): Gaps {
  const gist = (tenant: string, id: number): string => {
    const found = store.gistOf(id, tenant)
    if (found === undefined) throw new AppError('QUESTION_UNKNOWN', { question: id })
    return found
  }
  return {
    asked: (tenant, { gist: about, lang, text, card }) =>
      store.insert({ tenant, gist: about, lang, question: text, card: card ?? null, asked_at: now() }),
    judge(tenant, question, helpful) {
      if (!store.judge(question, tenant, helpful)) throw new AppError('QUESTION_UNKNOWN', { question })
    },
    list: (tenant, most) =>
      store.open(tenant, most).map(({ last_at, assigned_to, ...row }) => ({
        ...row,
        lastAt: last_at,
        ...(assigned_to === null ? {} : { assignedTo: assigned_to }),
      })),
    assign: (tenant, gap, to) => store.assign(tenant, gist(tenant, gap), to),
    gist,
    close: (tenant, about, card) => store.close(tenant, about, card, now()),
    sweep: () => store.sweep(now() - KEPT_MS),
  }
}
