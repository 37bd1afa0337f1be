// Which calls a policy speaks of before its conditions are looked at, and whether another one speaks of all of them.
import type { EntityUidJson, PolicyJson, TypeAndId } from '@cedar-policy/cedar-wasm/web'
import type { PolicySchema } from './schema.js'

type Constraint = PolicyJson['principal'] | PolicyJson['resource']

/** What a principal or a resource has to be; what is not said may be anything. */
interface Bounds {
  readonly equals?: string
  readonly in?: string
  readonly type?: string
}

const plain = (uid: EntityUidJson): TypeAndId => ('__entity' in uid ? uid.__entity : uid)
const keyOf = (uid: EntityUidJson): string => JSON.stringify([plain(uid).type, plain(uid).id])

function boundsOf(constraint: Constraint): Bounds {
  const within = constraint.op === 'is' ? constraint.in : constraint
  const entity = within !== undefined && 'entity' in within ? within.entity : undefined
  if (constraint.op === 'is') return { type: constraint.entity_type, ...(entity ? { in: keyOf(entity) } : {}) }
  if (entity === undefined) return {}
  return constraint.op === '==' ? { equals: keyOf(entity), type: plain(entity).type } : { in: keyOf(entity) }
}

/** Careful: `false` where it would take more than the bounds themselves to tell. */
function within(narrow: Bounds, wide: Bounds): boolean {
  return (
    (wide.equals === undefined || narrow.equals === wide.equals) &&
    (wide.type === undefined || narrow.type === wide.type) &&
    (wide.in === undefined || narrow.in === wide.in || narrow.equals === wide.in)
  )
}

/** @returns the names of the actions that a policy speaks of, groups taken apart */
export function actionsOf({ action }: PolicyJson, schema: PolicySchema): string[] {
  const all = Object.entries(schema['']?.actions ?? {}).filter(([, { appliesTo }]) => appliesTo !== undefined)
  if (action.op === 'All') return all.map(([name]) => name)
  const uids = 'entities' in action ? action.entities : 'entity' in action ? [action.entity] : []
  const named = new Set(uids.map((uid) => plain(uid).id))
  return all
    .filter(([name, { memberOf }]) => named.has(name) || (memberOf ?? []).some(({ id }) => named.has(id)))
    .map(([name]) => name)
}

/** @returns whether `wide` speaks of every call that `narrow` speaks of */
export function coveredBy(narrow: PolicyJson, wide: PolicyJson, schema: PolicySchema): boolean {
  const covering = new Set(actionsOf(wide, schema))
  return (
    within(boundsOf(narrow.principal), boundsOf(wide.principal)) &&
    within(boundsOf(narrow.resource), boundsOf(wide.resource)) &&
    actionsOf(narrow, schema).every((name) => covering.has(name))
  )
}
