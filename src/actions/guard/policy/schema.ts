// What policies are written against: the kinds of things there are, what is known of each, and one call put in these terms.
import type { EntityJson, SchemaJson, TypeAndId } from '@cedar-policy/cedar-wasm/web'
import { EFFECTS, type Effect, type Principal, type Surface } from '../../action.js'
import type { Image, InstanceDetail } from '../../hosts/driver.js'

/** The facts about a host that a policy can ask for. */
export interface HostFacts {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

export interface CardFacts {
  readonly id: string
  readonly tags: readonly string[]
  /** Whether it came with the product. */
  readonly shipped: boolean
}

export interface ArtifactFacts {
  readonly id: string
  readonly name: string
  readonly mediaType: string
  readonly sizeBytes: number
  /** Whether the caller made it. */
  readonly mine: boolean
}

export type InstanceFacts = Pick<
  InstanceDetail,
  'id' | 'name' | 'image' | 'labels' | 'state' | 'privileged' | 'hostNetwork' | 'engineSocketMounted'
> & { readonly mounts: readonly unknown[] }

export type ImageFacts = Pick<Image, 'id' | 'tags' | 'digests' | 'labels' | 'sizeBytes'>

export type ResourceFacts =
  | { readonly kind: 'service' }
  | { readonly kind: 'host'; readonly host: HostFacts }
  | { readonly kind: 'instance'; readonly host: HostFacts; readonly instance: InstanceFacts }
  | { readonly kind: 'image'; readonly host: HostFacts; readonly image: ImageFacts }
  | { readonly kind: 'card'; readonly card: CardFacts }
  | { readonly kind: 'artifact'; readonly artifact: ArtifactFacts }

/** What is known of a call besides who does what to what. */
export interface Circumstances {
  readonly surface: Surface
  /** Of Discord, by its id. */
  readonly channel?: string
  /** Of the day, UTC. */
  readonly hour: number
  /** Where to, for the verbs that send to another host. */
  readonly destination?: HostFacts
  /** Where in the instance, for the verbs that copy. */
  readonly path?: string
  /** As it was named, for the verbs that take an image. */
  readonly image?: string
  /** How much, where a file or an artifact is given. */
  readonly bytes?: number
  /** Whether the engine of an instance has known holes in copying. */
  readonly copyRisk?: boolean
}

export interface Question extends Circumstances {
  readonly principal: Principal
  readonly action: { readonly name: string; readonly effect?: Effect }
  readonly resource: ResourceFacts
}

/** Rights beside the verbs, in no effect: a permit for all that changes something does not include them. */
export const RIGHTS = { specialMode: 'set-special-mode' } as const

const text = { type: 'String' } as const
const flag = { type: 'Boolean' } as const
const number = { type: 'Long' } as const
const texts = { type: 'Set', element: text } as const
const hostEntityType = { type: 'Entity', name: 'Host' } as const

const record = <T>(attributes: T) => ({ type: 'Record' as const, attributes })
const optional = <T>(type: T) => ({ ...type, required: false })

export type PolicySchema = SchemaJson<string>

/** What a policy may mention. Checked at load, so that a misspelt action or attribute never silently matches nothing. */
export function policySchema(actions: readonly { readonly name: string; readonly effect: Effect }[]): PolicySchema {
  const appliesTo = {
    principalTypes: ['User', 'Token', 'Local'],
    resourceTypes: ['Service', 'Host', 'Instance', 'Image', 'Card', 'Artifact'],
    context: record({
      surface: text,
      hour: number,
      channel: optional(text),
      destination: optional(hostEntityType),
      path: optional(text),
      image: optional(text),
      bytes: optional(number),
      copyRisk: optional(flag),
    }),
  }
  const principal = { memberOfTypes: ['Role', 'Guild'], shape: record({ name: text }) }
  return {
    '': {
      entityTypes: {
        Role: {},
        Guild: {},
        User: principal,
        Token: principal,
        Local: principal,
        Service: {},
        Host: { shape: record({ name: text }), tags: text },
        Image: {
          memberOfTypes: ['Host'],
          shape: record({ references: texts, host: hostEntityType, bytes: number }),
          tags: text,
        },
        Instance: {
          memberOfTypes: ['Host'],
          shape: record({
            id: text,
            name: text,
            image: text,
            state: text,
            host: hostEntityType,
            privileged: flag,
            hostNetwork: flag,
            engineSocketMounted: flag,
            mounts: number,
          }),
          tags: text,
        },
        Card: { shape: record({ id: text, tags: texts, shipped: flag }) },
        Artifact: { shape: record({ name: text, mediaType: text, bytes: number, mine: flag }) },
      },
      actions: {
        ...Object.fromEntries(EFFECTS.map((effect) => [effect, {}])),
        ...Object.fromEntries(Object.values(RIGHTS).map((right) => [right, { appliesTo }])),
        ...Object.fromEntries(actions.map(({ name, effect }) => [name, { memberOf: [{ id: effect }], appliesTo }])),
      },
    },
  }
}

const PRINCIPAL_TYPE = { user: 'User', token: 'Token', local: 'Local' } as const

type Entity = EntityJson & { readonly uid: TypeAndId }

const hostUid = ({ name }: HostFacts): TypeAndId => ({ type: 'Host', id: name })
const hostEntity = (host: HostFacts): Entity => ({
  uid: hostUid(host),
  attrs: { name: host.name },
  parents: [],
  tags: { ...host.labels },
})

/** @returns the resource as Cedar knows it, first of the entities that describe it */
function resourceEntities(resource: ResourceFacts): readonly [Entity, ...Entity[]] {
  switch (resource.kind) {
    case 'service':
      return [{ uid: { type: 'Service', id: 'hypercall' }, attrs: {}, parents: [] }]
    case 'host':
      return [hostEntity(resource.host)]
    case 'card': {
      const { id, tags, shipped } = resource.card
      return [{ uid: { type: 'Card', id }, attrs: { id, tags: [...tags], shipped }, parents: [] }]
    }
    case 'artifact': {
      const { id, name, mediaType, sizeBytes, mine } = resource.artifact
      return [{ uid: { type: 'Artifact', id }, attrs: { name, mediaType, bytes: sizeBytes, mine }, parents: [] }]
    }
    case 'image': {
      const { host, image } = resource
      const attrs = {
        references: [...image.tags, ...image.digests],
        host: { __entity: hostUid(host) },
        bytes: image.sizeBytes,
      }
      const uid = { type: 'Image', id: `${host.name}/${image.id}` }
      return [{ uid, attrs, parents: [hostUid(host)], tags: { ...image.labels } }, hostEntity(host)]
    }
    case 'instance': {
      const { host, instance } = resource
      const { id, name, image, state, privileged, hostNetwork, engineSocketMounted, mounts, labels } = instance
      const flags = { privileged, hostNetwork, engineSocketMounted }
      const attrs = { id, name, image, state, host: { __entity: hostUid(host) }, ...flags, mounts: mounts.length }
      const uid = { type: 'Instance', id: `${host.name}/${id}` }
      return [{ uid, attrs, parents: [hostUid(host)], tags: { ...labels } }, hostEntity(host)]
    }
  }
}

/** @returns a question as Cedar is asked it */
export function requestOf({ principal, action, resource, ...circumstances }: Question) {
  const uid = { type: PRINCIPAL_TYPE[principal.kind], id: principal.id }
  const roles = principal.roles.map((role) => ({ type: 'Role', id: role }))
  const known = resourceEntities(resource)
  const actionUid = { type: 'Action', id: action.name }
  const { destination, ...rest } = circumstances
  return {
    principal: uid,
    action: actionUid,
    resource: known[0].uid,
    context: { ...rest, ...(destination ? { destination: { __entity: hostUid(destination) } } : {}) },
    entities: [
      { uid, attrs: { name: principal.name }, parents: [...roles, { type: 'Guild', id: principal.tenant }] },
      ...known,
      // Also where it is the host of the resource: told twice in the same words, Cedar takes it once.
      ...(destination ? [hostEntity(destination)] : []),
      { uid: actionUid, attrs: {}, parents: action.effect ? [{ type: 'Action', id: action.effect }] : [] },
    ],
  }
}
