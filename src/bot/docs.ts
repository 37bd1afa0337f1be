// Registry + errors + settings → docs/reference.md. What the code says is what the reference says, or CI is red.
import { ERRORS, type FieldDescription, type RegisteredAction, type Registry, zhName } from '../actions/index.js'
import { describeSettings } from './config.js'
import { routeOf } from './http/actions.js'

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const row = (...cells: string[]): string => `| ${cells.map(cell).join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(...head), row(...head.map(() => '---')), ...rows.map((cells) => row(...cells))].join('\n')

function limits(field: FieldDescription): string {
  if (field.choices) return field.choices.map((choice) => `\`${choice}\``).join(', ')
  if (field.type === 'boolean') return 'true or false'
  const [low, high] = field.type === 'integer' ? [field.minimum, field.maximum] : [field.minLength, field.maxLength]
  const unit = field.type === 'integer' ? 'integer' : 'characters'
  return `${unit} ${low ?? ''}–${high ?? ''}`
}

const slash = (action: RegisteredAction): string => `/${action.name.replace('.', ' ')}`

/** As Discord shows it to those who use it in Chinese. */
const slashInChinese = ({ name, group }: RegisteredAction): string =>
  `/${[...(group === undefined ? [] : [zhName.group(group)]), zhName.verb(name)].join(' ')}`

function methods(action: RegisteredAction): string {
  return action.effect === 'read' ? 'GET, POST' : 'POST'
}

function actionSection(action: RegisteredAction): string {
  const answer = action.startsJob ? '202 with a job to follow' : '200'
  const fields = action.fields.map((field) => [
    `\`${field.name}\``,
    zhName.field(action.name, field.name) ?? '',
    field.required ? 'yes' : '',
    limits(field),
    field.description.en,
    field.description.zh,
  ])
  if (action.acceptsFile)
    fields.push(['`file`', zhName.field(action.name, 'file') ?? '', '', 'one file', 'The content', '文件内容'])
  return [
    `### ${action.name}`,
    `${action.summary.en} · ${action.summary.zh}`,
    [
      `- Discord and page: \`${slash(action)}\`; in a Chinese Discord \`${slashInChinese(action)}\``,
      `- REST: \`${methods(action)} ${routeOf(action)}\` → ${answer}`,
      `- Command line: \`hypercall ${action.name.replace('.', ' ')}\``,
      `- Effect: \`${action.effect}\``,
    ].join('\n'),
    fields.length === 0
      ? 'It takes no input.'
      : table(['Input', '输入', 'Required', 'Limits', 'Meaning', '含义'], fields),
  ].join('\n\n')
}

/** The whole of docs/reference.md. */
export function reference(registry: Registry): string {
  const bySurface = registry.actions.map((action) => [
    `[${action.name}](#${action.name.replace('.', '')})`,
    `\`${action.effect}\``,
    `\`${slash(action)}\``,
    `\`${methods(action)} ${routeOf(action)}\``,
    `\`hypercall ${action.name.replace('.', ' ')}\``,
  ])
  const settings = describeSettings().map((setting) => [
    `\`${setting.name}\``,
    setting.byDefault === undefined ? '' : `\`${setting.byDefault}\``,
    setting.description.en,
    setting.description.zh,
  ])
  const errors = Object.entries(ERRORS).map(([code, kind]) => [
    `\`${code}\``,
    String(kind.status),
    kind.retry ? 'yes' : '',
    kind.en,
    kind.zh,
  ])
  return `${[
    '# Reference',
    'Made by `hypercall docs` from the registry, the table of errors and the schema of settings; do not edit it.',
    '## Verbs by surface',
    table(['Action', 'Effect', 'Discord and page', 'REST', 'Command line'], bySurface),
    '## Actions',
    ...registry.actions.map(actionSection),
    '## Settings',
    'Environment variables, all optional. An unknown `HYPERCALL_*` name or a malformed value stops the start, with every problem listed.',
    table(['Setting', 'Default', 'Meaning', '含义'], settings),
    '## Errors',
    'Every failure over REST has one shape: `{"error": {"code", "message", "details", "requestId"}}`. The message is in the language of `Accept-Language`. *Again* says whether the same call may succeed later.',
    table(['Code', 'Status', 'Again', 'English', '中文'], errors),
  ].join('\n\n')}\n`
}
