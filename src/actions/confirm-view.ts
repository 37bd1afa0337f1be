// What somebody is shown before they say yes: the verb, what it acts on, and every input.
import type { FileSource } from './action.js'
import { approvalBlocks } from './approval-views.js'
import type { Approval, Shown } from './guard/approvals.js'
import type { Image, InstanceDetail } from './hosts/driver.js'
import type { Host } from './hosts/hosts.js'
import { shortImageId } from './hosts/image-reference.js'
import { zhName } from './names.js'
import type { RegisteredAction } from './registry.js'
import { type Bilingual, formatBytes, type Lang, say } from './text.js'
import type { Fact, View } from './view.js'

export interface Asked {
  readonly action: RegisteredAction
  readonly host?: Host
  readonly instance?: InstanceDetail
  readonly image?: Image
  readonly destination?: Host
  readonly file?: FileSource | undefined
  /** Fit to be shown. */
  readonly input: Readonly<Record<string, unknown>>
  /** The policy author's words. */
  readonly why: Bilingual
}

const LONGEST_SHOWN = 200

/** A long value as its beginning and its length: a confirmation is read, not scrolled. */
const shown = (value: string, lang: Lang): string =>
  value.length <= LONGEST_SHOWN
    ? value
    : say(lang, WORDS.cut, { start: value.slice(0, LONGEST_SHOWN), count: value.length })

function describe({ action, instance, image, host, destination, file }: Asked): Bilingual {
  const what = [
    instance ? `${instance.name} (${instance.id.slice(0, 12)}, ${instance.image})` : '',
    image ? `${image.tags[0] ?? ''} (${shortImageId(image.id)})` : '',
    host ? `@ ${host.name}` : '',
    destination ? `→ ${destination.name}` : '',
    file ? `← ${file.name}` : '',
  ]
    .filter((part) => part !== '')
    .join(' ')
  return { en: `${action.summary.en}: ${what}`, zh: `${action.summary.zh}：${what}` }
}

function factsOf({ action, instance, input }: Asked): (Omit<Fact, 'label'> & { readonly label: Bilingual })[] {
  const refersOf = new Map(action.fields.map(({ name, refers }) => [name, refers]))
  return Object.entries(input)
    .filter(([name]) => name !== 'host' && name !== action.target && !(name === 'container' && instance))
    .map(([name, value]) => {
      const refers = refersOf.get(name)
      return {
        label: { en: name, zh: zhName.field(action.name, name) ?? name },
        value: String(value),
        ...(refers ? { refers } : {}),
      }
    })
}

const WORDS = {
  heading: { en: 'Please confirm', zh: '请确认' },
  cut: { en: '{start}… ({count} characters)', zh: '{start}……（共 {count} 个字符）' },
  state: { en: 'state', zh: '状态' },
  mounts: { en: 'mounts', zh: '挂载' },
  size: { en: 'size', zh: '大小' },
  file: { en: 'file', zh: '文件' },
} as const satisfies Record<string, Bilingual>

/** The same for those who were not there when it was asked: in full, and with what they would otherwise look up. */
export function shownOf(asked: Asked): Shown {
  const { instance, image, file, why } = asked
  const mounts = instance?.mounts.map(
    ({ source, destination, readOnly }) => `${source} → ${destination}${readOnly ? ' (ro)' : ''}`,
  )
  return {
    what: describe(asked),
    why,
    facts: [
      ...factsOf(asked),
      ...(instance ? [{ label: WORDS.state, value: instance.state }] : []),
      ...(mounts && mounts.length > 0 ? [{ label: WORDS.mounts, value: mounts.join(', ') }] : []),
      ...(image ? [{ label: WORDS.size, value: formatBytes(image.sizeBytes) }] : []),
      ...(file ? [{ label: WORDS.file, value: `${file.name}, ${formatBytes(file.sizeBytes)}` }] : []),
    ],
  }
}

export function confirmView(asked: Asked, lang: Lang, approval?: Approval): View {
  const facts = factsOf(asked).map((fact) => ({ ...fact, label: fact.label[lang], value: shown(fact.value, lang) }))
  return {
    tone: 'warn',
    heading: WORDS.heading[lang],
    blocks: [
      { kind: 'text', text: describe(asked)[lang] },
      { kind: 'text', text: asked.why[lang] },
      ...(facts.length === 0 ? [] : [{ kind: 'facts', facts } as const]),
      ...(approval ? approvalBlocks(approval, lang) : []),
    ],
  }
}
