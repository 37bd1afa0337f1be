// A handful of verbs, one of each kind, in place of the catalog: what the guard makes of them, it makes of all.
import { Type } from 'typebox'
import { type Action, defineAction, type Effect } from '../../src/actions/action.js'
import { flag, text } from '../../src/actions/fields.js'
import { createRegistry } from '../../src/actions/registry.js'

const words = (of: string) => ({ en: of, zh: of })
const field = (name: string, more: { secret?: true } = {}) => text(words(name), { max: 4096, ...more })
const maybe = (name: string, more: { secret?: true } = {}) => Type.Optional(field(name, more))

/** What a verb was run with, newest last. */
export const runs: { readonly name: string; readonly context: Readonly<Record<string, unknown>> }[] = []

const verb = (name: string, effect: Effect, target: Action['target'], fields: object, more: object = {}): Action =>
  defineAction({
    name,
    summary: { en: `Does ${name}`, zh: `执行 ${name}` },
    effect,
    target: 'none',
    input: Type.Object({ fail: Type.Optional(flag(words('fail'))), ...fields }),
    output: Type.Any(),
    run: (_, context) => {
      runs.push({ name, context: { ...context } })
      return { done: name }
    },
    view: (output) => ({ tone: 'good', heading: JSON.stringify(output), blocks: [] }),
    ...({ target, ...more } as object),
  })

const inBox = { host: maybe('host'), container: field('container') }
const also = ({ also: what }: { also?: string }) => (what === undefined ? [] : [{ action: what, path: '/also' }])

/** @param more beside those that there always are */
export const verbs = (...more: readonly Action[]) =>
  createRegistry([
    verb('ask', 'read', 'none', { question: maybe('question') }),
    verb('host.status', 'read', 'host', { host: maybe('host') }),
    verb('host.prune', 'destroy', 'host', { host: maybe('host') }),
    verb('container.list', 'read', 'none', {}),
    verb('container.inspect', 'read', 'instance', inBox),
    verb('container.start', 'change', 'instance', inBox, { needs: 'start' }),
    verb('container.stop', 'change', 'instance', inBox),
    verb(
      'container.copy-in',
      'change',
      'instance',
      {
        ...inBox,
        ...{ path: maybe('path'), mode: maybe('mode'), text: maybe('text'), artifact: maybe('artifact') },
        ...{ env: maybe('env', { secret: true }), also: maybe('also') },
      },
      { acceptsFile: true, also },
    ),
    verb('container.copy-out', 'disclose', 'instance', { ...inBox, path: maybe('path') }),
    verb('container.export', 'disclose', 'instance', inBox),
    verb('container.transfer', 'disclose', 'instance', { ...inBox, to: field('to') }, { sendsTo: 'import' }),
    verb('image.inspect', 'read', 'image', { host: maybe('host'), image: field('image') }),
    verb('image.remove', 'destroy', 'image', { host: maybe('host'), image: field('image') }),
    verb('knowledge.show', 'read', 'card', { card: field('card') }),
    verb('knowledge.save', 'change', 'card', { card: field('card'), text: maybe('text') }),
    verb('artifact.show', 'read', 'artifact', { artifact: field('artifact') }),
    verb('artifact.remove', 'destroy', 'artifact', { artifact: field('artifact') }),
    ...more,
  ])

export { verb }
