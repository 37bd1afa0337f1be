// Completions as Discord takes them: not many, and none of them long.
import type { APIApplicationCommandOptionChoice } from 'discord-api-types/v10'
import type { Candidate } from '../completion-lists.js'
import { cut } from './markdown.js'

export type Suggestion = APIApplicationCommandOptionChoice<string>

const MOST = 25
/** In UTF-16 units, of what is shown and of what is filled in. */
const LONGEST = 100

export const suggestionsOf = (candidates: readonly Candidate[]): Suggestion[] =>
  candidates
    .map(({ value, label, ids: [id = ''] }) => ({
      name: cut(label === '' ? value : `${value} · ${label}`, LONGEST),
      value: value.length <= LONGEST ? value : id,
    }))
    .filter(({ value }) => value !== '' && value.length <= LONGEST)
    .slice(0, MOST)
