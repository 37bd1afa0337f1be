// A form, as Discord takes it and gives it back: the fields that a person is to fill in, and what was typed there.
import {
  type APILabelComponent,
  type APIModalInteractionResponseCallbackData,
  type APIModalSubmission,
  ComponentType,
  TextInputStyle,
} from 'discord-api-types/v10'
import { type FieldDescription, type FormField, type Lang, type RegisteredAction, zhName } from '../../actions/index.js'
import { cut, tidy } from './markdown.js'

/** Discord, "Modals", "Label" and "Text Input". */
const LIMITS = { title: 45, label: 45, description: 100, value: 4_000 } as const
/** Whatever may be longer is typed into several lines. */
const LONGEST_LINE = 500

export interface FormRequest {
  readonly customId: string
  readonly title: string
  readonly action: RegisteredAction
  readonly fields: readonly FormField[]
  /** What stands there already, to be changed. */
  readonly draft: Readonly<Record<string, unknown>>
  readonly lang: Lang
}

/** `dry-run` → `Dry run` */
const inEnglish = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`.replaceAll('-', ' ')

function labelOf(field: FieldDescription, isNeeded: boolean, request: FormRequest): APILabelComponent {
  const { action, draft, lang } = request
  const { name, description, minLength = 0, maxLength = LIMITS.value } = field
  const longest = Math.min(maxLength, LIMITS.value)
  const value = cut(tidy(String(draft[name] ?? '')).trim(), longest)
  const label = lang === 'zh' ? (zhName.field(action.name, name) ?? name) : inEnglish(name)
  return {
    type: ComponentType.Label,
    label: cut(label, LIMITS.label),
    description: cut(description[lang], LIMITS.description),
    component: {
      type: ComponentType.TextInput,
      custom_id: name,
      style: longest > LONGEST_LINE ? TextInputStyle.Paragraph : TextInputStyle.Short,
      required: isNeeded,
      ...(isNeeded ? { min_length: Math.max(1, minLength) } : {}),
      max_length: longest,
      ...(value === '' ? {} : { value }),
    },
  }
}

export function formOf(request: FormRequest): APIModalInteractionResponseCallbackData {
  const { customId, title, action, fields } = request
  const components = fields.flatMap(({ field: name, needed = false }) => {
    const field = action.fields.find((one) => one.name === name)
    return field === undefined ? [] : [labelOf(field, needed || field.required, request)]
  })
  return { custom_id: customId, title: cut(title, LIMITS.title), components }
}

/** @returns what was typed, by field; a field that was left empty is not there */
export function readForm({ components }: Pick<APIModalSubmission, 'components'>): Record<string, string> {
  const typed = components.flatMap((one) => {
    if (one.type !== ComponentType.Label || one.component.type !== ComponentType.TextInput) return []
    const { custom_id: name, value } = one.component
    return value.trim() === '' ? [] : [[name, value] as const]
  })
  return Object.fromEntries(typed)
}
