// Completions as Discord takes them: not many, and none of them long.
import type { APIApplicationCommandOptionChoice } from 'discord-api-types/v10'
import type { Candidate } from '../completions.js'

export type Suggestion = APIApplicationCommandOptionChoice<string>

const MOST = 25
const LONGEST = 100

export const suggestionsOf = (candidates: readonly Candidate[]): Suggestion[] =>
  candidates
    .map(({ value, label, ids: [id = ''] }) => ({
      name: `${value} · ${label}`.slice(0, LONGEST),
      value: value.length <= LONGEST ? value : id,
    }))
    .filter(({ value }) => value !== '')
    .slice(0, MOST)
