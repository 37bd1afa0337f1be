// What may name an image, by the engine's own rule: the grammar of github.com/distribution/reference.
import { AppError } from '../errors.js'

export interface ImageReference {
  /** With its registry, if one was named. */
  readonly repository: string
  readonly tag: string
}

const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?'
// Without a dot or a port only `localhost` is a registry: `team/app` is a repository of the default one.
const REGISTRY = `(?:(?:localhost|${LABEL}(?:\\.${LABEL})+|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?|${LABEL}:[0-9]+)`
const REPOSITORY = new RegExp(`^(?:${REGISTRY}/)?${COMPONENT}(?:/${COMPONENT})*$`)
const TAG = /^\w[\w.-]{0,127}$/
const DIGEST = /^sha256:[0-9a-f]{64}$/
/** An engine would take it for an id. */
const LOOKS_LIKE_ID = /^[0-9a-f]{64}$/
const LONGEST_REPOSITORY = 255

export const LATEST = 'latest'

export const withoutAlgorithm = (id: string): string => id.replace(/^sha256:/, '')

/** As much of an id as people read. */
export const shortImageId = (id: string): string => withoutAlgorithm(id).slice(0, 12)

const isRepository = (name: string): boolean =>
  name.length <= LONGEST_REPOSITORY && !LOOKS_LIKE_ID.test(name) && REPOSITORY.test(name)

/** @param reference `repository` or `repository:tag` @throws AppError REFERENCE_INVALID */
export function readReference(reference: string): ImageReference {
  // A colon before the last slash belongs to a registry's port.
  const colon = reference.indexOf(':', reference.lastIndexOf('/') + 1)
  const repository = colon === -1 ? reference : reference.slice(0, colon)
  const tag = colon === -1 ? LATEST : reference.slice(colon + 1)
  if (!isRepository(repository) || !TAG.test(tag)) throw new AppError('REFERENCE_INVALID', { reference })
  return { repository, tag }
}

export const writeReference = ({ repository, tag }: ImageReference): string => `${repository}:${tag}`

/**
 * @param reference may name a digest, as what is asked of a registry
 * @returns it with a tag or a digest in any case @throws AppError REFERENCE_INVALID
 */
export function fullReference(reference: string): string {
  const at = reference.indexOf('@')
  if (at === -1) return writeReference(readReference(reference))
  const repository = reference.slice(0, at)
  if (!isRepository(repository) || !DIGEST.test(reference.slice(at + 1))) {
    throw new AppError('REFERENCE_INVALID', { reference })
  }
  return reference
}
