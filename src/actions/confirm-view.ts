// What somebody is shown before they say yes: the verb, what it acts on, and every input.
import type { FileSource } from './action.js'
import { approvalBlocks } from './approval-views.js'
import type { Approval, Shown } from './guard/approvals.js'
import type { Image, InstanceDetail } from './hosts/driver.js'
import type { Host } from './hosts/hosts.js'
import { shortImageId } from './hosts/image-reference.js'
import type { RegisteredAction } from './registry.js'
import { type Bilingual, formatBytes, type Lang, say } from './text.js'
import type { View } from './view.js'

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
    : say(
        lang,
        { en: '{start}… ({count} characters)', zh: '{start}……（共 {count} 个字符）' },
        { start: value.slice(0, LONGEST_SHOWN), count: value.length },
      )

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

const factsOf = ({ action, instance, input }: Asked): { label: string; value: string }[] =>
  Object.entries(input)
    .filter(([name]) => name !== 'host' && name !== action.target && !(name === 'container' && instance))
    .map(([name, value]) => ({ label: name, value: String(value) }))

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
      ...(instance ? [{ label: 'state', value: instance.state }] : []),
      ...(mounts && mounts.length > 0 ? [{ label: 'mounts', value: mounts.join(', ') }] : []),
      ...(image ? [{ label: 'size', value: formatBytes(image.sizeBytes) }] : []),
      ...(file ? [{ label: 'file', value: `${file.name}, ${formatBytes(file.sizeBytes)}` }] : []),
    ],
  }
}

export function confirmView(asked: Asked, lang: Lang, approval?: Approval): View {
  const facts = factsOf(asked).map(({ label, value }) => ({ label, value: shown(value, lang) }))
  return {
    tone: 'warn',
    heading: { en: 'Please confirm', zh: '请确认' }[lang],
    blocks: [
      { kind: 'text', text: describe(asked)[lang] },
      { kind: 'text', text: asked.why[lang] },
      ...(facts.length === 0 ? [] : [{ kind: 'facts', facts } as const]),
      ...(approval ? approvalBlocks(approval, lang) : []),
    ],
  }
}
