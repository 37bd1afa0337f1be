// Which folders of a host a new container may be given: those that the operator lists, and no way around the list.
//
// An entry is one folder, `/srv/site`, or whatever stands directly in one, `/srv/*`. Not everything below it: a container
// that may write in /srv/a could put a link to / there, and the next one would be given it as /srv/a/link.
import { posix } from 'node:path'
import { AppError } from '../errors.js'
import type { Bilingual } from '../text.js'
import { instancePath } from './paths.js'

const EACH = '/*'
const isEach = (entry: string): boolean => entry.endsWith(EACH)
const folderOf = (entry: string): string => (isEach(entry) ? entry.slice(0, -EACH.length) : entry)

/** Whether what one entry gives away could be exchanged by whoever was given the other. */
const contains = (outer: string, inner: string): boolean =>
  outer !== inner && (isEach(outer) ? posix.dirname(inner) : inner).startsWith(`${folderOf(outer)}/`)

/** @returns what is wrong with an operator's list */
export function bindProblems(entries: readonly string[]): Bilingual[] {
  const malformed = entries.filter((entry) => {
    const folder = folderOf(entry)
    return (
      folder.length < 2 || !folder.startsWith('/') || posix.normalize(folder) !== folder || /[*\0]|\/$/.test(folder)
    )
  })
  const nested = entries.flatMap((outer) =>
    entries.filter((inner) => contains(outer, inner)).map((inner) => [outer, inner] as const),
  )
  return [
    ...malformed.map((entry) => ({
      en: `"${entry}" in binds is neither a folder as in /srv/site nor all in one as in /srv/*`,
      zh: `binds 中的“${entry}”既不是 /srv/site 这样的目录，也不是 /srv/* 这样的写法`,
    })),
    ...nested.map(([outer, inner]) => ({
      en: `"${inner}" in binds lies in "${outer}": who may write there could exchange it`,
      zh: `binds 中的“${inner}”位于“${outer}”之内：可写入者能将其替换`,
    })),
  ]
}

interface BindHost {
  readonly name: string
  readonly binds?: readonly string[]
}

/** @returns the path, normalised @throws AppError PATH_INVALID, BIND_NOT_ALLOWED with what is allowed */
export function allowedBind(path: string, { name, binds = [] }: BindHost): string {
  const wanted = instancePath(path).replace(/(?<=.)\/$/, '')
  const fits = (entry: string) => (isEach(entry) ? posix.dirname(wanted) : wanted) === folderOf(entry)
  if (wanted === '/' || !binds.some(fits)) {
    const allowed = binds.length > 0 ? binds : { en: 'nothing', zh: '无' }
    throw new AppError('BIND_NOT_ALLOWED', { host: name, path: wanted, allowed })
  }
  return wanted
}
