/** Forms: what Discord documents of them beyond its description, and what its app lets a person send. */
import { ComponentType } from 'discord-api-types/v10'
import { allComponents, type Component, type Problem } from './limits.js'

interface TextInput extends Component {
  required?: boolean
  min_length?: number
  max_length?: number
  value?: string
}

export interface Modal {
  custom_id: string
  title: string
  components: Component[]
}

const inputsOf = (components: readonly Component[]): TextInput[] =>
  allComponents(components).filter(({ type }) => type === ComponentType.TextInput)

const LONGEST_TYPED = 4000

/** What is wrong with a text for a field. */
function typedProblem({ required = true, min_length = 0, max_length = LONGEST_TYPED }: TextInput, text: string) {
  if (text === '') return required ? 'is empty, and needed' : null
  if ([...text].length < min_length) return `is shorter than ${min_length}`
  return [...text].length > max_length ? `is longer than ${max_length}` : null
}

export function modalProblems({ title, components }: Modal): Problem[] {
  const found: Problem[] = []
  const add = (message: string) => found.push({ rule: 'modal', message })
  if ([...title].length > 45) add(`a title of ${[...title].length} characters; at most 45`)
  if (components.length > 5) add(`${components.length} parts; at most 5`)
  const ids = allComponents(components).flatMap(({ custom_id }) => custom_id ?? [])
  if (new Set(ids).size < ids.length) add(`two fields share a custom_id: ${ids.join(', ')}`)
  for (const one of components) {
    if (one.type !== ComponentType.Label) continue
    if ([...(one.label ?? '')].length > 45) add(`the label ${one.label} exceeds 45 characters`)
    if (one.component?.label) add(`${one.component.custom_id}: a field in a label has none of its own`)
  }
  for (const input of inputsOf(components)) {
    const problem = input.value === undefined ? null : typedProblem({ ...input, min_length: 0 }, input.value)
    if (problem) add(`what ${input.custom_id} holds at first ${problem}`)
    if ((input.min_length ?? 0) > (input.max_length ?? LONGEST_TYPED)) add(`${input.custom_id}: min above max`)
  }
  return found
}

/** @throws Error for what Discord's own app would not let anybody send */
export function assertSendable({ components }: Modal, fields: Readonly<Record<string, string>>): void {
  for (const input of inputsOf(components)) {
    const problem = typedProblem(input, fields[input.custom_id ?? ''] ?? '')
    if (problem) throw new Error(`the form's field ${input.custom_id} ${problem}`)
  }
}
