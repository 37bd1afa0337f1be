// How many names an archive of images may bring. An engine gives all of them to its images, and takes them away from
// others; an archive of a few kilobytes can hold so many that nobody finds an image again.
import { AppError } from '../errors.js'
import { createTarReader, type TarEntry } from './tar-reader.js'

const MOST_NAMES = 100
const LARGEST_LIST = 1024 * 1024

interface Manifest {
  readonly RepoTags?: readonly string[] | null
}

/** The files that name images: of `docker save`, of its predecessor, and of OCI. */
const COUNTS: Readonly<Record<string, (list: unknown) => number>> = {
  'manifest.json': (list) => (list as Manifest[]).reduce((sum, { RepoTags }) => sum + (RepoTags?.length ?? 0), 0),
  repositories: (list) =>
    Object.values(list as Record<string, object>).reduce((sum, tags) => sum + Object.keys(tags).length, 0),
  'index.json': (list) => (list as { manifests: unknown[] }).manifests.length,
}

const tooMany = (): AppError =>
  new AppError('ARCHIVE_INVALID', {
    reason: { en: `it names more than ${MOST_NAMES} images`, zh: `其中的镜像名称超过 ${MOST_NAMES} 个` },
  })
const unreadable = (cause?: unknown): AppError =>
  new AppError(
    'ARCHIVE_INVALID',
    { reason: { en: 'its list of images cannot be read', zh: '无法读取其中的镜像清单' } },
    { cause },
  )

function countOf(names: readonly string[], content: Buffer): number {
  try {
    const list: unknown = JSON.parse(content.toString())
    return Math.max(...names.map((name) => COUNTS[name]?.(list) ?? 0))
  } catch (error) {
    throw unreadable(error)
  }
}

/** @returns a function that is shown an archive's bytes as they go by @throws AppError ARCHIVE_INVALID from it */
export function createNameGuard(): (bytes: Buffer) => void {
  // By the last part of a path alone: a link to the archive's root would make another path of the same file.
  const listsOf = ({ names }: TarEntry): string[] => [...names].filter((name) => Object.hasOwn(COUNTS, name))
  return createTarReader({
    entry(entry) {
      if (listsOf(entry).length === 0) return false
      // A link could lead to a list that was not looked at.
      if (!entry.isFile) throw unreadable()
      if (entry.sizeBytes > LARGEST_LIST) throw tooMany()
      return true
    },
    content(entry, content) {
      if (countOf(listsOf(entry), content) > MOST_NAMES) throw tooMany()
    },
  })
}
